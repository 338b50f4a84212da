"""The contract of a working correlation, and what follows from it."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from scipy import linalg

from ..errors import InputError


def smallest_eigenvalue(K):
    """The smallest eigenvalue that an R estimated from K clusters may have: min(0.02, 1 / K).

    An eigenvalue near 0 claims that some contrast of a cluster's responses is known without error, and whitening gives that
    contrast all the weight. From few clusters it is an accident, and rounds that follow it do not come back.
    """
    return min(0.02, 1 / K)


class Correlation(ABC):
    """One structure R(alpha, times).

    A subclass gives `name`, `matrix`, `estimate`, and `parameters` where alpha has other names than "alpha 1", "alpha 2".
    by_pattern: whether R depends on which times a cluster has (then each pattern takes one factor); a subclass that is
    not, overrides `whiten` and `admissible` with closed forms.

    >>> structure = correlation.Exchangeable()
    >>> structure.name, structure.by_pattern
    ('exchangeable', False)
    """

    name: ClassVar[str]
    by_pattern: ClassVar[bool] = True

    @abstractmethod
    def matrix(self, alpha, times):
        """R (m x m) for a cluster with these times (m), in the units of `clock`.

        >>> correlation.AR1().matrix(np.array([0.5]), np.array([7, 8, 10]))
        array([[1.   , 0.5  , 0.125],
               [0.5  , 1.   , 0.25 ],
               [0.125, 0.25 , 1.   ]])
        """

    @abstractmethod
    def estimate(self, moments):
        """alpha (a sequence) from the Pearson residuals; see `Moments`. Not asked where alpha is held fixed.

        >>> residuals, clusters = wheeze.residuals("pearson"), wheeze.panel.clusters
        >>> moments = correlation.Moments(residuals, None, wheeze.dispersion, wheeze.rank, clusters, "liang_zeger")
        >>> correlation.Toeplitz().estimate(moments).round(3)
        array([0.399, 0.314, 0.305])
        """

    def clock(self, times):
        """The times as `matrix` counts them: as they are, unless a subclass ranks them.

        >>> correlation.Unstructured().clock(np.array([0, 3, 12]))
        array([0., 1., 2.])
        """
        return times

    def held(self):
        """alpha where the user holds it fixed, else None.

        >>> correlation.AR1(alpha=0.3).held(), correlation.AR1().held()
        (array([0.3]), None)
        """
        return None

    def parameters(self, ticks, labels):
        """Names of alpha. ticks: the different times on the clock; labels: as the user wrote them. None: numbered.

        >>> correlation.Toeplitz().parameters(np.array([0, 1, 2]), np.array([7, 8, 9]))
        ('lag 1', 'lag 2')
        """
        return None

    def whiten(self, A, alpha, times):
        """L^-1 a for every cluster a of A (q x k x m), with R = L L'; times (m). May overwrite A.

        >>> pair = np.array([[[1.0, 1.0]]])
        >>> correlation.AR1().whiten(pair, np.array([0.6]), np.array([0, 1])).round(4)
        array([[[1. , 0.5]]])
        """
        inverse = linalg.solve_triangular(np.linalg.cholesky(self.matrix(alpha, times)), np.eye(A.shape[2]), lower=True)
        return (A.reshape(-1, A.shape[2]) @ inverse.T).reshape(A.shape)

    def admissible(self, alpha, clusters):
        """(alpha, share): alpha drawn towards 0, to the given share of its size, until no R has an eigenvalue too small.

        Where R is linear in alpha, R(t alpha) = (1 - t) I + t R(alpha): its smallest eigenvalue is 1 - t (1 - smallest).

        >>> alpha, share = correlation.Exchangeable().admissible(np.array([-0.5]), wheeze.panel.clusters)
        >>> alpha.round(4), round(float(share), 4)
        (array([-0.3333]), 0.6666)
        """
        share, least = 1.0, smallest_eigenvalue(len(clusters))
        for times in clusters.patterns:
            self._check_form(alpha, times)
        for _ in range(60):
            smallest = min(np.linalg.eigvalsh(self.matrix(share * alpha, times))[0] for times in clusters.patterns)
            if smallest >= least * (1 - 1e-6):
                return share * alpha, share
            share *= min((1 - least) / (1 - smallest), 0.999999)
        raise InputError(
            expected=f"a matrix of {self.name!r} that is positive definite for small alpha",
            got=f"a smallest eigenvalue of {smallest:.3g} at alpha = {np.array2string(share * alpha, precision=3)}",
            remedy="R must be the identity at alpha = 0, and continuous there.",
        )

    def check(self, alpha, clusters):
        """Raise InputError unless every matrix is a correlation matrix (asked where alpha is held, so comes from the user).

        >>> correlation.Exchangeable().check(np.array([-0.5]), wheeze.panel.clusters)
        Traceback (most recent call last):
            ...
        glmref.errors.InputError: expected alpha above -1 / (m - 1) = -0.3333, since the largest cluster has m = ...
        """
        for times in clusters.patterns:
            check_positive(self._check_form(alpha, times), lambda: self._which(times))

    def _check_form(self, alpha, times):
        R = np.asarray(self.matrix(alpha, times), dtype=float)
        check_form(R, len(times), lambda: self._which(times))
        return R

    def _which(self, times):
        return f"the working correlation {self.name!r} of a cluster with times {np.array2string(times, threshold=8)}"

    def __str__(self):
        return self.name

    def __repr__(self):
        return f"{type(self).__name__}()"


def check_form(R, m, what):
    """R is m x m, finite, symmetric, with ones on its diagonal; InputError if not. what(): how to call it."""
    if R.shape != (m, m):
        raise _refusal(f"a {m} x {m} matrix", what, f"shape {R.shape}", "It needs a row and a column for each time.")
    if not np.all(np.isfinite(R)):
        raise _refusal("finite numbers", what, "NaN or infinity", "Give every correlation.")
    if np.any(np.abs(np.diag(R) - 1) > 1e-8):
        at = int(np.argmax(np.abs(np.diag(R) - 1)))
        raise _refusal("ones on the diagonal", what, f"{R[at, at]:g} at position {at}", "Divide by the standard deviations.")
    if np.any(np.abs(R - R.T) > 1e-8):
        raise _refusal("a symmetric matrix", what, f"a difference of {np.max(np.abs(R - R.T)):.3g}", "Use (R + R.T) / 2.")


def check_positive(R, what):
    """R is positive definite; InputError if not."""
    smallest = np.linalg.eigvalsh(R)[0]
    if smallest <= 1e-10:
        raise _refusal(
            "a positive definite matrix", what, f"a smallest eigenvalue of {smallest:.3g}", "Draw the correlations towards 0."
        )


def _refusal(expected, what, got, remedy):
    return InputError(expected=f"{expected} for {what()}", got=got, remedy=remedy)
