"""The Tweedie family: every exponential dispersion model whose variance is a power of the mean, V = mu^p.

p = 0, 1, 2, 3 are the Gaussian, Poisson, Gamma and inverse Gaussian. Between 1 and 2 the response is a sum of a Poisson
number of Gamma amounts: continuous, but exactly 0 with positive probability (rain on a day, a customer's claims). Beyond 2
it is positive and skewed. There is none between 0 and 1 (Tweedie 1984; Jorgensen 1987).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import optimize

from .. import links
from ..errors import InputError
from ..links import NEGATIVE, POSITIVE, REAL
from ..numerics import power_difference, root_of_increasing
from . import tweedie_density
from .base import Family
from .continuous import Gamma, Gaussian, InverseGaussian
from .discrete import Poisson
from .shape import Estimate, Joint

KNOWN = {0: Gaussian(), 1: Poisson(), 2: Gamma(), 3: InverseGaussian()}
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(14)
_NODES, _NODE_WEIGHTS = (_NODES + 1) / 2, _NODE_WEIGHTS / 2
LEAST, MOST = 1.01, 1.99  # the powers between which an estimate is sought


class Profile(NamedTuple):
    """The best fit at one power: the solution for beta, the dispersion and the log-likelihood."""

    power: float
    solution: object
    dispersion: float
    loglik: float


@dataclass(frozen=True)
class Tweedie(Family):
    """V = mu^power. theta = mu^(1 - power) / (1 - power).

    power: 0 or a number >= 1; or None: estimated by maximum likelihood between 1 and 2, together with coefficients and
    dispersion. The default link is the logarithm.

    >>> families.Tweedie(power=1.5).variance(4.0).item()
    8.0
    """

    power: float | None = None

    name = "tweedie"
    shape_name = "power"
    dispersion_by_row = True
    default_link = links.Log()

    def __post_init__(self):
        self._check_shape(lambda p: p == 0 or p >= 1, "power as 0 or a number >= 1, or None to estimate it between 1 and 2")

    @property
    def _known(self):
        return KNOWN.get(self.shape)

    @property
    def canonical_link(self):
        p = self.shape
        return links.Identity() if p == 0 else links.Log() if p == 1 else links.Power(1 - p)

    @property
    def canonical_factor(self):
        return 1 if self.shape == 1 else 1 / (1 - self.shape)

    @property
    def parameter_interval(self):
        return REAL if self.shape <= 1 else NEGATIVE

    @property
    def mean_interval(self):
        return REAL if self.power == 0 else POSITIVE

    @property
    def response_domain(self):
        if self.power is None or 1 <= self.power < 2:
            return "a number >= 0"
        return "any number" if self.power == 0 else "a number > 0"

    @property
    def dispersion(self):
        return 1.0 if self.power == 1 else None  # the Poisson's, without which it has no counts

    @property
    def spacing(self):
        return "count" if self.power == 1 else None

    def in_domain(self, y):
        if self.power == 0:
            return np.isfinite(y)
        return np.isfinite(y) & ((y >= 0) if self.power is None or self.power < 2 else (y > 0))

    def cumulant(self, theta, lib):
        if self._known is not None:
            return self._known.cumulant(theta, lib)
        p = self.power
        return lib.exp((2 - p) * lib.log((1 - p) * theta) / (1 - p)) / (2 - p)

    def canonical_parameter(self, mu):
        return self._known.canonical_parameter(mu) if self._known is not None else super().canonical_parameter(mu)

    def variance(self, mu):
        return np.asarray(mu, dtype=float) ** self.shape

    def variance_derivative(self, mu):
        p = self.shape
        return p * np.asarray(mu, dtype=float) ** (p - 1) if p > 0 else np.zeros_like(mu, dtype=float)

    def unit_deviance(self, y, mu):
        if self.shape == 0:
            return Gaussian().unit_deviance(y, mu)
        return self._deviance(y, mu, np.log(mu))

    def deviance(self, y, eta, link):
        if self.shape == 0:
            return Gaussian().deviance(y, eta, link)
        with np.errstate(divide="ignore"):
            return self._deviance(y, link.inverse(eta), link.log_inverse(eta))

    def _deviance(self, y, mu, log_mu):
        """2 int from mu to y of (y - u) / u^p du = 2 [y (y^(1-p) - mu^(1-p)) / (1-p) - (y^(2-p) - mu^(2-p)) / (2-p)].

        Near y = mu, where the two cancel, the integral itself by Gauss's rule: all its terms are positive.
        """
        p = self.shape
        y, mu, log_mu = np.broadcast_arrays(*(np.asarray(part, dtype=float) for part in (y, mu, log_mu)))
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            excess = (y - mu) / mu
            near = np.abs(excess) < 0.4
            steps = np.where(near, excess, 0.0)[..., None] * _NODES
            integral = (1 - _NODES) * (1 + steps) ** -p @ _NODE_WEIGHTS
            joined = excess**2 * np.exp((2 - p) * log_mu) * integral
            first = np.where(y > 0, y * power_difference(np.where(y > 0, y, 1.0), mu, 1 - p, log_mu), 0.0)
            far = first - power_difference(y, mu, 2 - p, log_mu)
        return 2 * np.where(near, joined, far)

    def working(self, y, eta, link):
        p = self.shape
        if p == 0:
            return Gaussian().working(y, eta, link)
        mu, relative = link.inverse(eta), link.relative_derivative(eta)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            level = mu ** (2 - p)
            return relative**2 * level, relative * np.where(y > 0, (y - mu) / mu * level, -level)

    def valid(self, eta, link):
        # a zero pulls its mean towards 0, where under a link other than the logarithm the information overflows
        possible = super().valid(eta, link)
        if self.shape == 0 or link == links.Log():
            return possible
        with np.errstate(all="ignore"):
            return possible & (link.inverse(eta) > 1e-150)

    def starting_mean(self, y, weight):
        return np.array(y, dtype=float) if self.shape == 0 else np.where(y > 0, y, 0.1 * (np.average(y, weights=weight) or 1.0))

    def saturated_log_density(self, y, phi, weight):
        if self._known is not None:
            return self._known.saturated_log_density(y, phi, weight)
        return self._saturated(y, phi, weight)[0]

    def _saturated(self, y, phi, weight):
        """The saturated log-density and its derivative in log phi; 0 at y = 0, where the deviance holds everything."""
        y, scale = np.broadcast_arrays(np.asarray(y, dtype=float), phi / np.asarray(weight, dtype=float))
        value, slope = np.zeros(y.shape), np.zeros(y.shape)
        law = tweedie_density.saturated_jumps if self.shape < 2 else tweedie_density.saturated_stable
        positive = y > 0
        value[positive], slope[positive] = law(y[positive], scale[positive], self.shape)
        return value, slope

    def ml_dispersion(self, deviance, weight, y=None, frequency=1.0):
        if self._known is not None:
            return self._known.ml_dispersion(deviance, weight, y, frequency)
        used = weight > 0
        y, weight, frequency = y[used], weight[used], np.broadcast_to(frequency, used.shape)[used]
        if deviance <= 0:
            return 0.0

        def fall(log_phi):
            phi = np.exp(log_phi)
            return -np.sum(frequency * self._saturated(y, phi, weight)[1]) - deviance / (2 * phi)

        return float(np.exp(root_of_increasing(fall, np.log(deviance / np.sum(frequency)))))

    def tails(self, y, mu, phi, weight):
        if self._known is not None:
            return self._known.tails(y, mu, phi, weight)
        if self.shape > 2:
            return super().tails(y, mu, phi, weight)
        return tweedie_density.tail_jumps(*np.broadcast_arrays(y, mu, phi / weight), self.shape)

    def open_tails(self, y, mu, phi, weight):
        if self._known is not None or self.shape > 2:
            return super().open_tails(y, mu, phi, weight)
        low, high = self.tails(y, mu, phi, weight)
        return np.where(y > 0, low, 0.0), np.where(y > 0, high, 1.0)  # 0 alone has a probability of its own

    def draw(self, mu, phi, weight, rng):
        p = self.shape
        if self._known is not None:
            return self._known.draw(mu, phi, weight, rng)
        mu, phi = np.broadcast_arrays(np.asarray(mu, dtype=float), phi / np.asarray(weight, dtype=float))
        if p > 2:
            return tweedie_density.draw_stable(mu, phi, p, rng)
        amounts = rng.poisson(mu ** (2 - p) / (phi * (2 - p)))
        return rng.gamma(amounts * tweedie_density.jump_shape(p), phi * (p - 1) * mu ** (p - 1))

    def normalized(self, t):
        if self._known is not None:
            return self._known.normalized(t)
        return np.asarray(t, dtype=float) ** (1 - self.shape / 3) / (1 - self.shape / 3)

    def estimate(self, solve, rows, link, guess=None):
        """The power between 1 and 2 with the largest likelihood: the best of a coarse grid, then Brent's method around it."""
        if not self.unknown:
            return super().estimate(solve, rows, link)
        profile = profiler(solve, rows)
        grid = np.array([LEAST, 1.1, 1.25, 1.4, 1.55, 1.7, 1.85, MOST])
        values = [profile(p).loglik for p in grid]
        best = int(np.argmax(values))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
        found = optimize.minimize_scalar(
            lambda p: -profile(p).loglik, bounds=(low, high), method="bounded", options={"xatol": 1e-7}
        )
        p, note = float(found.x), ""
        if min(p - LEAST, MOST - p) < 1e-4:
            p = LEAST if p < 1.5 else MOST
            note = (
                f"The likelihood still rises where the power reaches {p:g}: there is no best power between 1 and 2. Choose "
                "the family at that end, or give power= a number."
            )
        family = Tweedie(p)
        return Joint(family, profile(p).solution, Estimate("power", p, np.nan, family, note))


def profiler(solve, rows):
    """The function of the power that fits coefficients and dispersion at it: profile(p) -> Profile, each fit beginning
    from the one before."""
    latest = None
    if not rows.in_memory:
        raise InputError(
            expected="rows in memory for an estimate of the power",
            got="rows that come in portions",
            remedy="Estimate it from a part of the rows that fits in memory, and pass families.Tweedie(power=...).",
        )
    frequency = 1.0 if rows.frequency is None else rows.frequency
    weight = rows.weight / frequency

    def profile(p):
        nonlocal latest
        family = Tweedie(float(p))
        latest = solve(family, None if latest is None else latest.beta)
        phi = family.ml_dispersion(latest.deviance, weight, rows.y, frequency)
        saturated = np.sum(frequency * family.saturated_log_density(rows.y, phi, weight))
        return Profile(float(p), latest, phi, float(saturated - latest.deviance / (2 * phi)))

    return profile
