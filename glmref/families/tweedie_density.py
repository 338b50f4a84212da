"""The density of the Tweedie family, for 1 < p < 2 and p > 2, as sums of positive terms.

No formula in closed form exists. For 1 < p < 2 the response is a Poisson number of Gamma amounts, and its density a series
over that number (Dunn & Smyth 2005); for p > 2 it is a tilted stable law, with an integral (Zolotarev 1986; Nolan 1997). The
usual forms of both have factors like e^(+-10^6) that cancel. Taken at mu = y, where the family's density is its saturated
one, they cancel on paper; log f(y; mu) is then that minus half the deviance, and each term below is positive and moderate.
"""

import numpy as np
from scipy import special

from ..numerics import entropy_gap, stirling_error

CHUNK = 1 << 18  # numbers held at a time


def jump_shape(p):
    """The shape of one Gamma amount, (2 - p) / (p - 1)."""
    return (2.0 - p) / (p - 1.0)


def saturated_jumps(y, phi, p):
    """log f(y; mu = y) for y > 0, 1 < p < 2, and its derivative in log phi. y, phi: arrays of one shape.

    With rate = y^(2-p) / [phi (2-p)], the mean number of amounts, a = jump_shape(p), E(j, rate) = j log(j / rate) - j + rate
    and Stirling's error s:  f = sqrt(a) / (2 pi y) sum over j >= 1 of exp{-(1 + a) E(j, rate) - s(j) - s(a j)}.
    """
    a, rate = jump_shape(p), y ** (2 - p) / (phi * (2 - p))

    def terms(part, j):
        exponent = -(1 + a) * entropy_gap(j, rate[part][:, None]) - stirling_error(j) - stirling_error(a * j)
        return exponent, (1 + a) * (rate[part][:, None] - j)

    reach = 45.0 / (1 + a)
    low = np.maximum(np.floor(rate - np.sqrt(2 * reach * rate)), 1.0)
    high = np.ceil(rate + reach / 3 + np.sqrt(reach**2 / 9 + 2 * reach * rate)) + 10
    log_sum, slope = _by_rows(terms, low, high, np.sqrt(rate / (1 + a)), rate)
    return log_sum + 0.5 * np.log(a) - np.log(2 * np.pi * y), slope


def tail_jumps(y, mu, phi, p):
    """P(Y <= y) and P(Y > y), y >= 0, 1 < p < 2: Poisson probabilities of j amounts times Gamma tails, summed over j."""
    a = jump_shape(p)
    rate, scale = mu ** (2 - p) / (phi * (2 - p)), phi * (p - 1) * mu ** (p - 1)
    typical = np.where(y > 0, y, mu) ** (2 - p) / (phi * (2 - p))  # the number that matters most given a response of y

    def terms(tail):
        def of(part, j):
            log_poisson = -entropy_gap(j, rate[part][:, None]) - stirling_error(j) - 0.5 * np.log(2 * np.pi * j)
            with np.errstate(divide="ignore", under="ignore"):
                return log_poisson + np.log(tail(a * j, (y / scale)[part][:, None])), np.zeros(j.shape)

        return of

    reach = 45.0 * (1 + 1 / (1 + a))
    less, more = np.minimum(rate, typical), np.maximum(rate, typical)
    low = np.maximum(np.floor(less - np.sqrt(2 * reach * less)), 1.0)
    high = np.ceil(more + reach / 3 + np.sqrt(reach**2 / 9 + 2 * reach * more)) + 10
    spread = np.sqrt(np.minimum(rate, typical) / (1 + a))
    below, above = (np.exp(_by_rows(terms(tail), low, high, spread, less)[0]) for tail in (special.gammainc, special.gammaincc))
    return np.exp(-rate) + np.where(y > 0, below, 0.0), np.where(y > 0, above, -np.expm1(-rate))


