"""From a formula and a table, or from arrays, to the numbers a fit needs: X, y, offset, weights.

The only module that knows formulaic. Everything wrong with the input is found here, before any arithmetic,
and named: what was expected, what came and in which row, what to do.
"""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from formulaic import Formula
from formulaic.errors import DataMismatchWarning, FormulaicError

from .blocks import ArrayRows
from .errors import InputError


@dataclass(frozen=True)
class Design:
    """X (n x p) float64; y, offset, weight (n); names: of the p terms; index: the rows' labels.

    spec: formulaic's model specification (None for arrays); offset_term: the offset as text (None if an array).
    """

    X: np.ndarray
    y: np.ndarray
    offset: np.ndarray
    weight: np.ndarray
    names: tuple
    index: pd.Index
    formula: str | None = None
    spec: object = None
    offset_term: str | None = None

    @property
    def rows(self):
        """The rows that carry weight, as a source of blocks."""
        used = self.weight > 0
        if used.all():
            return ArrayRows(self.X, self.y, self.offset, self.weight)
        return ArrayRows(self.X[used], self.y[used], self.offset[used], self.weight[used])


def from_formula(formula, data, *, offset=None, weights=None, missing="error"):
    """The Design of `formula` in `data` (a DataFrame or a mapping of columns). offset, weights: array, column or expression.

    missing: "error" (default) or "drop" rows with a missing value in a variable that is used.
    """
    table = _table(data)
    parsed = _parse(formula)
    terms = [term for term in (offset, weights) if isinstance(term, str)]
    used = _variables(parsed, terms, table)
    keep = _complete(table[used].isna().any(axis=1).to_numpy(), table.index, f"in {', '.join(map(repr, used))}", missing)
    whole, table = len(table), table.loc[keep]
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataMismatchWarning)
        matrices = _evaluate(lambda: parsed.get_model_matrix(table, na_action="ignore", output="pandas"), formula)
    return _checked(
        X=matrices.rhs.to_numpy(dtype=float),
        y=_response(matrices.lhs, formula),
        offset=_per_row(offset, table, "offset", whole, keep, 0.0),
        weight=_per_row(weights, table, "weights", whole, keep, 1.0),
        names=tuple(map(str, matrices.rhs.columns)),
        index=table.index,
        formula=str(formula),
        spec=matrices.rhs.model_spec,
        offset_term=offset if isinstance(offset, str) else None,
    )


def from_arrays(X, y, *, offset=None, weights=None, names=None, missing="error"):
    """The Design of X (n x p) and y (n). names: p strings; default the DataFrame's columns, or x1 ... xp."""
    index = X.index if isinstance(X, pd.DataFrame) else None
    if names is None and isinstance(X, pd.DataFrame):
        names = map(str, X.columns)
    X, y = _numbers(X, "X"), _numbers(y, "y")
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
    index = pd.RangeIndex(len(X)) if index is None else index
    names = tuple(f"x{j + 1}" for j in range(X.shape[1])) if names is None else tuple(map(str, names))
    if len(names) != X.shape[1] or len(set(names)) != len(names):
        raise InputError(
            expected=f"{X.shape[1]} different names, one per column of X",
            got=f"{len(names)}: {', '.join(names)}",
            remedy="Pass names= with one string per column.",
        )
    absent = np.isnan(y) | np.isnan(X).any(axis=1)
    keep = _complete(absent, index, "in X or y", missing)
    return _checked(
        X=np.ascontiguousarray(X[keep]) if not keep.all() else np.ascontiguousarray(X),
        y=y[keep],
        offset=_per_row(offset, None, "offset", len(X), keep, 0.0),
        weight=_per_row(weights, None, "weights", len(X), keep, 1.0),
        names=names,
        index=index[keep],
    )


def new_rows(design, data, offset=None):
    """X and offset of new rows for a fitted design: a table where it was a formula, else an array of its columns."""
    if design.spec is None:
        X = _numbers(data, "data")
        if X.ndim != 2 or X.shape[1] != design.X.shape[1]:
            raise InputError(
                expected=f"an array with the {design.X.shape[1]} columns of the fit",
                got=f"shape {X.shape}",
                remedy="Pass the columns " + ", ".join(design.names) + " in this order.",
            )
        index = data.index if isinstance(data, pd.DataFrame) else pd.RangeIndex(len(X))
        table = None
    else:
        table = _table(data)
        terms = [design.offset_term] if design.offset_term and offset is None else []
        used = _variables(design.spec.formula, terms, table)
        _complete(table[used].isna().any(axis=1).to_numpy(), table.index, f"in {', '.join(map(repr, used))}", "error")
        _check_levels(design.spec, table)
        with warnings.catch_warnings():
            warnings.simplefilter("error", DataMismatchWarning)
            X = _evaluate(lambda: design.spec.get_model_matrix(table, na_action="ignore"), design.formula)
        X, index = np.asarray(X, dtype=float), table.index
    if offset is None and design.offset_term is None and np.any(design.offset != 0):
        raise InputError(
            expected="an offset for the new rows, since the fit had one",
            got="none",
            remedy="Pass offset= with one number per row, or fit with the offset given as an expression.",
        )
    offset = design.offset_term if offset is None else offset
    offset = _per_row(offset, table, "offset", len(X), np.ones(len(X), dtype=bool), 0.0)
    _finite(X, index, "the new rows")
    _finite(offset, index, "offset")
    return X, offset, index


