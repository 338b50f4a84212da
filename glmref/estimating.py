"""Generalized estimating equations: regressions of r on J, whitened cluster by cluster.

With D = d mu / d beta, A = diag V(mu) / w and V = phi A^(1/2) R(alpha) A^(1/2), the equation sum_i D_i' V_i^-1 (y_i - mu_i) = 0
is the score of a least-squares problem: J = A^(-1/2) D, r = A^(-1/2) (y - mu), both whitened by the Cholesky factor of R.
So a step is that of Fisher scoring, and everything below serves to bring clusters into that form. The algorithm's six steps,
and where each is:

    1. coefficients of the generalized linear model      `glm.fit`, called by `gee.fit`
    2. a structure for the working correlation R         the argument `correlation`
    3. means and residuals at the current coefficients   `means_and_residuals`
    4. the parameters alpha (and phi) of R               `working_parameters`
    5. the working covariance V_i                        `whitened`: J and r in its units
    6. solve the estimating equation for a step          `estimating_equation`, `least_squares.solve`

repeated from 3 by `geeloop.iterate` until a step is negligible beside the standard errors. Liang and Zeger (1986).
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy import linalg

from .clusters import Clusters
from .correlation import Correlation, Moments
from .families import Family
from .least_squares import WELL_CONDITIONED, Gram, Triangle, scratch, solve
from .links import Link

BLOCK_ROWS = 4096  # rows standardized at once: their vectors stay in the processor's cache


@dataclass(frozen=True)
class Panel:
    """Rows in the order of their clusters. X (p x n: a row for each column of the design); y, offset (n); weight (n), or
    None for 1; dispersion: phi where it is given, else None."""

    X: np.ndarray
    y: np.ndarray
    offset: np.ndarray
    weight: np.ndarray | None
    clusters: Clusters
    family: Family
    link: Link
    correlation: Correlation
    convention: str
    dispersion: float | None

    in_memory = True

    @property
    def p(self):
        """The number of coefficients."""
        return len(self.X)

    @property
    def n(self):
        """The number of rows."""
        return len(self.y)

    def evaluate(self, beta):
        """Steps 3 to 6 at beta: a Point, or None where a mean would be impossible."""
        return evaluate(self, beta)

    def restricted(self, free, particular):
        """The same under beta = particular + free gamma, with gamma for coefficients."""
        return replace(self, X=np.ascontiguousarray(free.T @ self.X), offset=self.offset + particular @ self.X)

    def without(self, cluster):
        """The same without one cluster."""
        clusters, stay = self.clusters.without(cluster, len(self.X) + 1, self.correlation.by_pattern)
        weight = None if self.weight is None else self.weight[stay]
        X = np.ascontiguousarray(self.X[:, stay])
        return replace(self, X=X, y=self.y[stay], offset=self.offset[stay], weight=weight, clusters=clusters)


class Rows(NamedTuple):
    """Per row, in units of (V(mu) / w)^(1/2): slope, |d mu / d eta|; residual, y - mu (n each). J is slope times X."""

    slope: np.ndarray
    residual: np.ndarray


class Parameters(NamedTuple):
    """phi, the dispersion as estimated; alpha, the correlation parameters; share: 1, or what of its estimate alpha is,
    where that was no correlation."""

    phi: float
    alpha: np.ndarray
    share: float


class Point(NamedTuple):
    """All there is to know at some beta: rows, parameters, and the step from there (None if singular)."""

    rows: Rows
    parameters: Parameters
    step: object

    @property
    def distance(self):
        """The length of the step in standard errors: (U' I^-1 U / phi)^(1/2)."""
        return np.sqrt(self.step.decrement / self.parameters.phi) if self.parameters.phi > 0 else 0.0


def means_and_residuals(panel, beta):
    """Step 3. mu = h(X beta + offset), S = y - mu, in units of their standard deviations; None for an impossible mean.

    Slopes are taken as positive: a sign common to all rows of J and r drops out of every product below.
    """
    n = len(panel.y)
    slope, residual = np.empty(n), np.empty(n)
    for start in range(0, n, BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        if not _standardize(panel, beta, block, slope[block], residual[block]):
            return None
    return Rows(slope, residual) if np.isfinite(np.sum(slope)) and np.isfinite(np.sum(residual)) else None


def _standardize(panel, beta, block, slope, residual):
    """Fill slope and residual of a block of rows; whether all its means are possible."""
    family, link = panel.family, panel.link
    eta = beta @ panel.X[:, block] + panel.offset[block]
    if family.bounded(link) and not np.all(family.valid(eta, link)):
        return False
    pair = family.kernel if link == family.canonical_link else family.working  # the kernel saves an exponential there
    weight, score = pair(panel.y[block], eta, link)[:2]
    if panel.weight is not None:
        weight, score = panel.weight[block] * weight, panel.weight[block] * score
    np.sqrt(weight, out=slope)
    if slope.all():
        np.divide(score, slope, out=residual)
    else:
        residual[:] = np.divide(score, slope, out=np.zeros_like(score), where=slope > 0)
    if link.pole is not None:  # beyond the pole the link falls where it rose before
        sign = np.sign(link.derivative(eta))
        slope *= sign
        residual *= sign
    return True


def working_parameters(panel, residual):
    """Step 4. phi from the squares of the residuals, alpha from their products within clusters, by the convention.

    A given dispersion enters alpha under "geepack" only: elsewhere products are measured by the residuals' own variance.
    """
    p, n = panel.X.shape
    weighted = panel.weight is not None and panel.convention == "geepack"
    total = float(residual @ residual)
    phi = total / (np.sum(panel.weight) if weighted else n) if panel.convention == "geepack" else total / (n - p)
    held = panel.correlation.held()
    if held is not None or not phi > 0:
        alpha = held if held is not None else np.zeros(len(panel.correlation.parameters(*_different(panel.clusters)) or ()))
        return Parameters(phi, alpha, 1.0)
    signal, mass = (np.sqrt(panel.weight) * residual, panel.weight) if weighted else (residual, None)
    scale = panel.dispersion if panel.convention == "geepack" and panel.dispersion is not None else phi
    moments = Moments(signal, mass, scale, p, panel.clusters, panel.convention)
    alpha = np.atleast_1d(np.asarray(panel.correlation.estimate(moments), dtype=float))
    return Parameters(phi, *panel.correlation.admissible(alpha, panel.clusters))


def _different(clusters):
    ticks, first = np.unique(clusters.ticks, return_index=True)
    return ticks, clusters.times[first]


def whitened(panel, rows, alpha):
    """Step 5. For each batch, (batch, A): J' and r stacked ((p + 1) x k x m), whitened so that V_i is phi times the identity.

    V_i = phi A_i^(1/2) R_i(alpha) A_i^(1/2) is never formed: R_i = L L' and A_i^(-1/2) V_i A_i^(-1/2) = phi L L'.
    """
    p = len(panel.X)
    for batch in panel.clusters.batches:
        A = scratch((p + 1, batch.k * batch.m))  # the same memory for every batch: keep no view of it
        np.multiply(panel.X[:, batch.rows], rows.slope[batch.rows], out=A[:p])
        A[p] = rows.residual[batch.rows]
        yield batch, panel.correlation.whiten(A.reshape(p + 1, batch.k, batch.m), alpha, batch.times)


def estimating_equation(panel, rows, alpha, kind=Gram):
    """Step 6. sum_i D_i' V_i^-1 D_i and sum_i D_i' V_i^-1 S_i, times phi: the summary of the whitened rows."""
    p = len(panel.X)
    total = None
    for batch, A in whitened(panel, rows, alpha):
        A = A.reshape(p + 1, -1)
        part = A @ A.T if kind is Gram else Triangle.fold(A[:p].T, A[p], 0.0)
        total = part if total is None else total + part
    return Gram(total[:p, :p], total[:p, p], total[p, p]) if kind is Gram else total


def evaluate(panel, beta):
    """Steps 3 to 6 at beta: a Point, or None where a mean would be impossible."""
    rows = means_and_residuals(panel, beta)
    if rows is None:
        return None
    parameters = working_parameters(panel, rows.residual)
    step = solve(estimating_equation(panel, rows, parameters.alpha))
    if step is None:
        step = solve(estimating_equation(panel, rows, parameters.alpha, Triangle))
    return Point(rows, parameters, step)


def finish(panel, point, refine=True):
    """(root, scores): upper R with R'R = phi sum D'V^-1 D, refined (CholeskyQR2) where its Gram matrix may have lost a digit
    that matters (unless not refine), and each cluster's phi D'V^-1 S (K x p), in the order of the sorted clusters."""
    p, root = len(panel.X), point.step.root
    refine = refine and point.step.least < WELL_CONDITIONED
    inverse = linalg.solve_triangular(root, np.eye(p)) if refine else None
    gram, scores = np.zeros((p, p)), np.empty((len(panel.clusters), p))
    for batch, A in whitened(panel, point.rows, point.parameters.alpha):
        if refine:
            Q = inverse.T @ A[:p].reshape(p, -1)
            gram += Q @ Q.T
        A[:p] *= A[p]
        scores[batch.clusters] = (A[:p].reshape(-1, batch.m) @ np.ones(batch.m)).reshape(p, batch.k).T
    return np.linalg.cholesky(gram).T @ root if refine else root, scores


def cluster_grams(panel, point):
    """(batch, J_i'J_i) for each batch, k x p x p, J_i the whitened rows of a cluster."""
    p = len(panel.X)
    for batch, A in whitened(panel, point.rows, point.parameters.alpha):
        J = A[:p].transpose(1, 0, 2)
        yield batch, J @ J.transpose(0, 2, 1)
