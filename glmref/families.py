"""The families: what kind of randomness surrounds the mean.

A family is an exponential dispersion model, f(y) = exp{[y theta - b(theta)] / a(phi) + c(y, phi)}, a(phi) = phi / w.
Each class says b once, as one line (`cumulant`), for any library that has exp, log and sqrt; from b everything follows:
the mean is b'(theta), the variance b''(theta) a(phi), the unit deviance twice the Bregman divergence of b. The numerics
below are written by hand so that no digit is lost, and the tests hold them to b at 50 digits.

Two methods work from eta, not from mu, because a mean that underflows still has a logarithm:
`deviance(y, eta, link)` and `working(y, eta, link)`, the two numbers per row that Fisher scoring needs,
weight = h'^2 / V(mu) and score = (y - mu) h' / V(mu).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import optimize, special, stats

from . import links
from .errors import InputError
from .links import NEGATIVE, POSITIVE, REAL, UNIT, Link
from .numerics import entropy_gap, gap, log_minus_digamma, stirling_error


@dataclass(frozen=True)
class Family(ABC):
    """One family. y, mu, eta: arrays of one shape; phi > 0 the dispersion; weight w > 0 the prior weight.

    dispersion: phi where the family fixes it (Poisson, binomial: 1), None where it is estimated.
    spacing: None for a continuous response; "count" where y steps by 1, "share" where it steps by 1 / w.
    canonical_link: the link software calls canonical; theta = canonical_factor * canonical_link.link(mu).
    parameter_interval, mean_interval: the open ranges of theta and mu; response_domain: the values y may take, in words.
    """

    name: ClassVar[str]
    canonical_link: ClassVar[Link]
    canonical_factor: ClassVar[float] = 1
    parameter_interval: ClassVar[tuple] = REAL
    mean_interval: ClassVar[tuple] = REAL
    response_domain: ClassVar[str] = "any number"
    dispersion: ClassVar[float | None] = None
    spacing: ClassVar[str | None] = None

    @abstractmethod
    def cumulant(self, theta, lib):
        """b(theta) as the textbook writes it."""

    def canonical_parameter(self, mu):
        """theta with b'(theta) = mu."""
        return self.canonical_factor * self.canonical_link.link(mu)

    @abstractmethod
    def variance(self, mu):
        """The variance function V(mu) = b''(theta(mu))."""

    @abstractmethod
    def unit_deviance(self, y, mu):
        """d(y, mu) = 2 {y [theta(y) - theta(mu)] - b(theta(y)) + b(theta(mu))} >= 0."""

    @abstractmethod
    def saturated_log_density(self, y, phi, weight):
        """log f(y) at mu = y, so that log f = saturated - w d(y, mu) / (2 phi)."""

    def tails(self, y, mu, phi, weight):
        """P(Y <= y) and P(Y > y), each to its own relative accuracy."""
        raise InputError(
            expected="a family with a distribution function",
            got=self.name,
            remedy="Use deviance residuals, which need only the mean and the variance function.",
        )

    def normalized(self, t):
        """A(t), the integral of V^(-1/3): A(y) is more nearly normal than y (Anscombe 1953)."""
        raise InputError(
            expected="a family whose Anscombe transform is known", got=self.name, remedy="Use deviance residuals."
        )

    def in_domain(self, y):
        """Which y the family can produce."""
        return np.isfinite(y)

    def starting_mean(self, y, weight):
        """A mean near each y, inside the family's range, from which the first regression is taken."""
        return np.array(y, dtype=float)

    def ml_dispersion(self, deviance, weight):
        """The phi that maximizes the log-likelihood when the total deviance is given."""
        return deviance / np.count_nonzero(weight)

    def deviance(self, y, eta, link):
        """Unit deviance per row, from eta."""
        return self.unit_deviance(y, link.inverse(eta))

    def working(self, y, eta, link):
        """Per row: weight h'(eta)^2 / V(mu), score (y - mu) h'(eta) / V(mu)."""
        mu, slope = link.inverse(eta), link.derivative(eta)
        ratio = slope / self.variance(mu)
        return ratio * slope, (y - mu) * ratio

    def log_density(self, y, mu, phi=1.0, weight=1.0):
        """log f(y; mu, phi / w)."""
        y, mu = np.asarray(y, dtype=float), np.asarray(mu, dtype=float)
        return self.saturated_log_density(y, phi, weight) - weight * self.unit_deviance(y, mu) / (2 * phi)

    def valid(self, eta, link):
        """Which eta give a mean inside the family's range."""
        inside = link.valid(eta)
        low, high = self.mean_interval
        if low <= link.image[0] and link.image[1] <= high:
            return inside
        with np.errstate(all="ignore"):
            mu = link.inverse(eta)
        return inside & (mu > low) & (mu < high)

    def eta_interval(self, eta, link):
        """The ends of the interval of possible linear predictors around each eta."""
        low, high = link.domain
        if not (self.mean_interval[0] <= link.image[0] and link.image[1] <= self.mean_interval[1]):
            with np.errstate(all="ignore"):
                ends = sorted(float(link.link(np.float64(end))) for end in self.mean_interval)
            low, high = max(low, ends[0]), min(high, ends[1])
        pole = link.pole
        if pole is None:
            return np.full(np.shape(eta), low), np.full(np.shape(eta), high)
        return np.where(eta > pole, max(low, pole), low), np.where(eta > pole, high, min(high, pole))

    def __str__(self):
        return self.name


