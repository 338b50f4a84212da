"""The negative binomial: counts more variable than Poisson counts, by a parameter alpha of their own.

If the Poisson mean itself varies like a Gamma with mean mu and squared coefficient of variation alpha, the count has
V = mu + alpha mu^2. Given alpha this is an exponential family with phi = 1 (McCullagh & Nelder 1989, 11.2). Everything is
written with k = 1 / alpha kept out of sums, so that alpha -> 0, the Poisson, is a limit in the arithmetic too.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from .. import links
from ..links import NEGATIVE, POSITIVE, REAL
from ..numerics import (
    log1p_minus,
    log1p_ratio,
    log1p_second,
    log1p_third,
    log_minus_digamma,
    stirling_error,
)
from . import alpha as alpha_estimation
from .base import Family
from .discrete import Poisson


@dataclass(frozen=True)
class NegativeBinomial(Family):
    """Overdispersed counts: V = mu + alpha mu^2, phi = 1. theta = log[alpha mu / (1 + alpha mu)].

    alpha: a number >= 0 (0: the Poisson, the limit), or None: estimated together with the coefficients. Prior weights
    multiply the log-density. The default link is the logarithm, not the canonical link, which lets no eta exceed 0.

    >>> families.NegativeBinomial(alpha=0.5).variance(3.0).item()
    7.5
    """

    alpha: float | None = None

    name = "negative_binomial"
    shape_name = "alpha"
    default_link = links.Log()
    mean_interval = POSITIVE
    response_domain = "a count: a number >= 0"
    dispersion = 1.0
    spacing = "count"
    ratios = Poisson.ratios

    def __post_init__(self):
        self._check_shape(lambda alpha: alpha >= 0, "alpha as a number >= 0, or None to estimate it")

    @property
    def canonical_link(self):
        return links.NegativeBinomial(self.shape) if self.shape > 0 else links.Log()

    @property
    def parameter_interval(self):
        return NEGATIVE if self.shape > 0 else REAL

    def cumulant(self, theta, lib):
        return -lib.log(1 - lib.exp(theta)) / self.alpha if self.shape > 0 else lib.exp(theta)

    def variance(self, mu):
        mu = np.asarray(mu, dtype=float)
        return mu * (1.0 + self.shape * mu)

    def variance_derivative(self, mu):
        return 1.0 + 2.0 * self.shape * np.asarray(mu, dtype=float)

    def unit_deviance(self, y, mu):
        with np.errstate(divide="ignore"):
            return self._deviance(y, mu, np.log(mu))

    def deviance(self, y, eta, link):
        with np.errstate(divide="ignore"):
            return self._deviance(y, link.inverse(eta), link.log_inverse(eta))

    def _deviance(self, y, mu, log_mu):
        """2 {y log(1 + u) - log(1 + v) / alpha}, u = (y - mu) / [mu (1 + alpha y)], v = alpha (y - mu) / (1 + alpha mu).

        Near y = mu the first order terms of both logarithms are joined: they leave w u, w = v / alpha.
        """
        alpha = self.shape
        y, mu = np.broadcast_arrays(np.asarray(y, dtype=float), np.asarray(mu, dtype=float))
        bounded = np.clip(mu, 1e-300, 1e300)
        w = (y - bounded) / (1.0 + alpha * bounded)
        v = alpha * w
        small = np.abs(v) < 0.5
        # log(1 + alpha mu), also where mu overflows
        log_slack = np.where(mu < 1e300, np.log1p(alpha * bounded), np.logaddexp(0.0, np.log(alpha or 1.0) + log_mu))
        log_one_v = np.log1p(alpha * y) - log_slack
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            u = (y - bounded) / bounded / (1.0 + alpha * y)
            near = np.abs(u) < 0.4
            curved = np.where(small, v * w * log1p_second(np.where(small, v, 0.0)), np.divide(v - log_one_v, alpha))
            joined = w * u + curved + y * log1p_minus(np.where(near, u, 0.0))
            log_one_u = np.log(np.where(y > 0, y, 1.0)) - log_mu - log_one_v
            far = np.where(y > 0, y * log_one_u, 0.0)
            far = far - np.where(small, w * log1p_ratio(np.where(small, v, 0.0)), np.divide(log_one_v, alpha))
        return 2 * np.where(near, joined, far)

    def working(self, y, eta, link):
        mu, relative = link.inverse(eta), link.relative_derivative(eta)
        bounded = np.clip(mu, 0.0, 1e300)
        with np.errstate(divide="ignore", over="ignore"):
            share = 1.0 / (1.0 / bounded + self.shape)  # mu / (1 + alpha mu)
        large = np.maximum(bounded, 1.0)
        residual = np.where(
            bounded > 1, (y - large) / large * share, (y - bounded) / (1.0 + self.shape * np.minimum(bounded, 1.0))
        )
        return relative**2 * share, relative * residual

    def saturated_log_density(self, y, phi, weight):
        # log Gamma(y + k) - log Gamma(k) - log y! with Stirling's formula for each: all large terms cancel on paper
        y = np.asarray(y, dtype=float)
        positive = np.where(y > 0, y, 1.0)
        with np.errstate(divide="ignore"):
            k = np.divide(1.0, self.shape)
        value = stirling_error(positive + k) - stirling_error(k) - stirling_error(positive)
        value = value - 0.5 * np.log(2 * np.pi * positive) - 0.5 * np.log1p(self.shape * positive)
        return np.where(y > 0, weight / phi * value, 0.0)

    def in_domain(self, y):
        return np.isfinite(y) & (y >= 0)

    def starting_mean(self, y, weight):
        return Poisson().starting_mean(y, weight)  # chance is to be the Poisson's alone: log y has a constant variance of the rest

    def tails(self, y, mu, phi, weight):
        if self.shape == 0:
            return Poisson().tails(y, mu, phi, weight)
        # P(Y <= y) = I_p(k, y + 1), p = 1 / (1 + alpha mu), the incomplete beta function; from the smaller of p and 1 - p
        counts = np.floor(y)
        below, counts = counts < 0, np.maximum(np.floor(y), 0.0)
        k, p, q = 1 / self.shape, 1 / (1 + self.shape * mu), self.shape * mu / (1 + self.shape * mu)
        low = np.where(p < q, special.betainc(k, counts + 1, p), special.betaincc(counts + 1, k, q))
        high = np.where(p < q, special.betaincc(k, counts + 1, p), special.betainc(counts + 1, k, q))
        return np.where(below, 0.0, low), np.where(below, 1.0, high)

    def draw(self, mu, phi, weight, rng):
        if self.shape == 0:
            return rng.poisson(mu).astype(float)
        return rng.poisson(rng.gamma(1 / self.shape, self.shape * mu)).astype(float)

    def normalized(self, t):
        # integral of u^(-1/3) (1 + alpha u)^(-1/3) from 0 to t, turned so that the series' argument lies in (0, 1)
        t = np.asarray(t, dtype=float)
        z = self.shape * t / (1 + self.shape * t)
        return 1.5 * np.cbrt(t) ** 2 * np.cbrt(1 + self.shape * t) ** -1.0 * special.hyp2f1(1 / 3, 1, 5 / 3, z)

    def shape_derivatives(self, y, mu):
        """First and second derivative of the log-density of each row with respect to alpha, at fixed mu.

        With w = (y - mu) / (1 + alpha mu), v = alpha w, k = 1 / alpha and psi(z) = log z - 1/(2z) - r(z), the first is
        w^2 [v - log(1 + v)] / v^2 - y / [2 (1 + alpha y)] + k^2 [r(y + k) - r(k)]: finite in each term as alpha -> 0.

        >>> first, second = families.NegativeBinomial(0.5).shape_derivatives(np.array([3.0]), np.array([2.0]))
        >>> first.round(4), second.round(4)
        (array([-0.5607]), array([0.4652]))
        """
        alpha, mu = self.shape, np.minimum(mu, 1e300)
        w, t = (y - mu) / (1 + alpha * mu), 1 / (1 + alpha * y)
        v = alpha * w
        small = np.abs(v) < 0.5
        near, far = np.where(small, v, 0.0), np.where(small, 1.0, v)
        log_one_v = np.log1p(alpha * y) - np.log1p(alpha * mu)  # for v near -1, where 1 + v has lost its digits
        with np.errstate(divide="ignore", invalid="ignore"):
            curve = np.where(small, log1p_second(near), (far - log_one_v) / far / far)
            third = np.where(small, log1p_third(near), (1 - 2 * curve) / far)
        rest, rest_slope = _digamma_rest(alpha, y, t)
        return w**2 * curve - y * t / 2 + rest, w**2 * (w * third - y * t) + (y * t) ** 2 / 2 + rest_slope

    def estimate(self, solve, rows, link, guess=None):
        return alpha_estimation.maximize(self, solve, rows, link, guess) if self.unknown else super().estimate(solve, rows, link)


_REST = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760)


def _digamma_rest(alpha, y, t):
    """k^2 [r(y + k) - r(k)] and its derivative in alpha; r(z) = log z - 1/(2z) - psi(z) = 1/(12 z^2) - 1/(120 z^4) + ..."""
    if alpha < 1 / 16:
        # with t = 1 / (1 + alpha y): the sum over j of c_j alpha^(2j-2) (t^(2j) - 1)
        value, slope = np.zeros_like(t), np.zeros_like(t)
        for j, c in enumerate(_REST, start=1):
            power = alpha ** (2 * j - 2)
            value = value + c * power * (t ** (2 * j) - 1)
            slope = slope - 2 * j * c * power * y * t ** (2 * j + 1)
            if j > 1:
                slope = slope + (2 * j - 2) * c * alpha ** (2 * j - 3) * (t ** (2 * j) - 1)
        return value, slope
    k = 1 / alpha
    r = lambda z: log_minus_digamma(z) - 0.5 / z
    r_slope = lambda z: 1 / z + 0.5 / z**2 - special.polygamma(1, z)
    difference = r(y + k) - r(k)
    return k**2 * difference, -(k**3) * (2 * difference + k * (r_slope(y + k) - r_slope(k)))
