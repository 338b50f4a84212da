"""Where rows come from, and who adds.

IRLS needs of the data only sums over rows. A source hands out its rows in blocks that fit in the processor's cache,
and adds up whatever is computed from each; the fit never sees more than one block.
"""

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import NamedTuple

import numpy as np

BLOCK_NUMBERS = 1 << 17  # numbers of X per block: 1 MB, about a second-level cache


class Block(NamedTuple):
    """Some consecutive rows: X (m x p); y, offset, weight (m); rows: where they stand among all."""

    X: np.ndarray
    y: np.ndarray
    offset: np.ndarray
    weight: np.ndarray
    rows: slice


@dataclass(frozen=True)
class ArrayRows:
    """Rows held in memory: X (n x p) float64; y, offset, weight (n)."""

    X: np.ndarray
    y: np.ndarray
    offset: np.ndarray
    weight: np.ndarray
    block_rows: int | None = None

    def __iter__(self):
        n, p = self.X.shape
        size = self.block_rows or max(256, BLOCK_NUMBERS // max(p, 1))
        for start in range(0, n, size):
            rows = slice(start, min(start + size, n))
            yield Block(self.X[rows], self.y[rows], self.offset[rows], self.weight[rows], rows)

    def sum(self, summarize):
        """summarize(block) added over all blocks."""
        return reduce(add, map(summarize, self))

    def columns(self, keep):
        """The same rows with only the columns in the mask."""
        if np.all(keep):
            return self
        return ArrayRows(np.ascontiguousarray(self.X[:, keep]), self.y, self.offset, self.weight, self.block_rows)
