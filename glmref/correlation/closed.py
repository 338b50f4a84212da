"""The structures that whiten without a matrix and without times: independence, exchangeable."""

from dataclasses import dataclass

import numpy as np

from ..checks import is_number
from ..errors import InputError
from .base import Correlation

MARGIN = 1e-4  # how near to 1 an estimated correlation may come


@dataclass(frozen=True, repr=False)
class Independence(Correlation):
    """R = I: the generalized linear model, with standard errors that know of the clusters.

    >>> correlation.Independence().matrix((), [7, 8])
    array([[1., 0.],
           [0., 1.]])
    """

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
    """corr(y_j, y_k) = alpha for any two of a cluster. R = (1 - alpha) I + alpha 1 1'.

    >>> correlation.Exchangeable().matrix([0.3], [7, 8, 9])
    array([[1. , 0.3, 0.3],
           [0.3, 1. , 0.3],
           [0.3, 0.3, 1. ]])
    """

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
