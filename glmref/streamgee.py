"""Estimating equations for clusters that come in portions: the same sums as in `estimating`, added up by whoever holds the rows.

A portion holds whole clusters. Each round takes two passes: one for phi and the sums from which alpha follows, one for the
equation itself; nothing is kept that has an entry for each row or cluster but the clusters' sizes. The robust covariance is a
sum over clusters too, so it is computed when asked for, in a pass of its own.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property, partial, reduce

import numpy as np
from scipy import linalg

from . import sandwich
from .blocks import NOTHING
from .blocks.source import within
from .clusters import arrange
from .correlation import Correlation, Moments
from .errors import InputError
from .estimating import Panel, Parameters, Point, cluster_grams, estimating_equation, finish, means_and_residuals
from .least_squares import WELL_CONDITIONED, Gram, Triangle, least_left, solve

MOST_TIMES = 10_000  # different times that are kept; a structure that counts waves has fewer


@dataclass(frozen=True)
class ClusterFacts:
    """What one look at all clusters tells, and stands for `clusters.Clusters` where a fit asks about all of them.

    labels: of all clusters (parts); counts: how many clusters have each size; times: the different ones, or None where there
    are too many; patterns: the different time vectors; gap: sum and number of gaps, whether all are whole, whether some is odd;
    clock: from times to ticks.
    """

    labels: tuple
    counts: Counter
    times: np.ndarray | None
    patterns: frozenset
    gap: tuple
    ticks: np.ndarray | None = None

    def __add__(self, other):
        times = None if self.times is None or other.times is None else np.union1d(self.times, other.times)
        total, number, whole, odd = (pair for pair in zip(self.gap, other.gap))
        return ClusterFacts(
            self.labels + other.labels,
            self.counts + other.counts,
            None if times is None or len(times) > MOST_TIMES else times,
            self.patterns | other.patterns,
            (sum(total), sum(number), all(whole), any(odd)),
        )

    def __len__(self):
        return sum(self.counts.values())

    @cached_property
    def sizes(self):
        """Rows of each cluster, in no particular order."""
        return np.repeat(np.array(list(self.counts), dtype=np.int32), list(self.counts.values()))

    @property
    def gaps(self):
        """(the mean gap between neighbours in a cluster, whether all gaps are whole numbers and some odd)."""
        total, number, whole, odd = self.gap
        return total / max(number, 1), whole and odd


class PatternSums:
    """Sums over the clusters that agree in their times, as Moments.matrices yields them: by pattern (k, S, N)."""

    def __init__(self, found):
        self.found = found

    def __add__(self, other):
        joined = dict(self.found)
        for key, part in other.found.items():
            joined[key] = tuple(a + b for a, b in zip(joined[key], part)) if key in joined else part
        return PatternSums(joined)


class GapSums:
    """Sums of products and numbers by gap, as Moments.by_gap returns them."""

    def __init__(self, gaps, product, number):
        self.gaps, self.product, self.number = gaps, product, number

    def __add__(self, other):
        gaps, where = np.unique(np.concatenate([self.gaps, other.gaps]), return_inverse=True)
        both = ((self.product, other.product), (self.number, other.number))
        return GapSums(gaps, *(np.bincount(where, np.concatenate(pair), len(gaps)) for pair in both))


class Sums(tuple):
    """Several sums that are added up together."""

    def __add__(self, other):
        return Sums(a + b for a, b in zip(self, other, strict=True))


def moment(moments, request):
    """One thing asked of the Moments of a portion, in a form that adds up."""
    name, *arguments = request
    if name == "pairs":
        return np.array(moments.pairs())
    if name == "by_gap":
        return GapSums(*moments.by_gap(*arguments))
    found = PatternSums({})
    for batch, S, N in moments.matrices():
        found = found + PatternSums({batch.times.tobytes(): (batch.k, S, N)})
    return found


@dataclass(frozen=True)
class StreamMoments(Moments):
    """Moments of all portions: what a structure asks for is summed over them, and asked for at once the next time."""

    ask: object = None

    def pairs(self):
        return tuple(self.ask(("pairs",)))

    def by_gap(self, steps=None, squares=False):
        found = self.ask(("by_gap", steps, squares))
        return found.gaps, found.product, found.number

    def matrices(self):
        for times, (k, S, N) in self.ask(("matrices",)).found.items():
            times = np.frombuffer(times)
            yield Pattern(times, k, len(times)), S, N

    def blocks(self):
        raise InputError(
            expected="a working correlation that is estimated from pairs(), by_gap(), by_wave() or matrices()",
            got="one that asks for each residual, though rows come in portions",
            remedy="Use a structure of glmref.correlation, or fit rows in memory.",
        )


@dataclass(frozen=True)
class Pattern:
    """The clusters of one pattern, as a batch: times (m), how many clusters, m."""

    times: np.ndarray
    k: int
    m: int


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
        if least_left(root) >= WELL_CONDITIONED:
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


def columns(recipe, groups, time):
    """What to read: the columns of the model, the cluster and the time."""
    return tuple(dict.fromkeys([*recipe.columns, groups, *([] if time is None else [time])]))


def labelled(recipe, groups, time, portion):
    """(Design, labels, times or None) of a portion's rows that take part; None where there are none."""
    try:
        design = recipe.design(portion.table[list(recipe.columns)])
    except InputError as error:
        raise within(error, portion.where) from None
    if design is None or not design.used.any():
        return None
    at = portion.table.index.get_indexer(design.index)[design.used]
    labels = portion.table[groups].to_numpy()[at]
    times = None if time is None else portion.table[time].to_numpy(dtype=float)[at]
    if times is not None and not np.all(np.isfinite(times)):
        raise InputError(
            expected="finite numbers in time",
            got=f"{times[~np.isfinite(times)][0]} in {portion.where}",
            remedy="Give every row its time, or drop the row.",
        )
    return design, labels, times


