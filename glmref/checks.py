"""Input that cannot be used, named: which row, which value, what to do. Small functions that return or raise."""

import numbers
from decimal import Decimal
from math import isfinite

import numpy as np
import pandas as pd

from .errors import InputError


def row(index, position):
    """How an error names a row: its position, and its label where that differs."""
    label = index[position]
    if isinstance(label, (int, np.integer)) and label == position:
        return f"row {position}"
    return f"row {position} (labelled {label.item() if isinstance(label, np.generic) else label!r})"


def as_numbers(values, what):
    """values as a float64 array; masked entries become NaN, so that they count as missing."""
    if type(values) is np.ndarray and values.dtype == float:
        return values
    if isinstance(values, np.ma.MaskedArray):
        values = values.astype(float).filled(np.nan)
    try:
        # np.asarray would first look a table up and down for other protocols, for as long as a round of a small fit
        array = values.to_numpy() if isinstance(values, (pd.DataFrame, pd.Series)) else np.asarray(values)
        if np.iscomplexobj(array):
            raise TypeError("complex numbers")
        if array.dtype.kind in "mM":
            raise TypeError("dates or durations, whose unit nobody named")
        if array.dtype == object:
            array = np.where(pd.isna(array), np.nan, array)
        return array.astype(float) if array.dtype != float else array
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            expected=f"{what} as numbers", got=str(error), remedy="Convert text columns first, or use a formula."
        ) from None


@np.errstate(over="ignore", invalid="ignore")
def total(*arrays):
    """The sum of all entries, which NaN and inf survive: one pass without a temporary tells whether all are finite."""
    return sum(np.add.reduce(values, axis=None) for values in arrays)


def finite(values, index, what, names=None):
    """Every entry finite, or the first that is not."""
    if isfinite(total(values)):
        return
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        at = tuple(bad[0])
        column = f", column {names[at[1]]!r}" if names and len(at) > 1 else ""
        raise InputError(
            expected=f"finite numbers in {what}",
            got=f"{values[at]} in {row(index, at[0])}{column}",
            remedy="Look for a logarithm of 0 or a division by 0, or drop the row.",
        )


def finite_columns(table):
    """The columns by name, where all of them are finite numbers in float64, for which a sum of each is enough; else None."""
    if not (table.dtypes == float).all():
        return None
    columns = {name: column.to_numpy() for name, column in table.items()}
    return columns if isfinite(total(*columns.values())) else None


def absent(table):
    """Which rows of a table have a missing value."""
    return np.zeros(len(table), dtype=bool) if finite_columns(table) else table.isna().any(axis=1).to_numpy()


def missing_choice(choice):
    """Refuse what is neither "error" nor "drop"."""
    if not (isinstance(choice, str) and choice in ("error", "drop")):
        raise InputError(expected='missing="error" or "drop"', got=repr(choice), remedy="Choose one.")


def complete(absent, index, where, missing):
    """Which rows to keep; raises where rows with missing values may not be dropped."""
    missing_choice(missing)
    positions = np.flatnonzero(absent)
    if len(positions) and missing == "error":
        shown = ", ".join(row(index, position) for position in positions[:5])
        raise InputError(
            expected="no missing values",
            got=f"{len(positions)} of {len(absent)} rows with one {where}: {shown}{', ...' if len(positions) > 5 else ''}",
            remedy='Fill them in, or pass missing="drop" to fit without these rows.',
        )
    return ~absent


def same_rows(values, index, what):
    """A Series must belong to the rows it is given for: labels in another order would be read by position."""
    if isinstance(values, pd.Series) and index is not None and not values.index.equals(index):
        raise InputError(
            expected=f"{what} with the row labels of the data, in their order",
            got="a Series with another index",
            remedy=f"Reindex it to the data, or pass {what}.to_numpy() if its order is the rows'.",
        )


def vector(values, what, n, index=None):
    """n numbers, one per row; a single number is repeated."""
    same_rows(values, index, what)
    values = as_numbers(values, what)
    if values.ndim == 0:
        values = np.full(n, float(values))
    if values.shape != (n,):
        raise InputError(
            expected=f"{what} with one number for each of the {n} rows",
            got=f"an array of shape {values.shape}",
            remedy="Give one number per row of the data, in their order.",
        )
    return values if all(values.strides) else values.copy()  # strides of 0 mark the default, one number for all rows


def no_text(values, what):
    """What belongs to arrays is an array itself: there is no table in which a name or an expression could be looked up."""
    if isinstance(values, str):
        raise InputError(
            expected=f"{what} as an array, since X is one", got=repr(values), remedy="Pass the numbers themselves."
        )
    return values


def column_names(names, p):
    """p different strings."""
    if isinstance(names, str) or not hasattr(names, "__iter__"):
        raise InputError(expected=f"{p} names", got=repr(names), remedy="Pass names= as a list of strings.")
    names = tuple(map(str, names))
    if len(names) != p or len(set(names)) != len(names):
        raise InputError(
            expected=f"{p} different names, one per column of X",
            got=f"{len(names)}: {', '.join(names)}",
            remedy="Pass names= with one string per column.",
        )
    return names


def weights(values, index, some=True):
    """Weights >= 0, at least one of them positive (unless not some: other portions have rows as well)."""
    negative = np.flatnonzero(values < 0)
    if len(negative):
        raise InputError(
            expected="weights >= 0",
            got=f"{values[negative[0]]:g} in {row(index, negative[0])}",
            remedy="Weights count trials or measure precision; to leave a row out give it weight 0.",
        )
    if some and not np.any(values > 0):
        raise InputError(expected="a row with positive weight", got="only weights of 0", remedy="Check weights=.")


