"""The levels of factors, gathered from all portions before a formula is applied to any."""

import re
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from .. import checks
from ..errors import InputError


def factor_types(source, formula, head, used, missing):
    """The type, with all its levels, of each column that is a factor: text, categories, or made one by C()."""
    factors = tuple(name for name in used if _is_factor(head[name], formula))
    if not factors:
        return {}
    columns = used if missing == "drop" else factors
    found = source.sum_portions(partial(levels, factors), columns)
    return {name: found.dtype(name) for name in factors}


def _is_factor(column, formula):
    text = column.dtype == object and not all(checks.is_number(value) or pd.isna(value) for value in column)
    made = re.search(rf"C\(\s*`?{re.escape(str(column.name))}\b", str(formula))
    return bool(text or made or isinstance(column.dtype, (pd.CategoricalDtype, pd.StringDtype)))


@dataclass(frozen=True)
class Levels:
    """By factor: the categories it declares, in their order (None: it declares none), whether ordered, and the levels seen."""

    declared: dict
    seen: dict

    def __add__(self, other):
        declared = {}
        for name, (categories, ordered) in self.declared.items():
            more, _ = other.declared[name]
            declared[name] = None if categories is None else list(dict.fromkeys([*categories, *more])), ordered
        return Levels(declared, {name: self.seen[name] | other.seen[name] for name in self.seen})

    def dtype(self, name):
        """The levels that some row has, in the declared order, or sorted."""
        (categories, ordered), seen = self.declared[name], self.seen[name]
        if categories is None:
            try:
                return pd.CategoricalDtype(sorted(seen))
            except TypeError:
                raise InputError(
                    expected=f"levels of one kind in {name!r}",
                    got=", ".join(sorted({type(level).__name__ for level in seen})),
                    remedy="Cast the column to one type before the fit.",
                ) from None
        return pd.CategoricalDtype([level for level in categories if level in seen], ordered)


def levels(factors, portion):
    """The Levels of one portion."""
    table = portion.table.dropna()
    declared = {}
    for name in factors:
        dtype = table[name].dtype
        categorical = isinstance(dtype, pd.CategoricalDtype)
        declared[name] = (list(dtype.categories), dtype.ordered) if categorical else (None, False)
    return Levels(declared, {name: set(table[name].unique()) for name in factors})


def template(head, dtypes, formula):
    """The head of the table, long enough to have every level of every factor."""
    most = max((len(dtype.categories) for dtype in dtypes.values()), default=1)
    if len(head) == 0:
        raise InputError(
            expected="complete rows among the first of the data", got="none", remedy=f"Check the columns of {formula!r} for missing values."
        )
    head = head.iloc[np.arange(max(most, len(head))) % len(head)].reset_index(drop=True)
    for name, dtype in dtypes.items():
        codes = np.arange(len(head)) % len(dtype.categories)
        head[name] = pd.Categorical.from_codes(codes, dtype=dtype)
    return head
