"""Rows that come in portions: from a source (`glmref.blocks`) and a formula, or named columns, to what a fit needs.

A recipe turns one portion of the table into a Design, the same for every portion: the levels of factors are found first, in a
pass of their own, and fixed. A survey, one pass more, checks every row, counts them, and keeps a sample in memory, from which the
fit begins. After that the rows are only ever summed, by whoever holds them: nothing that has a number for each row is kept.
"""

import re
from dataclasses import dataclass, field, replace
from functools import cached_property, partial, reduce

import numpy as np
import pandas as pd

from . import checks, formulas
from .blocks import NOTHING, SAMPLE_ROWS, ArrayRows, as_source
from .blocks.partitions import DaskArrays, is_dask
from .blocks.source import within
from .design import Design
from .errors import InputError

SAMPLE_NUMBERS = 4_000_000  # in the sample's X, unless many columns need more
HEAD = 10_000  # rows of the first portion from which a formula is understood


def from_formula(formula, data, *, offset=None, weights=None, frequency_weights=None, missing="error"):
    """The StreamDesign of `formula` in a source. offset, weights, frequency_weights: column names or expressions."""
    source, parsed = as_source(data), formulas.parse(formula)
    per_row = {"offset": offset, "weights": weights, "frequency_weights": frequency_weights}
    for what, values in per_row.items():
        _check_text(values, what)
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
    _, offset_spec = formulas.per_row(offset, head, "offset", head.index, np.ones(len(head), dtype=bool), 0.0)
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
            _check_text(values, what)
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
            _check_text(values, what)
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


@dataclass(frozen=True)
class FormulaRecipe:
    """How a portion becomes a Design by a formula. used: the columns it takes; dtypes: of the factors, with their levels."""

    formula: str
    spec: object
    response_spec: object
    used: tuple
    dtypes: dict
    offset: str | None
    weights: str | None
    frequency_weights: str | None
    missing: str

    @property
    def columns(self):
        """What to read."""
        return self.used

    def design(self, table):
        """The Design of a portion's table, or None where no row is left."""
        keep = checks.complete(table.isna().any(axis=1).to_numpy(), table.index, f"in {', '.join(map(repr, self.used))}", self.missing)
        if not keep.any():
            return None
        table = formulas.ready(table.loc[keep], self.formula, self.dtypes)
        y = formulas.evaluate(lambda: self.response_spec.get_model_matrix(table, na_action="ignore", output="pandas"), self.formula)

        def per_row(values, what, default):
            return formulas.per_row(values, table, what, table.index, np.ones(len(table), dtype=bool), default)[0]

        return Design(
            X=formulas.new_matrix(self.spec, table, self.formula),
            y=formulas.response(y),
            offset=per_row(self.offset, "offset", 0.0),
            weight=per_row(self.weights, "weights", 1.0),
            names=tuple(map(str, self.spec.column_names)),
            index=table.index,
            dropped=int(np.count_nonzero(~keep)),
            frequency=None if self.frequency_weights is None else per_row(self.frequency_weights, "frequency_weights", 1.0),
        )


@dataclass(frozen=True)
class ColumnRecipe:
    """How a portion becomes a Design by the names of its columns."""

    names: tuple
    y: str
    offset: str | None = None
    weights: str | None = None
    frequency_weights: str | None = None
    missing: str = "error"

    @property
    def columns(self):
        """What to read."""
        rest = (self.y, self.offset, self.weights, self.frequency_weights)
        return tuple(dict.fromkeys([*self.names, *(column for column in rest if column is not None)]))

    def design(self, table):
        """The Design of a portion's table, or None where no row is left."""
        keep = checks.complete(table.isna().any(axis=1).to_numpy(), table.index, "in the columns of the fit", self.missing)
        if not keep.any():
            return None
        table = table if keep.all() else table.loc[keep]

        def per_row(column, default):
            from .blocks import repeated

            return repeated(default, len(table)) if column is None else checks.as_numbers(table[column], repr(column))

        return Design(
            X=np.column_stack([checks.as_numbers(table[name], repr(name)) for name in self.names]),
            y=per_row(self.y, 0.0),
            offset=per_row(self.offset, 0.0),
            weight=per_row(self.weights, 1.0),
            names=self.names,
            index=table.index,
            dropped=int(np.count_nonzero(~keep)),
            frequency=None if self.frequency_weights is None else per_row(self.frequency_weights, 1.0),
        )


