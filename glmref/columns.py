"""Which columns of X a fit can use: those that are no linear combination of the columns before them."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .errors import InputError
from .least_squares import Gram, Triangle

RANK_TOLERANCE = 1e-11  # on |R_jj| against the length of column j, the tolerance of R's glm
PER_COLUMN = 4  # rows, in which a column shows that it is none of the others


class Columns(NamedTuple):
    """keep (p): which columns are independent. combination: each other column as X[:, keep] @ combination."""

    keep: np.ndarray
    combination: np.ndarray

    @property
    def aliased(self):
        """How many columns are not kept."""
        return self.combination.shape[1]


def choose_columns(rows):
    """The Columns of all rows, the earlier having priority. Decided on X itself: aliasing is a property of the design."""
    if independent(rows):
        return all_columns(rows.shape[1])
    root = rows.sum(lambda block: Triangle.fold(block.X, np.zeros(len(block.y)))).root
    keep = independent_columns(root)
    if not keep.any():
        raise InputError(
            expected="a column of X that is not zero", got="none", remedy="Add an intercept, or check the columns."
        )
    return Columns(keep, np.linalg.lstsq(root[:, keep], root[:, ~keep], rcond=None)[0])


@lru_cache(maxsize=16)
def all_columns(p):
    """The Columns where none repeats others, the same for all fits (read-only)."""
    keep = np.ones(p, dtype=bool)
    keep.flags.writeable = False
    return Columns(keep, np.zeros((p, 0)))


def independent(rows):
    """Whether the columns are well apart, seen from as few rows as show it."""
    sample = rows.sample()
    step = len(sample.y) // (PER_COLUMN * rows.shape[1])
    parts = ([sample.every(step)] if step > 1 else []) + ([sample] if sample is not rows else []) + [rows]
    return any(products(part).triangle() is not None for part in parts)


def products(rows):
    """X'X as a Gram."""
    return rows.sum(lambda block: Gram(block.X.T @ block.X, np.zeros(block.X.shape[1]), 0.0))


def independent_columns(root, tolerance=RANK_TOLERANCE):
    """Which columns of R (so of J) are not linear combinations of the columns before them.

    Column j is kept if what is left of it, after projection on the kept columns before it, is longer than
    tolerance times its own length: the earlier column has priority, as in R.
    """
    p = root.shape[1]
    largest = np.max(np.abs(root), axis=0, initial=0.0)
    root = root / np.where(largest > 0, largest, 1.0)  # so that no square over- or underflows
    length = np.linalg.norm(root, axis=0)
    keep = np.zeros(p, dtype=bool)
    basis = np.zeros((root.shape[0], 0))
    for j in range(p):
        if length[j] == 0 or not np.isfinite(length[j]):
            continue
        rest = root[:, j] / length[j]
        for _ in range(2):  # the second projection removes what rounding left of the first
            rest = rest - basis @ (basis.T @ rest)
        size = np.linalg.norm(rest)
        if size > tolerance:
            keep[j] = True
            basis = np.column_stack([basis, rest / size])
    return keep
