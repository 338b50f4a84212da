"""What the estimator of a working correlation asks of all residuals, as sums over portions."""

from dataclasses import dataclass

import numpy as np

from ..correlation import Moments
from ..errors import InputError


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
class Pattern:
    """The clusters of one pattern, as a batch: times (m), how many clusters, m."""

    times: np.ndarray
    k: int
    m: int


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
