"""A Dask DataFrame, or Dask arrays side by side: each partition is summed where it is, and only the sums travel.

Dask decides who computes what: threads, processes, or the workers of a `dask.distributed` cluster if a Client is connected. A
partition whose worker dies is computed again by another.
"""

import pickle
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ..errors import InputError
from .arrays import NOTHING, add_all
from .source import Portion, check_columns, spread

FAN_IN = 8  # sums that one task adds up


@dataclass(frozen=True, eq=False)
class Dask:
    """A Dask DataFrame, `frame`: each of its partitions is a portion. Needs dask: pip install "glmref[dask]".

    >>> import dask.dataframe
    >>> source = blocks.Dask(dask.dataframe.from_pandas(datasets.load("orings"), npartitions=2))
    """

    frame: object

    name = "the Dask DataFrame"

    def __post_init__(self):
        if not (hasattr(self.frame, "columns") and hasattr(self.frame, "to_delayed")):
            raise InputError(
                expected="a Dask DataFrame", got=type(self.frame).__name__, remedy="Dask arrays go to fit_glm(X, y)."
            )

    def __eq__(self, other):
        return isinstance(other, Dask) and self.frame._name == other.frame._name

    __hash__ = None

    @property
    def columns(self):
        """Their names.

        >>> source.columns[:3]
        ['flight', 'temperature', 'damaged']
        """
        return list(self.frame.columns)

    @property
    def count(self):
        """How many partitions.

        >>> source.count
        2
        """
        return self.frame.npartitions

    def parts(self, columns):
        """Each partition, to be computed, with these columns only.

        >>> source.parts(["temperature"])[0].compute().shape
        (12, 1)
        """
        check_columns(columns, self.columns, self.name)
        return self.frame[list(columns)].to_delayed()

    def first(self, columns):
        """The first Portion that has rows.

        >>> source.first(["temperature"]).where
        'partition 0'
        """
        for number, part in enumerate(self.parts(columns)):
            table = part.compute()
            if len(table):
                return Portion(table, f"partition {number}")
        raise InputError(expected="at least one row", got=f"none in {self.name}", remedy="Check the filter before the fit.")

    def sum_portions(self, summarize, columns, whole=None, threads=1, few=None):
        """summarize(portion) added over all partitions by a tree of fixed shape, or None as soon as one of them is None. A
        partition is never cut, so `whole` needs nothing; nor do `threads`: Dask has its own. few: take only so many, spread
        over all.

        >>> source.sum_portions(lambda portion: portion.table["distress"].sum(), ["distress"]).item()
        7
        """
        import cloudpickle
        import dask

        # As bytes, of which each task makes a copy for itself: a worker that sends a function on while it runs it may find that
        # what the function remembers has changed under its hands.
        function = dask.delayed(cloudpickle.dumps(summarize), pure=False)
        todo = dask.delayed(_of_partition, pure=False)
        sums = [todo(function, part, number) for number, part in spread(list(enumerate(self.parts(columns))), few)]
        together = dask.delayed(_added, pure=False)
        while len(sums) > 1:
            sums = [together(sums[start : start + FAN_IN]) for start in range(0, len(sums), FAN_IN)]
        total = sums[0].compute()
        return _unwrapped(total)


def _of_partition(function, table, number):
    """What the pickled function makes of a partition; an InputError travels as a value, so that it is not taken for a worker's
    accident and tried again."""
    if not len(table):
        return NOTHING
    try:
        return pickle.loads(function)(Portion(table, f"partition {number}"))
    except InputError as error:
        return error


def _added(parts):
    wrong = next((part for part in parts if isinstance(part, InputError)), None)
    return add_all(parts) if wrong is None else wrong


def _unwrapped(total):
    if isinstance(total, InputError):
        raise total
    return total


@dataclass(frozen=True, eq=False)
class DaskArrays:
    """X (n x p), y and whatever else there is per row (n) as Dask arrays, seen as one table with the columns `names` and the
    keys of `per_row`. Blocks of rows must be the same in all; X must not be cut between columns."""

    X: object
    names: tuple
    per_row: dict

    name = "the Dask arrays"

    def __eq__(self, other):
        def names(arrays):
            return [arrays.X.name, *((what, values.name) for what, values in arrays.per_row.items())]

        return isinstance(other, DaskArrays) and names(self) == names(other)

    __hash__ = None

    @cached_property
    def _blocks(self):
        X = self.X if self.X.numblocks[1] == 1 else self.X.rechunk({1: -1})
        if any(np.isnan(X.chunks[0])):
            X = X.compute_chunk_sizes()
        for what, values in self.per_row.items():
            if values.shape != (X.shape[0],) and not any(np.isnan(values.shape)):
                raise InputError(
                    expected=f"{what} with one number for each of the {X.shape[0]} rows of X",
                    got=f"an array of shape {values.shape}",
                    remedy="Pass it as a one-dimensional array in the order of X's rows.",
                )
        others = {what: values.rechunk((X.chunks[0],)).to_delayed() for what, values in self.per_row.items()}
        starts = np.concatenate([[0], np.cumsum(X.chunks[0])[:-1]]).astype(int)
        return X.to_delayed()[:, 0], others, starts

    @property
    def columns(self):
        """The names of X's columns, and of the rest."""
        return [*self.names, *self.per_row]

    @property
    def count(self):
        """How many blocks of rows."""
        return self.X.numblocks[0]

    def parts(self, columns):
        """Each block of rows as a table, to be computed. columns is not looked at: all are needed."""
        import dask

        table = dask.delayed(_as_table, pure=False)
        X, others, starts = self._blocks
        return [
            table(X[k], {what: blocks[k] for what, blocks in others.items()}, self.names, int(starts[k])) for k in range(len(X))
        ]

    first = Dask.first
    sum_portions = Dask.sum_portions


def _as_table(X, others, names, start):
    index = pd.RangeIndex(start, start + len(X))
    table = pd.DataFrame(np.asarray(X), index, list(names))
    return table.assign(**{what: np.asarray(values) for what, values in others.items()})
