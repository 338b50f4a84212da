"""What a regression needs of its rows, as a summary that can be added up.

Write J = W^(1/2) X for the weighted rows and r for the residuals on the same scale. The regression of r on J needs only
J'J (the information) and J'r (the score). Two summaries hold them:

    Gram      J'J and J'r themselves: one matrix product per block, fast; solving loses twice the digits that J loses
    Triangle  the triangle R of J = QR, and Q'r: a QR per block, slower; loses only what J loses

Either kind adds to its own kind, in any order, so it does not matter who holds which rows. `solve` takes the step. Where an
R is known beforehand that will do, `Score` holds J'r alone, at a third of the price.

>>> from glmref.least_squares import GRAM_LIMIT, Gram, Score, Step, Triangle, solve
>>> GRAM_LIMIT
0.0001
"""

import threading
from math import isfinite
from typing import NamedTuple

import numpy as np
from scipy.linalg import blas, lapack

NARROW = 32  # columns; up to here a general matrix product is faster than a symmetric one
SMALL = 1_000_000  # multiplications: OpenBLAS's limit for matrices that it calls small
ABSURD = 1e12  # times the root of the deviance: a Pearson residual that no estimate has
NOTHING = 1e-150  # a score as small as what is left of it where a weight underflows
GRAM_LIMIT = 1e-4  # below this |R_jj| the Gram matrix has lost too many digits: use the triangle
WELL_CONDITIONED = 0.01  # above this |R_jj|, against the length of column j, a Gram matrix keeps about twelve digits


class Gram(NamedTuple):
    """information: J'J (p x p); score: J'r (p); deviance: of the same rows, uncertain by `rounding`.

    >>> X, one = np.array([[1.0, 0.0], [1.0, 1.0]]), np.ones(2)
    >>> (Gram.of(X[:1], one[:1], one[:1], 0.0) + Gram.of(X[1:], one[1:], one[1:], 0.0)).information
    array([[2., 1.],
           [1., 1.]])
    """

    information: np.ndarray
    score: np.ndarray
    deviance: float
    rounding: float = 0.0

    @classmethod
    def of(cls, X, weight, score, deviance, rounding=0.0):
        """Summarize rows of X (n x p) with working weights and scores per row (n), so that J'r = X' score, and their deviance.

        >>> Gram.of(X, one, np.array([1.0, 2.0]), deviance=5.0).score
        array([3., 2.])
        """
        if X.shape[1] > NARROW:
            J = weighted(X, np.sqrt(weight), scratch(X.shape))
            information = J.T.dot(J)  # unlike @, dot lets other threads run
        else:
            X = np.ascontiguousarray(X)  # a copy, where the rows are a sample's or columns, costs less than what it saves
            information = product(X, weighted(X, weight, scratch(X.shape)))
        return cls(information, X.T.dot(score), deviance, rounding)

    def __add__(self, other):
        return Gram(
            self.information + other.information,
            self.score + other.score,
            self.deviance + other.deviance,
            self.rounding + other.rounding,
        )

    def within(self, N):
        """The summary of J N, N (p x q): of the coefficients gamma where beta moves only by N gamma.

        >>> Gram.of(X, one, one, 0.0).within(np.array([[1.0], [1.0]])).information
        array([[5.]])
        """
        return Gram(N.T @ self.information @ N, N.T @ self.score, self.deviance, self.rounding)

    def triangle(self):
        """Upper R with R'R = J'J, or None where the Gram matrix is too ill-conditioned to tell.

        >>> Gram.of(X, one, one, 0.0).triangle().round(4)
        array([[1.4142, 0.7071],
               [0.    , 0.7071]])
        """
        return self.factored()[0]

    def factored(self):
        """(R, least_left(R)), with None for R as in `triangle`.

        >>> round(Gram.of(X, one, one, 0.0).factored()[1], 4)
        0.7071
        """
        root, failed = lapack.dpotrf(self.information)
        if failed:
            return None, 0.0
        least = min((root.diagonal() / np.sqrt(self.information.diagonal())).tolist(), default=1.0)
        return (root if least >= GRAM_LIMIT else None), least


class Score(NamedTuple):
    """score: J'r (p). For steps by an R that is known from elsewhere.

    >>> Score(np.array([1.0, 2.0])) + Score(np.array([1.0, 1.0]))
    Score(score=array([2., 3.]))
    """

    score: np.ndarray

    def __add__(self, other):
        return Score(self.score + other.score)


