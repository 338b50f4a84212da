"""Rows that come in portions: from a source (`glmref.blocks`) and a formula, or named columns, to what a fit needs.

A recipe turns one portion of the table into a Design, the same for every portion: the levels of factors are found first, in a
pass of their own, and fixed. A survey checks every row, counts them, keeps a sample in memory, and is the first pass of a GLM's
fit as well, at the estimate of a few portions. After that the rows are only ever summed, by whoever holds them: nothing that has
a number for each row is kept.
Modules: `recipes` and `levels`, `rows` for a GLM, `clusters`, `moments` and `panel` for estimating equations.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from .. import checks, formulas
from ..blocks import as_source, is_dask
from ..blocks.partitions import DaskArrays
from ..errors import InputError
from .levels import factor_types, template
from .recipes import ColumnRecipe, FormulaRecipe, check_text
from .rows import StreamDesign

HEAD = 10_000  # rows of the first portion from which a formula is understood


def from_formula(formula, data, *, offset=None, weights=None, frequency_weights=None, missing="error"):
    """The StreamDesign of `formula` in a source. offset, weights, frequency_weights: column names or expressions."""
    source, parsed = as_source(data), formulas.parse(formula)
    per_row = {"offset": offset, "weights": weights, "frequency_weights": frequency_weights}
    for what, values in per_row.items():
        check_text(values, what)
    terms = [formulas.parse_term(term, what) for what, term in per_row.items() if term is not None]
    used = tuple(formulas.variables([parsed, *terms], pd.DataFrame(columns=source.columns)))
    head = source.first(used).table.head(HEAD)
    dtypes = factor_types(source, formula, head, used, missing)
    head = formulas.ready(template(head.dropna(), dtypes, formula), formula, dtypes)
    matrices = formulas.evaluate(lambda: parsed.get_model_matrix(head, na_action="ignore", output="pandas"), formula)
    if not isinstance(getattr(matrices, "rhs", None), pd.DataFrame):
        raise InputError(
            expected="one right-hand side", got=repr(formula), remedy="Write the terms with +; | has no meaning here."
        )
    spec = matrices.rhs.model_spec
    formulas.check_factors(spec, formula)
    formulas.response(matrices.lhs)
    _check_stateless([matrices.lhs.model_spec, spec], formula)
    found = {what: formulas.per_row(term, head, what, head.index, np.ones(len(head), dtype=bool), 0.0) for what, term in per_row.items()}
    columns = [(part.model_spec, part.to_numpy(), formula) for part in (matrices.lhs, matrices.rhs)]
    _check_own_rows(columns + [(spec, values[:, None], per_row[what]) for what, (values, spec) in found.items() if spec is not None], head)
    offset_spec = found["offset"][1]
    recipe = FormulaRecipe(str(formula), spec, matrices.lhs.model_spec, used, dtypes, offset, weights, frequency_weights, missing)
    names = tuple(map(str, matrices.rhs.columns))
    return StreamDesign(source, recipe, names, str(formula), spec, offset, offset_spec)


def from_columns(X, y, *, offset=None, weights=None, frequency_weights=None, names=None, missing="error"):
    """The StreamDesign of Dask arrays X (n x p), y (n); or of a source X, all of whose columns but y and the others named here
    are used (or those in `names`)."""
    per_row = {"offset": offset, "weights": weights, "frequency_weights": frequency_weights}
    per_row = {what: values for what, values in per_row.items() if values is not None}
    if is_dask(X) and hasattr(X, "chunks"):
        if len(X.shape) != 2 or not (is_dask(y) and hasattr(y, "chunks")):
            raise InputError(
                expected="X with two dimensions and y as Dask arrays",
                got=f"shapes {X.shape} and {getattr(y, 'shape', type(y).__name__)}",
                remedy="dask.array.from_array(y, chunks=X.chunks[0]) makes one.",
            )
        for what, values in per_row.items():
            if not hasattr(values, "chunks"):
                raise InputError(
                    expected=f"{what} as a Dask array, since X is one", got=type(values).__name__, remedy="Chunk it as y."
                )
        p = X.shape[1]
        names = tuple(f"x{j + 1}" for j in range(p)) if names is None else checks.column_names(names, p)
        columns = {"y": "response y"} | {what: f"per row {what}" for what in per_row}
        source = DaskArrays(X, names, {columns["y"]: y} | {columns[what]: values for what, values in per_row.items()})
        y, per_row = columns["y"], {what: columns[what] for what in per_row}
    else:
        source = as_source(X)
        for what, values in {"y": y, **per_row}.items():
            check_text(values, what)
        taken = {y, *per_row.values()}
        names = tuple(str(name) for name in source.columns if name not in taken) if names is None else tuple(names)
    recipe = ColumnRecipe(names, y, missing=missing, **per_row)
    source.first(recipe.columns)
    return StreamDesign(source, recipe, names)


def with_labels(X, y, labels, **keywords):
    """(StreamDesign, columns) of Dask arrays or a source, with further columns that the model does not use: labels, by what they
    are, as Dask arrays or as names of columns."""
    if not (is_dask(X) and hasattr(X, "chunks")):
        for what, values in labels.items():
            check_text(values, what)
        taken = [*labels.values(), y, *(value for value in keywords.values() if isinstance(value, str))]
        source = as_source(X)
        if keywords.get("names") is None:
            keywords["names"] = [str(name) for name in source.columns if name not in taken]
        return from_columns(source, y, **keywords), tuple(labels.values())
    design = from_columns(X, y, **keywords)
    per_row = {f"label {what}": values for what, values in labels.items()}
    for what, values in per_row.items():
        if not hasattr(values, "chunks"):
            raise InputError(expected=f"{what[6:]} as a Dask array, since X is one", got=type(values).__name__, remedy="Chunk it as y.")
    source = replace(design.source, per_row=design.source.per_row | per_row)
    return replace(design, source=source), tuple(per_row)


def _check_stateless(specs, formula):
    _refuse(sorted({str(name) for spec in specs for name in spec.transform_state}), formula)


def _check_own_rows(columns, head):
    """columns: (specification, values among all rows of the head, text), of which none may look at other rows."""
    few = formulas.probed(len(head))
    for spec, values, text in columns:
        _refuse(formulas.taken_from_all_rows(spec, head.iloc[few], values[few], text), text)


def _refuse(names, formula):
    if names:
        raise InputError(
            expected="terms that need nothing but their own row, since rows come in portions",
            got=f"{', '.join(names)} in {formula!r}, which depends on all rows",
            remedy="Compute the column beforehand and store it, or subtract a constant: I(x - 40).",
        )
