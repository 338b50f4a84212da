"""From an estimate and its standard error to statements: tests and intervals.

Three tests of L beta = c ask one likelihood three questions. Wald: how far is the estimate from the hypothesis, in
standard errors? Likelihood ratio: how much deviance does the hypothesis cost? Score: how steep is the likelihood where
the hypothesis is best? All three use the dispersion of the fit; where it was estimated, they are divided by their degrees
of freedom and compared with F, else with chi-squared. An estimated alpha of the negative binomial is estimated again under
the hypothesis (R's anova does the same, its profile intervals hold it); an estimated power of the Tweedie family is held.
"""

import warnings
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from scipy import linalg, optimize, stats

from .errors import ConvergenceWarning, InputError
from .hypothesis import parse
from .least_squares import Triangle
from .restricted import restricted_fit
from .standardize import evaluator


@dataclass(frozen=True)
class Test:
    """A test of `hypothesis` by `method`: statistic (chi-squared, or F where df_denominator is given), df, p_value.

    >>> result = fit.test("temperature")
    >>> result.df, round(result.statistic, 3), round(result.p_value, 4)
    (1, 6.043, 0.014)
    >>> print(result)
    wald test of temperature = 0: chi-squared(1) = 6.043, P = 0.014
    """

    hypothesis: str
    method: str
    statistic: float
    df: int
    df_denominator: int | None
    p_value: float

    def __str__(self):
        law = f"F({self.df}, {self.df_denominator})" if self.df_denominator else f"chi-squared({self.df})"
        return f"{self.method} test of {self.hypothesis}: {law} = {self.statistic:.4g}, P = {self.p_value:.3g}"


def held(fit):
    """The family of restricted models: the fit's own, or the one whose parameter is estimated in each of them again."""
    return fit.family if fit.estimate is None else fit.estimate.held


def reference(df):
    """The law a Wald statistic is compared with: Student's t where phi was estimated on df degrees, else the normal."""
    return stats.norm if df is None else stats.t(df)


def quantile(level, df):
    """The two-sided critical value for a confidence level, 0 < level < 1."""
    if not (isinstance(level, (int, float, np.number)) and 0 < level < 1):
        raise InputError(
            expected="a confidence level between 0 and 1", got=repr(level), remedy="For 95 percent pass 0.95."
        )
    return reference(df).ppf(0.5 + level / 2)


def p_value(statistic, df):
    """Two-sided P of a Wald statistic."""
    return 2 * reference(df).sf(np.abs(statistic))


def test(fit, hypothesis, method="wald"):
    """Test L beta = c. hypothesis: see `hypothesis.parse`; method: "wald", "score" or "lr"."""
    if not (isinstance(method, str) and method in _METHODS):
        raise InputError(
            expected='method="wald", "score" or "lr"', got=repr(method), remedy="The three agree in large samples."
        )
    parsed = parse(hypothesis, fit.design, fit.keep)
    chi2 = _METHODS[method](fit, parsed.L[:, fit.keep], parsed.c) / positive_dispersion(fit)
    return chi_squared_or_f(parsed.text, method, chi2, len(parsed.L), fit._df)


def chi_squared_or_f(text, method, chi2, df, df_denominator):
    """The Test of chi2 on df degrees: as it is, or divided by them where phi was estimated on df_denominator."""
    statistic = chi2 if df_denominator is None else chi2 / df
    law = stats.chi2(df) if df_denominator is None else stats.f(df, df_denominator)
    return Test(text, method, float(statistic), df, df_denominator, float(law.sf(statistic)))


def positive_dispersion(fit):
    """phi, which tests are divided by and profiles are measured in: none can be had where it is 0 or unknown."""
    phi = fit.dispersion
    if not phi > 0:
        none_left = fit.df_resid <= 0 and fit.dispersion_estimated
        raise InputError(
            expected="a dispersion > 0",
            got=f"{phi:g}, since there are as many coefficients as rows" if none_left else f"{phi:g}: the model leaves nothing over",
            remedy="Fit a smaller model, or pass dispersion= with a number.",
        )
    return phi


def _wald(fit, L, c):
    """(L b - c)' [L (X'WX)^-1 L']^-1 (L b - c)."""
    scaled = linalg.solve_triangular(fit.root, L.T, trans="T")  # its columns' products are L (X'WX)^-1 L'
    q, r = np.linalg.qr(scaled)
    return float(np.sum(linalg.solve_triangular(r, L @ fit.solution.beta - c, trans="T") ** 2))


def _under(fit, L, c):
    """The fit under the hypothesis. Where there may be several optima it begins from the data as well; it says if it did not arrive."""
    rows, afresh = fit._rows, fit._rows.in_memory and fit.link != fit.family.canonical_link
    restricted = restricted_fit(rows, held(fit), fit.link, L, c, fit.solution.beta, fit.family, afresh)
    if not restricted.converged:
        warnings.warn("the fit under the hypothesis did not converge: the test is approximate.", ConvergenceWarning, stacklevel=5)
    return restricted