class Gaussian(Family):
    """Normal: V = 1, phi = sigma^2. theta = mu."""

    name = "gaussian"
    canonical_link = links.Identity()

    def cumulant(self, theta, lib):
        return theta**2 / 2

    def variance(self, mu):
        return np.ones_like(mu, dtype=float)

    def unit_deviance(self, y, mu):
        return np.square(np.subtract(y, mu))

    def saturated_log_density(self, y, phi, weight):
        return -0.5 * np.log(2 * np.pi * phi / weight) + np.zeros_like(y)

    def tails(self, y, mu, phi, weight):
        z = (y - mu) / np.sqrt(phi / weight)
        return special.ndtr(z), special.ndtr(-z)

    def normalized(self, t):
        return np.array(t, dtype=float)



class Poisson(Family):
    """Counts (or rates): V = mu, phi = 1. theta = log mu. Prior weights multiply the log-density, as in R."""

    name = "poisson"
    canonical_link = links.Log()
    mean_interval = POSITIVE
    response_domain = "a count: a number >= 0"
    dispersion = 1.0
    spacing = "count"

    def cumulant(self, theta, lib):
        return lib.exp(theta)

    def variance(self, mu):
        return np.array(mu, dtype=float)

    def unit_deviance(self, y, mu):
        return 2 * entropy_gap(y, mu)

    def deviance(self, y, eta, link):
        return 2 * entropy_gap(y, link.inverse(eta), link.log_inverse(eta))

    def working(self, y, eta, link):
        mu, relative = link.inverse(eta), link.relative_derivative(eta)
        return relative**2 * mu, relative * (y - mu)

    def saturated_log_density(self, y, phi, weight):
        y = np.asarray(y, dtype=float)
        positive = np.where(y > 0, y, 1.0)
        return np.where(y > 0, weight / phi * (-0.5 * np.log(2 * np.pi * positive) - stirling_error(positive)), 0.0)

    def in_domain(self, y):
        return np.isfinite(y) & (y >= 0)

    def starting_mean(self, y, weight):
        return y + 0.1

    def tails(self, y, mu, phi, weight):
        counts = np.floor(y)
        below = counts < 0
        counts = np.where(below, 0.0, counts)
        return np.where(below, 0.0, special.pdtr(counts, mu)), np.where(below, 1.0, special.pdtrc(counts, mu))

    def normalized(self, t):
        return 1.5 * np.cbrt(t) ** 2



class Binomial(Family):
    """Proportions y of w trials (weights = trials; Bernoulli: w = 1): V = mu (1 - mu), phi = 1. theta = logit mu."""

    name = "binomial"
    canonical_link = links.Logit()
    mean_interval = UNIT
    response_domain = "a proportion: a number from 0 to 1 (counts of successes go in as successes / trials, weights = trials)"
    dispersion = 1.0
    spacing = "share"

    def cumulant(self, theta, lib):
        return lib.log(1 + lib.exp(theta))

    def variance(self, mu):
        mu = np.asarray(mu, dtype=float)
        return mu * (1.0 - mu)

    def unit_deviance(self, y, mu):
        return 2 * (entropy_gap(y, mu) + entropy_gap(np.subtract(1.0, y), np.subtract(1.0, mu)))

    def deviance(self, y, eta, link):
        success = entropy_gap(y, link.inverse(eta), link.log_inverse(eta))
        return 2 * (success + entropy_gap(1.0 - y, link.complement(eta), link.log_complement(eta)))

    def working(self, y, eta, link):
        # h'^2 / [mu (1 - mu)] and (y - mu) h' / [mu (1 - mu)], without ever forming mu (1 - mu).
        rise, fall = link.relative_derivative(eta), link.hazard(eta)
        return _times(rise, fall), _times(y, rise) - _times(1.0 - y, fall)

    def saturated_log_density(self, y, phi, weight):
        successes, failures = np.asarray(y * weight, dtype=float), np.asarray((1.0 - y) * weight, dtype=float)
        inside = (successes > 0) & (failures > 0)
        trials, k, m = (np.where(inside, z, 1.0) for z in (successes + failures, successes, failures))
        log_choose = stirling_error(trials) - stirling_error(k) - stirling_error(m) + 0.5 * np.log(trials / (2 * np.pi * k * m))
        return np.where(inside, log_choose / phi, 0.0)

    def in_domain(self, y):
        return (y >= 0) & (y <= 1)

    def starting_mean(self, y, weight):
        return (weight * y + 0.5) / (weight + 1.0)

    def tails(self, y, mu, phi, weight):
        successes = np.round(np.asarray(y * weight, dtype=float), 9)
        below, all_of_them = successes < 0, successes >= weight
        k = np.clip(np.floor(successes), 0, np.maximum(weight - 1, 0))
        # P(successes <= k) = I_(1-mu)(trials - k, k + 1), the incomplete beta function
        cdf, sf = special.betainc(weight - k, k + 1, 1 - mu), special.betainc(k + 1, weight - k, mu)
        return np.where(below, 0.0, np.where(all_of_them, 1.0, cdf)), np.where(below, 1.0, np.where(all_of_them, 0.0, sf))

    def normalized(self, t):
        return special.beta(2 / 3, 2 / 3) * special.betainc(2 / 3, 2 / 3, t)



