"""Links for probabilities: h is a distribution function, so that every eta gives a mean between 0 and 1."""

import numpy as np
from scipy import special

from .base import UNIT, Link, exp


class _Symmetric(Link):
    """h is the distribution function of a law symmetric about 0, so 1 - h(eta) = h(-eta)."""

    image = UNIT

    def complement(self, eta):
        return self.inverse(-np.asarray(eta))

    def log_complement(self, eta):
        return self.log_inverse(-np.asarray(eta))

    def hazard(self, eta):
        return self.relative_derivative(-np.asarray(eta))


class Logit(_Symmetric):
    """g(mu) = log(mu / (1 - mu)); h is the logistic distribution function.

    >>> links.Logit().link(0.8).round(4).item()
    1.3863
    """

    name = "logit"

    def definition(self, eta, lib):
        return 1 / (1 + lib.exp(-eta))

    def link(self, mu):
        return special.logit(mu)

    def inverse(self, eta):
        return special.expit(eta)

    def derivative(self, eta):
        return special.expit(eta) * special.expit(-np.asarray(eta))

    def second_derivative(self, eta):
        return -self.derivative(eta) * np.tanh(np.asarray(eta) / 2)

    def log_inverse(self, eta):
        return special.log_expit(eta)

    def relative_derivative(self, eta):
        return special.expit(-np.asarray(eta))


class Probit(_Symmetric):
    """g(mu) = Phi^-1(mu), Phi the standard normal distribution function.

    >>> links.Probit().inverse(1.96).round(4).item()
    0.975
    """

    name = "probit"

    def definition(self, eta, lib):
        return lib.erfc(-eta / lib.sqrt(2)) / 2

    def link(self, mu):
        return special.ndtri(mu)

    def inverse(self, eta):
        return special.ndtr(eta)

    def derivative(self, eta):
        return np.exp(-0.5 * np.square(eta)) / np.sqrt(2 * np.pi)

    def second_derivative(self, eta):
        return -eta * self.derivative(eta)

    def log_inverse(self, eta):
        return special.log_ndtr(eta)

    def relative_derivative(self, eta):
        # Left of 0 both phi and Phi underflow; their ratio is sqrt(2/pi) / erfcx(-eta / sqrt 2), which does not.
        left = np.minimum(eta, 0.0)
        right = np.maximum(eta, 0.0)
        return np.where(
            np.asarray(eta) < 0,
            np.sqrt(2 / np.pi) / special.erfcx(-left / np.sqrt(2)),
            self.derivative(right) / special.ndtr(right),
        )


class Cauchit(_Symmetric):
    """g(mu) = tan(pi (mu - 1/2)); h is the Cauchy distribution function.

    >>> links.Cauchit().inverse(1.0).item()
    0.75
    """

    name = "cauchit"

    def definition(self, eta, lib):
        return (lib.pi + 2 * lib.atan(eta)) / (2 * lib.pi)

    def link(self, mu):
        # tan near 1/2, cotangents of the distance to the end near 0 and 1: no digit is lost anywhere.
        mu = np.asarray(mu, dtype=float)
        with np.errstate(divide="ignore"):
            tail = 1.0 / np.tan(np.pi * np.minimum(mu, 1 - mu))
        return np.where(np.abs(mu - 0.5) < 0.25, np.tan(np.pi * (mu - 0.5)), np.where(mu < 0.5, -tail, tail))

    def inverse(self, eta):
        return np.arctan2(1.0, -np.asarray(eta)) / np.pi

    def derivative(self, eta):
        return np.hypot(1.0, eta) ** -2.0 / np.pi

    def second_derivative(self, eta):
        return -2.0 * eta * np.pi * self.derivative(eta) ** 2


class LogLog(Link):
    """g(mu) = -log(-log mu); h is the Gumbel distribution function of the maximum.

    >>> links.LogLog().inverse(0.0).round(4).item()
    0.3679
    """

    name = "loglog"
    image = UNIT

    def definition(self, eta, lib):
        return lib.exp(-lib.exp(-eta))

    def link(self, mu):
        return -np.log(-np.log(mu))

    def inverse(self, eta):
        return np.exp(-exp(-np.asarray(eta)))

    def derivative(self, eta):
        eta = np.asarray(eta)
        return np.exp(-eta - exp(-eta))

    def second_derivative(self, eta):
        slope = self.derivative(eta)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(slope > 0, slope * np.expm1(-np.asarray(eta)), 0.0)

    def complement(self, eta):
        return -np.expm1(-exp(-np.asarray(eta)))

    def log_inverse(self, eta):
        return -exp(-np.asarray(eta))

    def log_complement(self, eta):
        rate = exp(-np.asarray(eta))
        with np.errstate(divide="ignore"):
            near_one = np.where(np.asarray(eta) > 30, -np.asarray(eta) - rate / 2, np.log(-np.expm1(-rate)))
            return np.where(rate < np.log(2), near_one, np.log1p(-np.exp(-rate)))

    def relative_derivative(self, eta):
        return exp(-np.asarray(eta))

    def hazard(self, eta):
        return 1.0 / special.exprel(exp(-np.asarray(eta)))


class CLogLog(Link):
    """g(mu) = log(-log(1 - mu)): the mirror image of the log-log link, h(eta) = 1 - h_loglog(-eta).

    >>> links.CLogLog().inverse(0.0).round(4).item()
    0.6321
    """

    name = "cloglog"
    image = UNIT

    def definition(self, eta, lib):
        return 1 - lib.exp(-lib.exp(eta))

    def link(self, mu):
        return np.log(-np.log1p(-np.asarray(mu)))

    def inverse(self, eta):
        return _MIRROR.complement(-np.asarray(eta))

    def derivative(self, eta):
        return _MIRROR.derivative(-np.asarray(eta))

    def second_derivative(self, eta):
        return -_MIRROR.second_derivative(-np.asarray(eta))

    def complement(self, eta):
        return _MIRROR.inverse(-np.asarray(eta))

    def log_inverse(self, eta):
        return _MIRROR.log_complement(-np.asarray(eta))

    def log_complement(self, eta):
        return _MIRROR.log_inverse(-np.asarray(eta))

    def relative_derivative(self, eta):
        return _MIRROR.hazard(-np.asarray(eta))

    def hazard(self, eta):
        return _MIRROR.relative_derivative(-np.asarray(eta))


_MIRROR = LogLog()
