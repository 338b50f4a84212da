"""How far residuals may stray from their law by chance: bands for the order statistics of a sample.

A sample of known law is n uniforms in disguise, and the i-th smallest of n uniforms is Beta(i, n + 1 - i): hence bands by
quantiles. Pointwise they hold for one i; simultaneously, for all i at once, with a smaller local level found so that the
probability of never leaving the band is the one asked for. Where the law is not known, the fitted model is simulated.

>>> from glmref import envelopes
"""

import dataclasses
import warnings
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from .checking import standardized
from .errors import GLMWarning, InputError
from .glm import fit as fit_design
from .inference import quantile

EXACT_UP_TO = 1000  # sample size; the local level beyond it is extrapolated
KINDS = ("simultaneous", "pointwise")


def normal_band(n, level=0.95, kind="simultaneous"):
    """The band of n ordered standard normals (DataFrame: expected = Phi^-1((i - 1/2) / n), lower, upper).

    kind "pointwise": each order statistic is inside with probability `level`; "simultaneous": all of them are, each end
    being missed with the same local probability (Aldor-Noiman et al. 2013), exact up to n = 1000.

    >>> envelopes.normal_band(3, kind="pointwise").round(3)
       expected  lower  upper
    0    -0.967 -2.391  0.546
    1     0.000 -1.315  1.315
    2     0.967 -0.546  2.391
    """
    quantile(level, None)  # refuses what is no level
    if kind not in KINDS:
        raise InputError(expected='"simultaneous", "pointwise" or None', got=repr(kind), remedy="Choose one.")
    lower, upper = uniform_band(n, 1 - level if kind == "pointwise" else local_level(n, float(level)))
    expected = special.ndtri((np.arange(1, n + 1) - 0.5) / n)
    # the upper ends mirror the lower ones, which have all their digits
    return pd.DataFrame({"expected": expected, "lower": special.ndtri(lower), "upper": -special.ndtri(1 - upper)})


def uniform_band(n, local):
    """The local/2 and 1 - local/2 quantiles of n ordered uniforms, Beta(i, n + 1 - i).

    >>> lower, upper = envelopes.uniform_band(3, 0.05)
    >>> lower.round(3), upper.round(3)
    (array([0.008, 0.094, 0.292]), array([0.708, 0.906, 0.992]))
    """
    i = np.arange(1, n + 1)
    lower = special.betaincinv(i, n + 1 - i, local / 2)
    return lower, 1 - lower[::-1]


@lru_cache(maxsize=256)
def local_level(n, level):
    """The probability with which each ordered uniform may leave its band for all n to stay with probability `level`.

    Beyond n = 1000 a parabola in log log n continues log(local level) from n = 250, 500, 1000 (coverage to 0.0004 at 20000).

    >>> round(envelopes.local_level(20, 0.95), 5)
    0.00477
    """
    if n > EXACT_UP_TO:
        sizes = np.array([EXACT_UP_TO / 4, EXACT_UP_TO / 2, EXACT_UP_TO])
        logs = [np.log(local_level(int(size), level)) for size in sizes]
        return float(np.exp(np.polyval(np.polyfit(np.log(np.log(sizes)), logs, 2), np.log(np.log(n)))))

    def excess(log_local):
        return coverage(*uniform_band(n, np.exp(log_local))) - level

    # Bonferroni's level is small enough, one order statistic's own is too large
    low, high = np.log((1 - level) / n), np.log1p(-level)
    return float(np.exp(high if n == 1 else optimize.brentq(excess, low, high, xtol=1e-10)))