def frequencies(values, index, some=True):
    """Whole numbers >= 0, at least one of them positive (unless not some)."""
    odd = np.flatnonzero(~(np.isfinite(values) & (values >= 0) & (values == np.floor(values))))
    if len(odd):
        raise InputError(
            expected="frequency weights as whole numbers >= 0",
            got=f"{values[odd[0]]:g} in {row(index, odd[0])}",
            remedy="They count identical rows. What measures precision, or the trials of a proportion, goes in weights=.",
        )
    if some and not np.any(values > 0):
        raise InputError(expected="a row with positive frequency", got="only zeros", remedy="Check frequency_weights=.")


def one_label_per_row(groups, n):
    """Refuse what is no sequence of n labels."""
    sequence = hasattr(groups, "__len__") and not isinstance(groups, (str, dict, set, frozenset))
    if not sequence or len(groups) != n:
        raise InputError(
            expected=f"groups with a label for each of the {n} rows",
            got=f"{len(groups)}" if sequence else repr(groups)[:80],
            remedy="Pass one label per row, for instance a column of the table.",
        )


def cluster_codes(groups, index, least=2):
    """For each row the number of its cluster, and the clusters' labels: `least` of them or more, none missing."""
    one_label_per_row(groups, len(index))
    groups = np.asarray(groups)
    if groups.ndim != 1:
        raise InputError(
            expected="groups with one label a row",
            got=f"an array of shape {groups.shape}",
            remedy="For crossed labels make one of them first, such as a + ':' + b.",
        )
    codes, labels = pd.factorize(groups)
    if (codes < 0).any():
        raise InputError(
            expected="a cluster for every row",
            got=f"a missing label in {row(index, int(np.argmax(codes < 0)))} of groups",
            remedy="Give each row its cluster, or drop the row.",
        )
    if len(labels) < least:
        raise InputError(
            expected="at least two clusters",
            got=f"{len(labels)}",
            remedy="What is learned comes from the differences between clusters: check groups=.",
        )
    return codes, np.asarray(labels)


def in_domain(design, family):
    """Every y in the family's domain."""
    possible = family.in_domain(design.y)
    if not possible.all():
        bad = np.flatnonzero(~possible)
        raise InputError(
            expected=f"each response of the {family.name} family to be {family.response_domain}",
            got=f"y = {design.y[bad[0]]:g} in {row(design.index, bad[0])} ({len(bad)} such rows)",
            remedy="Correct the data, or choose a family that allows such values.",
        )


def response(design, family):
    """Every y in the family's domain, and not all of them equal."""
    in_domain(design, family)
    y = design.y if design.weight.strides == design.frequency.strides == (0,) else design.y[design.used]
    low, high = family.mean_interval
    if len(y) > 1 and y[0] == y[-1] and (y == y[0]).all() and (np.ptp(design.offset) == 0 or y[0] in (low, high)):
        raise constant_response(y[0], len(y))


def constant_response(value, n):
    """The error of a response that does not vary."""
    return InputError(
        expected="a response that varies",
        got=f"y = {value:g} in all {n} rows",
        remedy="There is nothing to explain: check that the response is the column you meant.",
    )


def dispersion(choice, family):
    """A positive number, the name of an estimator, or None; and one that the family can have."""
    named = choice is None or (isinstance(choice, str) and choice in ("pearson", "deviance", "ml"))
    if not (named or (is_number(choice) and np.isfinite(choice) and choice > 0)):
        raise InputError(
            expected='dispersion as a number > 0, "pearson", "deviance", "ml" or None',
            got=repr(choice),
            remedy="None takes 1 where the family fixes it (Poisson, binomial, negative binomial), and Pearson's estimate otherwise.",
        )
    if isinstance(choice, str) and choice == "ml" and not family.has_likelihood:
        raise InputError(
            expected="a family with a likelihood for dispersion='ml'",
            got=f"{family.name}, known by its mean and variance only",
            remedy="Take the default, Pearson's estimate.",
        )
    if choice is not None and family.dispersion is not None and family.unknown:
        raise InputError(
            expected=f"no dispersion beside {family.shape_name}, which is estimated by maximum likelihood at dispersion 1",
            got=f"dispersion={choice!r}",
            remedy=f"Give {family.shape_name}= a number to have a quasi-likelihood with another dispersion.",
        )


def control(options):
    """The control of the rounds: start, max_iter (default 200), tol (default 1e-10), threads (default 1), progress (default
    None: of long fits, in a terminal)."""
    known = {"start": None, "max_iter": 200, "tol": 1e-10, "threads": 1, "progress": None}
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise InputError(
            expected="control by start, max_iter, tol, threads or progress", got=", ".join(unknown), remedy="Check the spelling of the keyword."
        )
    settings = known | options
    for name in ("max_iter", "threads"):
        if name in options and not (isinstance(settings[name], numbers.Integral) and is_number(settings[name]) and settings[name] >= 1):
            raise InputError(
                expected=f"{name} as a whole number >= 1", got=repr(settings[name]), remedy=f"{known[name]} is the default."
            )
    progress = settings["progress"]
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise InputError(
            expected="progress as True, False, None or a function of one line", got=repr(progress), remedy="True writes to stderr."
        )
    if "tol" in options and not (is_number(settings["tol"]) and 0 < settings["tol"] < 1):
        raise InputError(expected="tol as a number between 0 and 1", got=repr(settings["tol"]), remedy="1e-10 is the default.")
    return settings


def is_number(value):
    """A real number (also an exact decimal), and not a truth value."""
    return isinstance(value, (numbers.Real, Decimal)) and not isinstance(value, (bool, np.bool_))
