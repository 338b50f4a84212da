"""From a formula and a table, or from arrays, to the numbers a fit needs: X, y, offset, weights.

Everything wrong with the input is found here and in `formulas`, before any arithmetic, and named.

>>> from glmref import design
"""

from dataclasses import InitVar, dataclass
from functools import cached_property, lru_cache
from math import isfinite

import numpy as np
import pandas as pd

from . import checks, formulas
from .blocks import ArrayRows, repeated
from .errors import InputError

COPIED = 4_000_000  # numbers, 32 MB


@dataclass(frozen=True)
class Design:
    """X (n x p) float64; y, offset, weight (n); names: of the p terms; index: the rows' labels; dropped: rows left out.

    weight: how precise a row is, var(y) = phi V / w. frequency: for how many rows, all equal, it stands (default 1).

    Arrays are read-only views of the caller's where these needed no conversion: do not change them while the fit is in use. Rows lie
    together in memory, for speed; an array of more than COPIED numbers stays as it is.
    formula: as text; spec: formulaic's model specification (None for arrays); offset_term, offset_spec: the offset as text,
    and its state; probe: a few rows of the table, whose X is known.

    >>> rows = design.from_formula("I(damaged / rings) ~ temperature", orings, weights="rings")
    >>> rows.X.shape, rows.names, rows.weight[:3]
    ((23, 2), ('Intercept', 'temperature'), array([6., 6., 6.]))
    """

    X: np.ndarray
    y: np.ndarray
    offset: np.ndarray
    weight: np.ndarray
    names: tuple
    index: pd.Index
    dropped: int = 0
    formula: str | None = None
    spec: object = None
    offset_term: str | None = None
    offset_spec: object = None
    frequency: np.ndarray | None = None
    probe: pd.DataFrame | None = None
    finite: InitVar[bool] = False  # X and y are known to be, so that nobody looks twice
    portion: InitVar[bool] = False  # of the rows, of which the others may have all the weight

    def __post_init__(self, finite, portion):
        n, p = self.X.shape
        if n == 0 or p == 0:
            raise InputError(
                expected="at least one row and one column",
                got=f"{n} rows and {p} columns",
                remedy="Check the table and the filter before the fit; '~ 1' fits a mean alone.",
            )
        if not finite:
            checks.finite(self.X, self.index, "X", self.names)
            checks.finite(self.y, self.index, "y")
        if self.offset.strides != (0,):  # else one number for all rows, the default
            checks.finite(self.offset, self.index, "offset")
        if self.weight.strides != (0,):
            checks.finite(self.weight, self.index, "weights")
            checks.weights(self.weight, self.index, some=not portion)
        if self.frequency is None:
            object.__setattr__(self, "frequency", repeated(1.0, n))
        else:
            checks.frequencies(self.frequency, self.index, some=not portion)
        for name in ("X", "y", "offset", "weight", "frequency"):
            array = getattr(self, name)
            if array.flags.writeable:
                array = array.view()
                array.flags.writeable = False
                object.__setattr__(self, name, array)

    def checked(self, family, link=None, threads=1):
        """The same, if its responses are possible ones of the family, and not all equal. link, threads: for rows in portions.

        >>> rows.checked(fit.family) is rows
        True
        """
        checks.response(self, family)
        return self

    @property
    def nobs(self):
        """Rows with positive weight, each counted as often as its frequency weight says.

        >>> rows.nobs
        23
        """
        return int(np.sum(self.frequency, where=self.used))

    @property
    def has_offset(self):
        """Whether some row has an offset.

        >>> rows.has_offset
        False
        """
        return bool(np.any(self.offset != 0))

    @cached_property
    def taken_from_all_rows(self):
        """The columns that depend on more than their own row, by which nothing can be predicted.

        >>> rows.taken_from_all_rows
        []
        """
        if self.probe is None:
            return []
        return formulas.taken_from_all_rows(self.spec, self.probe, self.X[formulas.probed(len(self.X))], self.formula)

    @property
    def used(self):
        """Which rows take part: those whose weight and frequency are positive.

        >>> rows.used.sum().item()
        23
        """
        return (self.weight > 0) & (self.frequency > 0)

    @property
    def rows(self):
        """The rows that take part, as a source of blocks.

        >>> len(rows.rows.y)
        23
        """
        if self.weight.strides == self.frequency.strides == (0,):
            return ArrayRows(self.X, self.y, self.offset, self.weight)
        used = self.used
        part = (lambda values: values) if used.all() else (lambda values: values[used])
        weight, frequency = part(self.weight), part(self.frequency)
        return ArrayRows(part(self.X), part(self.y), part(self.offset), weight * frequency, frequency=frequency)


