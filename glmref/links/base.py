"""What a link is: the contract of one class, and what follows from it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..errors import InputError

REAL, POSITIVE, NEGATIVE, UNIT = (-np.inf, np.inf), (0.0, np.inf), (-np.inf, 0.0), (0.0, 1.0)


@dataclass(frozen=True)
class Link(ABC):
    """One link g. A link of your own gives `link`, `inverse`, `derivative`; the rest follows, if less exactly.

    image: the open interval that h maps onto; domain: the open interval of eta it may be used on; pole: an eta inside it
    where h is infinite.
    All methods take and return arrays of one shape.

    >>> links.Logit().name, links.Logit().image, links.Inverse().pole
    ('logit', (0.0, 1.0), 0.0)
    """

    name: ClassVar[str]
    image: ClassVar[tuple] = REAL
    domain: ClassVar[tuple] = REAL
    pole: ClassVar[float | None] = None

    def definition(self, eta, lib):
        """h(eta) as the textbook writes it; lib supplies exp, log, sqrt, atan, erfc, pi.

        >>> import math
        >>> links.Logit().definition(0.0, math)
        0.5
        """
        raise self._lacks("definition")

    @abstractmethod
    def link(self, mu):
        """g(mu) = eta.

        >>> links.Logit().link(np.array([0.2, 0.5])).round(4)
        array([-1.3863,  0.    ])
        """

    @abstractmethod
    def inverse(self, eta):
        """h(eta) = mu.

        >>> links.Logit().inverse(np.array([-1.0, 0.0])).round(4)
        array([0.2689, 0.5   ])
        """

    @abstractmethod
    def derivative(self, eta):
        """h'(eta) = d mu / d eta.

        >>> links.Logit().derivative(np.array([-1.0, 0.0])).round(4)
        array([0.1966, 0.25  ])
        """

    def second_derivative(self, eta):
        """h''(eta); only the observed information needs it.

        >>> links.Logit().second_derivative(np.array([-1.0, 1.0])).round(4)
        array([ 0.0909, -0.0909])
        """
        raise self._lacks("second_derivative")

    def _lacks(self, method):
        return InputError(
            expected=f"a link with {method}",
            got=f"{self.name} without",
            remedy=f"A link of your own needs link, inverse and derivative to be fitted; write {method} for this use.",
        )

    def complement(self, eta):
        """1 - h(eta), without cancellation.

        >>> links.Logit().complement(np.array([40.0])) > 0, 1 - links.Logit().inverse(np.array([40.0])) > 0
        (array([ True]), array([False]))
        """
        return 1.0 - self.inverse(eta)

    def log_inverse(self, eta):
        """log h(eta), also where h(eta) underflows.

        >>> links.Logit().inverse(np.array([-1000.0])), links.Logit().log_inverse(np.array([-1000.0]))
        (array([0.]), array([-1000.]))
        """
        return np.log(self.inverse(eta))

    def log_complement(self, eta):
        """log(1 - h(eta)), also where 1 - h(eta) underflows.

        >>> links.Logit().log_complement(np.array([1000.0]))
        array([-1000.])
        """
        return np.log1p(-self.inverse(eta))

    def relative_derivative(self, eta):
        """h'(eta) / h(eta) = d log mu / d eta.

        >>> links.Log().relative_derivative(np.array([-1.0, 3.0]))
        array([1., 1.])
        """
        return self.derivative(eta) / self.inverse(eta)

    def hazard(self, eta):
        """h'(eta) / (1 - h(eta)) = -d log(1 - mu) / d eta: the hazard, where h is a distribution function.

        >>> links.CLogLog().hazard(np.array([0.0, 1.0])).round(4)
        array([1.    , 2.7183])
        """
        return self.derivative(eta) / self.complement(eta)

    def valid(self, eta):
        """Which eta lie inside the domain (NaN does not).

        >>> links.Sqrt().valid(np.array([-1.0, 2.0]))
        array([False,  True])
        """
        low, high = self.domain
        return (eta > low) & (eta < high)

    def __str__(self):
        return self.name


def exp(eta):
    """exp, which overflows to inf: the right limit in every formula of the links, so that no warning is due."""
    with np.errstate(over="ignore"):
        return np.exp(eta)
