"""How a portion of a table becomes a Design: by a formula whose factors have fixed levels, or by the names of columns."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from formulaic.parser.types import Factor

from .. import checks, formulas
from ..blocks import repeated
from ..design import Design
from ..errors import InputError


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

    @property
    def response(self):
        """The response, as the formula says it."""
        return str(self.response_spec.formula)

    @cached_property
    def plain(self):
        """Which column of the table stands in each column of X (None: the intercept), where the formula is a sum of numeric
        columns as they are; else None. Such columns are copied, which takes a third of the time of a model matrix."""
        columns = numeric_columns(self.spec)
        names = [None if name == "Intercept" else name for name in self.spec.column_names]
        return names if columns.isdisjoint({"Intercept"}) and columns.issuperset(set(names) - {None}) else None

    @cached_property
    def plain_response(self):
        """The column that is the response as it is, if there is one."""
        names = set(self.response_spec.column_names)
        return names.pop() if len(names) == 1 and numeric_columns(self.response_spec) == names else None

    def outcome(self, columns):
        """y of a portion's columns."""
        if self.plain_response is not None:
            return np.asarray(columns[self.plain_response], dtype=float)
        evaluated = formulas.evaluate(
            lambda: self.response_spec.get_model_matrix(columns, na_action="ignore", output="pandas"), self.formula
        )
        return formulas.response(evaluated)

    def matrix(self, columns):
        """X of a portion's columns."""
        if self.plain is None:
            return formulas.new_matrix(self.spec, columns, self.formula)
        X = np.empty((len(columns[self.used[0]]), len(self.plain)))
        for column, name in zip(X.T, self.plain, strict=True):
            column[:] = 1.0 if name is None else columns[name]
        return X

    def design(self, table):
        """The Design of a portion's table, or None where no row is left."""
        complete, numbers = without_missing(table, f"in {', '.join(map(repr, self.used))}", self.missing)
        if not len(complete):
            return None
        ready = complete if numbers else formulas.ready(complete, self.formula, self.dtypes)

        def per_row(values, what, default):
            return formulas.per_row(values, ready, what, ready.index, np.ones(len(ready), dtype=bool), default)[0]

        return Design(
            X=self.matrix(numbers if numbers and self.plain else ready),
            y=self.outcome(numbers if numbers and self.plain_response else ready),
            offset=per_row(self.offset, "offset", 0.0),
            weight=per_row(self.weights, "weights", 1.0),
            names=tuple(map(str, self.spec.column_names)),
            index=ready.index,
            dropped=len(table) - len(ready),
            frequency=None if self.frequency_weights is None else per_row(self.frequency_weights, "frequency_weights", 1.0),
            finite=bool(numbers and self.plain and self.plain_response),
            portion=True,
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
    def response(self):
        """The column of the response."""
        return self.y

    @property
    def columns(self):
        """What to read."""
        rest = (self.y, self.offset, self.weights, self.frequency_weights)
        return tuple(dict.fromkeys([*self.names, *(column for column in rest if column is not None)]))

    def design(self, table):
        """The Design of a portion's table, or None where no row is left."""
        complete, numbers = without_missing(table, "in the columns of the fit", self.missing)
        if not len(complete):
            return None
        columns = numbers or complete

        def per_row(column, default):
            return repeated(default, len(complete)) if column is None else checks.as_numbers(columns[column], repr(column))

        return Design(
            X=np.column_stack([checks.as_numbers(columns[name], repr(name)) for name in self.names]),
            y=per_row(self.y, 0.0),
            offset=per_row(self.offset, 0.0),
            weight=per_row(self.weights, 1.0),
            names=self.names,
            index=complete.index,
            dropped=len(table) - len(complete),
            frequency=None if self.frequency_weights is None else per_row(self.frequency_weights, 1.0),
            finite=bool(numbers),
            portion=True,
        )


def without_missing(table, where, missing):
    """The rows of a table that have no missing value; and its columns by name, if all are finite numbers in float64, else None."""
    checks.missing_choice(missing)
    numbers = checks.finite_columns(table)
    if numbers:
        return table, numbers
    keep = checks.complete(checks.absent(table), table.index, where, missing)
    return table if keep.all() else table.loc[keep], None


def numeric_columns(spec):
    """The columns of the table that a model specification takes as they are, by name."""
    return {
        factor.expr
        for factor in spec.factors
        if factor.eval_method is Factor.EvalMethod.LOOKUP and spec.encoder_state[factor.expr][0] is Factor.Kind.NUMERICAL
    }


def check_text(values, what):
    if values is not None and not isinstance(values, str):
        raise InputError(
            expected=f"{what} as the name of a column or an expression, since rows come in portions",
            got=type(values).__name__,
            remedy="Store it as a column of the data.",
        )