def from_formula(formula, data, *, offset=None, weights=None, frequency_weights=None, missing="error"):
    """The Design of `formula` in `data` (a DataFrame or a mapping of columns). offset, weights, frequency_weights: array,
    column or expression.

    missing: "error" (default) or "drop" rows with a missing value in a variable that is used. Levels of a factor that
    no row has are left out, as in R.

    >>> design.from_formula("breaks ~ wool * tension", datasets.load("warpbreaks")).names
    ('Intercept', 'wool[T.B]', 'tension[T.medium]', 'tension[T.high]', 'wool[T.B]:tension[T.medium]', 'wool[T.B]:tension[T.high]')
    """
    table = formulas.as_table(data)
    parsed = formulas.parse(formula)
    per_row = ((offset, "offset"), (weights, "weights"), (frequency_weights, "frequency_weights"))
    terms = [formulas.parse_term(term, what) for term, what in per_row if isinstance(term, str)]
    used = formulas.variables([parsed, *terms], table)
    keep = checks.complete(checks.absent(table[used]), table.index, _where(used), missing)
    index, table = table.index, formulas.ready(table.loc[keep, used], str(formula))
    matrices = formulas.evaluate(lambda: parsed.get_model_matrix(table, na_action="ignore", output="pandas"), formula)
    if not isinstance(getattr(matrices, "rhs", None), pd.DataFrame):
        raise InputError(
            expected="one right-hand side", got=repr(formula), remedy="Write the terms with +; | has no meaning here."
        )
    formulas.check_factors(matrices.rhs.model_spec, formula)
    offset_values, offset_spec = formulas.per_row(offset, table, "offset", index, keep, 0.0)
    frequency = None
    if frequency_weights is not None:
        frequency = formulas.per_row(frequency_weights, table, "frequency_weights", index, keep, 1.0)[0]
    return Design(
        X=np.ascontiguousarray(matrices.rhs.to_numpy(dtype=float)),
        y=formulas.response(matrices.lhs),
        offset=offset_values,
        weight=formulas.per_row(weights, table, "weights", index, keep, 1.0)[0],
        names=tuple(map(str, matrices.rhs.columns)),
        index=table.index,
        dropped=int(np.count_nonzero(~keep)),
        formula=str(formula),
        spec=matrices.rhs.model_spec,
        offset_term=offset if isinstance(offset, str) else None,
        offset_spec=offset_spec,
        frequency=frequency,
        probe=table.iloc[formulas.probed(len(table))],
    )


def from_arrays(X, y, *, offset=None, weights=None, frequency_weights=None, names=None, missing="error"):
    """The Design of X (n x p) and y (n). names: p strings; default the DataFrame's columns, or x1 ... xp.

    >>> design.from_arrays(np.eye(2), [3, 5], names=["a", "b"]).y
    array([3., 5.])
    """
    index = next((part.index.view() for part in (X, y) if isinstance(part, (pd.DataFrame, pd.Series))), None)
    if names is None and isinstance(X, pd.DataFrame):
        names = X.columns
    checks.same_rows(y, index, "y")
    X, y = checks.as_numbers(X, "X"), checks.as_numbers(y, "y")
    if X.ndim != 2:
        raise InputError(
            expected="X with two dimensions, rows by columns",
            got=f"an array of shape {X.shape}",
            remedy="For a single column write X[:, None]; for a mean alone, a column of ones.",
        )
    if y.ndim != 1 or len(y) != len(X):
        raise InputError(
            expected=f"y with one number for each of the {len(X)} rows of X",
            got=f"an array of shape {y.shape}",
            remedy="Pass y as a one-dimensional array in the order of X's rows.",
        )
    n, p = X.shape
    X = np.ascontiguousarray(X) if X.size <= COPIED else X
    names = _numbered(p) if names is None else checks.column_names(names, p)

    def per_row(values, what, default):
        return default if values is None else checks.vector(checks.no_text(values, what), what, n, index)

    offset = per_row(offset, "offset", repeated(0.0, n))
    weights = per_row(weights, "weights", repeated(1.0, n))
    frequency = per_row(frequency_weights, "frequency_weights", None)
    index = _positions(n) if index is None else index
    if isfinite(checks.total(X, y)):
        checks.missing_choice(missing)
        return Design(X, y, offset, weights, names, index, frequency=frequency, finite=True)
    keep = checks.complete(np.isnan(y) | np.isnan(X).any(axis=1), index, "in X or y", missing)
    if keep.all():
        return Design(X, y, offset, weights, names, index, frequency=frequency)
    frequency = None if frequency is None else frequency[keep]
    dropped = int(np.count_nonzero(~keep))
    return Design(X[keep], y[keep], offset[keep], weights[keep], names, index[keep], dropped, frequency=frequency)


