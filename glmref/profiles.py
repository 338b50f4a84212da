"""The profile deviance of one coefficient as a curve, beside the parabola that Wald's interval takes it for.

>>> from glmref import profiles
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .errors import InputError
from .inference import held, positive_dispersion, profile_ends, quantile, rise
from .restricted import restricted_fit


@dataclass(frozen=True)
class Profile:
    """term; curve (DataFrame by value of the coefficient): rise = [D(b) - D] / phi, root = its signed root, wald = (b - estimate)
    / se; estimate; cutoff: the |root| at the ends of the intervals; profile_interval, wald_interval: (lower, upper).

    >>> found = profiles.profile(fit, "temperature", points=11)
    >>> found.term, round(found.estimate, 4), round(found.cutoff, 3)
    ('temperature', -0.1156, 1.96)
    """

    term: str
    curve: pd.DataFrame
    estimate: float
    cutoff: float
    profile_interval: tuple
    wald_interval: tuple


def profile(fit, term, level=0.95, points=41):
    """The Profile of a coefficient, from `points` restricted fits over both intervals and a little beyond.

    D(b) is the least deviance of all models with the coefficient at b; NaN where none has possible means. Towards an infinite
    end the curve goes as far as is needed to see it level off.

    >>> found = profiles.profile(fit, "temperature", points=11)
    >>> np.round(found.profile_interval, 4), np.round(found.wald_interval, 4)
    (array([-0.2122, -0.0245]), array([-0.2078, -0.0234]))
    """
    names = [name for name, kept in zip(fit.design.names, fit.keep) if kept]
    if term not in names:
        raise InputError(
            expected="the name of one estimated coefficient: " + ", ".join(names),
            got=repr(term),
            remedy="A term of several columns has several coefficients; name one.",
        )
    if not (isinstance(points, (int, np.integer)) and points >= 3):
        raise InputError(expected="points as a whole number >= 3", got=repr(points), remedy="41 is the default.")
    cutoff, j = float(quantile(level, fit._df)), names.index(term)
    phi = positive_dispersion(fit)
    estimate, se = float(fit.coef[term]), float(fit.se[term])
    ends, wald_ends = tuple(map(float, profile_ends(fit, j, level))), (estimate - cutoff * se, estimate + cutoff * se)
    low, high = _range(fit, j, level, ends, wald_ends)
    values = np.linspace(low, high, points)
    if low < estimate < high:
        values = np.unique([*values, estimate])
    rises = _rises(fit, j, values, estimate) / phi
    curve = pd.DataFrame(
        {"rise": rises, "root": np.sign(values - estimate) * np.sqrt(rises), "wald": (values - estimate) / se},
        index=pd.Index(values, name=term),
    )
    return Profile(term, curve, estimate, cutoff, ends, wald_ends)


def _range(fit, j, level, ends, wald_ends):
    """Where to draw: both intervals and 15% more; towards an infinite end, six times the step from level/2 to level."""
    bounded = np.isfinite(ends)
    low, high = min(ends[0], wald_ends[0]), max(ends[1], wald_ends[1])
    margin = 0.15 * (high - low)
    if bounded.all():
        return low - margin, high + margin
    if not bounded.any():
        return wald_ends
    inner = profile_ends(fit, j, level / 2)
    if bounded[1]:
        step = ends[1] - inner[1]
        return ends[1] - 6 * step, ends[1] + step
    step = inner[0] - ends[0]
    return ends[0] - step, ends[0] + 6 * step


def _rises(fit, j, values, estimate):
    """D(b) - D (of -2 loglik, where the family's own parameter is estimated) at each value, outward from the estimate, each fit starting from the one before."""
    rows, rises = fit._rows, np.where(values == estimate, 0.0, np.nan)
    L = np.eye(len(fit.solution.beta))[[j]]
    for side in (np.flatnonzero(values < estimate)[::-1], np.flatnonzero(values > estimate)):
        near = fit.solution.beta, fit.family
        for k in side:
            try:
                restricted = restricted_fit(rows, held(fit), fit.link, L, values[[k]], *near)
            except InputError:  # no possible mean so far out, nor beyond
                break
            near, rises[k] = (restricted.beta, restricted.family), rise(fit, restricted.cost)
    return np.where(np.isfinite(rises), rises, np.nan)
