"""Component plus residual: what a term adds to the linear predictor, and what the data would have it add.

With several covariates no plot of y against x shows the shape of x's term. Its contribution with the working residuals added
does, as long as the other terms are right.

>>> from glmref import partial
"""

import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from . import checks
from .errors import InputError


class Axis(NamedTuple):
    """Where values stand on an axis: the position of each, and the labels of 0, 1, 2, ... where they are categories (else None).

    >>> partial.Axis(np.array([0.0, 1.0]), ("no", "yes")).labels
    ('no', 'yes')
    """

    position: np.ndarray
    labels: tuple | None


class PartialResiduals(NamedTuple):
    """Per row of positive weight: x (Axis), the term's contribution to eta, that plus working residual, the working weight.

    >>> part = partial.partial_residuals(fit, "temperature")
    >>> part.x.position[:2], part.contribution[:2].round(3), part.weight[:2].round(3)
    (array([66., 70.]), array([-7.63 , -8.092]), array([0.405, 0.269]))
    """

    x: Axis
    contribution: np.ndarray
    residual: np.ndarray
    weight: np.ndarray


def partial_residuals(fit, column, against=None):
    """Component plus residual of one column of X, or of a term of the formula: X_j b_j + (y - mu) / h'(eta).

    against: what the term depends on, where that is not to be seen in X (n values); default: the column itself, or the levels
    of a factor. weight: w h'^2 / V(mu), with which the regression of the residual on x_j has slope b_j (Landwehr et al. 1984).

    >>> part = partial.partial_residuals(fit, "temperature")
    >>> slope = np.polyfit(part.x.position, part.residual, 1, w=np.sqrt(part.weight))[0]
    >>> slope.round(4).item(), fit.coef["temperature"].round(4).item()
    (-0.1156, -0.1156)
    """
    columns = _columns(fit, column)
    X, coef = fit.design.X[:, columns], np.nan_to_num(fit.coef.to_numpy()[columns])
    used = fit.design.used
    contribution = X @ coef
    working, _ = fit.family.working(fit.design.y, fit.linear_predictor, fit.link)
    x = _axis_of(fit, column, columns, X) if against is None else axis(against, len(X), fit.design.index)
    residual = contribution + fit.residuals("working")
    x = Axis(x.position[used], x.labels)
    return PartialResiduals(x, contribution[used], residual[used], (fit.design.weight * working)[used])


def _columns(fit, column):
    """Positions of a column of X, of a term's columns, or of all those of a list of either."""
    names, spec = fit.design.names, fit.design.spec
    terms = {} if spec is None else {str(term): slice_ for term, slice_ in spec.term_slices.items()}
    found = []
    for name in [column] if isinstance(column, str) else list(column):
        if name in names:
            found.append(names.index(name))
        elif name in terms:
            found.extend(range(len(names))[terms[name]])
        else:
            known = dict.fromkeys([*names, *terms])
            raise InputError(
                expected="a column or term of the fit: " + ", ".join(known), got=repr(name), remedy="Check the spelling."
            )
    if not fit.keep[found].any():
        raise InputError(
            expected="a term that was estimated",
            got=f"{column!r}, aliased with the columns before it",
            remedy="Drop the repeated column and fit again.",
        )
    return found


def _axis_of(fit, column, columns, X):
    if len(columns) == 1:
        return Axis(X[:, 0], None)
    if np.all((X == 0) | (X == 1)) and np.all(X.sum(axis=1) <= 1):
        names = [fit.design.names[j] for j in columns]
        levels = [re.fullmatch(r".*?\[(?:T\.)?(.*)\]", name) for name in names]
        labels = [level[1] if level and ":" not in name else name for name, level in zip(names, levels, strict=True)]
        if np.all(X.sum(axis=1) == 1):
            return Axis(X.argmax(axis=1).astype(float), tuple(labels))
        return Axis(np.where(X.any(axis=1), X.argmax(axis=1) + 1.0, 0.0), (_baseline(fit, column, labels), *labels))
    raise InputError(
        expected=f"against=, the variable that {column!r} is made of",
        got="none, and its columns do not show it",
        remedy="Pass against=table['x'], one value per row of the fit.",
    )


def _baseline(fit, factor, labels):
    """The level of a factor that has no column."""
    for name, (_, state) in fit.design.spec.encoder_state.items():
        levels = [str(level) for level in (state["contrasts"].levels if "contrasts" in state else state.get("categories", []))]
        rest = [level for level in levels if level not in labels]
        if name == factor and len(rest) == 1:
            return rest[0]
    return "baseline"


def axis(values, n, index=None):
    """Numbers as they are; categories or text as 0, 1, 2, ... with their labels; what is missing as NaN.

    >>> partial.axis(["low", "high", "low"], 3)
    Axis(position=array([1., 0., 1.]), labels=('high', 'low'))
    """
    checks.same_rows(values, index, "against")
    series = pd.Series(values).reset_index(drop=True)
    if series.shape != (n,):
        raise InputError(
            expected=f"one value for each of the {n} rows of the fit",
            got=f"{len(series)}",
            remedy="Pass them in the rows' order.",
        )
    if pd.api.types.is_numeric_dtype(series.dtype):
        return Axis(series.to_numpy(dtype=float), None)
    factor = series.astype("category").cat
    codes = factor.codes.to_numpy(dtype=float)
    return Axis(np.where(codes < 0, np.nan, codes), tuple(map(str, factor.categories)))