def facts_of_portion(recipe, groups, time, portion):
    """The ClusterFacts of one portion."""
    found = labelled(recipe, groups, time, portion)
    if found is None:
        return NOTHING
    design, labels, times = found
    try:
        clusters = arrange(labels, times, design.index[design.used], lambda times: times, False, 2, least=1)
    except InputError as error:
        raise within(error, portion.where) from None
    total, number, whole, odd, patterns = 0.0, 0, True, False, set()
    for batch in clusters.batches:
        step = np.diff(batch.times, axis=-1)
        total += float(np.sum(step)) * (batch.k if step.ndim == 1 else 1)
        number += batch.k * (batch.m - 1)
        whole, odd = whole and bool(np.all(step == np.round(step))), odd or bool(np.any(step % 2 == 1))
        patterns |= {row.tobytes() for row in np.unique(np.atleast_2d(batch.times), axis=0)}
    different = np.unique(clusters.times)
    few = len(different) <= MOST_TIMES and len(patterns) <= MOST_TIMES
    return ClusterFacts(
        (clusters.labels,), Counter(clusters.sizes.tolist()), different if few else None, frozenset(patterns if few else ()),
        (total, number, whole, odd),
    )  # fmt: skip


def survey_clusters(design, groups, time, correlation):
    """The ClusterFacts of all portions; raises where a cluster is in more than one of them, or the structure needs waves and
    there are too many."""
    facts = design.source.sum_portions(
        partial(facts_of_portion, design.recipe, groups, time), columns(design.recipe, groups, time), groups
    )
    labels = np.concatenate(facts.labels)
    different, counts = np.unique(labels, return_counts=True)
    if np.any(counts > 1):
        raise InputError(
            expected=f"all rows of a cluster together, in one portion of {design.source.name}",
            got=f"cluster {different[np.argmax(counts > 1)]!s} in several places ({np.count_nonzero(counts > 1)} such clusters)",
            remedy=f"Sort the rows by {groups!r}: table.sort_values({groups!r}).to_parquet(...) for a file, "
            f"frame.set_index({groups!r}).reset_index() in Dask, which keeps equal labels in one partition.",
        )
    if len(different) < 2:
        raise InputError(
            expected="at least two clusters",
            got=f"{len(different)}",
            remedy="What is learned comes from the differences between clusters: check groups=.",
        )
    facts = replace(facts, labels=())
    if type(correlation).clock is Correlation.clock and not correlation.by_pattern:
        return replace(facts, ticks=facts.times, patterns=())
    if facts.times is None:
        raise InputError(
            expected=f"at most {MOST_TIMES} different times, or patterns of them, for {correlation}",
            got="more",
            remedy='Round the times to waves, or use "ar1" or "exchangeable".',
        )
    facts = replace(facts, ticks=correlation.clock(facts.times))
    return replace(facts, patterns=tuple(ticks_of(facts, np.frombuffer(pattern)) for pattern in sorted(facts.patterns)))


def ticks_of(facts, times):
    """Times on the clock of the working correlation."""
    return times if facts.ticks is None else facts.ticks[np.searchsorted(facts.times, times)]


def of_portion(panel, of, portion):
    """of(Panel of this portion)."""
    found = labelled(panel.recipe, panel.groups, panel.time, portion)
    if found is None:
        return NOTHING
    design, labels, times = found
    used, correlation = design.used, panel.correlation
    clock = partial(ticks_of, panel.clusters)
    clusters = arrange(labels, times, design.index[used], clock, correlation.by_pattern, design.X.shape[1] + 1, least=1)
    order = np.flatnonzero(used)[clusters.order]
    part = Panel(
        X=np.ascontiguousarray(design.X[order][:, panel.keep].T),
        y=design.y[order],
        offset=design.offset[order],
        weight=None if np.all(design.weight[used] == 1) else design.weight[order],
        clusters=clusters,
        family=panel.family,
        link=panel.link,
        correlation=correlation,
        convention=panel.convention,
        dispersion=panel.dispersion,
    )
    return of(reduce(lambda part, change: change(part), panel.changes, part))


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
