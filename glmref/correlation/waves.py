"""The structures that know which waves a cluster has: unstructured, Toeplitz, m-dependent, and a matrix of the user's.

A wave is one of the different times of the data. A cluster in which some are missing takes the rows and columns of R that
belong to those it has: by time, never by position.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..checks import as_numbers
from ..errors import InputError
from .base import Correlation, check_form, check_positive


def rank(times):
    """Wave numbers 0, 1, ...: the rank of each time among the different ones."""
    return np.unique(times, return_inverse=True)[1].reshape(-1).astype(float)


def grid(times):
    """Whole numbers 0, 1, ... on the coarsest grid that holds all times; InputError where they lie on none."""
    different = np.unique(times)
    gaps = np.diff(different)
    if len(gaps) == 0:
        return np.zeros(len(times))
    unit = float(np.gcd.reduce(gaps.astype(int))) if np.all(gaps == np.round(gaps)) else np.min(gaps)
    ticks = (times - different[0]) / unit
    if np.any(np.abs(ticks - np.round(ticks)) > 1e-6):
        raise InputError(
            expected="times on an even grid, so that lags can be counted",
            got=f"gaps of {np.min(gaps):g} and {gaps[np.argmax(np.abs(gaps / unit - np.round(gaps / unit)))]:g}",
            remedy='Use "ar1", which takes times of any spacing, or round the times to waves.',
        )
    return np.round(ticks)


@dataclass(frozen=True, repr=False)
class Unstructured(Correlation):
    """One correlation for each pair of waves, T (T - 1) / 2 of them; NaN for a pair that no cluster has.

    >>> correlation.Unstructured().matrix([0.5, 0.2, 0.4], np.array([0, 1, 2]))
    array([[1. , 0.5, 0.2],
           [0.5, 1. , 0.4],
           [0.2, 0.4, 1. ]])
    """

    name = "unstructured"

    def clock(self, times):
        return rank(times)

    def matrix(self, alpha, times):
        waves = times.astype(int)
        n = int((1 + np.sqrt(1 + 8 * len(alpha))) / 2 + 0.5)
        full = np.eye(n)
        full[np.triu_indices(n, 1)] = alpha
        full = np.triu(full) + np.triu(full, 1).T
        return full[np.ix_(waves, waves)]

    def estimate(self, moments):
        n = int(np.max(moments.clusters.ticks)) + 1
        total, count = moments.by_wave(n)
        above = np.triu_indices(n, 1)
        if moments.convention != "statsmodels":
            return moments.correlation(total[above], count[above])
        covariance = moments.phi * moments.correlation(total, count)
        sd = np.sqrt(np.diag(covariance))
        return (covariance / np.outer(sd, sd))[above]

    def parameters(self, ticks, labels):
        return tuple(f"{labels[j]:g}, {labels[k]:g}" for j, k in zip(*np.triu_indices(len(labels), 1)))


@dataclass(frozen=True, repr=False)
class Toeplitz(Correlation):
    """One correlation for each lag: corr(y_j, y_k) = alpha_l, l = |t_j - t_k| counted on the coarsest grid of all times.

    >>> correlation.Toeplitz().matrix([0.5, 0.2], np.array([0, 1, 2]))
    array([[1. , 0.5, 0.2],
           [0.5, 1. , 0.5],
           [0.2, 0.5, 1. ]])
    """

    name = "toeplitz"

    def clock(self, times):
        return grid(times)

    def lags(self, ticks):
        """How many lags have a correlation.

        >>> correlation.Toeplitz().lags(np.array([0, 1, 2, 3])), correlation.MDependent(2).lags(np.array([0, 1, 2, 3]))
        (3, 2)
        """
        return int(np.max(ticks) - np.min(ticks))

    def matrix(self, alpha, times):
        lag = np.abs(np.subtract.outer(times, times)).astype(int)
        values = np.concatenate([[1.0], alpha, np.zeros(max(int(np.max(lag, initial=0)) - len(alpha), 0))])
        return values[lag]

    def estimate(self, moments):
        n = self.lags(moments.clusters.ticks)
        total, count, means, having = (np.zeros(n + 1) for _ in range(4))
        for batch, S, N in moments.matrices():
            j, k = np.triu_indices(batch.m, 1)
            lag = (batch.times[k] - batch.times[j]).astype(int)
            j, k, lag = j[lag <= n], k[lag <= n], lag[lag <= n]
            sums, number = np.bincount(lag, S[j, k], n + 1), np.bincount(lag, N[j, k], n + 1)
            total, count = total + sums, count + number
            here = np.bincount(lag, minlength=n + 1)
            means += np.divide(sums, here, out=np.zeros(n + 1), where=here > 0)
            having += batch.k * (here > 0)
        if moments.convention == "statsmodels":  # mean over the clusters of their mean products, by the mean square
            with np.errstate(invalid="ignore", divide="ignore"):
                return (means / having / np.mean(moments.signal**2))[1:]
        return moments.correlation(total[1:], count[1:])

    def parameters(self, ticks, labels):
        unit = np.min(np.diff(labels) / np.diff(ticks)) if len(labels) > 1 else 1.0
        return tuple(f"lag {unit * lag:g}" for lag in range(1, self.lags(ticks) + 1))


@dataclass(frozen=True, repr=False)
class MDependent(Toeplitz):
    """Toeplitz up to lag m, zero beyond: responses further apart are taken to be uncorrelated.

    >>> correlation.MDependent(1).matrix([0.5], np.array([0, 1, 2]))
    array([[1. , 0.5, 0. ],
           [0.5, 1. , 0.5],
           [0. , 0.5, 1. ]])
    """

    m: int = 1
    name = "m-dependent"

    def __post_init__(self):
        if isinstance(self.m, bool) or not isinstance(self.m, (int, np.integer)) or self.m < 1:
            raise InputError(expected="m as a whole number >= 1", got=repr(self.m), remedy="MDependent(1) links neighbours only.")

    def lags(self, ticks):
        return min(int(self.m), super().lags(ticks))

    def __str__(self):
        return f"{self.m}-dependent"

    def __repr__(self):
        return f"MDependent({self.m})"


@dataclass(frozen=True, repr=False, eq=False)
class Fixed(Correlation):
    """R itself (T x T), one row for each wave in the order of their times; as a DataFrame labelled by time, its rows are
    found by label. Nothing is estimated.

    >>> correlation.Fixed([[1, 0.4], [0.4, 1]])
    Fixed(2 x 2)
    """

    R: object
    name = "fixed"

    def __post_init__(self):
        R = np.array(as_numbers(self.R, "the fixed working correlation"))
        check_form(R, R.shape[0] if R.ndim else 0, lambda: "the fixed working correlation")
        check_positive(R, lambda: "the fixed working correlation")
        R.flags.writeable = False
        object.__setattr__(
            self, "waves", as_numbers(self.R.index, "the labels of R") if isinstance(self.R, pd.DataFrame) else None
        )
        object.__setattr__(self, "R", R)

    def clock(self, times):
        if self.waves is not None:
            known = pd.Index(self.waves).get_indexer(times)
            if (known < 0).any():
                raise InputError(
                    expected="a row of the fixed working correlation for each time",
                    got=f"none for time {times[np.argmax(known < 0)]:g}",
                    remedy="Label the rows and columns of R by the times of the data.",
                )
            return known.astype(float)
        ticks = rank(times)
        if np.max(ticks) >= len(self.R):
            raise InputError(
                expected=f"a fixed working correlation with a row for each of the {int(np.max(ticks)) + 1} waves",
                got=f"{len(self.R)} x {len(self.R)}",
                remedy="Give a larger matrix, or time= if clusters lack some of the waves.",
            )
        return ticks

    def matrix(self, alpha, times):
        waves = times.astype(int)
        return self.R[np.ix_(waves, waves)]

    def estimate(self, moments):
        return []

    def held(self):
        return np.zeros(0)

    def parameters(self, ticks, labels):
        return ()

    def __repr__(self):
        return f"Fixed({len(self.R)} x {len(self.R)})"
