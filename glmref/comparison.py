"""Nested fits beside one another: what each step's coefficients take off the deviance."""

import numpy as np
import pandas as pd

from .errors import InputError
from .inference import chi_squared_or_f, held, positive_dispersion, rise


def compare(*fits):
    """Analysis of deviance of nested fits, smallest first: what each step's coefficients take off the deviance.

    Returns a DataFrame, one row a fit: df_resid, deviance, df, drop, statistic (chi-squared, or F where the dispersion
    of the largest fit was estimated), P. Where each fit estimated its own alpha, drop is that of -2 loglik.
    Raises InputError where the fits are not nested or not of the same data.

    >>> smaller = glm("claims ~ 1", insurance, "poisson", offset="np.log(holders)")
    >>> compare(smaller, claims)[["deviance", "df", "drop"]].round(2)
                  deviance   df   drop
    model
    claims ~ 1      236.26  NaN    NaN
    claims ~ age    155.40  3.0  80.86
    """
    if len(fits) < 2:
        raise InputError(expected="at least two fits", got=f"{len(fits)}", remedy="compare(small, large)")
    for fit in fits:
        if not hasattr(fit, "cost"):
            raise InputError(expected="fits by glm or fit_glm", got=repr(fit)[:80], remedy="compare(small, large)")
    largest = fits[-1]
    for small, large in zip(fits, fits[1:]):
        _check_nested(small, large)
    rows = []
    for k, fit in enumerate(fits):
        row = {"df_resid": fit.df_resid, "deviance": fit.deviance, "df": np.nan, "drop": np.nan, "statistic": np.nan, "P": np.nan}
        if k:
            df, drop = fits[k - 1].df_resid - fit.df_resid, fits[k - 1].cost - fit.cost
            result = chi_squared_or_f("", "lr", rise(fit, fits[k - 1].cost, stacklevel=3) / positive_dispersion(largest), df, largest._df)
            row |= {"df": df, "drop": drop, "statistic": result.statistic, "P": result.p_value}
        rows.append(row)
    index = pd.Index([fit.design.formula or f"model {k + 1}" for k, fit in enumerate(fits)], name="model")
    return pd.DataFrame(rows, index=index)


def _named(fit):
    shape = f"({fit.family.shape_name} = {fit.family.shape:.6g})" if fit.family.shape_name else ""
    return f"{fit.family}{shape}"


def _check_nested(small, large):
    def refuse(expected, got, remedy="Fit both to the same rows, the smaller model first."):
        raise InputError(expected=expected, got=got, remedy=remedy)

    if small.link != large.link or held(small) != held(large):
        refuse(
            "one family and one link",
            f"{_named(small)}, {small.link} and {_named(large)}, {large.link}",
            "Fit both with the same family and link; where only one estimates a parameter, give both family=large.family.",
        )
    if not (small.design.rows.in_memory and large.design.rows.in_memory):
        _check_nested_portions(small, large, refuse)
        return
    for name, what in (("y", "response"), ("weight", "weights"), ("frequency", "frequency weights"), ("offset", "offset")):
        one, two = getattr(small.design, name), getattr(large.design, name)
        if len(one) != len(two) or not np.array_equal(one, two):
            refuse(f"the same {what} in both fits", f"{len(one)} and {len(two)} rows" if len(one) != len(two) else "different values")
    if small.rank >= large.rank:
        equal = small.rank == large.rank
        remedy = "Models of equal size are not nested: compare them by their aic." if equal else "Pass the smaller model first."
        refuse("a larger model after a smaller one", f"{small.rank} coefficients, then {large.rank}", remedy)
    used = slice(None) if large.design.used.all() else large.design.used
    X, Z = small.design.X[used][:, small.keep], large.design.X[used][:, large.keep]
    Q = np.linalg.qr(Z / np.linalg.norm(Z, axis=0))[0]
    X = X / np.linalg.norm(X, axis=0)
    if np.max(np.linalg.norm(X - Q @ (Q.T @ X), axis=0)) > 1e-8:
        refuse("nested models: every column of the smaller a combination of the larger's", "columns that the larger lacks")


def _check_nested_portions(small, large, refuse):
    """Rows that come in portions are not looked at again: source, response and weights must be the same, columns go by name."""
    one, two = (getattr(fit.design, "recipe", None) for fit in (small, large))
    if None in (one, two) or small.design.source != large.design.source or one.response != two.response:
        refuse("the same source and the same response in both fits", "different ones")
    if (one.offset, one.weights, one.frequency_weights) != (two.offset, two.weights, two.frequency_weights):
        refuse("the same offset and weights in both fits", "different ones")
    if small.rank >= large.rank:
        refuse("a larger model after a smaller one", f"ranks {small.rank} and {large.rank}")
    extra = [name for name in small.design.names if name not in large.design.names]
    if extra:
        refuse("nested models: every column of the smaller one of the larger's", f"{', '.join(extra)}, which the larger lacks")