def _by_rows(terms, low, high, spread, center):
    """log of the sum over j = low ... high of exp(exponent), and the mean of the second output under those terms, by rows.

    terms(part, j) -> exponent and value for the rows `part` and numbers j (rows x columns). Where the terms rise and fall
    smoothly over many j, every h-th stands for h: for such a sum the error is of the order exp(-2 pi^2 (spread / h)^2).
    """
    step = np.where(center > 100, np.maximum(np.floor(spread / 2), 1.0), 1.0)
    count = np.floor((high - low) / step).astype(np.int64) + 1
    log_sum, mean = np.empty(len(low)), np.empty(len(low))
    order = np.argsort(count, kind="stable")
    start = 0
    while start < len(order):
        rows = max(1, CHUNK // int(count[order[min(start + 255, len(order) - 1)]]))
        part = order[start : start + min(rows, 256)]
        columns = np.arange(count[part[-1]], dtype=float)
        j = low[part][:, None] + step[part][:, None] * columns
        exponent, value = terms(part, j)
        exponent = np.where(columns < count[part][:, None], exponent, -np.inf)
        top = np.max(exponent, axis=1, keepdims=True)
        top = np.where(np.isfinite(top), top, 0.0)
        weight = np.exp(exponent - top)
        total = np.sum(weight, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_sum[part] = np.log(total) + top[:, 0] + np.log(step[part])
            mean[part] = np.sum(weight * np.where(weight > 0, value, 0.0), axis=1) / total
        start += len(part)
    return log_sum, mean


def saturated_stable(y, phi, p):
    """log f(y; mu = y) for y > 0, p > 2, and its derivative in log phi. y, phi: arrays of one shape.

    With K = y^(2-p) / [phi (p-1) (p-2)] and B(u) >= 1 as below,  f = (p-2) K / (pi y) int_0^pi B exp{-K (B - 1)} du.
    """
    K = y ** (2 - p) / (phi * (p - 1) * (p - 2))
    log_integral, mean = np.empty(len(y)), np.empty(len(y))
    nodes = int(np.ceil(220 + 60 * p))
    rows = max(1, CHUNK // nodes)
    for start in range(0, len(y), rows):
        part = slice(start, start + rows)
        log_integral[part], mean[part] = _stable_integral(K[part][:, None], p, nodes)
    return np.log(p - 2) + np.log(K) - np.log(np.pi * y) + log_integral, mean - 1.0


def _stable_integral(K, p, nodes):
    """log of int B e^(-K (B - 1)) du, and the mean of K (B - 1) under that density: by the trapezoidal rule in x.

    u = 2 atan(t), t = scale sinh x: the integrand then dies double-exponentially, and the rule converges geometrically.
    """
    c = (p - 2) / (p - 1)
    typical = np.sqrt(1.0 / (K * c))  # K (B - 1) is about 2 K c t^2 near 0, and K (t sin(pi c) / 2)^(p-1) / A(0) far out
    scale = np.minimum(1.0, typical + 1e-300)
    last = (800.0 / K) ** (1 / (p - 1)) * np.exp((np.log1p(-c) + (p - 2) * np.log(c)) / (p - 1)) * 2 / np.sin(np.pi * c)
    far = scale + 30 * typical + 3 * last  # beyond it K (B - 1) > 700 or so
    x = np.linspace(0.0, 1.0, nodes) * np.arcsinh(far / scale)
    t = scale * np.sinh(x)
    excess = zolotarev(t, p)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        exponent = np.log1p(excess) - K * excess + np.log(2 * scale * np.cosh(x)) - 2 * np.log(np.hypot(1.0, t))
        exponent[:, 0] -= np.log(2.0)  # half a step at the end of an even function
        exponent = np.where(np.isnan(exponent), -np.inf, exponent)
        top = np.max(exponent, axis=1, keepdims=True)
        weight = np.exp(exponent - top)
        total = np.sum(weight, axis=1)
        mean = np.sum(np.where(weight > 0, weight * K * excess, 0.0), axis=1) / total
    return np.log(total) + top[:, 0] + np.log(x[:, 1] - x[:, 0]), mean


def zolotarev(t, p):
    """B(u) - 1 at u = 2 atan(t), t >= 0, to its own relative accuracy.

    B = A(u) / A(0), A = sin[(1-c) u] sin(c u)^(p-2) / sin(u)^(p-1), c = (p-2)/(p-1) the index of the stable law.
    """
    c = (p - 2) / (p - 1)
    half = np.arctan(t)
    u = 2 * half
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        log_sin = np.log(2 * t) - 2 * np.log(np.hypot(1.0, t))  # sin u = 2 t / (1 + t^2), also where u is near pi
        slower = np.log1p(-2 * np.sin(c * half) ** 2 - (1 / t - t) / 2 * np.sin(c * u)) - np.log1p(-c)  # of (1-c) u beside u
        log_B = slower + (p - 2) * (np.log(np.sin(c * u) / c) - log_sin)
        return np.expm1(np.where(u < 0.3, _log_B_near(u, p, c), log_B))


def _log_B_near(u, p, c):
    """log B for |u| < 0.3, by log(sin x / x) = -x^2/6 - x^4/180 - x^6/2835 - ...: a sum of positive terms for every p > 2."""
    s = np.where(np.abs(u) < 0.3, np.square(u), 0.0)
    series = np.zeros_like(s)
    coefficients = (1 / 6, 1 / 180, 1 / 2835, 1 / 37800, 1 / 467775, 691 / 3831077250, 2 / 127702575)
    for k, coefficient in reversed(list(enumerate(coefficients, start=1))):
        share = -(p - 2) * np.expm1(2 * k * np.log(c)) - np.expm1(2 * k * np.log1p(-c))  # p - 1 - (1-c)^2k - (p-2) c^2k
        series = (series + coefficient * share) * s
    return series


def draw_stable(mu, phi, p, rng):
    """Responses for p > 2: a stable law tilted by e^(theta y / phi), drawn by rejection from the stable law itself.

    A piece of variance m phi V(mu) is accepted with probability exp{-mu^(2-p) / [m phi (p-2)]}; the mean of m such pieces has
    the variance wanted, and m is chosen so that the probability is at least 1/e. The stable law is drawn as Kanter (1975) does.
    """
    pieces = np.maximum(np.ceil(mu ** (2 - p) / (phi * (p - 2))), 1.0).astype(np.int64)
    owner = np.repeat(np.arange(mu.size), pieces.ravel())
    part_mu, part_phi = mu.ravel()[owner], (phi * pieces).ravel()[owner]
    total = np.zeros(mu.size)
    c = (p - 2) / (p - 1)
    while len(owner):
        u, e = rng.uniform(0, np.pi, len(owner)), rng.exponential(size=len(owner))
        log_A = np.log(np.sin((1 - c) * u)) + (p - 2) * np.log(np.sin(c * u)) - (p - 1) * np.log(np.sin(u))
        stable = np.exp((log_A - np.log(e)) * (1 - c) / c)
        y = stable * (((p - 1) * part_phi) ** c / (part_phi * (p - 2))) ** (1 / c)
        accepted = rng.uniform(size=len(owner)) < np.exp(-y * part_mu ** (1 - p) / ((p - 1) * part_phi))
        np.add.at(total, owner[accepted], y[accepted])
        owner, part_mu, part_phi = owner[~accepted], part_mu[~accepted], part_phi[~accepted]
    return (total / pieces.ravel()).reshape(mu.shape)
