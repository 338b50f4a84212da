"""A few scalar functions that lose no digits where the textbook formula does."""

import numpy as np
from scipy import optimize
from scipy.special import digamma, exprel, gammaln

_SERIES = 1.0 / np.arange(3, 33, 2)


def log1p_minus(x):
    """log(1 + x) - x for x > -1, to full relative accuracy also near 0.

    With s = x / (2 + x): log(1 + x) = 2 atanh(s) and x = 2s + sx, so the difference is
    2 (atanh(s) - s) - sx, two terms that do not cancel; atanh(s) - s = s^3/3 + s^5/5 + ...
    """
    x = np.asarray(x, dtype=float)
    near = np.abs(x) < 0.4
    s = np.where(near, x, 0.0) / (2.0 + np.where(near, x, 0.0))
    square = s * s
    series = np.zeros_like(s)
    for coefficient in _SERIES[::-1]:
        series = series * square + coefficient
    close = 2.0 * s * square * series - s * x
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.log1p(x) - x
    return np.where(near, close, far)


def gap(ratio, difference=None, log_ratio=None):
    """ratio - 1 - log(ratio) >= 0, with full relative accuracy near ratio = 1 and in both tails.

    difference: ratio - 1 if the caller knows it better; log_ratio: log(ratio) likewise (needed where
    ratio itself under- or overflows). This is the deviance of every family with a logarithm in it.
    """
    ratio = np.asarray(ratio, dtype=float)
    difference = ratio - 1.0 if difference is None else np.asarray(difference, dtype=float)
    near = np.abs(difference) < 0.4
    with np.errstate(divide="ignore"):
        log_ratio = np.log(ratio) if log_ratio is None else log_ratio
    with np.errstate(invalid="ignore"):
        far = difference - log_ratio
    return np.where(near, -log1p_minus(np.where(near, difference, 0.0)), far)


def entropy_gap(y, mu, log_mu=None):
    """y log(y / mu) - (y - mu) for y >= 0, mu >= 0; mu where y = 0. The Poisson half-deviance.

    log_mu: log(mu), needed only where mu underflows.
    """
    y, mu = np.broadcast_arrays(np.asarray(y, dtype=float), np.asarray(mu, dtype=float))
    positive = y > 0
    safe = np.where(positive, y, 1.0)
    with np.errstate(divide="ignore", over="ignore"):
        log_mu = np.log(mu) if log_mu is None else np.asarray(log_mu, dtype=float)
        value = safe * gap(mu / safe, (mu - safe) / safe, log_mu - np.log(safe))
    return np.where(positive, value, mu)


_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)


def stirling_error(z):
    """log Gamma(z + 1) - [z log z - z + log(2 pi z) / 2] for z > 0: what Stirling's formula leaves out.

    log Gamma(z + 1) grows like z log z, so for large z the difference is taken from its asymptotic series
    1/(12 z) - 1/(360 z^3) + ... (Loader 2000, Fast and accurate computation of binomial probabilities).
    """
    z = np.asarray(z, dtype=float)
    large = z > 16
    inverse = 1.0 / np.where(large, z, 1.0)
    series = np.zeros_like(inverse)
    for coefficient in _STIRLING[::-1]:
        series = series * inverse**2 + coefficient
    small = np.where(large, 1.0, z)
    direct = gammaln(small + 1.0) - (small + 0.5) * np.log(small) + small - 0.5 * np.log(2 * np.pi)
    return np.where(large, series * inverse, direct)


def log_minus_digamma(z):
    """log z - psi(z) for z > 0, by 1/(2 z) + 1/(12 z^2) - 1/(120 z^4) + ... where the two would cancel."""
    z = np.asarray(z, dtype=float)
    large = z > 16
    inverse = 1.0 / np.where(large, z, 1.0)
    s = inverse**2
    series = inverse / 2 + s * (1 / 12 - s * (1 / 120 - s * (1 / 252 - s * (1 / 240 - s * (1 / 132 - s * 691 / 32760)))))
    small = np.where(large, 1.0, z)
    return np.where(large, series, np.log(small) - digamma(small))


def _over_power(near, direct, x):
    """direct(x) for |x| > 0.05, the power series with the coefficients `near` inside, where direct would be 0 / 0."""
    x = np.asarray(x, dtype=float)
    close = np.abs(x) < 0.05
    small = np.where(close, x, 0.0)
    series = np.zeros_like(small)
    for coefficient in near[::-1]:
        series = series * small + coefficient
    return np.where(close, series, direct(np.where(close, 1.0, x)))


def log1p_ratio(x):
    """log(1 + x) / x = 1 - x/2 + x^2/3 - ..., 1 at x = 0."""
    return _over_power([(-1) ** j / (j + 1) for j in range(13)], lambda z: np.log1p(z) / z, x)


def log1p_second(x):
    """[x - log(1 + x)] / x^2 = 1/2 - x/3 + x^2/4 - ..., 1/2 at x = 0."""
    return _over_power([(-1) ** j / (j + 2) for j in range(13)], lambda z: -log1p_minus(z) / z / z, x)


def log1p_third(x):
    """[x^2 - 2 x + 2 log(1 + x)] / x^3 = 2/3 - 2x/4 + 2x^2/5 - ..., 2/3 at x = 0."""
    return _over_power([2 * (-1) ** j / (j + 3) for j in range(13)], lambda z: (1 + 2 * log1p_minus(z) / z / z) / z, x)


def power_difference(y, mu, exponent, log_mu=None):
    """(y^c - mu^c) / c for y >= 0, mu > 0, and log(y / mu) at c = 0: the integral of u^(c - 1) from mu to y.

    log_mu: log(mu), needed only where mu under- or overflows.
    """
    y, mu = np.broadcast_arrays(np.asarray(y, dtype=float), np.asarray(mu, dtype=float))
    with np.errstate(divide="ignore", over="ignore", invalid="ignore", under="ignore"):
        log_mu = np.log(mu) if log_mu is None else np.asarray(log_mu, dtype=float)
        log_y = np.log(y)
        shift = exponent * (log_y - log_mu)
        # from the end where the power is larger, the other being a part of it: exprel(-|shift|) <= 1
        top = np.exp(exponent * np.where(shift > 0, log_y, log_mu))
        value = top * (log_y - log_mu) * exprel(-np.abs(shift))
        at_zero = -np.exp(exponent * log_mu) / exponent if exponent > 0 else np.full(y.shape, -np.inf)
    return np.where(y > 0, value, at_zero)


def root_of_increasing(function, start):
    """The x where an increasing function is zero: a bracket from `start` by growing steps, then Brent's method."""
    value, step = function(start), 0.25
    near, far = start, start
    while value != 0 and abs(far - start) < 1e3:
        near, far = far, far - np.sign(value) * step
        step *= 2
        if np.sign(function(far)) != np.sign(value):
            return float(optimize.brentq(function, near, far, xtol=1e-14, rtol=1e-14))
    return float(far)


def secant_root(function, start, step):
    """The root of a function near start by the secant method, or None where it does not arrive in a few steps."""
    x, value = start, function(start)
    following = x + step
    for _ in range(15):
        if value == 0:
            return float(x)
        before, value_before = x, value
        x = following
        value = function(x)
        if value == value_before:
            return None
        move = -value * (x - before) / (value - value_before)
        if not abs(move) < 2:
            return None
        following = x + move
        if abs(move) < 1e-9 * max(1.0, abs(x)):  # the error left is of the order of this move to the power 1.6
            return float(following)
    return None
