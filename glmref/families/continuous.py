"""The Gaussian, the Gamma and the inverse Gaussian: measurements, with a dispersion to estimate."""

import numpy as np
from scipy import optimize, special, stats

from .. import links
from ..links import NEGATIVE, POSITIVE
from ..numerics import gap, log_minus_digamma, stirling_error
from .base import Family


class Gaussian(Family):
    """Normal: V = 1, phi = sigma^2. theta = mu.

    >>> families.Gaussian().unit_deviance(3.0, 1.0).item()
    4.0
    """

    name = "gaussian"
    canonical_link = links.Identity()

    def cumulant(self, theta, lib):
        return theta**2 / 2

    def variance(self, mu):
        return np.ones_like(mu, dtype=float)

    def variance_derivative(self, mu):
        return np.zeros_like(mu, dtype=float)

    def unit_deviance(self, y, mu):
        return np.square(np.subtract(y, mu))

    def saturated_log_density(self, y, phi, weight):
        return -0.5 * np.log(2 * np.pi * phi / weight) + np.zeros_like(y)

    def tails(self, y, mu, phi, weight):
        z = (y - mu) / np.sqrt(phi / weight)
        return special.ndtr(z), special.ndtr(-z)

    def draw(self, mu, phi, weight, rng):
        return rng.normal(mu, np.sqrt(phi / weight))

    def normalized(self, t):
        return np.array(t, dtype=float)


class Gamma(Family):
    """Positive amounts, constant coefficient of variation: V = mu^2, shape w/phi. theta = -1/mu.

    >>> families.Gamma().variance(3.0).item()
    9.0
    """

    name = "gamma"
    canonical_link = links.Inverse()
    canonical_factor = -1
    dispersion_by_row = True
    parameter_interval = NEGATIVE
    mean_interval = POSITIVE
    response_domain = "a number > 0"

    def cumulant(self, theta, lib):
        return -lib.log(-theta)

    def variance(self, mu):
        return np.square(mu, dtype=float)

    def variance_derivative(self, mu):
        return 2.0 * np.asarray(mu, dtype=float)

    def unit_deviance(self, y, mu):
        return 2 * gap(np.divide(y, mu), np.subtract(y, mu) / mu)

    def deviance(self, y, eta, link):
        mu = link.inverse(eta)
        return 2 * gap(y / mu, (y - mu) / mu, np.log(y) - link.log_inverse(eta))

    def working(self, y, eta, link):
        mu, relative = link.inverse(eta), link.relative_derivative(eta)
        return relative**2, relative * ((y - mu) / mu)

    def kernel(self, y, eta, link):
        mu = link.inverse(eta)
        return *self.working(y, eta, link), y / mu + link.log_inverse(eta)

    def saturated_loss(self, y):
        return 1.0 + np.log(y)

    def saturated_log_density(self, y, phi, weight):
        shape = weight / phi
        return 0.5 * np.log(shape / (2 * np.pi)) - stirling_error(shape) - np.log(y)

    def in_domain(self, y):
        return np.isfinite(y) & (y > 0)

    def ml_dispersion(self, deviance, weight, y=None, frequency=1.0):
        # d loglik / d phi = 0  <=>  2 sum f w [log(w/phi) - digamma(w/phi)] = deviance, decreasing in 1/phi.
        frequency = np.broadcast_to(frequency, weight.shape)[weight > 0]
        weight = weight[weight > 0]
        if deviance <= 0:
            return 0.0

        def excess(log_phi):
            return 2 * np.sum(frequency * weight * log_minus_digamma(weight / np.exp(log_phi))) - deviance

        low = high = np.log(deviance / np.sum(frequency))
        while excess(low) > 0:
            low -= 1.0
        while excess(high) < 0:
            high += 1.0
        return float(np.exp(optimize.brentq(excess, low, high, xtol=1e-15, rtol=1e-15)))

    def tails(self, y, mu, phi, weight):
        shape = weight / phi
        return special.gammainc(shape, shape * y / mu), special.gammaincc(shape, shape * y / mu)

    def draw(self, mu, phi, weight, rng):
        return rng.gamma(weight / phi, mu * phi / weight)

    def normalized(self, t):
        return 3 * np.cbrt(t)


class InverseGaussian(Family):
    """Positive, very skewed amounts (first-passage times): V = mu^3. theta = -1 / (2 mu^2).

    >>> families.InverseGaussian().variance(3.0).item()
    27.0
    """

    name = "inverse_gaussian"
    canonical_link = links.InverseSquared()
    canonical_factor = -0.5
    parameter_interval = NEGATIVE
    mean_interval = POSITIVE
    response_domain = "a number > 0"

    def cumulant(self, theta, lib):
        return -lib.sqrt(-2 * theta)

    def variance(self, mu):
        return np.asarray(mu, dtype=float) ** 3

    def variance_derivative(self, mu):
        return 3.0 * np.square(mu, dtype=float)

    def unit_deviance(self, y, mu):
        return np.square(_excess(y, mu)) / y

    def working(self, y, eta, link):
        mu, relative = link.inverse(eta), link.relative_derivative(eta)
        return relative**2 / mu, relative * _excess(y, mu) / mu

    def saturated_log_density(self, y, phi, weight):
        return -0.5 * np.log(2 * np.pi * phi / weight) - 1.5 * np.log(y)

    def starting_mean(self, y, weight):
        # from mu = y the smallest y would send the rounds out to where every mean is infinite and the deviance level
        return np.maximum(y, np.average(y, weights=weight) / 100)

    def in_domain(self, y):
        return np.isfinite(y) & (y > 0)

    def tails(self, y, mu, phi, weight):
        law = stats.invgauss(mu * phi / weight, scale=weight / phi)
        return law.cdf(y), law.sf(y)

    def draw(self, mu, phi, weight, rng):
        return rng.wald(mu, weight / phi)

    def normalized(self, t):
        return np.log(t)


def _excess(y, mu):
    """(y - mu) / mu, also where mu is infinite."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(mu), -1.0, np.subtract(y, mu) / mu)