def _checked(**parts):
    design = Design(**parts)
    n, p = design.X.shape
    if n == 0 or p == 0:
        raise InputError(
            expected="at least one row and one column",
            got=f"{n} rows and {p} columns",
            remedy="Check the table and the filter before the fit; '~ 1' fits a mean alone.",
        )
    _finite(design.X, design.index, "X", design.names)
    _finite(design.y, design.index, "y")
    _finite(design.offset, design.index, "offset")
    _finite(design.weight, design.index, "weights")
    negative = np.flatnonzero(design.weight < 0)
    if len(negative):
        raise InputError(
            expected="weights >= 0",
            got=f"{design.weight[negative[0]]:g} in {row(design.index, negative[0])}",
            remedy="Weights count trials or measure precision; to leave a row out give it weight 0.",
        )
    if not np.any(design.weight > 0):
        raise InputError(expected="a row with positive weight", got="only weights of 0", remedy="Check weights=.")
    return replace(design, X=np.ascontiguousarray(design.X))


def row(index, position):
    """How an error names a row: its position, and its label where that differs."""
    label = index[position]
    return f"row {position}" if label == position else f"row {position} (labelled {label!r})"


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


def _parse(formula):
    try:
        parsed = Formula(formula)
    except FormulaicError as error:
        raise InputError(
            expected="a formula such as 'y ~ x + C(group)'", got=f"{formula!r}: {_first_line(error)}", remedy="Correct it."
        ) from None
    if not hasattr(parsed, "lhs"):
        raise InputError(
            expected="a formula with a response, 'y ~ x'", got=repr(formula), remedy="Write the response to the left of ~."
        )
    return parsed


def _evaluate(build, formula):
    try:
        with np.errstate(all="ignore"):  # log(0) becomes an error of ours that names the row
            return build()
    except FormulaicError as error:
        raise InputError(
            expected=f"every term of {formula!r} to be computable from the table",
            got=_first_line(error),
            remedy="Check the spelling of columns and functions.",
        ) from None
    except DataMismatchWarning as error:
        raise InputError(
            expected="only factor levels that the fit has seen",
            got=str(error).split(". ")[0],
            remedy="Drop those rows, or fit with the level present.",
        ) from None


def _variables(parsed, terms, table):
    required = set(parsed.required_variables)
    for term in terms:
        required |= {term} if term in table.columns else set(Formula(f"0 + {term}").required_variables)
    unknown = sorted(map(str, required - set(table.columns)))
    if unknown:
        raise InputError(
            expected="columns of the table: " + ", ".join(map(str, table.columns)) + " (or a known function)",
            got=", ".join(map(repr, unknown)),
            remedy="Check the spelling, or add the column.",
        )
    return [column for column in table.columns if column in required]


def _complete(absent, index, where, missing):
    if missing not in ("error", "drop"):
        raise InputError(expected='missing="error" or "drop"', got=repr(missing), remedy="Choose one.")
    positions = np.flatnonzero(absent)
    if len(positions) and missing == "error":
        shown = ", ".join(row(index, position) for position in positions[:5])
        raise InputError(
            expected="no missing values",
            got=f"{len(positions)} of {len(absent)} rows with one {where}: {shown}{', ...' if len(positions) > 5 else ''}",
            remedy='Fill them in, or pass missing="drop" to fit without these rows.',
        )
    return ~absent


def _response(lhs, formula):
    if lhs.shape[1] != 1:
        raise InputError(
            expected="one numeric response",
            got=f"{lhs.shape[1]} columns: {', '.join(map(str, lhs.columns))}",
            remedy="For a two-valued text response write I(y == 'yes') ~ ...; for counts of successes, proportions with weights=trials.",
        )
    return lhs.to_numpy(dtype=float)[:, 0]


def _per_row(values, table, what, n, keep, default):
    """The n values of an offset or of weights as float64, from an array, a column's name or an expression."""
    if values is None:
        return np.full(np.count_nonzero(keep), default)
    if isinstance(values, str):
        if table is None:
            raise InputError(
                expected=f"{what} as an array, since X is one", got=repr(values), remedy="Pass the numbers themselves."
            )
        if values in table.columns:
            return _numbers(table[values], what)
        columns = _evaluate(lambda: Formula(f"0 + {values}").get_model_matrix(table, na_action="ignore"), values)
        if columns.shape[1] != 1:
            raise InputError(
                expected=f"{what} as one column",
                got=f"{columns.shape[1]} columns from {values!r}",
                remedy="In a formula + adds terms; write {a + b} for the sum of two columns.",
            )
        return columns.to_numpy(dtype=float)[:, 0]
    values = _numbers(values, what)
    if values.ndim == 0:
        values = np.full(n, float(values))
    if values.shape != (n,):
        raise InputError(
            expected=f"{what} with one number for each of the {n} rows",
            got=f"an array of shape {values.shape}",
            remedy="Give one number per row of the data, in their order.",
        )
    return values[keep]


def _numbers(values, what):
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(
            expected=f"{what} as numbers", got=str(error), remedy="Convert text columns first, or use a formula."
        ) from None


def _finite(values, index, what, names=None):
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        at = tuple(bad[0])
        column = f", column {names[at[1]]!r}" if names and len(at) > 1 else ""
        raise InputError(
            expected=f"finite numbers in {what}",
            got=f"{values[at]} in {row(index, at[0])}{column}",
            remedy="Look for a logarithm of 0 or a division by 0, or drop the row.",
        )


def _check_levels(spec, table):
    for factor, (_, state) in spec.encoder_state.items():
        if "categories" in state and factor in table.columns:
            known = list(state["categories"])
            for position, level in enumerate(table[factor]):
                if level not in known:
                    raise InputError(
                        expected=f"{factor!r} to be one of {', '.join(map(repr, known))}, the levels of the fit",
                        got=f"{level!r} in {row(table.index, position)}",
                        remedy="Drop those rows, or fit with the level present.",
                    )


def _first_line(error):
    return str(error).strip().splitlines()[0]