def rise(fit, cost, stacklevel=5):
    """How much more a smaller model costs than the fit, at least 0; says so if it costs less, which an optimum does not allow."""
    if cost < fit.cost - 1e-4 * fit.dispersion:
        warnings.warn(
            f"a smaller model fits better than this one (deviance {fit.cost - cost:.4g} lower): the fit is at a local optimum, and "
            "its tests and profiles mean little. Fit again with start= at the coefficients of the smaller model.",
            ConvergenceWarning,
            stacklevel=stacklevel,
        )
    return max(cost - fit.cost, 0.0)


def _likelihood_ratio(fit, L, c):
    """Deviance under the hypothesis minus deviance of the fit."""
    return rise(fit, _under(fit, L, c).cost)


def _score(fit, L, c):
    """U' (X'WX)^-1 U at the restricted estimate."""
    restricted = _under(fit, L, c)
    summary = evaluator(fit._rows, restricted.family, fit.link)(restricted.beta, Triangle)
    if summary is None or not np.isfinite(summary.projection).all():
        raise InputError(
            expected="a fit under the hypothesis with possible means",
            got=f"none with the {fit.link.name} link",
            remedy='Take method="wald", or choose a link whose range fits.',
        )
    return float(summary.projection @ summary.projection)


_METHODS = {"wald": _wald, "score": _score, "lr": _likelihood_ratio}


def wald_interval(fit, level):
    """coef -+ quantile x se."""
    half = quantile(level, fit._df) * fit.se
    return pd.DataFrame({"lower": fit.coef - half, "upper": fit.coef + half})


def profile_interval(fit, level):
    """Where the profile deviance has risen by quantile^2 x phi; infinite where it never does.

    The profile deviance of coefficient j at b is the least deviance of all models with beta_j = b.
    """
    ends = np.full((len(fit.keep), 2), np.nan)
    for j, row in enumerate(np.flatnonzero(fit.keep)):
        ends[row] = profile_ends(fit, j, level)
    return pd.DataFrame(ends, index=fit.coef.index, columns=["lower", "upper"])


def profile_ends(fit, j, level):
    """Both ends of the profile interval of the j-th estimated coefficient."""
    rows, se = fit._rows, fit.se.to_numpy()[fit.keep][j]
    cut = quantile(level, fit._df) ** 2 * positive_dispersion(fit)
    name = fit.design.names[np.flatnonzero(fit.keep)[j]]
    if fit.separation is not None and name in fit.separation.infinite:
        return _profile_of_infinite(fit, rows, j, fit.separation.infinite[name], cut)
    return [_profile_end(fit, rows, j, sign * se, cut) for sign in (-1, 1)]


def _profile_of_infinite(fit, rows, j, estimate, cut):
    """The interval of a coefficient estimated at +inf or -inf: one end is found, the other is the estimate.

    The profile deviance falls all the way to the estimate; where that has no sign (NaN) it is the same everywhere.
    """
    if np.isnan(estimate):
        return -np.inf, np.inf
    L = np.eye(rows.X.shape[1])[[j]]
    towards = np.sign(estimate) / np.linalg.norm(rows.X[:, j]) * np.sqrt(len(rows.y))  # moves eta by about 1

    def excess(t):
        try:
            cost = restricted_fit(rows, held(fit), fit.link, L, np.array([t * towards]), 0 * L[0], fit.family).cost
        except InputError:  # no possible mean so far out
            return np.inf
        return cost - fit.cost - cut

    near, far = 0.0, 1.0 if (above := excess(0.0) > 0) else -1.0
    while (excess(far) > 0) == above:
        if abs(far) > 1e6:  # it never rises enough
            return -np.inf, np.inf
        near, far = far, 2 * far
    end = towards * optimize.brentq(excess, near, far, xtol=1e-12, rtol=1e-12)
    return (end, np.inf) if estimate > 0 else (-np.inf, end)


def _profile_end(fit, rows, j, step, cut):
    """The b on one side of the estimate at which the signed root of the profile deviance reaches its target."""
    estimate, L = fit.solution.beta[j], np.eye(len(fit.solution.beta))[[j]]
    best, arrived = {0.0: (fit.solution.beta, fit.family)}, {}

    @cache
    def excess(t):
        near = best[min(best, key=lambda known: abs(known - t))]
        try:
            restricted = restricted_fit(rows, held(fit), fit.link, L, np.array([estimate + t * step]), *near)
        except InputError:  # no possible mean so far out: the deviance is infinite there
            return np.sqrt(cut)
        best[t] = restricted.beta, restricted.family
        arrived[t] = restricted.converged
        return np.sqrt(rise(fit, restricted.cost)) - np.sqrt(cut)

    near, far = 0.0, 1.0
    while excess(far) < 0:
        if far > 1e10:
            return np.copysign(np.inf, step)
        near, far = far, far * (1.5 if far < 10 else 10)  # at a boundary a standard error may be far too small
    end = optimize.brentq(excess, near, far, xtol=1e-12, rtol=1e-12)
    if not arrived.get(end, True):
        name = fit.design.names[np.flatnonzero(fit.keep)[j]]
        warnings.warn(f"the fit at an end of the interval of {name} did not converge: the end is approximate.", ConvergenceWarning, stacklevel=7)
    return estimate + step * end
