"""The links: how the mean mu hangs on the linear predictor eta.

A link is g with g(mu) = eta; the computations use its inverse h, mu = h(eta). Each class defines h twice:
`definition`, one line in the textbook's words, for any library that has exp, log and sqrt; and the numerics,
written from eta with functions that keep every digit in the tails. The tests hold the second to the first at
50 digits. Where a mean can only underflow, its logarithm is returned beside it, and where 1 - mu would cancel,
the complement is.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from .errors import InputError

REAL, POSITIVE, NEGATIVE, UNIT = (-np.inf, np.inf), (0.0, np.inf), (-np.inf, 0.0), (0.0, 1.0)


@dataclass(frozen=True)
class Link(ABC):
    """One link g. A link of your own gives `link`, `inverse`, `derivative`; the rest follows, if less exactly.

    image: the open interval that h maps onto; domain: the open interval of eta it may be used on; pole: an eta inside it
    where h is infinite.
    All methods take and return arrays of one shape.
    """

    name: ClassVar[str]
    image: ClassVar[tuple] = REAL
    domain: ClassVar[tuple] = REAL
    pole: ClassVar[float | None] = None

    def definition(self, eta, lib):
        """h(eta) as the textbook writes it; lib supplies exp, log, sqrt, atan, erfc, pi."""
        raise self._lacks("definition")

    @abstractmethod
    def link(self, mu):
        """g(mu) = eta."""

    @abstractmethod
    def inverse(self, eta):
        """h(eta) = mu."""

    @abstractmethod
    def derivative(self, eta):
        """h'(eta) = d mu / d eta."""

    def second_derivative(self, eta):
        """h''(eta); only the observed information needs it."""
        raise self._lacks("second_derivative")

    def _lacks(self, method):
        return InputError(
            expected=f"a link with {method}",
            got=f"{self.name} without",
            remedy=f"A link of your own needs link, inverse and derivative to be fitted; write {method} for this use.",
        )

    def complement(self, eta):
        """1 - h(eta), without cancellation."""
        return 1.0 - self.inverse(eta)

    def log_inverse(self, eta):
        """log h(eta), also where h(eta) underflows."""
        return np.log(self.inverse(eta))

    def log_complement(self, eta):
        """log(1 - h(eta)), also where 1 - h(eta) underflows."""
        return np.log1p(-self.inverse(eta))

    def relative_derivative(self, eta):
        """h'(eta) / h(eta) = d log mu / d eta."""
        return self.derivative(eta) / self.inverse(eta)

    def hazard(self, eta):
        """h'(eta) / (1 - h(eta)) = -d log(1 - mu) / d eta: the hazard, where h is a distribution function."""
        return self.derivative(eta) / self.complement(eta)

    def valid(self, eta):
        """Which eta lie inside the domain (NaN does not)."""
        low, high = self.domain
        return (eta > low) & (eta < high)

    def __str__(self):
        return self.name


class Identity(Link):
    """g(mu) = mu."""

    name = "identity"

    def definition(self, eta, lib):
        return eta

    def link(self, mu):
        return np.array(mu, dtype=float)

    def inverse(self, eta):
        return np.array(eta, dtype=float)

    def derivative(self, eta):
        return np.ones_like(eta, dtype=float)

    def second_derivative(self, eta):
        return np.zeros_like(eta, dtype=float)


class Log(Link):
    """g(mu) = log mu."""

    name = "log"
    image = POSITIVE

    def definition(self, eta, lib):
        return lib.exp(eta)

    def link(self, mu):
        return np.log(mu)

    def inverse(self, eta):
        return _exp(eta)

    derivative = second_derivative = inverse

    def complement(self, eta):
        return -np.expm1(eta)

    def log_inverse(self, eta):
        return np.array(eta, dtype=float)

    def log_complement(self, eta):
        return np.where(eta > -0.7, np.log(-np.expm1(eta)), np.log1p(-np.exp(eta)))

    def relative_derivative(self, eta):
        return np.ones_like(eta, dtype=float)

    def hazard(self, eta):
        return np.exp(eta) / -np.expm1(eta)


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
    """g(mu) = log(mu / (1 - mu)); h is the logistic distribution function."""

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
    """g(mu) = Phi^-1(mu), Phi the standard normal distribution function."""

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
    """g(mu) = tan(pi (mu - 1/2)); h is the Cauchy distribution function."""

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
    """g(mu) = -log(-log mu); h is the Gumbel distribution function of the maximum."""

    name = "loglog"
    image = UNIT

    def definition(self, eta, lib):
        return lib.exp(-lib.exp(-eta))

    def link(self, mu):
        return -np.log(-np.log(mu))

    def inverse(self, eta):
        return np.exp(-_exp(-np.asarray(eta)))

    def derivative(self, eta):
        eta = np.asarray(eta)
        return np.exp(-eta - _exp(-eta))

    def second_derivative(self, eta):
        slope = self.derivative(eta)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(slope > 0, slope * np.expm1(-np.asarray(eta)), 0.0)

    def complement(self, eta):
        return -np.expm1(-_exp(-np.asarray(eta)))

    def log_inverse(self, eta):
        return -_exp(-np.asarray(eta))

    def log_complement(self, eta):
        rate = _exp(-np.asarray(eta))
        with np.errstate(divide="ignore"):
            near_one = np.where(np.asarray(eta) > 30, -np.asarray(eta) - rate / 2, np.log(-np.expm1(-rate)))
            return np.where(rate < np.log(2), near_one, np.log1p(-np.exp(-rate)))

    def relative_derivative(self, eta):
        return _exp(-np.asarray(eta))

    def hazard(self, eta):
        return 1.0 / special.exprel(_exp(-np.asarray(eta)))


