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

    def outcome(self, table):
        """y of a portion's table."""
        if self.plain_response is not None:
            return table[self.plain_response].to_numpy(dtype=float)
        evaluated = formulas.evaluate(
            lambda: self.response_spec.get_model_matrix(table, na_action="ignore", output="pandas"), self.formula
        )
        return formulas.response(evaluated)

    def matrix(self, table):
        """X of a portion's table."""
        if self.plain is None:
            return formulas.new_matrix(self.spec, table, self.formula)
        X = np.empty((len(self.plain), len(table)))
        for row, name in zip(X, self.plain, strict=True):
            row[:] = 1.0 if name is None else table[name]
        return X.T

    def design(self, table):
        """The Design of a portion's table, or None where no row is left."""
        keep = checks.complete(checks.absent(table), table.index, f"in {', '.join(map(repr, self.used))}", self.missing)
        if not keep.any():
            return None
        table = formulas.ready(table if keep.all() else table.loc[keep], self.formula, self.dtypes)

        def per_row(values, what, default):
            return formulas.per_row(values, table, what, table.index, np.ones(len(table), dtype=bool), default)[0]

        return Design(
            X=self.matrix(table),
            y=self.outcome(table),
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
        keep = checks.complete(checks.absent(table), table.index, "in the columns of the fit", self.missing)
        if not keep.any():
            return None
        table = table if keep.all() else table.loc[keep]

        def per_row(column, default):
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
