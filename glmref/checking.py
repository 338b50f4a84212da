"""The numbers behind the figures that check a fit: tables and arrays, without drawing (`plots` draws them).

Each function takes a fit and returns what the figure shows, so that it can be printed, tested and drawn otherwise. Rows of
weight 0 are left out everywhere, or NaN where there is one number per row.

>>> from glmref import checking
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from .errors import InputError
from .inference import positive_dispersion, quantile
from .links import UNIT

STANDARDIZED = ("quantile", "deviance", "pearson", "anscombe")


def standardized(fit, kind="deviance", rng=0):
    """Residuals of unit variance (n): r / sqrt[phi (1 - h)]; quantile residuals have it already. NaN where h = 1 or w = 0.

    >>> checking.standardized(fit)[:3].round(3)
    array([-0.979,  1.119, -0.826])
    """
    if kind not in STANDARDIZED:
        raise InputError(
            expected="a kind of residual that can be standardized: " + ", ".join(map(repr, STANDARDIZED)),
            got=repr(kind),
            remedy="Choose one of these.",
        )
    values, used = np.array(fit.residuals(kind, rng=rng), dtype=float), fit.design.used
    if kind == "quantile":
        return values
    phi = positive_dispersion(fit)
    room = 1 - fit.leverage
    known = used & (room > 1e-10)
    return np.divide(
        values, np.sqrt(phi * room, where=known, out=np.ones_like(room)), where=known, out=np.full(len(room), np.nan)
    )


def rootogram_table(fit, max_count=None):
    """How many rows have each count, and how many the model expects: sum over rows of P(Y = k) (DataFrame by count).

    One row for each k = 0, ..., max_count (default: the largest observed), and a last one for all larger counts, so that
    both columns, observed and expected, add up to the number of rows. Raises InputError for a response that is no count.

    >>> kicks = glm("deaths ~ 1", datasets.load("horsekicks"), "poisson")
    >>> checking.rootogram_table(kicks).round(1).head(3)
           observed  expected
    count
    0           144     139.0
    1            91      97.3
    2            32      34.1
    """
    used = fit.design.used
    y, mu, weight, frequency = fit.design.y[used], fit.fitted[used], fit.design.weight[used], fit.design.frequency[used]
    _check_counts(fit, y, used)
    largest = int(np.max(y)) if max_count is None else max_count
    if not (isinstance(largest, (int, np.integer)) and largest >= 0):
        raise InputError(expected="max_count as a whole number >= 0", got=repr(max_count), remedy="None takes the largest count.")
    counts = np.arange(largest + 1)
    low_before, high_before = np.zeros(len(y)), np.ones(len(y))
    expected = np.empty(largest + 2)
    for k in counts:
        low, high = fit.family.tails(np.full(len(y), float(k)), mu, fit.dispersion, weight)
        # a difference of the smaller tails loses nothing
        expected[k] = frequency @ np.where(low < 0.5, low - low_before, high_before - high)
        low_before, high_before = low, high
    expected[-1] = frequency @ high_before
    observed = np.bincount(np.minimum(y, largest + 1).astype(int), frequency, largest + 2).astype(int)
    labels = pd.Index([*map(str, counts), f"{largest + 1}+"], name="count")
    return pd.DataFrame({"observed": observed, "expected": expected}, index=labels)


def _check_counts(fit, y, used):
    if fit.family.spacing != "count":
        raise InputError(
            expected="a fit of counts, for instance of the Poisson family",
            got=f"the {fit.family.name} family",
            remedy="For proportions see calibration; for others, the residuals.",
        )
    if np.any(y != np.floor(y)):
        at = int(np.argmax(y != np.floor(y)))
        raise InputError(
            expected="counts, which are whole numbers",
            got=f"y = {y[at]:g} in the row labelled {fit.design.index[used][at]!r}",
            remedy="Model rates as counts with offset=log(exposure).",
        )


def wilson(share, trials, level=0.95):
    """The Wilson interval of a share of `trials` (lower, upper): where the score test of the share does not reject.

    (s + z^2 / 2m -+ z sqrt[s (1 - s) / m + z^2 / 4m^2]) / (1 + z^2 / m) (Wilson 1927).

    >>> lower, upper = checking.wilson(0.5, 10)
    >>> lower.round(3).item(), upper.round(3).item()
    (0.237, 0.763)
    """
    z = quantile(level, None)
    ratio = z**2 / trials
    half = z * np.sqrt(share * (1 - share) / trials + ratio / (4 * trials))
    lower, upper = (share + ratio / 2 - half) / (1 + ratio), (share + ratio / 2 + half) / (1 + ratio)
    return np.where(share == 0, 0.0, lower), np.where(share == 1, 1.0, upper)


def calibration_table(fit, groups=10, level=0.95):
    """Observed share against mean fitted probability, in groups of rows with like probabilities (DataFrame).

    Groups have about equal numbers of trials; rows of one fitted probability stay together, so there may be fewer.
    Columns: rows, trials, predicted, observed, lower, upper (Wilson, with trials / phi where the dispersion phi is not 1).

    >>> checking.calibration_table(fit, groups=3)[["trials", "predicted", "observed"]].round(3)
           trials  predicted  observed
    group
    1        48.0      0.023     0.042
    2        42.0      0.048     0.048
    3        48.0      0.122     0.104
    """
    if not (isinstance(groups, (int, np.integer)) and groups >= 1):
        raise InputError(expected="groups as a whole number >= 1", got=repr(groups), remedy="10 is the default.")
    mu, y, trials = _probabilities(fit)
    group = tie_groups(mu, trials, groups)
    total = np.bincount(group, trials)
    observed = np.clip(np.bincount(group, trials * y) / total, 0, 1)
    lower, upper = wilson(observed, total / fit.dispersion, level)
    table = {
        "rows": np.bincount(group),
        "trials": total,
        "predicted": np.bincount(group, trials * mu) / total,
        "observed": observed,
    }
    return pd.DataFrame(table | {"lower": lower, "upper": upper}, index=pd.RangeIndex(1, len(total) + 1, name="group"))


def tie_groups(values, weight, groups):
    """The group (0, 1, ...) of each value: quantile groups of about equal total weight, equal values (to 12 digits) together.

    >>> checking.tie_groups(np.array([0.1, 0.1, 0.2, 0.9]), np.ones(4), groups=2)
    array([0, 0, 1, 1])
    """
    distinct, which = np.unique(_rounded(values), return_inverse=True)
    mass = np.bincount(which, weight)
    middle = (np.cumsum(mass) - mass / 2) / np.sum(mass)
    return np.unique(np.floor(groups * middle * (1 - 1e-12)), return_inverse=True)[1][which]


def _rounded(values):
    return np.array([float(f"{value:.12g}") for value in values])


def _probabilities(fit):
    """Fitted probability, observed share and trials of the rows that carry weight."""
    some = np.array([0.2, 0.5])
    if tuple(fit.family.mean_interval) != UNIT or not np.allclose(fit.family.variance(some), some * (1 - some)):
        raise InputError(
            expected="a fit of probabilities, of the binomial family",
            got=f"the {fit.family.name} family",
            remedy="For counts see rootogram; for others, the residuals.",
        )
    used = fit.design.used
    return fit.fitted[used], fit.design.y[used], (fit.design.weight * fit.design.frequency)[used]


class Separation(NamedTuple):
    """probability, event: of each trial, sorted by the probability. expected: the sum of the probabilities.

    >>> trials = checking.separation_trials(fit)
    >>> len(trials.event), trials.event.sum().item(), round(trials.expected, 6)
    (138, 9, 9.0)
    """

    probability: np.ndarray
    event: np.ndarray
    expected: float


def separation_trials(fit):
    """All trials in the order of their fitted probability, and which were events (Greenhill, Ward and Sacks 2011).

    Where several have one probability (grouped rows, factors), their events are spread evenly among them, so that the order
    of the rows does not matter.

    >>> trials = checking.separation_trials(fit)
    >>> trials.probability[-3:].round(3), trials.event[-3:]
    (array([0.261, 0.261, 0.261]), array([False,  True, False]))
    """
    mu, y, trials = _probabilities(fit)
    counts, events = np.round(trials), np.round(trials * y)
    if np.any(np.abs(counts - trials) > 1e-6) or np.any(np.abs(events - trials * y) > 1e-6):
        at = int(np.argmax((np.abs(counts - trials) > 1e-6) | (np.abs(events - trials * y) > 1e-6)))
        raise InputError(
            expected="whole numbers of trials and of events",
            got=f"{trials[at] * y[at]:g} of {trials[at]:g} in the row labelled {fit.design.index[fit.design.used][at]!r}",
            remedy="Weights must be the trials; with other weights see calibration.",
        )
    probability, which = np.unique(_rounded(mu), return_inverse=True)
    sizes, successes = (np.bincount(which, part).astype(int) for part in (counts, events))
    event = np.concatenate([_spread(size, k) for size, k in zip(sizes, successes, strict=True)])
    return Separation(np.repeat(probability, sizes), event, float(trials @ mu))


def _spread(size, events):
    marks = np.zeros(size, dtype=bool)
    marks[((np.arange(events) + 0.5) * size / max(events, 1)).astype(int)] = True
    return marks
