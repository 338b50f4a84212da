"""A table in Parquet files, larger than memory: read a portion at a time, the next one while this one is summed."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import InputError
from .arrays import add_all, workers
from .source import Portion, check_columns, spread

PORTION_ROWS = 1 << 17  # a portion of 10 columns takes 10 MB; larger ones are no faster
BUFFER = 1 << 18  # bytes, of each column; without one, whole columns of a row group are held beside the portion


@dataclass(frozen=True)
class Parquet:
    """One Parquet file, a list of them, or a directory of them (in the order of their names).

    path: str, Path or a list of these; rows: how many are in memory at once. Raises InputError for a file that cannot be read,
    and for files whose columns differ in name or type. Needs pyarrow: pip install "glmref[parquet]".

    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/orings.parquet"
    >>> datasets.load("orings").to_parquet(path)
    >>> source = blocks.Parquet(path, rows=10)
    """

    path: object
    rows: int = PORTION_ROWS

    def __post_init__(self):
        _pyarrow()
        if not (isinstance(self.rows, int) and self.rows >= 1):
            raise InputError(expected="rows as a whole number >= 1", got=repr(self.rows), remedy=f"{PORTION_ROWS} is the default.")
        first = self._types[self.files[0]]
        for path, types in self._types.items():
            if types != first:
                raise InputError(
                    expected=f"in {path} the columns of {self.files[0]}: {_listed(first)}",
                    got=_difference(first, types),
                    remedy="Write all files with one schema: cast the column to one type.",
                )

    @cached_property
    def files(self):
        """The paths, as a tuple.

        >>> source.files[0].name
        'orings.parquet'
        """
        listed = self.path if isinstance(self.path, (list, tuple)) else [self.path]
        found = []
        for path in map(Path, listed):
            if not path.exists():
                raise InputError(expected="a Parquet file or a directory of them", got=f"{path}, which is not there", remedy="Check the path.")
            found += sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        if not found:
            raise InputError(expected="files named *.parquet", got=f"none in {self.path}", remedy="Check the directory.")
        return tuple(found)

    @cached_property
    def _metadata(self):
        return {path: _opened(path).metadata for path in self.files}

    @cached_property
    def _types(self):
        return {path: {field.name: str(field.type) for field in _opened(path).schema_arrow} for path in self.files}

    @property
    def name(self):
        """The path, for messages.

        >>> source.name == path
        True
        """
        return str(self.files[0]) if len(self.files) == 1 else f"{self.files[0]} and {len(self.files) - 1} more"

    @property
    def columns(self):
        """Their names.

        >>> source.columns[:3]
        ['flight', 'temperature', 'damaged']
        """
        return list(self._types[self.files[0]])

    @property
    def nrows(self):
        """Rows of all files.

        >>> source.nrows
        23
        """
        return sum(self._metadata[path].num_rows for path in self.files)

    @property
    def count(self):
        """How many portions, at the most.

        >>> source.count
        3
        """
        starts = [start for _, _, start in self._groups] + [self.nrows]
        return sum(-(-(stop - start) // self.rows) for start, stop in zip(starts, starts[1:])) or 1

    def portions(self, columns, few=None):
        """The Portions in order, read ahead by one. few: only the first of so many row groups, spread over all.

        >>> [len(portion.table) for portion in source.portions(["temperature"])]
        [10, 10, 3]
        """
        check_columns(columns, self.columns, self.name)
        return read_ahead(self._portions(list(columns), few))

    def first(self, columns):
        """The first Portion that has rows.

        >>> source.first(["temperature"]).table.shape
        (10, 1)
        """
        check_columns(columns, self.columns, self.name)
        found = next(iter(self._portions(list(columns))), None)
        if found is None:
            raise InputError(expected="at least one row", got=f"none in {self.name}", remedy="Check the file.")
        return found

    def sum_portions(self, summarize, columns, whole=None, threads=1, few=None):
        """summarize(portion) added over all portions, or None as soon as one of them is None. whole: a column; neighbouring
        rows with one value of it are kept in one portion. threads: how many portions are summarized at once. few: see `portions`.

        >>> source.sum_portions(lambda portion: portion.table["distress"].sum(), ["distress"]).item()
        7
        """
        portions = self.portions(columns, few)
        return add_all(abreast(threads, summarize, portions if whole is None else unbroken(portions, whole)))

    @cached_property
    def _groups(self):
        """(path, number of the row group in it, its first row among all rows) for each row group that has rows."""
        groups, start = [], 0
        for path in self.files:
            for group in range(self._metadata[path].num_row_groups):
                rows = self._metadata[path].row_group(group).num_rows
                groups += [(path, group, start)] if rows else []
                start += rows
        return groups

    def _portions(self, columns, few=None):
        pa, file, opened = _pyarrow(), None, None
        for path, group, start in spread(self._groups, few):
            if opened != path:
                file, opened = _opened(path), path
            where = f"row group {group} of {path}"
            batches = file.iter_batches(self.rows, row_groups=[group], columns=columns)
            while True:
                try:
                    batch = next(batches, None)
                except (pa.ArrowException, OSError) as error:
                    raise _unreadable(where, error) from None
                if batch is None:
                    break
                if batch.num_rows:
                    table = batch.to_pandas(split_blocks=True)  # columns as they were read, not copied into one array
                    table.index = pd.RangeIndex(start, start + len(table))
                    start += len(table)
                    yield Portion(table if list(table) == columns else table[columns], where)
                    if few:
                        break


def read_ahead(portions):
    """The same portions, each fetched by another thread while the one before is in use."""
    portions = iter(portions)
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, portions, None)
        while (portion := coming.result()) is not None:
            coming = reader.submit(next, portions, None)
            yield portion


def abreast(threads, summarize, portions):
    """summarize(portion) for each portion in order, so many at once; one more portion is held than that, so that none waits."""
    if threads == 1:
        yield from map(summarize, portions)
        return
    with workers(threads) as pool:
        under_way = deque()
        for portion in portions:
            under_way.append(pool.submit(summarize, portion))
            if len(under_way) == threads + 1:
                yield under_way.popleft().result()
        yield from (summary.result() for summary in under_way)


def unbroken(portions, column):
    """The same rows, cut only where the value in the column changes: the last run of each portion waits for the next."""
    waiting, where = None, ""
    for table, where in portions:
        table = table if waiting is None else pd.concat([waiting, table])
        labels = table[column].to_numpy()
        changes = np.flatnonzero(labels[1:] != labels[:-1])
        cut = changes[-1] + 1 if len(changes) else 0
        waiting = table.iloc[cut:]
        if cut:
            yield Portion(table.iloc[:cut], where)
    if waiting is not None:
        yield Portion(waiting, where)


def _pyarrow():
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputError(
            expected="pyarrow, which reads Parquet files", got="none installed", remedy="pip install 'glmref[parquet]'"
        ) from None
    return pyarrow


def _opened(path):
    pa = _pyarrow()
    try:
        return pa.parquet.ParquetFile(path, pre_buffer=False, buffer_size=BUFFER)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from None


def _unreadable(where, error):
    return InputError(
        expected="a whole Parquet file",
        got=f"{where}, which cannot be read: {str(error).splitlines()[0].rstrip('.')}",
        remedy="Write the file again: it is cut short or damaged. Nothing was fitted.",
    )


def _listed(types):
    return ", ".join(f"{name} ({kind})" for name, kind in types.items())


def _difference(first, types):
    absent, extra = [name for name in first if name not in types], [name for name in types if name not in first]
    changed = [f"{name} as {types[name]}" for name in first if name in types and types[name] != first[name]]
    parts = changed + [f"no {name}" for name in absent] + [f"{name} in addition" for name in extra]
    return ", ".join(parts) or "another order of columns"