class Triangle(NamedTuple):
    """root: R (p x p) of J = QR; projection: Q'r (p); deviance: of the same rows, uncertain by `rounding`.

    >>> X, one = np.array([[1.0, 0.0], [1.0, 1.0]]), np.ones(2)
    >>> summary = Triangle.of(X, one, np.array([1.0, 2.0]), deviance=5.0)
    >>> np.abs(summary.root).round(4)
    array([[1.4142, 0.7071],
           [0.    , 0.7071]])
    """

    root: np.ndarray
    projection: np.ndarray
    deviance: float
    rounding: float = 0.0

    @classmethod
    def of(cls, X, weight, score, deviance, rounding=0.0):
        """As Gram.of. Rows whose weight underflowed to 0 carry no information and are left out. NaN where a Pearson residual is so
        long, beside the deviance, that its rounding hides the scores of all other rows: no step can be taken from there.

        >>> Triangle.of(X, one, np.array([1.0, 2.0]), deviance=5.0).score.round(6)
        array([3., 2.])
        """
        scale = np.sqrt(weight)
        if deviance > 0 and np.any(np.abs(score) > scale * (ABSURD * deviance**0.5) + NOTHING):
            p = X.shape[1]
            return cls(np.full((p, p), np.nan), np.full(p, np.nan), deviance, rounding)
        residual = np.divide(score, scale, out=np.zeros_like(score), where=scale > 0)
        return cls.fold(weighted(X, scale), residual, deviance, rounding)

    @classmethod
    def fold(cls, J, r, deviance=0.0, rounding=0.0):
        """The triangle of J (m x p) and r (m): of rows, or of triangles stacked on one another.

        >>> Triangle.fold(X, np.array([1.0, 2.0])).information.round(6)
        array([[2., 1.],
               [1., 1.]])
        """
        p = J.shape[1]
        root = np.linalg.qr(np.column_stack([J, r]), mode="r")
        root = np.vstack([root, np.zeros((max(p - len(root), 0), p + 1))])
        return cls(root[:p, :p], root[:p, p], deviance, rounding)

    def __add__(self, other):
        return self.fold(
            np.vstack([self.root, other.root]),
            np.concatenate([self.projection, other.projection]),
            self.deviance + other.deviance,
            self.rounding + other.rounding,
        )

    def within(self, N):
        """As Gram.within.

        >>> summary.within(np.array([[1.0], [1.0]])).information.round(6)
        array([[5.]])
        """
        return self.fold(self.root @ N, self.projection, self.deviance, self.rounding)

    @property
    def information(self):
        """J'J = R'R (p x p).

        >>> summary.information.round(6)
        array([[2., 1.],
               [1., 1.]])
        """
        return self.root.T @ self.root

    @property
    def score(self):
        """J'r = R'Q'r (p).

        >>> summary.score.round(6)
        array([3., 2.])
        """
        return self.root.T @ self.projection

    def triangle(self):
        """R, or None where it is singular.

        >>> summary.triangle() is summary.root
        True
        """
        return self.factored()[0]

    def factored(self):
        """As Gram.factored.

        >>> round(summary.factored()[1], 4)
        0.7071
        """
        return (self.root, least_left(self.root)) if self.root.diagonal().all() else (None, 0.0)


def product(A, B):
    """A'B for tall, narrow A and B, in pieces that BLAS multiplies in place: above SMALL it repacks them, and calls threads."""
    rows = max(SMALL // max(A.shape[1] * B.shape[1], 1), 1)
    if len(A) <= rows:
        return A.T.dot(B)
    total = A[:rows].T.dot(B[:rows])
    for start in range(rows, len(A), rows):
        total += A[start : start + rows].T.dot(B[start : start + rows])
    return total


def weighted(X, factor, out=None):
    """Each row of X times its factor. Spread out first: numpy multiplies two whole arrays faster than one with a column."""
    out = np.empty(X.shape) if out is None else out
    out[:] = factor[:, None]
    return np.multiply(out, X, out=out)


_memory = threading.local()


def scratch(shape):
    """Memory for one block's weighted rows, the same for every block of a thread: fresh pages cost more than the product."""
    kept = getattr(_memory, "array", None)
    if kept is None or kept.size < shape[0] * shape[1]:
        kept = _memory.array = np.empty(shape[0] * shape[1])
    return kept[: shape[0] * shape[1]].reshape(shape)


class Step(NamedTuple):
    """One regression of r on J.

    direction: (J'J)^-1 J'r; decrement: J'r' (J'J)^-1 J'r, the score statistic: how far, in squared standard errors,
    the coefficients still have to go; root: the R used; least: its least_left.

    >>> step = solve(Gram(np.array([[4.0]]), np.array([2.0]), 0.0))
    >>> step.direction, step.decrement, step.root, step.least
    (array([0.5]), 1.0, array([[2.]]), 1.0)
    """

    direction: np.ndarray
    decrement: float
    root: np.ndarray
    least: float


def solve(summary):
    """The step of a summary, or None where a Gram matrix is too ill-conditioned (ask for a Triangle then).

    >>> solve(Gram(np.array([[4.0]]), np.array([2.0]), deviance=0.0)).direction
    array([0.5])
    """
    root, least = summary.factored()
    if root is None:
        return None
    if isinstance(summary, Gram):
        direction = lapack.dpotrs(root, summary.score)[0] if len(root) else summary.score
        decrement = blas.ddot(summary.score, direction) if len(root) else 0.0  # infinite, if far out; numpy's dot would warn
    else:
        direction, length = back_substitute(root, summary.projection), blas.dnrm2(summary.projection)
        decrement = length * length if np.isfinite(direction).all() else np.inf
    return Step(direction, decrement, root, least) if isfinite(decrement) else None


def back_substitute(root, b, transposed=False):
    """R^-1 b, or R^-T b (transposed), for upper R."""
    return lapack.dtrtrs(root, b, trans=int(transposed))[0] if len(root) else b


def least_left(root):
    """The smallest |R_jj| / |R_j|: what the columns before it leave of a column of J, at the least."""
    with np.errstate(invalid="ignore"):  # of a root that is infinite: NaN
        return float(np.min(np.abs(root.diagonal()) / np.hypot.reduce(root, axis=0), initial=1.0))  # no square under- or overflows


def inverse_information(root):
    """(J'J)^-1 = R^-1 R^-T; NaN where R is singular."""
    inverse, failed = lapack.dtrtri(root)
    if failed or not np.isfinite(inverse).all():
        return np.full(root.shape, np.nan)
    return inverse.dot(inverse.T)
