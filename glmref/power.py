"""The power of the Tweedie family as a parameter: its profile likelihood, and an interval from it.

At each power the coefficients and the dispersion are fitted anew; what is left is a function of the power alone, and the
powers whose log-likelihood lies within half a chi-squared quantile of the best are an interval.
"""

import numpy as np
import pandas as pd
from scipy import optimize

from . import families
from .errors import InputError
from .families.tweedie import LEAST, MOST, profiler
from .inference import quantile
from .standardize import evaluator
from .start import score_from_start


def _profile(fit):
    """The function power -> Profile for the data of a Tweedie fit."""
    fit.power  # noqa: B018  (refuses fits of other families)
    rows = fit._rows

    def solve(family, near):
        evaluate = evaluator(rows, family, fit.link)
        return score_from_start(evaluate, rows, family, fit.link, fit.solution.beta if near is None else near)

    return profiler(solve, rows)


def table(fit, powers=None):
    """DataFrame, one row a power: loglik, dispersion (both at the maximum over coefficients and dispersion)."""
    powers = np.linspace(1.1, 1.9, 9) if powers is None else np.atleast_1d(np.asarray(powers, dtype=float))
    for power in powers:
        family = families.Tweedie(float(power))
        if not np.all(family.in_domain(fit.design.y)):
            raise InputError(
                expected=f"powers whose family can produce the responses, each {family.response_domain} at power {power:g}",
                got=f"y = {fit.design.y[~family.in_domain(fit.design.y)][0]:g}",
                remedy="With exact zeros the power lies between 1 and 2.",
            )
    profile = _profile(fit)
    rows = [profile(power) for power in powers]
    columns = {"loglik": [row.loglik for row in rows], "dispersion": [row.dispersion for row in rows]}
    return pd.DataFrame(columns, index=pd.Index(powers, name="power"))


def interval(fit, level):
    """Series lower, upper: where twice the log-likelihood has fallen by the chi-squared quantile; an end of the range of
    powers, 1 or 2, where it never does."""
    if fit.estimate is None:
        raise InputError(
            expected="a fit that estimated the power", got=f"power = {fit.power:g}, given", remedy="Fit with families.Tweedie()."
        )
    fall, profile = quantile(level, None) ** 2 / 2, _profile(fit)  # a chi-squared with one degree is a squared normal
    lowest = profile(fit.power).loglik - fall

    def excess(power):
        return profile(power).loglik - lowest

    ends = [
        1.0 * beyond if excess(limit) > 0 else optimize.brentq(excess, *sorted((limit, fit.power)), xtol=1e-9)
        for limit, beyond in ((LEAST, 1), (MOST, 2))
    ]
    return pd.Series(ends, index=["lower", "upper"], name="power")