@lru_cache(maxsize=16)
def _numbered(p):
    """The names x1 ... xp of columns that have none."""
    return tuple(f"x{j + 1}" for j in range(p))


@lru_cache(maxsize=16)
def _positions(n):
    """The labels 0 ... n - 1 of rows that have none."""
    return pd.RangeIndex(n)


def new_rows(design, data, offset=None):
    """X, offset and labels of new rows for a fitted design: a table where it was a formula, else an array of its columns.

    >>> import pandas as pd
    >>> X, offset, labels = design.new_rows(fit.design, pd.DataFrame({"temperature": [31]}))
    >>> X, offset
    (array([[ 1., 31.]]), array([0.]))
    """
    X, table, index = _array_rows(design, data) if design.spec is None else _table_rows(design, data, offset)
    if offset is None and design.offset_term is None and design.has_offset:
        raise InputError(
            expected="an offset for the new rows, since the fit had one",
            got="none",
            remedy="Pass offset= with one number per row, or fit with the offset given as an expression.",
        )
    everything = np.ones(len(X), dtype=bool)
    if offset is None and design.offset_spec is not None:
        offset = formulas.evaluate(lambda: design.offset_spec.get_model_matrix(table, na_action="ignore"), design.offset_term)
        offset = np.asarray(offset, dtype=float)[:, 0]
    else:
        offset, _ = formulas.per_row(design.offset_term if offset is None else offset, table, "offset", index, everything, 0.0)
    checks.finite(X, index, "the new rows", design.names)
    checks.finite(offset, index, "offset")
    return X, offset, index


def _array_rows(design, data):
    if isinstance(data, pd.DataFrame):
        columns = {str(column): column for column in data.columns}
        absent = [name for name in design.names if name not in columns]
        if absent:
            raise InputError(
                expected="the columns of the fit: " + ", ".join(design.names),
                got="a table without " + ", ".join(absent),
                remedy="Name the columns as in the fit, or pass .to_numpy() with the columns in this order.",
            )
        data = data[[columns[name] for name in design.names]]
    X = checks.as_numbers(data, "data")
    if X.ndim != 2 or X.shape[1] != len(design.names):
        raise InputError(
            expected=f"an array with the {len(design.names)} columns of the fit",
            got=f"shape {X.shape}",
            remedy="Pass the columns " + ", ".join(design.names) + " in this order.",
        )
    return X, None, data.index if isinstance(data, pd.DataFrame) else pd.RangeIndex(len(X))


def _table_rows(design, data, offset):
    table = formulas.as_table(data)
    term = design.offset_term if offset is None else offset if isinstance(offset, str) else None
    terms = [formulas.parse_term(term, "offset")] if term else []
    formulas.check_row_by_row(design.taken_from_all_rows)
    used = formulas.variables([design.spec.formula, *terms], table)
    absent = checks.absent(table[used])
    if absent.any():
        raise InputError(
            expected="no missing values in the new rows",
            got=f"{np.count_nonzero(absent)} of {len(absent)} rows with one {_where(used)}",
            remedy="Fill them in, or predict for the others: data.dropna().",
        )
    table = formulas.ready(table[used], design.formula)
    return formulas.new_matrix(design.spec, table, design.formula), table, table.index


def _where(used):
    return f"in {', '.join(map(repr, used))}"
