"""From a formula and a table, or from arrays, to the numbers a fit needs: X, y, offset, weights.

The only module, beside `hypothesis`, that knows formulaic. Everything wrong with the input is found here, before any
arithmetic, and named.
"""

import re
import warnings
from dataclasses import InitVar, dataclass

import numpy as np
import pandas as pd
from formulaic import Formula
from formulaic.errors import DataMismatchWarning, FormulaicError

from . import checks
from .blocks import ArrayRows, repeated
from .errors import InputError


@dataclass(frozen=True)
class Design:
    """X (n x p) float64; y, offset, weight (n); names: of the p terms; index: the rows' labels; dropped: rows left out.

    weight: how precise a row is, var(y) = phi V / w. frequency: for how many rows, all equal, it stands (default 1).

    X is a read-only view of the caller's array where that needed no conversion: do not change it while the fit is in use.
    spec: formulaic's model specification (None for arrays); offset_term, offset_spec: the offset as text, and its state.
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
    X_is_finite: InitVar[bool] = False  # so that nobody looks twice

    def __post_init__(self, X_is_finite):
        n, p = self.X.shape
        if n == 0 or p == 0:
            raise InputError(
                expected="at least one row and one column",
                got=f"{n} rows and {p} columns",
                remedy="Check the table and the filter before the fit; '~ 1' fits a mean alone.",
            )
        if not X_is_finite:
            checks.finite(self.X, self.index, "X", self.names)
        checks.finite(self.y, self.index, "y")
        if self.offset.strides != (0,):  # else one number for all rows, the default
            checks.finite(self.offset, self.index, "offset")
        if self.weight.strides != (0,):
            checks.finite(self.weight, self.index, "weights")
            checks.weights(self.weight, self.index)
        if self.frequency is None:
            object.__setattr__(self, "frequency", repeated(1.0, n))
        else:
            checks.frequencies(self.frequency, self.index)
        for name in ("X", "y", "offset", "weight", "frequency"):
            array = getattr(self, name).view()
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def used(self):
        """Which rows take part: those whose weight and frequency are positive."""
        return (self.weight > 0) & (self.frequency > 0)

    @property
    def rows(self):
        """The rows that take part, as a source of blocks."""
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
    """
    table = _table(data)
    parsed = _parse(formula)
    per_row = ((offset, "offset"), (weights, "weights"), (frequency_weights, "frequency_weights"))
    terms = [_term(term, what) for term, what in per_row if isinstance(term, str)]
    used = _variables([parsed, *terms], table)
    keep = checks.complete(table[used].isna().any(axis=1).to_numpy(), table.index, _where(used), missing)
    index, table = table.index, _readied(table.loc[keep, used], str(formula))
    matrices = _evaluate(lambda: parsed.get_model_matrix(table, na_action="ignore", output="pandas"), formula)
    if not isinstance(getattr(matrices, "rhs", None), pd.DataFrame):
        raise InputError(
            expected="one right-hand side", got=repr(formula), remedy="Write the terms with +; | has no meaning here."
        )
    _check_factors(matrices.rhs.model_spec, formula)
    offset_values, offset_spec = _per_row(offset, table, "offset", index, keep, 0.0)
    frequency = None
    if frequency_weights is not None:
        frequency = _per_row(frequency_weights, table, "frequency_weights", index, keep, 1.0)[0]
    return Design(
        X=matrices.rhs.to_numpy(dtype=float),
        y=_response(matrices.lhs),
        offset=offset_values,
        weight=_per_row(weights, table, "weights", index, keep, 1.0)[0],
        names=tuple(map(str, matrices.rhs.columns)),
        index=table.index,
        dropped=int(np.count_nonzero(~keep)),
        formula=str(formula),
        spec=matrices.rhs.model_spec,
        offset_term=offset if isinstance(offset, str) else None,
        offset_spec=offset_spec,
        frequency=frequency,
    )


def from_arrays(X, y, *, offset=None, weights=None, frequency_weights=None, names=None, missing="error"):
    """The Design of X (n x p) and y (n). names: p strings; default the DataFrame's columns, or x1 ... xp."""
    index = next((part.index for part in (X, y) if isinstance(part, (pd.DataFrame, pd.Series))), None)
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
    names = checks.column_names([f"x{j + 1}" for j in range(p)] if names is None else names, p)

    def per_row(values, what, default):
        return default if values is None else checks.vector(_no_text(values, what), what, n, index)

    offset = per_row(offset, "offset", repeated(0.0, n))
    weights = per_row(weights, "weights", repeated(1.0, n))
    frequency = per_row(frequency_weights, "frequency_weights", None)
    index = pd.RangeIndex(n) if index is None else index
    keep = np.ones(n, dtype=bool)
    X_is_finite = bool(np.isfinite(np.sum(X)))
    if not X_is_finite or np.isnan(np.sum(y)):
        keep = checks.complete(np.isnan(y) | np.isnan(X).any(axis=1), index, "in X or y", missing)
    elif missing != "error":
        checks.complete(~keep, index, "in X or y", missing)
    if keep.all():
        return Design(X, y, offset, weights, names, index, frequency=frequency, X_is_finite=X_is_finite)
    frequency = None if frequency is None else frequency[keep]
    dropped = int(np.count_nonzero(~keep))
    return Design(X[keep], y[keep], offset[keep], weights[keep], names, index[keep], dropped, frequency=frequency)


