"""The Poisson and the binomial: counts, and counts out of a known number, with the dispersion fixed at 1."""

import numpy as np
from scipy import special

from .. import links
from ..errors import InputError
from ..links import POSITIVE, UNIT
from ..numerics import entropy_gap, stirling_error
from .base import Family


class Poisson(Family):
    """Counts (or rates): V = mu, phi = 1. theta = log mu. Prior weights multiply the log-density, as in R.

    >>> families.Poisson().variance(3.0).item()
    3.0
    """

    name = "poisson"
    canonical_link = links.Log()
    mean_interval = POSITIVE
    response_domain = "a count: a number >= 0"
    dispersion = 1.0
    spacing = "count"
    ratios = {"log": "rate ratio"}

    def cumulant(self, theta, lib):
        return lib.exp(theta)

    def variance(self, mu):
        return np.array(mu, dtype=float)

    def variance_derivative(self, mu):
        return np.ones_like(mu, dtype=float)

    def unit_deviance(self, y, mu):
        return 2 * entropy_gap(y, mu)

    def deviance(self, y, eta, link):
        return 2 * entropy_gap(y, link.inverse(eta), link.log_inverse(eta))

    def working(self, y, eta, link):
        mu, relative = link.inverse(eta), link.relative_derivative(eta)
        return relative**2 * mu, relative * (y - mu)

    def kernel(self, y, eta, link):
        if link == self.canonical_link:
            mu = np.exp(eta)
            return mu, y - mu, mu - y * eta
        mu, relative = link.inverse(eta), link.relative_derivative(eta)
        return relative**2 * mu, relative * (y - mu), mu - y * link.log_inverse(eta)

    def score(self, y, eta, link):
        return y - np.exp(eta) if link == self.canonical_link else super().score(y, eta, link)

    def saturated_loss(self, y):
        return y - y * np.log(np.where(y > 0, y, 1.0))

    def saturated_log_density(self, y, phi, weight):
        y = np.asarray(y, dtype=float)
        positive = np.where(y > 0, y, 1.0)
        return np.where(y > 0, weight / phi * (-0.5 * np.log(2 * np.pi * positive) - stirling_error(positive)), 0.0)

    def in_domain(self, y):
        return np.isfinite(y) & (y >= 0)

    def starting_mean(self, y, weight):
        near = toward_mean(y, weight, self.variance)
        return y + 0.1 if near is None else near

    def tails(self, y, mu, phi, weight):
        counts = np.floor(y)
        below = counts < 0
        counts = np.where(below, 0.0, counts)
        return np.where(below, 0.0, special.pdtr(counts, mu)), np.where(below, 1.0, special.pdtrc(counts, mu))

    def draw(self, mu, phi, weight, rng):
        # A prior weight multiplies the log-density, which is then that of no count: the counts of weight 1 are drawn.
        return rng.poisson(mu).astype(float)

    def normalized(self, t):
        return 1.5 * np.cbrt(t) ** 2


