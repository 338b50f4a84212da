"""Tests and intervals for a GEE: from the estimate and a robust covariance, with no likelihood to compare.

Wald: how far is the estimate from the hypothesis, measured by its covariance? Score: with the model fitted under the
hypothesis, how far are the equations from zero? The Wald statistic is divided by its degrees of freedom and compared with
F on K - p (a single one with Student's t): the covariance was estimated from K clusters, and for few of them normal
quantiles promise too much. df = inf gives the normal law and chi-squared.
"""

from functools import partial

import numpy as np
import pandas as pd
from scipy import linalg, stats

from .errors import InputError
from .estimating import (
    Point,
    estimating_equation,
    finish,
    means_and_residuals,
)
from .geeloop import iterate
from .hypothesis import parse
from .inference import Test, quantile
from .least_squares import Gram, inverse_information, solve
from .sandwich import sandwich
from .streaming import panel as portions


def wald_interval(fit, level, kind, df):
    """coef -+ quantile x standard error."""
    se = pd.Series(np.sqrt(np.diag(fit.covariance(kind))), fit.coef.index)
    half = quantile(level, degrees(fit, df)) * se
    return pd.DataFrame({"lower": fit.coef - half, "upper": fit.coef + half})


def degrees(fit, df):
    """Degrees of freedom of the reference law, None for the normal: K - p unless the caller knows better."""
    df = fit.nclusters - fit.rank if df is None else df
    if not isinstance(df, (int, float, np.number)) or isinstance(df, bool) or np.isnan(df):
        raise InputError(expected="df as a number > 0, or infinity", got=repr(df), remedy="None takes K - p.")
    return None if np.isinf(df) else float(df) if df > 0 else np.nan


def test(fit, hypothesis, method, kind, df):
    """Test L beta = c. method: "wald" or "score"."""
    if method not in ("wald", "score"):
        raise InputError(
            expected='method="wald" or "score"', got=repr(method), remedy="A GEE has no likelihood, so no likelihood-ratio test."
        )
    parsed = parse(hypothesis, fit.design, fit.keep)
    L, q = parsed.L[:, fit.keep], len(parsed.L)
    if method == "score":
        statistic = _score(fit.panel, fit.solution.beta, L, parsed.c)
        return Test(parsed.text, method, statistic, q, None, float(stats.chi2(q).sf(statistic)))
    away = L @ fit.solution.beta - parsed.c
    covariance = fit.covariance(kind).to_numpy()[np.ix_(fit.keep, fit.keep)]
    statistic = _quadratic(away, L @ covariance @ L.T)
    df = degrees(fit, df)
    if df is None:
        return Test(parsed.text, method, statistic, q, None, float(stats.chi2(q).sf(statistic)))
    shown = int(df) if df % 1 == 0 else df
    return Test(parsed.text, method, statistic / q, q, shown, float(stats.f(q, df).sf(statistic / q)))


def _score(panel, near, L, c):
    """U'B^-1 L' (L B^-1 C B^-1 L')^-1 L B^-1 U, all at the estimate under the hypothesis, with its alpha and phi.

    Rotnitzky and Jewell (1990), Hypothesis testing of regression parameters in semiparametric generalized linear models for
    cluster correlated data; Boos (1992), On generalized score tests.
    """
    particular, free = linalg.lstsq(L, c)[0], linalg.null_space(L)
    if free.shape[1]:
        restricted = iterate(panel.restricted(free, particular), free.T @ (near - particular))
        if not restricted.converged:
            raise InputError(
                expected="a fit under the hypothesis", got="rounds that do not converge", remedy="Use the Wald test."
            )
        beta, parameters = particular + free @ restricted.beta, restricted.point.parameters
    else:
        beta, parameters = particular, panel.evaluate(particular).parameters
    if not panel.in_memory:
        summary = panel.sum(partial(portions.equation, beta, parameters.alpha, Gram))
        root = solve(summary).root
        direction = L @ inverse_information(root) @ summary.score
        return _quadratic(direction, L @ panel.covariance("robust", root, beta, parameters.alpha) @ L.T)
    rows = means_and_residuals(panel, beta)
    step = solve(estimating_equation(panel, rows, parameters.alpha))
    if step is None:
        raise InputError(
            expected="a hypothesis under which all coefficients can be estimated", got="a singular one", remedy="Use the Wald test."
        )
    root, scores = finish(panel, Point(rows, parameters, step))
    bread = inverse_information(root)
    direction = L @ bread @ scores.sum(0)
    return _quadratic(direction, L @ sandwich(bread, scores) @ L.T)


def _quadratic(away, covariance):
    """away' covariance^-1 away; InputError where the covariance is singular, as it is from too few clusters."""
    scale = np.sqrt(np.diag(covariance))
    eigenvalues = np.linalg.eigvalsh(covariance / np.outer(scale, scale)) if np.all(scale > 0) else np.zeros(1)
    if not eigenvalues[0] > 1e-12:
        raise InputError(
            expected="a covariance in which no combination of the tested coefficients is known exactly",
            got="a singular one",
            remedy='Test fewer coefficients than there are clusters, or use kind="model".',
        )
    return float((away / scale) @ np.linalg.solve(covariance / np.outer(scale, scale), away / scale))