class Gamma(Family):
    """Positive amounts with constant coefficient of variation: V = mu^2, shape w / phi. theta = -1 / mu."""

    name = "gamma"
    canonical_link = links.Inverse()
    canonical_factor = -1
    parameter_interval = NEGATIVE
    mean_interval = POSITIVE
    response_domain = "a number > 0"

    def cumulant(self, theta, lib):
        return -lib.log(-theta)

    def variance(self, mu):
        return np.square(mu, dtype=float)

    def unit_deviance(self, y, mu):
        return 2 * gap(np.divide(y, mu), np.subtract(y, mu) / mu)

    def deviance(self, y, eta, link):
        mu = link.inverse(eta)
        return 2 * gap(y / mu, (y - mu) / mu, np.log(y) - link.log_inverse(eta))

    def working(self, y, eta, link):
        mu, relative = link.inverse(eta), link.relative_derivative(eta)
        return relative**2, relative * ((y - mu) / mu)

    def saturated_log_density(self, y, phi, weight):
        shape = weight / phi
        return 0.5 * np.log(shape / (2 * np.pi)) - stirling_error(shape) - np.log(y)

    def in_domain(self, y):
        return np.isfinite(y) & (y > 0)

    def ml_dispersion(self, deviance, weight):
        # d loglik / d phi = 0  <=>  2 sum w [log(w/phi) - digamma(w/phi)] = deviance, decreasing in 1/phi.
        weight = weight[weight > 0]
        if deviance <= 0:
            return 0.0

        def excess(log_phi):
            return 2 * np.sum(weight * log_minus_digamma(weight / np.exp(log_phi))) - deviance

        low = high = np.log(deviance / len(weight))
        while excess(low) > 0:
            low -= 1.0
        while excess(high) < 0:
            high += 1.0
        return float(np.exp(optimize.brentq(excess, low, high, xtol=1e-15, rtol=1e-15)))

    def tails(self, y, mu, phi, weight):
        shape = weight / phi
        return special.gammainc(shape, shape * y / mu), special.gammaincc(shape, shape * y / mu)

    def normalized(self, t):
        return 3 * np.cbrt(t)



class InverseGaussian(Family):
    """Positive, very skewed amounts (first-passage times): V = mu^3. theta = -1 / (2 mu^2)."""

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

    def unit_deviance(self, y, mu):
        return np.square(np.subtract(y, mu) / mu) / y

    def working(self, y, eta, link):
        mu, relative = link.inverse(eta), link.relative_derivative(eta)
        return relative**2 / mu, relative * ((y - mu) / mu) / mu

    def saturated_log_density(self, y, phi, weight):
        return -0.5 * np.log(2 * np.pi * phi / weight) - 1.5 * np.log(y)

    def in_domain(self, y):
        return np.isfinite(y) & (y > 0)

    def tails(self, y, mu, phi, weight):
        law = stats.invgauss(mu * phi / weight, scale=weight / phi)
        return law.cdf(y), law.sf(y)

    def normalized(self, t):
        return np.log(t)



def _times(a, b):
    """a b, and 0 where either is 0, even if the other has overflowed."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where((a == 0) | (b == 0), 0.0, a * b)


BY_NAME = {family.name: family for family in (Gaussian(), Binomial(), Poisson(), Gamma(), InverseGaussian())}


def get(family):
    """The family of that name, or the family itself. Unknown names raise InputError with the known ones."""
    if isinstance(family, type) and issubclass(family, Family) and hasattr(family, "name"):
        family = family()
    if isinstance(family, Family) and hasattr(family, "name"):
        return family
    if isinstance(family, str) and family in BY_NAME:
        return BY_NAME[family]
    raise InputError(
        expected="a family: one of " + ", ".join(map(repr, BY_NAME)) + ", or an instance such as families.Gamma()",
        got=repr(family),
        remedy="Check the spelling, or write a subclass of families.Family.",
    )


def from_cumulant(cumulant, **options):
    """A family of your own from b(theta); see cumulants.from_cumulant, which needs sympy and so is imported late."""
    from .cumulants import from_cumulant as build

    return build(cumulant, **options)
