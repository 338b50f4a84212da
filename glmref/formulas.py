"""A formula in the language of formulaic, and the table it speaks of: what can be wrong with either, found and named.

The only module, beside `hypothesis`, that knows formulaic.
"""

import re
import warnings

import numpy as np
import pandas as pd
from formulaic import Formula, SimpleFormula
from formulaic.errors import DataMismatchWarning, FormulaicError

from . import checks
from .blocks import repeated
from .errors import InputError


def as_table(data):
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


def ready(table, formula, dtypes=None):
    """The used columns in types that formulas treat right: whole numbers as floats (their powers overflow), unless they
    are made a factor; truth values likewise; numbers stored as objects as numbers; factors without the levels that no row has, or
    (dtypes) with those that were fixed beforehand."""
    given, columns = dict(table.items()), {}
    for name, column in given.items():
        made = re.search(rf"C\(\s*`?{re.escape(str(name))}`?\s*[,)]", formula)
        if dtypes and name in dtypes:
            column = column.astype(dtypes[name])
        elif isinstance(column.dtype, pd.CategoricalDtype):
            column = column.cat.remove_unused_categories()
        elif isinstance(column.dtype, pd.StringDtype) or _is_arrow_text(column.dtype):
            column = column.astype(object)
        elif column.dtype == object and all(checks.is_number(value) for value in column):
            column = column.astype(float)
        elif pd.api.types.is_integer_dtype(column.dtype):
            column = column.astype(float) if not made else column.astype("int64") if _is_short(column.dtype) else column
        elif pd.api.types.is_bool_dtype(column.dtype) and not made and not re.search(r"[&|^]|~.*~", formula):
            column = column.astype(float)  # so that a + b counts, as in R: Python's own + of truth values is "or"
        if column.dtype.kind in "mMc":
            raise InputError(
                expected=f"numbers or categories in {name!r}",
                got=str(column.dtype),
                remedy="Turn dates and durations into numbers first, for instance days since the first.",
            )
        columns[name] = column
    changed = {name: column for name, column in columns.items() if column is not given[name]}
    return table.assign(**changed) if changed else table


def _is_short(dtype):
    """Whether whole numbers are kept in fewer than eight bytes, which their products overflow."""
    return isinstance(dtype, np.dtype) and dtype.itemsize < 8


def _is_arrow_text(dtype):
    """Whether pandas keeps text in Arrow's own type, plain or as a dictionary, which formulaic does not know for text."""
    return isinstance(dtype, pd.ArrowDtype) and (dtype.type is str or str(dtype).startswith("dictionary"))


def parse(formula):
    try:
        parsed = Formula(formula)
    except (FormulaicError, TypeError, ValueError, SyntaxError, AttributeError) as error:
        raise InputError(
            expected="a formula such as 'y ~ x + C(group)'", got=f"{formula!r}: {_first_line(error)}", remedy="Correct it."
        ) from None
    if not hasattr(parsed, "lhs"):
        raise InputError(
            expected="a formula with a response, 'y ~ x'", got=repr(formula), remedy="Write the response to the left of ~."
        )
    return parsed


def parse_term(text, what):
    """An offset or weights given as text: one term of a formula without intercept."""
    try:
        parsed = Formula(f"0 + {text}") if text.strip() and "~" not in text else None
    except (FormulaicError, SyntaxError):
        parsed = None
    if not isinstance(parsed, SimpleFormula):
        raise InputError(
            expected=f"{what} as a column or an expression such as 'log(exposure)'", got=repr(text), remedy="Correct it."
        )
    return parsed


def evaluate(build, formula):
    try:
        # log(0) becomes an error of ours that names the row; a level that a factor does not have would count as the baseline
        with np.errstate(all="ignore"), warnings.catch_warnings(action="error", category=DataMismatchWarning):
            return build()
    except DataMismatchWarning as error:
        raise InputError(
            expected="only levels that the factor has: those named in levels=, or seen by the fit",
            got=str(error).split(". ")[0],
            remedy="Drop those rows, or name the level, or fit with it present.",
        ) from None
    except (FormulaicError, TypeError, ValueError, KeyError, AttributeError, SyntaxError) as error:
        raise InputError(
            expected=f"every term of {str(formula)!r} to be computable from the table",
            got=_first_line(error),
            remedy="Check the spelling of columns and functions, and the types of the columns.",
        ) from None


def new_matrix(spec, table, formula):
    """The matrix of new rows for the specification of a fit; a factor level that the fit has not seen is an error."""
    check_levels(spec, table)
    return np.ascontiguousarray(evaluate(lambda: spec.get_model_matrix(table, na_action="ignore"), formula), dtype=float)


def probed(n):
    """The positions of a few of n rows, whose mean is not that of all if these are evenly spaced."""
    return sorted({0, min(1, n - 1), n - 1}) if n else []


def taken_from_all_rows(spec, few, before, formula):
    """The columns that take their numbers from all rows, such as x - x.mean(), found by a look at a few rows alone: before, what
    these had among all. What formulaic keeps from the fit, as for center(x), gives them the same numbers again."""
    again = new_matrix(spec, few, formula)
    other = np.any(np.abs(again - before) > 1e-9 * np.max(np.abs(before), axis=0) + 1e-12, axis=0)
    return [str(name) for name, differs in zip(spec.column_names, other) if differs]


def check_row_by_row(names):
    """Refuse to predict by columns that take their numbers from all rows: among new rows they would be others."""
    if names:
        raise InputError(
            expected="terms that depend on the new row alone, and on what the fit has stored",
            got=f"{', '.join(names)}, which takes its numbers from all rows",
            remedy="Write center(x) for x - x.mean() and scale(x) for its ratio to the spread, or make the column before the fit.",
        )


def variables(formulas, table):
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


def response(lhs):
    if not isinstance(lhs, pd.DataFrame):
        raise InputError(expected="one response", got="several, with |", remedy="| has no meaning here.")
    if lhs.shape[1] != 1:
        raise InputError(
            expected="one numeric response",
            got=f"{lhs.shape[1]} columns: {', '.join(map(str, lhs.columns))}",
            remedy="For a two-valued text response write I(y == 'yes') ~ ...; for counts of successes, proportions with weights=trials.",
        )
    return lhs.to_numpy(dtype=float)[:, 0]



def per_row(values, table, what, index, keep, default):
    """An offset or weights for the kept rows, from an array, a column's name or an expression; and the expression's state."""
    if values is None:
        return repeated(default, np.count_nonzero(keep)), None
    if not isinstance(values, str):
        return checks.vector(values, what, len(keep), index)[keep], None
    if table is None:
        checks.no_text(values, what)
    if values in table.columns:
        return checks.as_numbers(table[values], what), None
    columns = evaluate(lambda: parse_term(values, what).get_model_matrix(table, na_action="ignore", output="pandas"), values)
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


def check_factors(spec, formula):
    for factor, (_, state) in spec.encoder_state.items():
        if len(_levels(state)) == 1 and "Intercept" in map(str, spec.column_names):
            raise InputError(
                expected=f"a factor {factor!r} with at least two levels",
                got=f"only {_levels(state)[0]!r}",
                remedy=f"Leave it out of {formula!r}: it cannot be told from the intercept.",
            )


def check_levels(spec, table):
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
