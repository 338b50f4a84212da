"""How well a generalized linear model fits: deviance, dispersion, log-likelihood and the criteria made of them.

>>> from glmref.likelihoods import Likelihood
>>> isinstance(fit, Likelihood)
True
"""

from dataclasses import replace
from functools import cached_property

import numpy as np

from . import boundary, power
from .errors import InputError
from .fitted import Fitted
from .least_squares import Triangle
from .standardize import evaluator, far, standardize, total_deviance
from .start import score_from_start


class Likelihood(Fitted):
    """What the likelihood says of a fit, and of the family's own parameters. A subclass supplies design, family, link, columns,
    solution, dispersion_choice and estimate.

    >>> round(fit.deviance, 3), round(fit.loglik, 3)
    (18.086, -15.823)
    """

    @cached_property
    def _rows(self):  # without the columns and rows that take no part: a copy, if there are such
        return self.design.rows.columns(self.keep)

    @property
    def nobs(self):
        """Rows with positive weight, each counted as often as its frequency weight says.

        >>> fit.nobs
        23
        """
        return self.design.nobs

    @cached_property
    def deviance(self):
        """sum w d(y, mu), on the scale of phi.

        >>> round(fit.deviance, 3)
        18.086
        """
        return total_deviance(self._rows, self.family, self.link, self.solution.beta)

    @cached_property
    def pearson_chi2(self):
        """sum w (y - mu)^2 / V(mu).

        >>> round(fit.pearson_chi2, 3)
        29.98
        """
        beta, family, link = self.solution.beta, self.family, self.link

        @far
        def of(block):  # score^2 / weight of the working pair
            weight, score, _ = standardize(block, beta, family, link, bounded=False)
            return score @ np.divide(score, weight, out=np.zeros_like(score), where=weight > 0)

        return float(self._rows.sum(of))

    @cached_property
    def dispersion(self):
        """phi: fixed by the family or the user, or estimated (by default Pearson's chi-squared / df_resid).

        >>> quasi = glm("I(damaged / rings) ~ temperature", orings, "quasibinomial", weights="rings")
        >>> fit.dispersion, round(quasi.dispersion, 3)
        (1.0, 1.428)
        """
        choice = self.dispersion_choice
        if choice is None and self.family.dispersion is not None:
            return self.family.dispersion
        if choice in (None, "pearson"):
            return self.pearson_chi2 / self.df_resid if self.df_resid > 0 else np.nan
        if choice == "deviance":
            return self.deviance / self.df_resid if self.df_resid > 0 else np.nan
        return self._ml_dispersion if choice == "ml" else float(choice)

    @property
    def alpha(self):
        """alpha of a negative binomial fit, given or estimated: V = mu + alpha mu^2.

        >>> days = glm("days ~ sex", datasets.load("quine"), "negative_binomial")
        >>> round(days.alpha, 3)
        0.931
        """
        return self._shape("alpha")

    @property
    def alpha_se(self):
        """Standard error of an estimated alpha, from its observed information at fixed coefficients.

        >>> days = glm("days ~ sex", datasets.load("quine"), "negative_binomial")
        >>> round(days.alpha_se, 3)
        0.113
        """
        self._shape("alpha")
        if self.estimate is None:
            raise InputError(
                expected="a fit that estimated alpha", got=f"alpha = {self.alpha:g}, given", remedy="It has no standard error."
            )
        return self.estimate.se

    @property
    def power(self):
        """The power of a Tweedie fit, given or estimated: V = mu^power.

        >>> glm("volume ~ diameter", datasets.load("trees"), families.Tweedie(1.5)).power
        1.5
        """
        return self._shape("power")

    def power_profile(self, powers=None):
        """Profile of the power of a Tweedie fit: log-likelihood and dispersion at each of `powers` (default 1.1 to 1.9), all
        else fitted anew (DataFrame).

        >>> amounts = glm("volume ~ diameter", datasets.load("trees"), families.Tweedie(1.5))
        >>> amounts.power_profile([1.2, 1.5, 1.8]).round(2)
               loglik  dispersion
        power
        1.2    -80.45        0.21
        1.5    -80.76        0.08
        1.8    -81.28        0.03
        """
        return power.table(self, powers)

    def power_interval(self, level=0.95):
        """Likelihood-ratio interval for an estimated power (Series lower, upper).

        >>> rain = fit_glm(np.ones((6, 1)), np.array([0, 0, 1.2, 3.1, 0.4, 7.5]), families.Tweedie())
        >>> rain.power_interval().round(2).to_dict()
        {'lower': 1.15, 'upper': 1.85}
        """
        return power.interval(self, level)

    def _shape(self, name):
        if self.family.shape_name != name:
            raise InputError(
                expected=f"a fit of a family that has {name}",
                got=f"the {self.family.name} family",
                remedy="families.NegativeBinomial has alpha, families.Tweedie has power; the dispersion is fit.dispersion.",
            )
        return self.family.shape

    @property
    def dispersion_estimated(self):
        """Whether phi came from the data: then Wald statistics are compared with Student's t.

        >>> fit.dispersion_estimated
        False
        """
        if self.dispersion_choice is None:
            return self.family.dispersion is None
        return isinstance(self.dispersion_choice, str)

    @property
    def _df(self):
        return self.df_resid if self.dispersion_estimated else None

    @cached_property
    def _ml_dispersion(self):
        if not self.design.rows.in_memory:
            return self._ml_dispersion_of_portions()
        used = self.design.used
        weight, y, frequency = self.design.weight[used], self.design.y[used], self.design.frequency[used]
        return self.family.ml_dispersion(self.deviance, weight, y, frequency)

    def _ml_dispersion_of_portions(self):
        if self.family.dispersion_by_row and (self.family.shape_name or self.design.recipe.weights is not None):
            raise InputError(
                expected="rows in memory for the log-likelihood at a dispersion that depends on each row's weight or response",
                got=f"rows of {self.design.source.name}",
                remedy="Pass dispersion= a number, or compare models by F tests: compare(small, large).",
            )
        return self.family.ml_dispersion(self.deviance, np.ones(1), None, np.array([float(self.nobs)]))

    @cached_property
    def loglik(self):
        """Maximized log-likelihood; where phi is estimated, at the phi that maximizes it (not Pearson's).

        >>> round(fit.loglik, 3)
        -15.823
        """
        if self.family.dispersion is not None:
            phi = self.family.dispersion
            if self.dispersion != phi:
                raise InputError(
                    expected=f"the {self.family.name} family with its own dispersion, {phi:g}",
                    got=f"dispersion {self.dispersion:.4g}",
                    remedy="With another dispersion this is a quasi-likelihood fit, which has no likelihood: compare by F tests.",
                )
        else:
            phi = self._ml_dispersion if self.dispersion_estimated else self.dispersion
        if phi == 0:
            return np.inf  # a perfect fit: the density of a continuous response has no bound
        family = self.family

        def saturated(block):  # a block at a time: the density needs a dozen vectors
            frequency = np.ones(len(block.y)) if block.frequency is None else block.frequency
            return frequency @ family.saturated_log_density(block.y, phi, block.weight / frequency)

        return float(self._rows.sum(saturated)) - self.deviance / (2 * phi)

    @property
    def _parameters(self):
        return self.rank + (self.family.dispersion is None and self.dispersion_estimated) + (self.estimate is not None)

    @cached_property
    def cost(self):
        """What is compared between nested models: the deviance, or -2 loglik where the family's own parameter is estimated
        in each of them (their deviances are then measured from different origins).

        >>> fit.cost == fit.deviance
        True
        """
        return self.deviance if self.estimate is None or not self.estimate.held.unknown else -2 * self.loglik

    @property
    def aic(self):
        """-2 loglik + 2 (number of coefficients, + 1 if phi was estimated, + 1 if the family's own parameter was).

        >>> round(fit.aic, 3), round(-2 * fit.loglik + 2 * 2, 3)
        (35.647, 35.647)
        """
        return -2 * self.loglik + 2 * self._parameters

    @property
    def bic(self):
        """-2 loglik + log(nobs) (number of parameters, counted as in `aic`).

        >>> round(float(fit.bic), 3)
        37.918
        """
        return -2 * self.loglik + np.log(self.nobs) * self._parameters

    @cached_property
    def null_deviance(self):
        """Deviance of the model with a constant and the offset only; where no combination of the columns is constant, of
        the offset alone (infinite where that is an impossible mean).

        >>> round(fit.null_deviance, 3)
        24.23
        """
        rows = self.design.rows
        if not spans_constant(self._rows):
            null = rows.columns(np.zeros(len(self.keep), dtype=bool))
            return total_deviance(null, self.family, self.link, np.zeros(0))
        null = rows.map(lambda rows: replace(rows, X=np.ones((len(rows.y), 1))))
        evaluate = evaluator(null, self.family, self.link)
        solution = score_from_start(evaluate, null, self.family, self.link)
        beta = boundary.settle(null, self.family, self.link, solution, self.family.deviance_floor).beta
        return total_deviance(null, self.family, self.link, beta)


def spans_constant(rows):
    """Whether some combination of the columns is constant: then the model contains an intercept, however coded."""
    n = rows.shape[0]
    if rows.in_memory and np.any(np.all(rows.X == rows.X[0], axis=0) & (rows.X[0] != 0)):
        return True
    summary = rows.sum(lambda block: Triangle.fold(block.X, np.ones(len(block.y))))
    return bool(n - summary.projection @ summary.projection < 1e-10 * n)