class Binomial(Family):
    """Proportions y of w trials (weights = trials; Bernoulli: w = 1): V = mu (1 - mu), phi = 1. theta = logit mu.

    >>> families.Binomial().variance(0.25).item()
    0.1875
    """

    name = "binomial"
    canonical_link = links.Logit()
    mean_interval = UNIT
    response_domain = "a proportion: a number from 0 to 1 (counts of successes go in as successes / trials, weights = trials)"
    dispersion = 1.0
    spacing = "share"
    loss_noise = 2.2e-16  # of log(1 + e^eta)
    ratios = {"logit": "odds ratio", "log": "risk ratio", "cloglog": "hazard ratio"}

    def cumulant(self, theta, lib):
        return lib.log(1 + lib.exp(theta))

    def variance(self, mu):
        mu = np.asarray(mu, dtype=float)
        return mu * (1.0 - mu)

    def variance_derivative(self, mu):
        return 1.0 - 2.0 * np.asarray(mu, dtype=float)

    def unit_deviance(self, y, mu):
        return 2 * (entropy_gap(y, mu) + entropy_gap(np.subtract(1.0, y), np.subtract(1.0, mu)))

    def deviance(self, y, eta, link):
        success = entropy_gap(y, link.inverse(eta), link.log_inverse(eta))
        return 2 * (success + entropy_gap(1.0 - y, link.complement(eta), link.log_complement(eta)))

    def working(self, y, eta, link):
        # h'^2 / [mu (1 - mu)] and (y - mu) h' / [mu (1 - mu)], without ever forming mu (1 - mu).
        rise, fall = link.relative_derivative(eta), link.hazard(eta)
        return _times(rise, fall), _times(y, rise) - _times(1.0 - y, fall)

    def kernel(self, y, eta, link):
        if link != self.canonical_link:
            loss = -_times(y, link.log_inverse(eta)) - _times(1.0 - y, link.log_complement(eta))
            return *self.working(y, eta, link), loss
        small = np.exp(-np.abs(eta))  # one exponential gives both tails of the logistic law, and log(1 + e^eta)
        total = 1.0 + small
        near, far = 1.0 / total, small / total
        mu, complement = np.where(eta > 0, near, far), np.where(eta > 0, far, near)
        return near * far, y * complement - (1.0 - y) * mu, np.log(total) + np.maximum(eta, 0.0) - y * eta

    def score(self, y, eta, link):
        return y - 1.0 / (1.0 + np.exp(-eta)) if link == self.canonical_link else super().score(y, eta, link)

    def saturated_loss(self, y):
        return sum(-share * np.log(np.where(share > 0, share, 1.0)) for share in (y, 1.0 - y))

    def saturated_log_density(self, y, phi, weight):
        successes, failures = np.asarray(y * weight, dtype=float), np.asarray((1.0 - y) * weight, dtype=float)
        inside = (successes > 0) & (failures > 0)
        trials, k, m = (np.where(inside, z, 1.0) for z in (successes + failures, successes, failures))
        log_choose = stirling_error(trials) - stirling_error(k) - stirling_error(m) + 0.5 * np.log(trials / (2 * np.pi * k * m))
        return np.where(inside, log_choose / phi, 0.0)

    def in_domain(self, y):
        return (y >= 0) & (y <= 1)

    def starting_mean(self, y, weight):
        alike = weight[0] == weight[-1] and (weight == weight[0]).all()
        outcomes = not alike and np.all((y == 0.0) | (y == 1.0))  # a row stands for many, all alike: each tells little
        near = toward_mean(y, weight, self.variance, 1.0 if outcomes else weight[0]) if alike or outcomes else None
        return (weight * y + 0.5) / (weight + 1.0) if near is None else near

    def tails(self, y, mu, phi, weight):
        successes = np.round(np.asarray(y * weight, dtype=float), 9)
        below, all_of_them = successes < 0, successes >= weight
        k = np.clip(np.floor(successes), 0, np.maximum(weight - 1, 0))
        # P(successes <= k) = I_(1-mu)(trials - k, k + 1), the incomplete beta function
        cdf, sf = special.betainc(weight - k, k + 1, 1 - mu), special.betainc(k + 1, weight - k, mu)
        return np.where(below, 0.0, np.where(all_of_them, 1.0, cdf)), np.where(below, 1.0, np.where(all_of_them, 0.0, sf))

    def draw(self, mu, phi, weight, rng):
        trials = np.asarray(weight, dtype=float)
        if np.any(trials != np.round(trials)):
            raise InputError(
                expected="whole numbers of trials as weights",
                got=f"a weight of {trials[trials != np.round(trials)][0]:g}",
                remedy="Only counts out of whole numbers of trials can be drawn.",
            )
        successes = rng.binomial(trials.astype(np.int64), mu)
        return np.divide(successes, trials, out=np.zeros(successes.shape), where=trials > 0)

    def normalized(self, t):
        return special.beta(2 / 3, 2 / 3) * special.betainc(2 / 3, 2 / 3, t)


def _times(a, b):
    """a b, and 0 where either is 0, even if the other has overflowed."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where((a == 0) | (b == 0), 0.0, a * b)


def toward_mean(y, weight, chance, trials=1.0):
    """A guess at each mean, by empirical Bayes: y moved 1 / (1 + k) of the way to m, the mean of all; k = tau^2 / (V(m) / w), the
    variance of the means beside that of chance in each response, is 1/4 at least. None where m does not lie between two responses.

    weight: of the rows in m and the variance of y; chance(m): V; trials: w, the same for all rows.
    """
    total = np.add.reduce(weight)
    mean = float(weight.dot(y) / total)
    apart = y - mean
    spread, noise = float(weight.dot(apart * apart) / total), float(chance(mean)) / trials
    if not (spread > 0 and noise > 0):
        return None
    return y - apart / (1.0 + max(spread / noise - 1.0, 0.25))
