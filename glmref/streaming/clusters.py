"""Clusters that come in portions: what one look at all of them tells, and one portion's rows as `estimating.Panel`."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property, partial, reduce

import numpy as np

from ..blocks import NOTHING
from ..blocks.source import within
from ..clusters import arrange
from ..correlation import Correlation
from ..errors import InputError
from ..estimating import Panel

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
            f"frame.set_index({groups!r}).reset_index().persist() in Dask, which keeps equal labels in one partition, sorted once.",
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


def columns(recipe, groups, time):
    """What to read: the columns of the model, the cluster and the time."""
    return tuple(dict.fromkeys([*recipe.columns, groups, *([] if time is None else [time])]))


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
