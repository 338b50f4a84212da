"""From an estimate and its standard error to statements: quantiles, intervals, tests."""

import numpy as np
from scipy import stats

from .errors import InputError


def reference(df):
    """The law a Wald statistic is compared with: Student's t where phi was estimated on df degrees, else the normal."""
    return stats.norm if df is None else stats.t(df)


def quantile(level, df):
    """The two-sided critical value for a confidence level, 0 < level < 1."""
    if not (isinstance(level, (int, float)) and 0 < level < 1):
        raise InputError(
            expected="a confidence level between 0 and 1", got=repr(level), remedy="For 95 percent pass 0.95."
        )
    return reference(df).ppf(0.5 + level / 2)


def p_value(statistic, df):
    """Two-sided P of a Wald statistic."""
    return 2 * reference(df).sf(np.abs(statistic))
