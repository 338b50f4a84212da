"""The structures that whiten without a matrix: independence, exchangeable, AR(1)."""

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from ..checks import is_number
from ..errors import InputError
from .base import Correlation

MARGIN = 1e-4  # how near to 1 an estimated correlation may come


@dataclass(frozen=True, repr=False)
class Independence(Correlation):
    """R = I: the generalized linear model, with standard errors that know of the clusters."""

    name = "independence"
    by_pattern = False

    def matrix(self, alpha, times):
        return np.eye(len(times))

    def estimate(self, moments):
        return []

    def parameters(self, ticks, labels):
        return ()

    def whiten(self, A, alpha, times):
        return A

    def admissible(self, alpha, clusters):
        return alpha, 1.0


@dataclass(frozen=True, repr=False)
class Held(Correlation):
    """A structure with one parameter that can be held fixed: alpha, a number; None: estimated."""

    alpha: float | None = None

    def __post_init__(self):
        if self.alpha is not None and not (is_number(self.alpha) and -1 < self.alpha < 1):
            raise InputError(
                expected="alpha as a correlation, a number between -1 and 1",
                got=repr(self.alpha),
                remedy="Leave alpha out to have it estimated.",
            )

    def held(self):
        return None if self.alpha is None else np.array([float(self.alpha)])

    def parameters(self, ticks, labels):
        return ("alpha",)

    def __repr__(self):
        return f"{type(self).__name__}({'' if self.alpha is None else f'alpha={self.alpha!r}'})"


class Exchangeable(Held):
    """corr(y_j, y_k) = alpha for any two of a cluster. R = (1 - alpha) I + alpha 1 1'."""

    name = "exchangeable"
    by_pattern = False

    def matrix(self, alpha, times):
        return np.where(np.eye(len(times)) == 1, 1.0, alpha[0])

    def estimate(self, moments):
        total, count = moments.pairs()
        return [moments.correlation(total, count) if count > 0 else 0.0]

    def whiten(self, A, alpha, times):
        """R has eigenvalue 1 + (m - 1) alpha on the mean of a cluster and 1 - alpha on all that deviates from it: its
        symmetric root takes a share of the mean off each row and rescales. No matrix is formed."""
        m, (a,) = A.shape[2], alpha
        share = 1 - np.sqrt((1 - a) / (1 + (m - 1) * a))
        total = (A.reshape(-1, m) @ np.full(m, share / m)).reshape(*A.shape[:2], 1)
        A -= total
        A *= 1 / np.sqrt(1 - a)
        return A

    def admissible(self, alpha, clusters):
        """-1 / (m - 1) < alpha < 1, m the largest cluster."""
        m, (a,) = int(np.max(clusters.sizes)), alpha
        most = 1 - MARGIN if a > 0 else (1 - MARGIN) / max(m - 1, 1)
        share = 1.0 if abs(a) <= most else most / abs(a)
        return share * alpha, share

    def check(self, alpha, clusters):
        m = int(np.max(clusters.sizes))
        if 1 + (m - 1) * alpha[0] <= 0:
            raise InputError(
                expected=f"alpha above -1 / (m - 1) = {-1 / (m - 1):.4g}, since the largest cluster has m = {m} rows",
                got=f"{alpha[0]:g}",
                remedy="So many responses cannot all be so negatively correlated.",
            )


class AR1(Held):
    """corr(y_j, y_k) = alpha^|t_j - t_k|, for times of any spacing: alpha is the correlation over one unit of time.

    Estimated by least squares, min sum (e_j e_k / phi - alpha^gap)^2: over neighbours ("liang_zeger": with one gap this is
    their mean product; phi (pairs - p) as always) or over all pairs ("geepack"). "statsmodels": the mean over clusters of
    the mean lag-1 product, divided by that of the mean square, as its grid=True.
    """

    name = "ar1"
    by_pattern = False

    def matrix(self, alpha, times):
        return _power(alpha[0], np.abs(np.subtract.outer(times, times)))

    def estimate(self, moments):
        if moments.convention == "statsmodels":
            return [_markov(moments)]
        gaps, total, count = moments.by_gap(None if moments.convention == "geepack" else 1)
        if len(gaps) == 0:
            return [0.0]
        pairs = np.sum(count)
        mean = total / np.where(count > 0, count, 1.0) * moments.correlation(pairs, pairs)
        return [_decay(gaps, mean, count, moments.clusters.gaps[1])]

    def whiten(self, A, alpha, times):
        """(a_j - rho a_(j-1)) / sqrt(1 - rho^2), rho = alpha^(t_j - t_(j-1)): each row less its forecast; the first as is."""
        q, k, m = A.shape
        near = _power(alpha[0], np.diff(times, axis=-1))
        rho, scale = np.zeros((k, m)), np.ones((k, m))
        rho[:, 1:], scale[:, 1:] = near, 1 / np.sqrt((1 - near) * (1 + near))
        A = A.reshape(q, -1)
        A[:, 1:] -= rho.reshape(-1)[1:] * A[:, :-1]
        A *= scale.reshape(-1)
        return A.reshape(q, k, m)

    def admissible(self, alpha, clusters):
        """The correlation of the nearest neighbours below 1; negative only if all gaps are whole and some odd."""
        nearest, signed = clusters.gaps
        most = (1 - MARGIN) ** (1 / nearest)
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
        found.append((np.sum(count * (target - theta**power) ** 2), sign * theta ** (1 / unit)))
    alpha = min(found)[1]
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
