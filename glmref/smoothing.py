"""A smooth line through a cloud of points, for the eye: local straight lines, as Cleveland (1979) joined them.

At each place a line is fitted to the nearest points, near ones counting more; points far from the smooth are then given less
weight and the lines fitted again.

>>> from glmref import smoothing
"""

import numpy as np

from .errors import InputError


def lowess(x, y, *, weight=None, span=2 / 3, iterations=3, places=200):
    """The smooth of y (n) on x (n): the places (distinct x, in order; at most `places`) and its heights there.

    At x0, the line minimizes sum v_i (y_i - a - b x_i)^2 with v = weight (1 - |x - x0|^3 / h^3)^3, h the distance to the
    k-th nearest point, k = span n. Each iteration multiplies v by (1 - r^2 / s^2)^2, s six times the median |r|.
    Points of weight 0 do not count. With more distinct x than places it is taken at quantiles and joined by straight lines.

    >>> at, height = smoothing.lowess(np.arange(5.0), np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    >>> height.round(6)
    array([1., 2., 3., 4., 5.])
    """
    if not 0 < span <= 1:
        raise InputError(expected="span between 0 and 1", got=repr(span), remedy="It is the share of points in each local line.")
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    prior = np.ones(len(x)) if weight is None else np.asarray(weight, dtype=float)
    used = np.isfinite(x) & np.isfinite(y) & (prior > 0)
    if not used.any():
        raise InputError(expected="a point with finite x and y", got="none", remedy="Check the values to be smoothed.")
    x, y, prior = x[used], y[used], prior[used]
    at = np.unique(x)
    if len(at) > places:
        at = np.unique(np.quantile(x, np.linspace(0, 1, places)))
    nearest = max(int(span * len(x) + 1e-10), 1)
    robust = np.ones(len(x))
    for iteration in range(iterations + 1):
        smooth = np.array([_local_line(x, y, prior * robust, x0, nearest) for x0 in at])
        distance = np.abs(y - np.interp(x, at, smooth))
        scale = 6 * np.median(distance)
        if iteration == iterations or scale == 0:
            break
        robust = np.clip(1 - (distance / scale) ** 2, 0, None) ** 2
    return at, smooth


def _local_line(x, y, weight, x0, nearest):
    distance = np.abs(x - x0)
    h = np.partition(distance, nearest - 1)[nearest - 1]
    near = distance <= 0 if h == 0 else distance < h
    v = np.zeros(len(x))
    v[near] = weight[near] * (1 if h == 0 else (1 - (distance[near] / h) ** 3) ** 3)
    total = np.sum(v)
    if total == 0:  # every near point was set aside as an outlier, or all lie at distance h
        v = weight * (distance <= h)
        total = np.sum(v)
        if total == 0:
            return float(np.mean(y[distance <= h]))
    center, height = v @ x / total, v @ y / total
    spread = v @ (x - center) ** 2
    if spread <= total * (1e-3 * np.ptp(x)) ** 2:  # too little of x here to tell a slope
        return float(height)
    return float(height + (x0 - center) * (v @ ((x - center) * y)) / spread)
