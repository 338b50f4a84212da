"""Links for means on the whole line or the half line: the identity, the logarithm and the powers."""

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from .base import NEGATIVE, POSITIVE, Link, exp


class Identity(Link):
    """g(mu) = mu.

    >>> links.Identity().inverse(2.0).item()
    2.0
    """

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
    """g(mu) = log mu.

    >>> links.Log().link(1.0).item(), links.Log().inverse(0.0).item()
    (0.0, 1.0)
    """

    name = "log"
    image = POSITIVE

    def definition(self, eta, lib):
        return lib.exp(eta)

    def link(self, mu):
        return np.log(mu)

    def inverse(self, eta):
        return exp(eta)

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


class PowerLink(Link):
    """h(eta) = eta^(1/exponent) for eta > 0."""

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
class Power(PowerLink):
    """g(mu) = mu^exponent for mu > 0, so h(eta) = eta^(1/exponent) for eta > 0.

    >>> links.Power(0.5).link(9.0).item(), links.Power(0.5).inverse(3.0).item()
    (3.0, 9.0)
    """

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


class Sqrt(PowerLink):
    """g(mu) = sqrt(mu), for mu > 0.

    >>> links.Sqrt().inverse(3.0).item()
    9.0
    """

    name = "sqrt"
    exponent = 0.5


class InverseSquared(PowerLink):
    """g(mu) = 1 / mu^2, for mu > 0. The inverse Gaussian's canonical link, up to the factor -1/2.

    >>> links.InverseSquared().link(2.0).item()
    0.25
    """

    name = "inverse_squared"
    exponent = -2


@dataclass(frozen=True)
class NegativeBinomial(Link):
    """g(mu) = log[alpha mu / (1 + alpha mu)]: the negative binomial's canonical link, for eta < 0.

    >>> links.NegativeBinomial(alpha=0.5).link(2.0).round(4).item()
    -0.6931
    """

    alpha: float

    image = POSITIVE
    domain = NEGATIVE

    def __post_init__(self):
        if not (isinstance(self.alpha, (int, float, np.number)) and 0 < self.alpha < np.inf):
            raise InputError(
                expected="alpha as a finite number > 0",
                got=f"NegativeBinomial({self.alpha!r})",
                remedy="Without overdispersion the canonical link is the logarithm: use links.Log().",
            )

    @property
    def name(self):
        return f"negative_binomial({self.alpha:g})"

    def definition(self, eta, lib):
        return lib.exp(eta) / (self.alpha * (1 - lib.exp(eta)))

    def link(self, mu):
        return -np.log1p(1.0 / (self.alpha * np.asarray(mu, dtype=float)))

    def inverse(self, eta):
        return -np.exp(eta) / (self.alpha * np.expm1(eta))

    def derivative(self, eta):
        return np.exp(eta) / (self.alpha * np.expm1(eta) ** 2)

    def second_derivative(self, eta):
        return -np.exp(eta) * (1.0 + np.exp(eta)) / (self.alpha * np.expm1(eta) ** 3)

    def log_inverse(self, eta):
        return np.asarray(eta) - np.log(self.alpha) - np.log(-np.expm1(eta))

    def relative_derivative(self, eta):
        return -1.0 / np.expm1(eta)


class Inverse(Link):
    """g(mu) = 1 / mu, for mu of either sign. The Gamma's canonical link, up to its sign.

    >>> links.Inverse().link(-4.0).item()
    -0.25
    """

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
