"""The sandwich: a covariance that does not believe the model's variance, only its mean.

Near the solution of sum u_i(beta) = 0 the estimate errs by B^-1 sum u_i, so its covariance is B^-1 C B^-1: the bread
B^-1 = (X'WX)^-1, and the meat C, the sum of u_i u_i' over independent pieces, rows or clusters. Nothing here knows a
family: bread, scores and leverages are all it sees. Expected information is the bread, as in R's sandwich package.

A fit bends towards the pieces it was made from, so their residuals are too small: E r_i r_i' is nearer to (I - H_i) V_i than
to V_i, H_i the leverage of the piece. Two corrections undo it, by row or by cluster, with one formula, (I - H_i)^-q r_i:

    q      by row    by cluster
    1/2    HC2       Kauermann and Carroll (2001), A note on the efficiency of sandwich covariance matrix estimation
    1      HC3       Mancl and DeRouen (2001), A covariance estimator for GEE with improved small-sample properties

H_i = D_i B^-1 D_i' V_i^-1 is not symmetric; its root is the principal one, the only one that does not depend on the units of
the responses (R's clubSandwich takes another, equal where the working variance is constant within clusters). And since
J'(I - J B^-1 J')^-q = (I - J'J B^-1)^-q J', no matrix is larger than p x p, however large the cluster.

>>> from glmref import sandwich
"""

import numpy as np
from scipy import linalg

from .diagnostics import FULL
from .errors import InputError

ROW_KINDS = ("HC0", "HC1", "HC2", "HC3")
CLUSTER_KINDS = ("robust", "mancl_derouen", "kauermann_carroll", "fay_graubard")
_POWER = {"HC2": 0.5, "HC3": 1.0, "kauermann_carroll": 0.5, "mancl_derouen": 1.0}
FAY_GRAUBARD_BOUND = 0.75


def sandwich(bread, scores):
    """bread (p x p) times sum of u u' (scores: pieces x p) times bread.

    >>> bread, scores = np.array([[0.5]]), np.array([[1.0], [-3.0], [2.0]])
    >>> sandwich.sandwich(bread, scores)
    array([[3.5]])
    """
    half = scores @ bread
    return half.T @ half


def by_row(kind, bread, scores, leverage, frequency, n):
    """Rows are the pieces. HC0 as they are; HC1 times n / (n - p); HC2, HC3: u / (1 - h)^(1/2), u / (1 - h).

    What some rows add to the sum, so that the scores of all are never held together. scores: rows x p; leverage: the part of
    its own fit that a row decides, for which its residual is too small (None: not needed); frequency: how many pieces each
    row stands for, n in all.
    MacKinnon and White (1985), Some heteroskedasticity-consistent covariance matrix estimators.

    >>> bread, scores = np.array([[0.5]]), np.array([[1.0], [-3.0], [2.0]])
    >>> sandwich.by_row("HC3", bread, scores, np.full(3, 0.5), np.ones(3), 3)
    array([[14.]])
    """
    p = scores.shape[1]
    factor = np.sqrt(frequency * (n / (n - p) if n > p else np.nan) if kind == "HC1" else frequency)
    if leverage is not None:
        factor = factor / (1 - leverage) ** _POWER[kind]
    return sandwich(bread, scores * np.reshape(factor, (-1, 1)))


def check_rows(kind, leverage, first=0):
    """Refuse to correct rows that determine a coefficient alone. first: where the first of them stands among all.

    >>> sandwich.check_rows("HC3", np.array([0.5, 1.0]))
    Traceback (most recent call last):
        ...
    glmref.errors.InputError: expected rows with leverage below 1 for HC3; got 1 rows that determine a ...
    """
    _below_one(leverage, kind, "rows", range(first, first + len(leverage)), "Merge the level that only this row has, or use HC0 or HC1.")


def by_cluster(bread, scores, codes):
    """Clusters are the pieces: the scores of a cluster are added first. codes: the number of each row's cluster. No
    small-sample factor (CR0).

    >>> sandwich.by_cluster(np.array([[0.5]]), np.array([[1.0], [-3.0], [2.0]]), np.array([0, 0, 1]))
    array([[2.]])
    """
    totals = np.zeros((codes.max() + 1, scores.shape[1]))
    np.add.at(totals, codes, scores)
    return sandwich(bread, totals)


def corrected(kind, root, scores, grams, labels):
    """The scores u_i = J_i'r_i of some clusters (k x p), corrected for their leverage.

    root: R with R'R = B; grams: J_i'J_i (k x p x p). With v = R^-T u and Q_i = R^-T J_i'J_i R^-1, symmetric and of the
    eigenvalues of H_i, the corrected v is (I - Q_i)^-q v. Fay and Graubard (2001) divide each component of u by the root of
    1 - min(0.75, (J_i'J_i B^-1)_jj) instead, which depends on the coordinates of beta.

    >>> root, scores, grams = np.array([[2.0]]), np.array([[1.0], [-1.0]]), np.array([[[1.0]], [[3.0]]])
    >>> sandwich.corrected("mancl_derouen", root, scores, grams, ["a", "b"]).round(4)
    array([[ 1.3333],
           [-4.    ]])
    """
    if kind == "robust":
        return scores
    inverse = linalg.solve_triangular(root, np.eye(len(root)))
    if kind == "fay_graubard":
        own = np.einsum("kij,ij->ki", grams, inverse @ inverse.T)
        return scores / np.sqrt(1 - np.minimum(own, FAY_GRAUBARD_BOUND))
    leverage, axes = np.linalg.eigh(inverse.T @ grams @ inverse)
    _below_one(leverage[:, -1], kind, "clusters", labels, 'Merge the level that only this cluster has, or use "robust".')
    v = np.einsum("kij,ki->kj", axes, scores @ inverse) * (1 - leverage) ** -_POWER[kind]
    return np.einsum("kij,kj->ki", axes, v) @ root


def _below_one(leverage, kind, pieces, labels, remedy):
    full = np.flatnonzero(leverage > FULL if pieces == "rows" else leverage > 1 - 1e-10)
    if len(full):
        where = f"at position {labels[full[0]]}" if pieces == "rows" else f"labelled {labels[full[0]]!s}"
        raise InputError(
            expected=f"{pieces} with leverage below 1 for {kind}",
            got=f"{len(full)} {pieces} that determine a coefficient alone, the first {where}",
            remedy=remedy,
        )
