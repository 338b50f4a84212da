"""The contract of a source of portions, and how what a user passes becomes one.

A source has `name` (for messages), `columns` (their names), `count` (about how many portions), `first(columns)` -> a Portion with
rows, and `sum_portions(summarize, columns, whole, threads, few)` -> summarize(portion) added over all portions, or None as soon as
one of them is None (whole: a column whose runs of equal values are kept in one portion; threads: how many portions at once; few:
only so many portions, spread over all).
"""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ..errors import InputError


class Portion(NamedTuple):
    """Some of the rows: a table, and where it stands, as an error says it.

    >>> blocks.Portion(datasets.load("orings"), "partition 7").where
    'partition 7'
    """

    table: pd.DataFrame
    where: str


def is_source(data):
    """Whether rows come in portions: a path or a list of paths, a Dask collection, or a source already."""
    listed = isinstance(data, (list, tuple)) and len(data) and all(map(_is_file, data))
    return listed or _is_file(data) or is_dask(data) or hasattr(data, "sum_portions")


def is_dask(data):
    """Whether data is a Dask collection, found out without importing Dask."""
    return type(data).__module__.partition(".")[0] in ("dask", "dask_expr") and hasattr(data, "dask")


def as_source(data):
    """The source of what a user passed as data."""
    from .parquet import Parquet
    from .partitions import Dask

    if hasattr(data, "sum_portions"):
        return data
    return Dask(data) if is_dask(data) else Parquet(data)


def _is_file(part):
    return isinstance(part, (str, Path))


def check_columns(wanted, columns, name):
    """Every wanted column is there."""
    absent = [column for column in wanted if column not in columns]
    if absent:
        raise InputError(
            expected=f"columns of {name}: " + ", ".join(map(str, columns)),
            got=", ".join(map(repr, absent)),
            remedy="Check the spelling, or add the column.",
        )


def within(error, where):
    """The same error, saying in which portion."""
    return InputError(expected=error.expected, got=f"{error.got}, in {where}", remedy=error.remedy)


def spread(items, few):
    """So few of the items, at equal distances (None: all)."""
    if few is None or few >= len(items):
        return items
    return [items[k * len(items) // few] for k in range(few)]
