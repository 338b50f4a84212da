"""Estimating equations for clusters that come in portions: the same sums as in `estimating`, added up by whoever holds the rows.

A portion holds whole clusters. Each round takes two passes: one for phi and the sums from which alpha follows, one for the
equation itself; nothing is kept that has an entry for each row or cluster but the clusters' sizes. The robust covariance is a
sum over clusters too, so it is computed when asked for, in a pass of its own.
"""

from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from scipy import linalg

from .. import sandwich
from ..correlation import Moments
from ..estimating import Parameters, Point, cluster_grams, estimating_equation, finish, means_and_residuals
from ..least_squares import WELL_CONDITIONED, Gram, Triangle, solve
from .clusters import ClusterFacts, columns, of_portion
from .moments import StreamMoments, Sums, moment


@dataclass(frozen=True, eq=False)
class StreamPanel:
    """What `estimating.Panel` is for rows in memory. keep: which columns are estimable; n: the number of rows; changes: what is
    done to the Panel of each portion; asked: what the working correlation was found to ask for."""

    source: object
    recipe: object
    groups: str
    time: str | None
    keep: np.ndarray
    n: int
    clusters: ClusterFacts
    family: object
    link: object
    correlation: object
    convention: str
    dispersion: float | None
    changes: tuple = ()
    asked: list = field(default_factory=list)

    in_memory = False

    @property
    def p(self):
        """The number of coefficients."""
        return int(np.count_nonzero(self.keep)) if not self.changes else self.changes[-1].rank

    def sum(self, of):
        """of(panel) added over the Panels of all portions, or None as soon as one of them is None."""
        call = partial(of_portion, replace(self, source=None), of)
        return self.source.sum_portions(call, columns(self.recipe, self.groups, self.time), self.groups)

    def evaluate(self, beta):
        """Steps 3 to 6 at beta: a Point, or None where a mean would be impossible."""
        parameters = self.parameters(beta)
        if parameters is None:
            return None
        step = solve(self.sum(partial(equation, beta, parameters.alpha, Gram)))
        if step is None:
            step = solve(self.sum(partial(equation, beta, parameters.alpha, Triangle)))
        return Point(None, parameters, step)

    def parameters(self, beta):
        """Step 4, as estimating.working_parameters."""
        known = {}

        def look(*requests):
            found = self.sum(partial(residual_sums, beta, requests))
            if found is not None:
                known.update(zip(("total", *requests), found))
            return found

        def ask(request):
            if request not in known:
                self.asked.append(request)
                look(request)
            return known[request]

        held = self.correlation.held()
        if look(*(() if held is not None else self.asked)) is None:
            return None
        total, mass = known["total"]
        phi = total / mass if self.convention == "geepack" else total / (self.n - self.p)
        if held is not None or not phi > 0:
            names = self.correlation.parameters(self.clusters.ticks, self.clusters.times)
            return Parameters(phi, held if held is not None else np.zeros(len(names or ())), 1.0)
        scale = self.dispersion if self.convention == "geepack" and self.dispersion is not None else phi
        moments = StreamMoments(None, None, scale, self.p, self.clusters, self.convention, ask)
        alpha = np.atleast_1d(np.asarray(self.correlation.estimate(moments), dtype=float))
        return Parameters(phi, *self.correlation.admissible(alpha, self.clusters))

    def root(self, point, beta):
        """Upper R with R'R = phi sum D'V^-1 D, refined where its Gram matrix may have lost a digit that matters."""
        root = point.step.root
        if point.step.least >= WELL_CONDITIONED:
            return root
        inverse = linalg.solve_triangular(root, np.eye(len(root)))
        refined = self.sum(partial(orthogonalized, beta, point.parameters.alpha, inverse))
        return np.linalg.cholesky(refined).T @ root

    def covariance(self, kind, root, beta, alpha):
        """The sandwich with the meat of that kind (p x p)."""
        return self.sum(partial(sandwich_of_portion, kind, root, beta, alpha))

    def total_score(self, beta, alpha):
        """sum_i phi D_i'V_i^-1 S_i (p)."""
        return self.sum(partial(equation, beta, alpha, Gram)).score

    def restricted(self, free, particular):
        """The same under beta = particular + free gamma, with gamma for coefficients."""
        return replace(self, changes=(*self.changes, Restriction(free, particular)))


@dataclass(frozen=True, eq=False)
class Restriction:
    """beta = particular + free gamma, done to a Panel."""

    free: np.ndarray
    particular: np.ndarray

    @property
    def rank(self):
        """How many coefficients are left."""
        return self.free.shape[1]

    def __call__(self, panel):
        X = np.ascontiguousarray(self.free.T @ panel.X)
        return replace(panel, X=X, offset=panel.offset + self.particular @ panel.X)


def residual_sums(beta, requests, panel):
    """(sum of squared residuals and of weights, and what is requested of their Moments), or None for an impossible mean."""
    rows = means_and_residuals(panel, beta)
    if rows is None:
        return None
    weighted = panel.weight is not None and panel.convention == "geepack"
    signal, mass = (np.sqrt(panel.weight) * rows.residual, panel.weight) if weighted else (rows.residual, None)
    moments = Moments(signal, mass, 1.0, len(panel.X), panel.clusters, panel.convention)
    total = np.array([rows.residual @ rows.residual, np.sum(panel.weight) if weighted else len(panel.y)])
    return Sums([total, *(moment(moments, request) for request in requests)])


def equation(beta, alpha, kind, panel):
    """Step 6 for one portion."""
    return estimating_equation(panel, means_and_residuals(panel, beta), alpha, kind)


def orthogonalized(beta, alpha, inverse, panel):
    """Q'Q of one portion, Q = J R^-1."""
    total = 0.0
    for _, grams in cluster_grams(panel, Point(means_and_residuals(panel, beta), Parameters(1.0, alpha, 1.0), None)):
        total = total + inverse.T @ grams.sum(0) @ inverse
    return total


def sandwich_of_portion(kind, root, beta, alpha, panel):
    """Bread, the meat of one portion's clusters, bread."""
    inverse = linalg.solve_triangular(root, np.eye(len(root)))
    step = solve(Triangle(root, np.zeros(len(root)), 0.0))
    point = Point(means_and_residuals(panel, beta), Parameters(1.0, alpha, 1.0), step)
    scores = finish(panel, point, refine=False)[1]
    if kind != "robust":
        labels = panel.clusters.labels
        scores = np.concatenate([
            sandwich.corrected(kind, root, scores[batch.clusters], grams, labels[batch.clusters])
            for batch, grams in cluster_grams(panel, point)
        ])  # fmt: skip
    return sandwich.sandwich(inverse @ inverse.T, scores)


def quasi_deviance(beta, panel):
    """The deviance of one portion at beta."""
    deviance = panel.family.deviance(panel.y, beta @ panel.X + panel.offset, panel.link)
    return float(np.sum(deviance) if panel.weight is None else panel.weight @ deviance)


def independence_information(beta, panel):
    """sum D'A^-1 D of one portion."""
    J = panel.X * means_and_residuals(panel, beta).slope
    return J @ J.T