class CLogLog(Link):
    """g(mu) = log(-log(1 - mu)): the mirror image of the log-log link, h(eta) = 1 - h_loglog(-eta)."""

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


class _PowerLink(Link):
    image = POSITIVE
    domain = POSITIVE

    def definition(self, eta, lib):
        return lib.exp(lib.log(eta) / self.exponent)

    def link(self, mu):
        return np.asarray(mu, dtype=float) ** self.exponent

    def inverse(self, eta):
        return np.asarray(eta, dtype=float) ** (1 / self.exponent)

    def derivative(self, eta):
        k = 1 / self.exponent
        return k * np.asarray(eta, dtype=float) ** (k - 1)

    def second_derivative(self, eta):
        k = 1 / self.exponent
        return k * (k - 1) * np.asarray(eta, dtype=float) ** (k - 2)

    def log_inverse(self, eta):
        return np.log(eta) / self.exponent

    def relative_derivative(self, eta):
        return 1.0 / (self.exponent * np.asarray(eta, dtype=float))


@dataclass(frozen=True)
class Power(_PowerLink):
    """g(mu) = mu^exponent for mu > 0, so h(eta) = eta^(1/exponent) for eta > 0."""

    exponent: float

    def __post_init__(self):
        number = isinstance(self.exponent, (int, float, np.number)) and not isinstance(self.exponent, (bool, complex))
        if not number or not np.isfinite(self.exponent) or self.exponent == 0:
            raise InputError(
                expected="a finite power other than 0",
                got=f"Power({self.exponent!r})",
                remedy="The limit of the power links at 0 is the logarithm: use links.Log().",
            )

    @property
    def name(self):
        return f"power({self.exponent:g})"


class Sqrt(_PowerLink):
    """g(mu) = sqrt(mu), for mu > 0."""

    name = "sqrt"
    exponent = 0.5


class InverseSquared(_PowerLink):
    """g(mu) = 1 / mu^2, for mu > 0. The inverse Gaussian's canonical link, up to the factor -1/2."""

    name = "inverse_squared"
    exponent = -2


class Inverse(Link):
    """g(mu) = 1 / mu, for mu of either sign. The Gamma's canonical link, up to its sign."""

    name = "inverse"
    pole = 0.0

    def definition(self, eta, lib):
        return 1 / eta

    def link(self, mu):
        return 1.0 / np.asarray(mu, dtype=float)

    def inverse(self, eta):
        return 1.0 / np.asarray(eta, dtype=float)

    def derivative(self, eta):
        return -1.0 / np.square(eta, dtype=float)

    def second_derivative(self, eta):
        return 2.0 / np.asarray(eta, dtype=float) ** 3

    def relative_derivative(self, eta):
        return -1.0 / np.asarray(eta, dtype=float)

    def valid(self, eta):
        return np.isfinite(eta) & (np.asarray(eta) != 0)


def _exp(eta):
    # exp overflows to inf, the right limit in every formula above: no warning is due.
    with np.errstate(over="ignore"):
        return np.exp(eta)


BY_NAME = {
    link.name: link
    for link in (Identity(), Log(), Logit(), Probit(), CLogLog(), LogLog(), Cauchit(), Inverse(), InverseSquared(), Sqrt())
}


def get(link):
    """The link of that name, or the link itself. Unknown names raise InputError with the known ones."""
    if isinstance(link, type) and issubclass(link, Link) and isinstance(getattr(link, "name", None), str):
        link = link()
    if isinstance(link, Link) and hasattr(link, "name"):
        return link
    if isinstance(link, str) and link in BY_NAME:
        return BY_NAME[link]
    raise InputError(
        expected="a link: one of " + ", ".join(map(repr, BY_NAME)) + ", or an instance such as links.Power(0.5)",
        got=repr(link),
        remedy="Check the spelling, or write a subclass of links.Link.",
    )