def new_rows(design, data, offset=None):
    """X, offset and labels of new rows for a fitted design: a table where it was a formula, else an array of its columns."""
    X, table, index = _array_rows(design, data) if design.spec is None else _table_rows(design, data, offset)
    if offset is None and design.offset_term is None and np.any(design.offset != 0):
        raise InputError(
            expected="an offset for the new rows, since the fit had one",
            got="none",
            remedy="Pass offset= with one number per row, or fit with the offset given as an expression.",
        )
    everything = np.ones(len(X), dtype=bool)
    if offset is None and design.offset_spec is not None:
        offset = _evaluate(lambda: design.offset_spec.get_model_matrix(table, na_action="ignore"), design.offset_term)
        offset = np.asarray(offset, dtype=float)[:, 0]
    else:
        offset, _ = _per_row(design.offset_term if offset is None else offset, table, "offset", index, everything, 0.0)
    checks.finite(X, index, "the new rows", design.names)
    checks.finite(offset, index, "offset")
    return X, offset, index


def _array_rows(design, data):
    if isinstance(data, pd.DataFrame):
        absent = [name for name in design.names if name not in data.columns]
        if absent:
            raise InputError(
                expected="the columns of the fit: " + ", ".join(design.names),
                got="a table without " + ", ".join(absent),
                remedy="Name the columns as in the fit, or pass .to_numpy() with the columns in this order.",
            )
        data = data[list(design.names)]
    X = checks.as_numbers(data, "data")
    if X.ndim != 2 or X.shape[1] != design.X.shape[1]:
        raise InputError(
            expected=f"an array with the {design.X.shape[1]} columns of the fit",
            got=f"shape {X.shape}",
            remedy="Pass the columns " + ", ".join(design.names) + " in this order.",
        )
    return X, None, data.index if isinstance(data, pd.DataFrame) else pd.RangeIndex(len(X))


def _table_rows(design, data, offset):
    table = _table(data)
    terms = [_term(design.offset_term, "offset")] if design.offset_term and offset is None else []
    used = _variables([design.spec.formula, *terms], table)
    absent = table[used].isna().any(axis=1).to_numpy()
    if absent.any():
        raise InputError(
            expected="no missing values in the new rows",
            got=f"{np.count_nonzero(absent)} of {len(absent)} rows with one {_where(used)}",
            remedy="Fill them in, or predict for the others: data.dropna().",
        )
    table = _readied(table[used], design.formula)
    _check_levels(design.spec, table)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataMismatchWarning)
        X = _evaluate(lambda: design.spec.get_model_matrix(table, na_action="ignore"), design.formula)
    return np.asarray(X, dtype=float), table, table.index


def _where(used):
    return f"in {', '.join(map(repr, used))}"


def _table(data):
    if isinstance(data, pd.DataFrame):
        return data
    try:
        return pd.DataFrame(data)
    except (ValueError, TypeError) as error:
        raise InputError(
            expected="data as a pandas DataFrame or a mapping of equally long columns",
            got=f"{type(data).__name__} ({error})",
            remedy="Build a DataFrame first; arrays go to fit_glm.",
        ) from None


def _readied(table, formula):
    """The used columns in types that formulas treat right: whole numbers as floats (their powers overflow), unless they
    are made a factor; numbers stored as objects as numbers; factors without the levels that no row has."""
    columns = {}
    for name, column in table.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.cat.remove_unused_categories()
        elif isinstance(column.dtype, pd.StringDtype):
            column = column.astype(object)
        elif column.dtype == object and all(checks.is_number(value) for value in column):
            column = column.astype(float)
        elif pd.api.types.is_integer_dtype(column.dtype) and not re.search(rf"C\(\s*`?{re.escape(str(name))}\b", formula):
            column = column.astype(float)
        if pd.api.types.is_datetime64_any_dtype(column.dtype) or pd.api.types.is_complex_dtype(column.dtype):
            raise InputError(
                expected=f"numbers or categories in {name!r}",
                got=str(column.dtype),
                remedy="Turn dates into numbers first, for instance days since the first.",
            )
        columns[name] = column
    return pd.DataFrame(columns, index=table.index)


def _parse(formula):
    try:
        parsed = Formula(formula)
    except (FormulaicError, TypeError, ValueError) as error:
        raise InputError(
            expected="a formula such as 'y ~ x + C(group)'", got=f"{formula!r}: {_first_line(error)}", remedy="Correct it."
        ) from None
    if not hasattr(parsed, "lhs"):
        raise InputError(
            expected="a formula with a response, 'y ~ x'", got=repr(formula), remedy="Write the response to the left of ~."
        )
    return parsed


