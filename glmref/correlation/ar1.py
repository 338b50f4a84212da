"""AR(1): the correlation decays with time, alpha^gap, for times of any spacing.

Whitening takes from each row its forecast from the row before, exactly as the gap between the two asks: no matrix, no grid.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from ..errors import InputError
from .closed import MARGIN, Held


@dataclass(frozen=True, repr=False)
class AR1(Held):
    """corr(y_j, y_k) = alpha^|t_j - t_k|, for times of any spacing: alpha is the correlation over one unit of time.

    Estimated by least squares, min sum (e_j e_k / phi - alpha^gap)^2: over neighbours ("liang_zeger": with one gap this is
    their mean product; phi (pairs - p) as always) or over all pairs ("geepack"). "statsmodels" has two estimators, and calls
    them grid: True, the mean over clusters of the mean lag-1 product, divided by that of the mean square; False (its default),
    min sum (e_k - alpha^gap e_j)^2 / (1 - alpha^(2 gap)), over all pairs, j the earlier. Its R counts positions: to have its
    numbers where waves are missing, leave time= out.

    >>> correlation.AR1().matrix([0.5], np.array([0, 1, 3]))
    array([[1.   , 0.5  , 0.125],
           [0.5  , 1.   , 0.25 ],
           [0.125, 0.25 , 1.   ]])
    """

    grid: bool = True

    name = "ar1"
    by_pattern = False

    def matrix(self, alpha, times):
        return _power(alpha[0], np.abs(np.subtract.outer(times, times)))

    def estimate(self, moments):
        if moments.convention == "statsmodels":
            return [_markov(moments) if self.grid else _forecast(moments)]
        gaps, total, count = moments.by_gap(None if moments.convention == "geepack" else 1)
        if len(gaps) == 0:
            return [0.0]
        pairs = np.sum(count)
        mean = total / np.where(count > 0, count, 1.0) * moments.correlation(pairs, pairs)
        return [_decay(gaps, mean, count, moments.clusters.gaps[1])]

    def whiten(self, A, alpha, times):
        """(a_j - rho a_(j-1)) / sqrt(1 - rho^2), rho = alpha^(t_j - t_(j-1)): each row less its forecast; the first as is."""
        q, k, m = A.shape
        gap, rho, scale = np.diff(times, axis=-1), np.zeros((k, m)), np.ones((k, m))
        rho[:, 1:] = _power(alpha[0], gap)
        if alpha[0] != 0:  # 1 - rho^2 without cancellation, for rows that nearly coincide
            scale[:, 1:] = 1 / np.sqrt(-np.expm1(2 * gap * np.log(abs(alpha[0]))))
        A = A.reshape(q, -1)
        A[:, 1:] -= rho.reshape(-1)[1:] * A[:, :-1]
        A *= scale.reshape(-1)
        return A.reshape(q, k, m)

    def admissible(self, alpha, clusters):
        """Below 1 over the mean gap; negative only if all gaps are whole and some odd."""
        mean, signed = clusters.gaps
        most = (1 - MARGIN) ** (1 / mean) if mean > 0 else 1.0
        a = float(np.clip(alpha[0], -most if signed else 0.0, most))
        return np.array([a]), 1.0 if a == alpha[0] else abs(a / alpha[0])

    def check(self, alpha, clusters):
        if alpha[0] < 0 and not clusters.gaps[1]:
            raise InputError(
                expected="alpha >= 0, since the gaps between times are not whole, or all even",
                got=f"{alpha[0]:g}",
                remedy="A negative number has no fractional power: count time in units of the smallest gap.",
            )


def _power(alpha, gap):
    """alpha^gap; alpha < 0 only with whole gaps."""
    if alpha == 0:
        return np.where(gap == 0, 1.0, 0.0)
    size = np.exp(gap * np.log(abs(alpha)))
    return size if alpha > 0 else np.where(gap % 2 == 1, -size, size)


def _markov(moments):
    """sum_i [sum_j e_j e_(j+1) / (m_i - 1)] / sum_i [sum_j e_j^2 / m_i], over clusters of two and more."""
    ahead = square = 0.0
    for batch, e, _ in moments.blocks():
        if batch.m > 1:
            ahead += np.sum(e[:, 1:] * e[:, :-1]) / (batch.m - 1)
            square += np.sum(e * e) / batch.m
    return ahead / square if square > 0 else 0.0


def _forecast(moments):
    """The alpha that minimizes the squared errors of forecasts, (e_k - alpha^gap e_j)^2, over their variance 1 - alpha^(2 gap).

    With sums over the pairs of a gap it is sum square (product / square - alpha^gap)^2 / variance; the variance is taken at
    the last alpha until both agree. Munoz et al. (1992), A parametric family of correlation structures.
    """
    gaps, product, square = moments.by_gap(squares=True)
    if len(gaps) == 0:
        return 0.0
    mean, alpha = np.divide(product, square, out=np.zeros_like(product), where=square > 0), 0.5
    for _ in range(500):
        last, alpha = alpha, max(_decay(gaps, mean, square * (1 - alpha**2) / (1 - alpha ** (2 * gaps)), False), 0.0)
        if abs(alpha - last) < 1e-14 or alpha >= 1:
            break
    return alpha


def _decay(gaps, mean, count, signed):
    """The alpha that minimizes sum count (mean - alpha^gap)^2, negative only if `signed`.

    Sought as theta = |alpha|^unit, the correlation over the mean gap, so that the unit of time does not matter. A value
    outside the admissible ones is returned as such, for `admissible` to mend and the fit to report.
    """
    unit = np.average(gaps, weights=count)
    power = gaps / unit
    found = []
    for sign in (1, -1) if signed else (1,):
        target = np.where(gaps % 2 == 1, -mean, mean) if sign < 0 else mean
        theta = _theta(power, target, count)
        found.append((np.sum(count * (target - theta**power) ** 2), theta, sign))
    _, theta, sign = min(found)
    alpha = sign * theta ** (1 / unit)
    if (abs(alpha) < 1e-300 and theta > 1e-3) or (unit > 1e8 and theta < 1):
        raise InputError(
            expected="times in a unit not too far from the gaps, since alpha is the correlation over one unit",
            got=f"a mean gap of {unit:.3g}, over which the correlation is {theta:.3g}: over one unit it rounds to {alpha:.3g}",
            remedy="Divide time= by the usual gap.",
        )
    return -1e-9 if alpha == 0 and np.sum(count * power * mean) < 0 else alpha


def _theta(power, mean, count):
    """The theta > 0 that minimizes sum count (mean - theta^power)^2; at most 1 unless all powers are 1."""
    if np.all(power == power[0]):
        return max(np.average(mean, weights=count), 0.0)

    def loss(theta):
        return np.sum(count * (mean - theta**power) ** 2)

    def slope(theta):  # of the loss, times theta / 2
        raised = theta**power
        return np.sum(count * power * (raised - mean) * raised)

    grid = np.concatenate([[0.0, 1e-6, 1e-3], np.linspace(0.05, 0.95, 19), [0.99, 1.0]])
    best = int(np.argmin([loss(theta) for theta in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    low = max(low, 1e-9)
    if slope(low) < 0 < slope(high):
        return optimize.brentq(slope, low, high, xtol=1e-15, rtol=1e-14)
    return 0.0 if best == 0 or slope(low) >= 0 else 1.0
