"""What a family is: the contract of one class, and everything that follows from it.

Three methods work from eta, not from mu, because a mean that underflows still has a logarithm:
`deviance(y, eta, link)`; `working(y, eta, link)`, the two numbers per row that Fisher scoring needs,
weight = h'^2 / V(mu) and score = (y - mu) h' / V(mu); and `kernel`, the pair and the loss in one.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..errors import InputError
from ..links import REAL, Link
from .shape import Shaped


@dataclass(frozen=True)
class Family(Shaped, ABC):
    """One family. y, mu, eta: arrays of one shape; phi > 0 the dispersion; weight w > 0 the prior weight.

    dispersion: phi where the family fixes it (Poisson, binomial: 1), None where it is estimated.
    spacing: None for a continuous response; "count" where y steps by 1, "share" where it steps by 1 / w.
    canonical_link: the link software calls canonical; theta = canonical_factor * canonical_link.link(mu).
    has_likelihood: whether there is a density; quasi-families are a mean and a variance only.
    dispersion_by_row: whether the ML estimate of phi needs each row, not only the deviance.
    ratios: what exp(coefficient) is called, by link.
    loss_noise: what rounding adds to the loss of `kernel` in a row of weight 1, however small that is.
    parameter_interval, mean_interval: the open ranges of theta and mu; response_domain: the values y may take, in words.

    >>> families.Poisson().name, families.Poisson().dispersion, families.Poisson().response_domain
    ('poisson', 1.0, 'a count: a number >= 0')
    """

    name: ClassVar[str]
    canonical_link: ClassVar[Link]
    canonical_factor: ClassVar[float] = 1
    parameter_interval: ClassVar[tuple] = REAL
    mean_interval: ClassVar[tuple] = REAL
    response_domain: ClassVar[str] = "any number"
    dispersion: ClassVar[float | None] = None
    spacing: ClassVar[str | None] = None
    has_likelihood: ClassVar[bool] = True
    dispersion_by_row: ClassVar[bool] = False
    loss_noise: ClassVar[float] = 0.0
    ratios: ClassVar[dict] = {"log": "mean ratio"}

    @property
    def default_link(self):
        """The link of a fit that names none: the canonical one, unless the family says otherwise.

        >>> print(families.Gamma().default_link, families.NegativeBinomial().default_link)
        inverse log
        """
        return self.canonical_link

    @property
    def deviance_floor(self):
        """What a deviance near zero is judged beside (see irls): 0.1 where phi is fixed, for there the deviance has a
        scale of its own; 0 elsewhere, where it has the response's.

        >>> families.Poisson().deviance_floor, families.Gamma().deviance_floor
        (0.1, 0.0)
        """
        return 0.0 if self.dispersion is None else 0.1

    @abstractmethod
    def cumulant(self, theta, lib):
        """b(theta) as the textbook writes it.

        >>> import sympy
        >>> families.Binomial().cumulant(sympy.Symbol("theta"), sympy)
        log(exp(theta) + 1)
        """

    def canonical_parameter(self, mu):
        """theta with b'(theta) = mu.

        >>> families.Gamma().canonical_parameter(np.array([0.5, 2.0]))
        array([-2. , -0.5])
        """
        return self.canonical_factor * self.canonical_link.link(mu)

    @abstractmethod
    def variance(self, mu):
        """The variance function V(mu) = b''(theta(mu)).

        >>> families.Binomial().variance(np.array([0.1, 0.5]))
        array([0.09, 0.25])
        """

    @abstractmethod
    def variance_derivative(self, mu):
        """V'(mu), which the observed information needs where the link is not canonical.

        >>> families.Gamma().variance_derivative(np.array([0.5, 2.0]))
        array([1., 4.])
        """

    @abstractmethod
    def unit_deviance(self, y, mu):
        """d(y, mu) = 2 {y [theta(y) - theta(mu)] - b(theta(y)) + b(theta(mu))} >= 0.

        >>> families.Poisson().unit_deviance(np.array([0.0, 3.0]), np.array([2.0, 2.0])).round(4)
        array([4.    , 0.4328])
        """

    @abstractmethod
    def saturated_log_density(self, y, phi, weight):
        """log f(y) at mu = y, so that log f = saturated - w d(y, mu) / (2 phi).

        >>> families.Poisson().saturated_log_density(np.array([3.0]), 1.0, 1.0).round(4)
        array([-1.4959])
        """

    def tails(self, y, mu, phi, weight):
        """P(Y <= y) and P(Y > y), each to its own relative accuracy.

        >>> below, above = families.Poisson().tails(np.array([3.0]), np.array([2.0]), 1.0, 1.0)
        >>> below.round(4), above.round(4)
        (array([0.8571]), array([0.1429]))
        """
        raise InputError(
            expected="a family with a distribution function",
            got=self.name,
            remedy="Use deviance residuals, which need only the mean and the variance function.",
        )

    def open_tails(self, y, mu, phi, weight):
        """P(Y < y) and P(Y >= y): they differ from `tails` where y has a probability of its own.

        >>> before, from_it = families.Poisson().open_tails(np.array([3.0]), np.array([2.0]), 1.0, 1.0)
        >>> before.round(4), from_it.round(4)
        (array([0.6767]), array([0.3233]))
        """
        if self.spacing is None:
            return self.tails(y, mu, phi, weight)
        return self.tails(y - (1.0 if self.spacing == "count" else 1.0 / weight), mu, phi, weight)

    def draw(self, mu, phi, weight, rng):
        """One random response per row, with mean mu and variance phi V(mu) / weight; rng: a numpy Generator.

        >>> drawn = families.Gamma().draw(np.full(10_000, 2.0), 0.25, 1.0, np.random.default_rng(1))
        >>> bool(abs(drawn.mean() - 2) < 0.05), bool(abs(drawn.var() - 0.25 * 2**2) < 0.1)
        (True, True)
        """
        raise InputError(
            expected="a family that can be simulated",
            got=self.name,
            remedy="Give it a method draw(mu, phi, weight, rng), or simulate from a family that has one.",
        )

    def normalized(self, t):
        """A(t), the integral of V^(-1/3): A(y) is more nearly normal than y (Anscombe 1953).

        >>> families.Gamma().normalized(np.array([1.0, 8.0]))
        array([3., 6.])
        """
        raise InputError(expected="a family whose Anscombe transform is known", got=self.name, remedy="Use deviance residuals.")

    def in_domain(self, y):
        """Which y the family can produce.

        >>> families.Poisson().in_domain(np.array([-1.0, 0.0, 2.0]))
        array([False,  True,  True])
        """
        return np.isfinite(y)

    def starting_mean(self, y, weight):
        """A mean near each y, inside the family's range, from which the first regression is taken. Counts, and
        proportions of equally many trials, move toward their mean, by the share of chance in their variance.

        >>> families.Poisson().starting_mean(np.array([0.0, 1.0, 5.0]), np.ones(3)).round(4)
        array([0.8571, 1.4286, 3.7143])
        """
        return np.array(y, dtype=float)

    def ml_dispersion(self, deviance, weight, y=None, frequency=1.0):
        """The phi that maximizes the log-likelihood when the total deviance is given. y: the responses, if needed;
        frequency: for how many rows each stands.

        >>> families.Gaussian().ml_dispersion(12.0, np.ones(4)).item()
        3.0
        """
        return deviance / np.sum((weight > 0) * frequency)

    def deviance(self, y, eta, link):
        """Unit deviance per row, from eta.

        >>> families.Poisson().deviance(np.array([3.0]), np.log([2.0]), links.Log()).round(4)
        array([0.4328])
        """
        return self.unit_deviance(y, link.inverse(eta))

    def working(self, y, eta, link):
        """Per row: weight h'(eta)^2 / V(mu), score (y - mu) h'(eta) / V(mu).

        >>> families.Poisson().working(np.array([3.0]), np.log([2.0]), links.Log())
        (array([2.]), array([1.]))
        """
        mu, slope = link.inverse(eta), link.derivative(eta)
        ratio = slope / self.variance(mu)
        return ratio * slope, (y - mu) * ratio

    def kernel(self, y, eta, link):
        """Per row: the working pair and the loss b(theta) - y theta, half the unit deviance but for a term in y alone.

        What the rounds of a fit compute again and again, so a family may save logarithms here; d = 2 (loss -
        saturated_loss). Of the loss only differences matter: it need not keep its digits where y and mu are close; and it is
        asked where numpy's warnings are off.

        >>> weight, score, loss = families.Poisson().kernel(np.array([3.0]), np.log([2.0]), links.Log())
        >>> loss.round(4)
        array([-0.0794])
        """
        return *self.working(y, eta, link), self.deviance(y, eta, link) / 2

    def score(self, y, eta, link):
        """Per row the score of `kernel` alone, to the accuracy of y - mu: for steps that need no more; asked where warnings are off.

        >>> families.Poisson().score(np.array([3.0]), np.log([2.0]), links.Log())
        array([1.])
        """
        return self.working(y, eta, link)[1]

    def saturated_loss(self, y):
        """The loss at mu = y.

        >>> families.Poisson().saturated_loss(np.array([3.0])).round(4)
        array([-0.2958])
        """
        return np.zeros_like(y)

    def log_density(self, y, mu, phi=1.0, weight=1.0):
        """log f(y; mu, phi / w).

        >>> families.Poisson().log_density([0, 1], [2, 2]).round(4)
        array([-2.    , -1.3069])
        """
        y, mu = np.asarray(y, dtype=float), np.asarray(mu, dtype=float)
        return self.saturated_log_density(y, phi, weight) - weight * self.unit_deviance(y, mu) / (2 * phi)

    def valid(self, eta, link):
        """Which eta give a mean inside the family's range.

        >>> families.Poisson().valid(np.array([-1.0, 1.0]), links.Identity())
        array([False,  True])
        """
        inside = link.valid(eta)
        low, high = self.mean_interval
        if low <= link.image[0] and link.image[1] <= high:
            return inside
        with np.errstate(all="ignore"):
            mu = link.inverse(eta)
        return inside & (mu > low) & (mu < high)

    def bounded(self, link):
        """Whether some finite linear predictor gives an impossible mean.

        >>> families.Poisson().bounded(links.Log()), families.Poisson().bounded(links.Identity())
        (False, True)
        """
        low, high = self.mean_interval
        whole_line = link.domain == REAL and link.pole is None
        return not (whole_line and low <= link.image[0] and link.image[1] <= high)

    def eta_interval(self, eta, link):
        """The ends of the interval of possible linear predictors around each eta.

        >>> families.Poisson().eta_interval(np.array([1.0]), links.Identity())
        (array([0.]), array([inf]))
        """
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
