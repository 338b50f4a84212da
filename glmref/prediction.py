"""Predictions for rows old and new, with intervals from any covariance: what a GLM and a GEE share."""

import numpy as np
import pandas as pd

from . import checks
from . import design as designs
from .errors import InputError
from .inference import quantile


METHODS = ("transformed", "delta")


def predict(fit, data, kind, interval, offset, method, se, df):
    """Mean or linear predictor of rows of a table or array, or (None) of the fitted ones.

    interval: a level such as 0.95 adds a Wald interval (DataFrame: the prediction, lower, upper). For means, method
    "transformed" takes it on the linear scale and sends it through the link, ending it at the limit where it runs out of the
    link's range; "delta" is mean -+ quantile |h'(eta)| se, symmetric, and may leave the range. se(X): the standard errors of
    linear predictors of rows of kept columns; df: of the reference law (None: normal). Raises InputError for a row with an
    impossible mean, or one that an aliased fit does not determine.
    """
    if kind not in ("mean", "linear"):
        raise InputError(expected='kind="mean" or "linear"', got=repr(kind), remedy="Choose one.")
    if method not in METHODS:
        raise InputError(expected='method="transformed" or "delta"', got=repr(method), remedy="They agree in large samples.")
    design = fit.design
    if data is None:
        X, index = design.X, design.index
        offset = design.offset if offset is None else checks.vector(offset, "offset", len(X), index)
    else:
        X, offset, index = designs.new_rows(design, data, offset)
    check_estimable(fit, X, index)
    X = X[:, fit.keep]
    eta = X @ fit.solution.beta + offset
    if kind == "mean":
        check_possible(fit, eta, index)
    transform = fit.link.inverse if kind == "mean" else np.array
    if interval is None:
        return transform(eta)
    half = quantile(interval, df) * se(X)
    lower, upper = eta - half, eta + half
    if kind == "mean" and method == "delta":
        with np.errstate(over="ignore", invalid="ignore"):  # a mean that overflows has no interval of this kind: NaN
            half = half * np.abs(fit.link.derivative(eta))
            lower, upper = transform(eta) - half, transform(eta) + half
    elif kind == "mean":
        low, high = fit.family.eta_interval(eta, fit.link)
        with np.errstate(divide="ignore"):
            lower, upper = transform(np.maximum(lower, low)), transform(np.minimum(upper, high))
        lower, upper = np.sort(np.abs([lower, upper]) if fit.family.mean_interval[0] == 0 else [lower, upper], axis=0)
    return pd.DataFrame({kind: transform(eta), "lower": lower, "upper": upper}, index=index)


def check_estimable(fit, X, index):
    """Rows in which the aliased columns do not repeat the others as in the fit have no prediction."""
    if fit.keep.all():
        return
    implied = X[:, fit.keep] @ fit.columns.combination
    off = np.any(np.abs(X[:, ~fit.keep] - implied) > 1e-7 * (1 + np.abs(implied)), axis=1)
    if off.any():
        raise InputError(
            expected="rows in which the aliased columns repeat the others as they did in the fit",
            got=f"{checks.row(index, int(np.argmax(off)))}, for which the fit determines no prediction",
            remedy="Aliased: " + ", ".join(np.array(fit.design.names)[~fit.keep]) + ". Fit without them.",
        )


def check_possible(fit, eta, index):
    """Every linear predictor must give a possible mean."""
    bad = ~fit.family.valid(eta, fit.link)
    if bad.any():
        at = int(np.argmax(bad))
        raise InputError(
            expected=f"linear predictors that give a possible mean of the {fit.family.name} family, link {fit.link.name}",
            got=f"{eta[at]:.6g} in {checks.row(index, at)} ({np.count_nonzero(bad)} such rows)",
            remedy='The model does not reach so far; kind="linear" shows the linear predictor.',
        )
