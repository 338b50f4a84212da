"""Rows held in memory, handed out in blocks whose weighted rows fit in the processor's cache.

Whatever is computed from each block is added up; a fit never sees more than one block per thread.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from typing import NamedTuple

import numpy as np

BLOCK_ROWS = 8192  # at most: a column of more does not stay in the processor's first caches
BLOCK_NUMBERS = 200_000  # of X in a block, or 2048 rows: with fewer, threads wait for the interpreter more than they compute
SAMPLE_ROWS = 1000  # a sample has at least so many rows, and ten for each column
SAMPLE_PER_COLUMN = 2000  # rows; more of them cost more than what they save


class Block(NamedTuple):
    """Some consecutive rows: X (m x p); y, offset, weight (m); rows: where they stand among all; frequency (m): how many rows
    each stands for, or None for one.

    >>> block = next(iter(fit.design.rows))
    >>> block.X.shape, block.weight[:3], block.rows
    ((23, 2), array([6., 6., 6.]), slice(0, 23, None))
    """

    X: np.ndarray
    y: np.ndarray
    offset: np.ndarray
    weight: np.ndarray
    rows: slice
    frequency: np.ndarray | None = None

    def pieces(self, numbers=BLOCK_NUMBERS):
        """The block in smaller ones of so many numbers in X, or one row; without frequency.

        >>> [len(piece.y) for piece in block.pieces(numbers=20)]
        [10, 10, 3]
        """
        n, size, first = len(self.y), max(numbers // max(self.X.shape[1], 1), 1), self.rows.start
        if n <= size:
            yield self
            return
        for start in range(0, n, size):
            part = slice(start, min(start + size, n))
            rows = slice(first + part.start, first + part.stop)
            yield Block(self.X[part], self.y[part], self.offset[part], self.weight[part], rows)


@dataclass(frozen=True)
class ArrayRows:
    """Rows held in memory: X (n x p) float64; y, offset, weight (n). threads: how many blocks, of
    block_rows rows each (None: as many as suit the cache), are summarized at once.

    weight: of all the rows that a row stands for together; frequency: how many these are (None: one).

    >>> rows = blocks.ArrayRows(np.ones((5, 1)), np.arange(5.0), np.zeros(5), np.ones(5), block_rows=2)
    >>> [len(block.y) for block in rows]
    [2, 2, 1]
    """

    X: np.ndarray
    y: np.ndarray
    offset: np.ndarray
    weight: np.ndarray
    block_rows: int | None = None
    threads: int = 1
    frequency: np.ndarray | None = None

    in_memory = True

    @property
    def shape(self):
        """(n, p).

        >>> rows.shape
        (5, 1)
        """
        return self.X.shape

    def __iter__(self):
        return iter((self._whole,)) if len(self.y) <= self._size else self._every(1, 0)

    @cached_property
    def _size(self):
        if self.block_rows is not None:
            return self.block_rows
        return min(max(BLOCK_NUMBERS // max(self.X.shape[1], 1), BLOCK_ROWS // 4), BLOCK_ROWS)

    @cached_property
    def _whole(self):
        return Block(self.X, self.y, self.offset, self.weight, slice(0, len(self.y)), self.frequency)

    def _every(self, step, first):
        n, size = len(self.y), self._size
        for start in range(first * size, n, step * size):
            rows = slice(start, min(start + size, n))
            frequency = None if self.frequency is None else self.frequency[rows]
            yield Block(self.X[rows], self.y[rows], self.offset[rows], self.weight[rows], rows, frequency)

    def sum(self, summarize):
        """summarize(block) added over all blocks, or None as soon as one of them is None.

        >>> rows.sum(lambda block: block.weight @ block.y).item()
        10.0
        """
        if len(self.y) <= self._size:
            return summarize(self._whole)
        threads = min(self.threads, -(-len(self.y) // self._size))
        if threads == 1:
            return add_all(map(summarize, self))
        with workers(threads) as pool:
            shares = pool.map(lambda k: add_all(map(summarize, self._every(threads, k))), range(threads))
        return add_all(shares)

    def map(self, change):
        """change(rows), which keeps their number and order; where rows come in portions, it is done to each.

        >>> rows.map(lambda part: part.columns(np.array([True]))) is rows
        True
        """
        return change(self)

    def columns(self, keep):
        """The same rows with only the columns in the mask.

        >>> fit.design.rows.columns(np.array([True, False])).X.shape
        (23, 1)
        """
        return self if keep.all() else self.map(lambda rows: replace(rows, X=np.ascontiguousarray(rows.X[:, keep])))

    def level(self):
        """(weighted mean, largest absolute value) of the responses.

        >>> rows.level()
        (2.0, 4.0)
        """
        return float(np.average(self.y, weights=self.weight)), float(np.max(np.abs(self.y)))

    def sample(self):
        """Every eighth row, or up to every 32nd, where these are enough to come near the estimate; else all rows.

        >>> len(fit.design.rows.sample().y)
        23
        """
        n, p = self.X.shape
        return self if n < 8 * max(SAMPLE_ROWS, 10 * p) else self.every(min(max(8, n // (SAMPLE_PER_COLUMN * p)), 32))

    def every(self, step):
        """Every step-th row; without a copy where the numbers of a row lie together in memory.

        >>> rows.every(2).y
        array([0., 2., 4.])
        """
        frequency = None if self.frequency is None else self.frequency[::step]
        X, *few = (values[::step] for values in (self.X, self.y, self.offset, self.weight))
        X = X if X.strides[1] == X.itemsize else np.ascontiguousarray(X)
        return ArrayRows(X, *few, self.block_rows, self.threads, frequency)


@contextmanager
def workers(threads):
    """A pool of threads, while which BLAS has one of its own for each call (if threadpoolctl is there to say so): else the
    products of several blocks would wait for each other."""
    blas = _blas()
    with nullcontext() if blas is None else blas.limit(limits=1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        yield pool


@cache
def _blas():
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()


@lru_cache(maxsize=16)
def repeated(value, n):
    """One number n times, in the memory of one (read-only)."""
    array = np.ndarray((n,), buffer=np.array(value, dtype=float), strides=(0,))
    array.flags.writeable = False
    return array


def is_constant(values, constant):
    """Whether `repeated` made them, from this constant."""
    return values.strides == (0,) and values[0] == constant


class Nothing(NamedTuple):
    """What a portion without rows adds to a sum."""


NOTHING = Nothing()


def add_all(parts):
    """The sum of the parts, or None as soon as one of them is None."""
    total = NOTHING
    for part in parts:
        if part is None:
            return None
        if not isinstance(part, Nothing):
            total = part if isinstance(total, Nothing) else total + part
    return total
