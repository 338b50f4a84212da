"""Criteria for choosing a working correlation or a set of covariates, without a likelihood.

Pan (2001), Akaike's information criterion in generalized estimating equations, compares models by the quasi-likelihood
under independence, Q = sum w int_y^mu (y - t) / (phi V(t)) dt, at the coefficients of the fit. The integral from y makes it
-deviance / (2 phi): zero for a perfect fit, with no constant left that depends on the data alone. phi is that of the fit;
two fits are comparable if they use the same (pass dispersion= to make sure). Omega is the model-based information of the
independence model at the same coefficients, V_R the robust covariance.

    CIC  = tr(Omega V_R)       the price of the parameters; best for choosing a correlation (Hin and Wang 2009)
    QIC  = -2 Q + 2 CIC
    QICu = -2 Q + 2 p          for choosing covariates only

>>> from glmref.qic import Criteria
>>> isinstance(wheeze, Criteria)
True
"""

from functools import cached_property, partial

import numpy as np

from .errors import InputError
from .fitted import Fitted
from .streaming import panel as portions


def quasi_deviance(panel, beta):
    """-2 phi Q: the deviance of the family at beta."""
    of = partial(portions.quasi_deviance, beta)
    return of(panel) if panel.in_memory else panel.sum(of)


def cic(panel, beta, robust, phi):
    """tr(Omega V_R), Omega = sum D'A^-1 D / phi at beta; robust: V_R (p x p)."""
    of = partial(portions.independence_information, beta)
    return float(np.sum((of(panel) if panel.in_memory else panel.sum(of)) * robust) / phi)


class Criteria(Fitted):
    """What stands in for a likelihood where there is none. A subclass supplies panel, solution, dispersion and cov.

    >>> round(wheeze.qic, 2), round(wheeze.cic, 3)
    (1829.73, 4.792)
    """

    @cached_property
    def cic(self):
        """tr(Omega V_R): the smaller, the better the working correlation. See `glmref.qic`.

        >>> round(wheeze.cic, 3)
        4.792
        """
        robust = self.cov.to_numpy()[np.ix_(self.keep, self.keep)]
        return cic(self.panel, self.solution.beta, robust, self.dispersion)

    @property
    def quasi_likelihood(self):
        """Q(beta) = -deviance / (2 phi), under independence; 0 for a perfect fit.

        >>> round(wheeze.quasi_likelihood, 2)
        -910.07
        """
        return -quasi_deviance(self.panel, self.solution.beta) / (2 * self.dispersion)

    @property
    def qic(self):
        """-2 Q + 2 CIC (Pan 2001).

        >>> round(wheeze.qic, 2)
        1829.73
        """
        return -2 * self.quasi_likelihood + 2 * self.cic

    @property
    def qicu(self):
        """-2 Q + 2 rank.

        >>> round(wheeze.qicu, 2)
        1826.14
        """
        return -2 * self.quasi_likelihood + 2 * self.rank

    @property
    def loglik(self):
        """A GEE has none: raises InputError.

        >>> wheeze.loglik
        Traceback (most recent call last):
            ...
        glmref.errors.InputError: expected a likelihood; got a generalized estimating equation, which assumes ...
        """
        raise _no_likelihood("a log-likelihood")

    @property
    def aic(self):
        """A GEE has none: raises InputError.

        >>> wheeze.aic
        Traceback (most recent call last):
            ...
        glmref.errors.InputError: expected a likelihood; got a generalized estimating equation, which assumes ...
        """
        raise _no_likelihood("AIC")

    @property
    def bic(self):
        """A GEE has none: raises InputError.

        >>> wheeze.bic
        Traceback (most recent call last):
            ...
        glmref.errors.InputError: expected a likelihood; got a generalized estimating equation, which assumes ...
        """
        raise _no_likelihood("BIC")

    @property
    def deviance(self):
        """A GEE minimizes none: raises InputError.

        >>> wheeze.deviance
        Traceback (most recent call last):
            ...
        glmref.errors.InputError: expected a likelihood; got a generalized estimating equation, which assumes ...
        """
        raise _no_likelihood("a deviance")


def _no_likelihood(what):
    return InputError(
        expected="a likelihood",
        got=f"a generalized estimating equation, which assumes means and variances only and so has no {what.split()[-1]}",
        remedy="Compare working correlations by cic, models by qic or qicu, coefficients by test().",
    )
