"""Rows that belong together: clusters, each in the order of its times, laid out so that no step loops over them.

The rows are sorted once, clusters of equal size side by side (and, where the working correlation needs it, of equal times:
a wave pattern). A batch is a run of such clusters, k of m rows each: a column of it is a k x m array, every cluster a row,
and what is done to one cluster is done to all of a batch by one numpy call. There are never more sizes than sqrt(2 n).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from . import checks
from .errors import InputError

BATCH_NUMBERS = 1 << 16  # numbers of whitened rows in a batch: they stay in a second-level cache


class Batch(NamedTuple):
    """k clusters of m rows: rows and clusters, where they stand in the sorted order; times: m where all agree, else k x m."""

    rows: slice
    clusters: slice
    k: int
    m: int
    times: np.ndarray


@dataclass(frozen=True)
class Clusters:
    """Sorted rows. order (n): the caller's number of each sorted row; labels, sizes (K), by sorted cluster; times (n): of
    the sorted rows, as the user gave them; ticks (n): the same on the clock of the working correlation; batches."""

    order: np.ndarray
    labels: np.ndarray
    sizes: np.ndarray
    times: np.ndarray
    ticks: np.ndarray
    batches: tuple

    @cached_property
    def starts(self):
        """The first sorted row of each cluster (K)."""
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]])

    @cached_property
    def patterns(self):
        """The different time vectors of batches whose clusters agree in them."""
        return tuple({batch.times.tobytes(): batch.times for batch in self.batches}.values())

    @cached_property
    def gaps(self):
        """(the mean gap between neighbours in a cluster, whether all gaps are whole numbers and some odd)."""
        steps = [(batch, np.diff(batch.times, axis=-1)) for batch in self.batches if batch.m > 1]
        total = sum(float(np.sum(step)) * (batch.k if step.ndim == 1 else 1) for batch, step in steps)
        whole = all(np.all(step == np.round(step)) for _, step in steps)
        odd = any(np.any(step % 2 == 1) for _, step in steps)
        return total / max(sum(batch.k * (batch.m - 1) for batch, _ in steps), 1), whole and odd

    def __len__(self):
        return len(self.sizes)

    def without(self, cluster, columns, by_pattern):
        """The same clusters but one, and a mask of the sorted rows that stay."""
        stay = np.ones(len(self.times), dtype=bool)
        stay[self.starts[cluster] : self.starts[cluster] + self.sizes[cluster]] = False
        sizes, ticks = np.delete(self.sizes, cluster), self.ticks[stay]
        return Clusters(
            self.order[stay], np.delete(self.labels, cluster), sizes, self.times[stay], ticks,
            _batches(sizes, ticks, columns, by_pattern),
        ), stay  # fmt: skip


def arrange(groups, time, index, clock, by_pattern, columns, least=2):
    """The Clusters of rows with labels `groups` (n) and times (n, or None: their order within the cluster).

    clock(times): the times as the working correlation counts them; by_pattern: whether batches must agree in their times;
    columns: how many numbers a row has, which sets the size of a batch; least: the fewest clusters there may be. Raises InputError for bad labels or times.
    """
    codes, labels = checks.cluster_codes(groups, index, least)
    sizes = np.bincount(codes)
    order = _order(codes, time)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    if time is None:
        times = np.arange(len(codes), dtype=float) - np.repeat(starts, sizes)
    else:
        times = time[order]
        _different_times(times, codes[order], order, labels, index)
    ticks = clock(times)
    clusters, rows = _rearranged(np.argsort(sizes, kind="stable"), sizes, starts)
    if by_pattern:
        moved = ticks[rows]
        ranks, at = np.empty(len(sizes), dtype=np.intp), 0
        for first, last in _runs(sizes[clusters]):
            m = sizes[clusters[first]]
            ranks[first:last] = _pattern_ranks(moved[at : at + (last - first) * m].reshape(-1, m))
            at += (last - first) * m
        within = np.lexsort((ranks, sizes[clusters]))
        clusters, rows = _rearranged(clusters[within], sizes, starts)
    sizes, times, ticks = sizes[clusters], times[rows], ticks[rows]
    batches = _batches(sizes, ticks, columns, by_pattern)
    return Clusters(order[rows], labels[clusters], sizes, times, ticks, batches)


def _order(codes, time):
    """Rows by cluster, then by time; rows that are so already are left alone."""
    step = np.diff(codes)
    if np.all(step >= 0) and (time is None or np.all((step > 0) | (np.diff(time) >= 0))):
        return np.arange(len(codes))
    return np.argsort(codes, kind="stable") if time is None else np.lexsort((time, codes))


def _different_times(times, codes, order, labels, index):
    same = (times[1:] == times[:-1]) & (codes[1:] == codes[:-1])
    if same.any():
        at = int(np.argmax(same))
        rows = " and ".join(checks.row(index, position) for position in sorted(order[at : at + 2]))
        raise InputError(
            expected="different times within each cluster",
            got=f"time {times[at]:g} twice in cluster {labels[codes[at]]!s}: {rows} ({np.count_nonzero(same)} such pairs)",
            remedy="Each row of a cluster is one occasion: mend time= or groups=, or leave time= out where order has no meaning.",
        )


def _rearranged(clusters, sizes, starts):
    """The clusters in another order, and their rows."""
    if np.all(clusters[1:] > clusters[:-1]):
        return clusters, slice(None)
    moved = sizes[clusters]
    new = np.concatenate([[0], np.cumsum(moved)[:-1]])
    return clusters, np.arange(int(np.sum(sizes))) + np.repeat(starts[clusters] - new, moved)


def _runs(values):
    """(first, last + 1) of each run of equal values."""
    cuts = np.flatnonzero(np.diff(values)) + 1
    return list(zip([0, *cuts.tolist()], [*cuts.tolist(), len(values)]))


def _pattern_ranks(ticks):
    """A number for each row of ticks (k x m), equal where the rows are."""
    if np.all(ticks == ticks[0]):
        return np.zeros(len(ticks), dtype=np.intp)
    return np.unique(ticks, axis=0, return_inverse=True)[1].reshape(-1)


def _batches(sizes, ticks, columns, by_pattern):
    """Runs of equal clusters, cut into pieces whose numbers fit in the processor's cache."""
    batches, row = [], 0
    for first, last in _runs(sizes):
        m = int(sizes[first])
        block = ticks[row : row + (last - first) * m].reshape(-1, m)
        cuts = [0, last - first]
        if by_pattern:
            cuts = [0, *(np.flatnonzero(np.any(block[1:] != block[:-1], axis=1)) + 1).tolist(), last - first]
        for low, high in zip(cuts, cuts[1:]):
            most = max(1, BATCH_NUMBERS // (columns * m))
            for start in range(low, high, most):
                stop = min(start + most, high)
                piece = block[start:stop]
                times = piece[0] if by_pattern or np.all(piece == piece[0]) else piece
                rows = slice(row + start * m, row + stop * m)
                batches.append(Batch(rows, slice(first + start, first + stop), stop - start, m, times))
        row += (last - first) * m
    return tuple(batches)