def _term(text, what):
    """An offset or weights given as text: one term of a formula without intercept."""
    try:
        parsed = Formula(f"0 + {text}") if text.strip() and "~" not in text else None
    except FormulaicError:
        parsed = None
    if parsed is None:
        raise InputError(
            expected=f"{what} as a column or an expression such as 'log(exposure)'", got=repr(text), remedy="Correct it."
        )
    return parsed


def _evaluate(build, formula):
    try:
        with np.errstate(all="ignore"):  # log(0) becomes an error of ours that names the row
            return build()
    except DataMismatchWarning as error:
        raise InputError(
            expected="only factor levels that the fit has seen",
            got=str(error).split(". ")[0],
            remedy="Drop those rows, or fit with the level present.",
        ) from None
    except (FormulaicError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise InputError(
            expected=f"every term of {str(formula)!r} to be computable from the table",
            got=_first_line(error),
            remedy="Check the spelling of columns and functions, and the types of the columns.",
        ) from None


def _variables(formulas, table):
    """The table's columns that the formulas use, in the table's order."""
    required = set().union(*(formula.required_variables for formula in formulas))
    columns = list(table.columns)
    # formulaic splits a quoted name at its dots, so that `a.b` requires a
    parts = {str(column).split(".")[0]: column for column in columns if "." in str(column)}
    unknown = sorted(str(name) for name in required if name not in columns and name not in parts)
    if unknown:
        hint = {"offset": " An offset goes in offset=.", "cbind": " Counts of successes go in as proportions with weights=trials."}
        raise InputError(
            expected="columns of the table: " + ", ".join(map(str, columns)) + " (or a known function)",
            got=", ".join(map(repr, unknown)),
            remedy="Check the spelling, or add the column." + "".join(hint.get(name, "") for name in unknown),
        )
    # nor does it report what stands inside center() and its like: look for the names in the text as well
    text = " ".join(map(str, formulas))
    used = [
        column
        for column in columns
        if column in required or re.search(rf"(?<![\w.]){re.escape(str(column))}(?![\w.])", text)
    ]
    twice = sorted({str(column) for column in used if columns.count(column) > 1})
    if twice:
        raise InputError(
            expected="one column of each name", got=f"several called {', '.join(twice)}", remedy="Rename or drop one."
        )
    return used


def _response(lhs):
    if lhs.shape[1] != 1:
        raise InputError(
            expected="one numeric response",
            got=f"{lhs.shape[1]} columns: {', '.join(map(str, lhs.columns))}",
            remedy="For a two-valued text response write I(y == 'yes') ~ ...; for counts of successes, proportions with weights=trials.",
        )
    return lhs.to_numpy(dtype=float)[:, 0]


def _no_text(values, what):
    if isinstance(values, str):
        raise InputError(
            expected=f"{what} as an array, since X is one", got=repr(values), remedy="Pass the numbers themselves."
        )
    return values


def _per_row(values, table, what, index, keep, default):
    """An offset or weights for the kept rows, from an array, a column's name or an expression; and the expression's state."""
    if values is None:
        return np.full(np.count_nonzero(keep), default), None
    if not isinstance(values, str):
        return checks.vector(values, what, len(keep), index)[keep], None
    if table is None:
        _no_text(values, what)
    if values in table.columns:
        return checks.as_numbers(table[values], what), None
    columns = _evaluate(lambda: _term(values, what).get_model_matrix(table, na_action="ignore", output="pandas"), values)
    if columns.shape[1] != 1:
        raise InputError(
            expected=f"{what} as one column",
            got=f"{columns.shape[1]} columns from {values!r}",
            remedy="In a formula + adds terms; write {a + b} for the sum of two columns.",
        )
    return columns.to_numpy(dtype=float)[:, 0], columns.model_spec


def _levels(state):
    if "contrasts" in state:
        return list(state["contrasts"].levels)
    return list(state.get("categories", []))


def _check_factors(spec, formula):
    for factor, (_, state) in spec.encoder_state.items():
        if len(_levels(state)) == 1 and "Intercept" in map(str, spec.column_names):
            raise InputError(
                expected=f"a factor {factor!r} with at least two levels",
                got=f"only {_levels(state)[0]!r}",
                remedy=f"Leave it out of {formula!r}: it cannot be told from the intercept.",
            )


def _check_levels(spec, table):
    for factor, (_, state) in spec.encoder_state.items():
        named = re.fullmatch(r"C\(\s*`?([^,`]+?)`?\s*(,.*)?\)", factor)
        column, known = named[1] if named else factor, _levels(state)
        if not known or column not in table.columns:
            continue
        unseen = ~table[column].isin(known).to_numpy()
        if unseen.any():
            position = int(np.argmax(unseen))
            raise InputError(
                expected=f"{column!r} to be one of {', '.join(map(repr, known))}, the levels of the fit",
                got=f"{table[column].iloc[position]!r} in {checks.row(table.index, position)}",
                remedy="Drop those rows, or fit with the level present.",
            )


def _first_line(error):
    return (str(error).strip() or type(error).__name__).splitlines()[0]
