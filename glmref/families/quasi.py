"""Quasi-families: the mean and variance of a known family, but a dispersion to estimate, and therefore no likelihood.

Scores, deviance and standard errors need a mean and a variance only (Wedderburn 1974). What needs a density, an AIC or
a quantile residual, is refused with the reason.
"""

from ..errors import InputError
from .discrete import Binomial, Poisson


class Quasi:
    """Mixed into a family: its dispersion is estimated, and what would need its density says why there is none."""

    dispersion = None
    has_likelihood = False
    deviance_floor = 0.1  # the deviance keeps the known family's scale

    def saturated_log_density(self, y, phi, weight):
        raise self._no_density()

    def tails(self, y, mu, phi, weight):
        raise self._no_density()

    def draw(self, mu, phi, weight, rng):
        raise self._no_density()

    def ml_dispersion(self, deviance, weight, y=None, frequency=1.0):
        raise self._no_density()

    def _no_density(self):
        return InputError(
            expected="a family with a density",
            got=f"{self.name}, a quasi-likelihood of mean and variance only",
            remedy="Compare models by F tests; use Pearson or deviance residuals; or choose a family with a likelihood.",
        )


class QuasiPoisson(Quasi, Poisson):
    """Counts with variance phi mu, phi estimated.

    >>> over = glm("claims ~ age", insurance, "quasipoisson", offset="np.log(holders)")
    >>> round(over.dispersion, 3), over.coef.equals(claims.coef)
    (2.802, True)
    """

    name = "quasipoisson"


class QuasiBinomial(Quasi, Binomial):
    """Proportions of w trials with variance phi mu (1 - mu) / w, phi estimated.

    >>> families.QuasiBinomial().has_likelihood
    False
    """

    name = "quasibinomial"