def coverage(lower, upper):
    """P(lower_i <= U_(i) <= upper_i for all i), U_(i) the i-th smallest of n uniforms; both bounds increasing in i.

    N(t), the number of uniforms up to t, is a Poisson process of rate n given N(1) = n; the bounds say N(lower_i) < i and
    N(upper_i) >= i. Its law is carried from bound to bound, the counts outside being dropped (Steck 1971; Noe 1972).

    >>> round(envelopes.coverage(*envelopes.uniform_band(20, 0.05)), 4)
    0.6452
    """
    n = len(lower)
    times, is_upper = np.concatenate([lower, upper]), np.repeat([False, True], n)
    order = np.lexsort((~is_upper, times))
    law, first, before = np.ones(1), 0, 0.0  # law[j] = P(N = first + j), at time `before`
    lowers = uppers = 0
    for k in order:
        uppers, lowers = uppers + is_upper[k], lowers + (not is_upper[k])
        last = lowers - (not is_upper[k])
        if uppers > last:
            return 0.0
        step = poisson_law(last - first, n * (times[k] - before))
        law = np.convolve(law, step)[uppers - first : last - first + 1]
        first, before = uppers, times[k]
    # at the end N = n, and nothing may follow
    return float(law[0] * np.exp(-n * (1 - before) - stats.poisson.logpmf(n, n)))


def poisson_law(last, mean):
    """P(N = 0), ..., P(N = last) of a Poisson count.

    >>> envelopes.poisson_law(2, 1.0).round(4)
    array([0.3679, 0.3679, 0.1839])
    """
    k = np.arange(last + 1)
    return np.exp(special.xlogy(k, mean) - mean - special.gammaln(k + 1))


def simulated_band(fit, kind="deviance", level=0.95, simulations=99, rng=0):
    """What the ordered absolute residuals are when the fitted model is true (Atkinson 1981).

    New responses are drawn from the fitted means and the model is fitted to each; DataFrame, one row a residual in order
    of size: expected (half-normal quantile), observed, lower, median, upper, row (its label). Draws with a constant response,
    which cannot be fitted, are replaced; warnings of the refits are not shown.

    >>> band = envelopes.simulated_band(fit, simulations=19)
    >>> list(band.columns), len(band)
    (['expected', 'observed', 'lower', 'median', 'upper', 'row'], 23)
    """
    quantile(level, None)
    if not (isinstance(simulations, (int, np.integer)) and simulations >= 10):
        raise InputError(expected="simulations as a whole number >= 10", got=repr(simulations), remedy="99 is the default.")
    rng = np.random.default_rng(rng)
    observed = standardized(fit, kind, rng)
    known = np.isfinite(observed)
    n, used = np.count_nonzero(known), fit.design.used
    design, mu = _rows(fit.design, used), fit.fitted[used]
    if n == 0:
        raise InputError(
            expected="a fit with residuals", got="none of finite size", remedy="The model leaves nothing over: fit a smaller one."
        )
    draws = np.array([_refitted_residuals(fit, design, mu, kind, rng) for _ in range(simulations)])
    draws = np.sort(np.abs(np.nan_to_num(draws[:, known[used]])), axis=1)
    lower, median, upper = np.quantile(draws, [0.5 - level / 2, 0.5, 0.5 + level / 2], axis=0)
    order = np.argsort(np.abs(observed[known]), kind="stable")
    return pd.DataFrame(
        {
            "expected": special.ndtri((np.arange(1, n + 1) + n - 0.125) / (2 * n + 0.5)),
            "observed": np.abs(observed[known])[order],
            "lower": lower,
            "median": median,
            "upper": upper,
            "row": fit.design.index[known][order],
        }
    )


def _rows(design, used):
    parts = {name: getattr(design, name)[used] for name in ("X", "y", "offset", "weight", "frequency", "index")}
    return dataclasses.replace(design, **parts)


def _refitted_residuals(fit, design, mu, kind, rng):
    for _ in range(100):
        y = fit.family.draw(mu, fit.dispersion, design.weight, rng)
        if np.ptp(y) > 0:
            break
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GLMWarning)  # a draw may be separated or reach the boundary: so may the data
        again = fit_design(dataclasses.replace(design, y=y), fit.family, fit.link, fit.dispersion_choice)
    return standardized(again, kind, rng)