@dataclass(frozen=True)
class Survey:
    """What one look at every row tells: counts, sums, ends, and a sample of the rows (parts of ArrayRows, to be joined)."""

    rows: int
    nobs: int
    dropped: int
    weight: float
    weighted_y: float
    ends: np.ndarray  # least y, least offset, and minus the largest of each
    sample: tuple

    def __add__(self, other):
        return Survey(
            self.rows + other.rows,
            self.nobs + other.nobs,
            self.dropped + other.dropped,
            self.weight + other.weight,
            self.weighted_y + other.weighted_y,
            np.minimum(self.ends, other.ends),
            self.sample + other.sample,
        )


def survey(recipe, family, portions, portion):
    """The Survey of one portion; portions: how many there are, which decides how many rows of it the sample takes."""
    try:
        design = recipe.design(portion.table)
        if design is None:
            return replace(EMPTY, dropped=len(portion.table))
        checks.in_domain(design, family)
    except InputError as error:
        raise within(error, portion.where) from None
    rows = design.rows
    n, p = rows.shape
    if n == 0:
        return replace(EMPTY, dropped=design.dropped)
    step = max(1, n * portions // max(2 * SAMPLE_ROWS, 20 * p, SAMPLE_NUMBERS // p))
    ends = np.array([rows.y.min(), rows.offset.min(), -rows.y.max(), -rows.offset.max()])
    return Survey(n, design.nobs, design.dropped, rows.weight.sum(), rows.weight @ rows.y, ends, (every(rows, step),))


EMPTY = Survey(0, 0, 0, 0.0, 0.0, np.full(4, np.inf), ())


def every(rows, step):
    """A copy of every step-th row."""
    frequency = None if rows.frequency is None else rows.frequency[::step].copy()
    return ArrayRows(*(np.array(values[::step]) for values in (rows.X, rows.y, rows.offset, rows.weight)), frequency=frequency)


def joined(parts):
    """Rows in one piece."""
    together = [np.concatenate([getattr(part, name) for part in parts]) for name in ("X", "y", "offset", "weight")]
    frequency = None if parts[0].frequency is None else np.concatenate([part.frequency for part in parts])
    return ArrayRows(*together, frequency=frequency)


@dataclass(frozen=True, eq=False)
class StreamDesign:
    """The Design of rows that come in portions: names of the p terms, but nothing with an entry for each row."""

    source: object
    recipe: object
    names: tuple
    formula: str | None = None
    spec: object = None
    offset_term: str | None = None
    offset_spec: object = None
    survey: Survey | None = field(default=None, repr=False)

    def checked(self, family):
        """The same after a look at every row: are all its numbers finite, all responses possible, and not all equal?"""
        look = partial(survey, self.recipe, family, self.source.count)
        seen = self.source.sum_portions(look, self.recipe.columns)
        if getattr(seen, "rows", 0) == 0:
            raise InputError(
                expected="at least one row that takes part", got=f"none in {self.source.name}", remedy="Check weights and filter."
            )
        low, offset_low, high, offset_high = seen.ends * [1, 1, -1, -1]
        if seen.rows > 1 and low == high and (offset_low == offset_high or low in family.mean_interval):
            raise checks.constant_response(low, seen.rows)
        return replace(self, survey=replace(seen, sample=(joined(seen.sample),)))

    @property
    def dropped(self):
        """Rows left out for missing values."""
        return self.survey.dropped

    @property
    def nobs(self):
        """Rows with positive weight, each counted as often as its frequency weight says."""
        return self.survey.nobs

    @property
    def has_offset(self):
        """Whether there is an offset."""
        return self.recipe.offset is not None

    @property
    def rows(self):
        """The rows that take part."""
        return StreamRows(self.source, self.recipe, self.survey)

    def cluster_scores(self, groups, score):
        """score(rows) (m x p) added up by cluster, over all portions; groups: the column of labels."""
        _check_text(groups, "groups")
        recipe, columns = self.recipe, tuple(dict.fromkeys([*self.recipe.columns, groups]))

        def of(portion):
            design = recipe.design(portion.table[list(recipe.columns)])
            if design is None:
                return NOTHING
            labels = portion.table[groups].loc[design.index][design.used]
            if labels.isna().any():
                raise InputError(
                    expected="a cluster for every row",
                    got=f"a missing label in {groups!r}, in {portion.where}",
                    remedy="Give each row its cluster, or drop the row.",
                )
            return ByLabel(pd.DataFrame(score(design.rows)).groupby(labels.to_numpy(), sort=False).sum())

        return self.source.sum_portions(of, columns).table.to_numpy()

    def __getattr__(self, name):
        if name in ("X", "y", "offset", "weight", "frequency", "index", "used"):
            raise InputError(
                expected="rows in memory, for what has a number for each of them",
                got=f"rows of {self.source.name}, which are read a portion at a time",
                remedy="Ask fit.predict(table) for the rows of a table; or fit a part of the rows in memory.",
            )
        raise AttributeError(name)


@dataclass(frozen=True)
class ByLabel:
    """A table of sums by label."""

    table: pd.DataFrame

    def __add__(self, other):
        return ByLabel(self.table.add(other.table, fill_value=0.0))


@dataclass(frozen=True, eq=False)
class StreamRows:
    """The rows of a source that take part, seen by a fit as ArrayRows are; changes: what is done to each portion of them."""

    source: object
    recipe: object
    survey: Survey = field(repr=False)
    changes: tuple = ()
    threads: int = 1

    in_memory = False

    @cached_property
    def shape(self):
        """(n, p)."""
        return self.survey.rows, self.sample().shape[1]

    def sum(self, summarize):
        """summarize(block) added over all blocks of all portions, or None as soon as one of them is None."""
        of = partial(sum_of_portion, self.recipe, self.changes, self.threads, summarize)
        return self.source.sum_portions(of, self.recipe.columns)

    def map(self, change):
        """change(rows) for each portion."""
        return replace(self, changes=(*self.changes, change))

    columns = ArrayRows.columns

    def sample(self):
        """The rows that the survey kept in memory."""
        return reduce(lambda rows, change: change(rows), self.changes, self.survey.sample[0])

    @property
    def level(self):
        """A function that returns (weighted mean, largest absolute value) of the responses."""
        return partial(tuple, (self.survey.weighted_y / self.survey.weight, max(-self.survey.ends[2], -self.survey.ends[0])))


def sum_of_portion(recipe, changes, threads, summarize, portion):
    """summarize(block) added over the blocks of one portion."""
    try:
        design = recipe.design(portion.table)
    except InputError as error:
        raise within(error, portion.where) from None
    if design is None or not design.used.any():
        return NOTHING
    rows = replace(design.rows, threads=threads)
    return reduce(lambda rows, change: change(rows), changes, rows).sum(summarize)


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


def _check_text(values, what):
    if values is not None and not isinstance(values, str):
        raise InputError(
            expected=f"{what} as the name of a column or an expression, since rows come in portions",
            got=type(values).__name__,
            remedy="Store it as a column of the data.",
        )


def _check_stateless(specs, formula):
    remembered = sorted({str(name) for spec in specs for name in spec.transform_state})
    if remembered:
        raise InputError(
            expected="terms that need nothing but their own row, since rows come in portions",
            got=f"{', '.join(remembered)} in {formula!r}, which depends on all rows",
            remedy="Compute the column beforehand and store it, or subtract a constant: I(x - 40).",
        )
