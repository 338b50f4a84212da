"""The rows of all portions as a GLM's loop sees them: looked at once, sampled, and then summed."""

from dataclasses import dataclass, field, replace
from functools import cached_property, partial, reduce

import numpy as np
import pandas as pd

from .. import checks
from ..blocks import NOTHING, SAMPLE_ROWS, ArrayRows, add_all
from ..blocks.source import within
from ..errors import InputError
from ..least_squares import Gram
from ..standardize import evaluator
from ..start import Opening, sample_solution
from .recipes import check_text

SAMPLE_NUMBERS = 4_000_000  # in the sample's X, unless many columns need more
FEW = 12  # portions, from which a fit begins


@dataclass(frozen=True)
class Survey:
    """What one look at every row tells: counts, sums, ends, a sample of the rows (parts of ArrayRows, to be joined), and the Gram
    at the coefficients that a fit begins with, if these are known (None: some mean is impossible there)."""

    rows: int
    nobs: int
    dropped: int
    weight: float
    weighted_y: float
    ends: np.ndarray  # least y, least offset, and minus the largest of each
    sample: tuple
    total: object = NOTHING

    def __add__(self, other):
        return Survey(
            self.rows + other.rows,
            self.nobs + other.nobs,
            self.dropped + other.dropped,
            self.weight + other.weight,
            self.weighted_y + other.weighted_y,
            np.minimum(self.ends, other.ends),
            self.sample + other.sample,
            add_all([self.total, other.total]),
        )


def survey(recipe, family, opening, portions, portion):
    """The Survey of one portion. opening: an Opening whose total is asked for, or None; portions: how many there are, which
    decides how many rows of it the sample takes."""
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
    total = NOTHING if opening is None else evaluator(rows, opening.family, opening.link)(opening.beta, Gram)
    return Survey(n, design.nobs, design.dropped, rows.weight.sum(), rows.weight @ rows.y, ends, (every(rows, step),), total)


EMPTY = Survey(0, 0, 0, 0.0, 0.0, np.full(4, np.inf), ())


def every(rows, step):
    """A copy of every step-th row, weighted so that together they stand for all of these rows: portions may differ in length."""
    few = rows.every(step)
    stands_for = len(rows.y) / len(few.y)
    frequency = None if few.frequency is None else few.frequency * stands_for
    return replace(few, X=few.X.copy(), y=few.y.copy(), offset=few.offset.copy(), weight=few.weight * stands_for, frequency=frequency)


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
    opening: Opening | None = field(default=None, repr=False)

    taken_from_all_rows = ()  # such columns have been refused

    def checked(self, family, link=None, threads=1):
        """The same after a look at every row: are all its numbers finite, all responses possible, and not all equal?

        link: the look is also the first pass of a fit with this link, from the estimate of a few portions. threads: as in a fit.
        """
        opening = None if link is None or family.unknown else self._opening(family, link)
        look = partial(survey, self.recipe, family, opening, self.source.count)
        seen = self.source.sum_portions(look, self.recipe.columns, threads=threads)
        if getattr(seen, "rows", 0) == 0:
            raise InputError(
                expected="at least one row that takes part", got=f"none in {self.source.name}", remedy="Check weights and filter."
            )
        low, offset_low, high, offset_high = seen.ends * [1, 1, -1, -1]
        if seen.rows > 1 and low == high and (offset_low == offset_high or low in family.mean_interval):
            raise checks.constant_response(low, seen.rows)
        opening = None if opening is None else opening._replace(total=seen.total)
        return replace(self, survey=replace(seen, sample=(joined(seen.sample),), total=NOTHING), opening=opening)

    def _opening(self, family, link):
        """An Opening without its total: coefficients from a few portions, or None where these have no estimate."""
        seen = self.source.sum_portions(partial(survey, self.recipe, family, None, FEW), self.recipe.columns, few=FEW)
        solution = sample_solution(joined(seen.sample), family, link) if getattr(seen, "rows", 0) else None
        return None if solution is None else Opening(family, link, solution.beta, None)

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
        return StreamRows(self.source, self.recipe, self.survey, self.opening)

    def cluster_scores(self, groups, score):
        """score(rows) (m x p) added up by cluster, over all portions; groups: the column of labels."""
        check_text(groups, "groups")
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
    """The rows of a source that take part, seen by a fit as ArrayRows are; changes: what is done to each portion of them;
    threads: how many portions are summed at once."""

    source: object
    recipe: object
    survey: Survey = field(repr=False)
    begun: Opening | None = field(default=None, repr=False)
    changes: tuple = ()
    threads: int = 1

    in_memory = False

    @cached_property
    def shape(self):
        """(n, p)."""
        return self.survey.rows, self.sample().shape[1]

    def sum(self, summarize):
        """summarize(block) added over all blocks of all portions, or None as soon as one of them is None."""
        of = partial(sum_of_portion, self.recipe, self.changes, summarize)
        return self.source.sum_portions(of, self.recipe.columns, threads=self.threads)

    def map(self, change):
        """change(rows) for each portion."""
        return replace(self, changes=(*self.changes, change))

    columns = ArrayRows.columns

    def sample(self):
        """The rows that the survey kept in memory."""
        return reduce(lambda rows, change: change(rows), self.changes, self.survey.sample[0])

    def opening(self, family, link):
        """The Opening that was made with the survey, if it was of these rows and for this family and link; else None."""
        begun = None if self.changes else self.begun
        return None if begun is None or (begun.family, begun.link) != (family, link) else begun

    @property
    def level(self):
        """A function that returns (weighted mean, largest absolute value) of the responses."""
        return partial(tuple, (self.survey.weighted_y / self.survey.weight, max(-self.survey.ends[2], -self.survey.ends[0])))


def sum_of_portion(recipe, changes, summarize, portion):
    """summarize(block) added over the blocks of one portion."""
    try:
        design = recipe.design(portion.table)
    except InputError as error:
        raise within(error, portion.where) from None
    if design is None or not design.used.any():
        return NOTHING
    return reduce(lambda rows, change: change(rows), changes, design.rows).sum(summarize)
