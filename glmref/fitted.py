"""What any fit can say: a mean for each row and a coefficient, with its standard error, for each term.

GLMFit and GEEFit add what their model has. A subclass supplies design, family, link, columns, solution, cov, nobs and summary.
"""

from contextlib import nullcontext
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd


class Fitted:
    """Arrays have one entry per row, in the caller's order; Series are named by term, NaN where aliased.

    >>> from glmref.fitted import Fitted
    >>> isinstance(fit, Fitted), isinstance(wheeze, Fitted)
    (True, True)
    """

    @property
    def keep(self):
        """Which columns were estimable (p booleans).

        >>> fit.keep
        array([ True,  True])
        """
        return self.columns.keep

    @property
    def coef(self):
        """The estimates, NaN where aliased.

        >>> wheeze.coef.round(4)
        Intercept           -0.8600
        age                 -0.1134
        smoking[T.smoker]    0.2651
        Name: coef, dtype: float64
        """
        values = self.solution.beta.copy()
        if self.columns.aliased:
            values = np.full(len(self.keep), np.nan)
            values[self.keep] = self.solution.beta
        return pd.Series(values, self._terms, name="coef", copy=False)

    @property
    def se(self):
        """Standard errors: square roots of the diagonal of cov.

        >>> wheeze.se.round(4)
        Intercept            0.3805
        age                  0.0439
        smoking[T.smoker]    0.1777
        Name: se, dtype: float64
        """
        return pd.Series(np.sqrt(np.diag(self.cov)), self._terms, name="se")

    @property
    def rank(self):
        """Number of estimable coefficients.

        >>> claims.rank
        4
        """
        return int(np.count_nonzero(self.keep))

    @property
    def df_resid(self):
        """nobs - rank.

        >>> claims.df_resid, claims.nobs - claims.rank
        (60, 60)
        """
        return self.nobs - self.rank

    @cached_property
    def linear_predictor(self):
        """eta = X beta + offset.

        >>> fit.linear_predictor[:3].round(4)
        array([-2.5447, -3.0071, -2.8915])
        """
        return _frozen(self._X @ self.solution.beta + self.design.offset)

    @cached_property
    def fitted(self):
        """mu = h(eta).

        >>> fit.fitted[:3].round(4)
        array([0.0728, 0.0471, 0.0526])
        """
        with self._quiet:
            return _frozen(self.link.inverse(self.linear_predictor))

    @property
    def _quiet(self):
        """A context in which a row that takes no part may have an impossible mean."""
        return nullcontext() if self.design.used.all() else np.errstate(all="ignore")

    @property
    def converged(self):
        """Whether the last step was negligible.

        >>> fit.converged
        True
        """
        return self.solution.converged

    @property
    def _X(self):
        return self.design.X[:, self.keep] if self.columns.aliased else self.design.X

    @property
    def _terms(self):
        return _labels(self.design.names).view()  # a name given to the index of one table is not the next one's

    def _square(self, kept_values):
        if self.columns.aliased:
            full = np.full((len(self.keep), len(self.keep)), np.nan)
            full[np.ix_(self.keep, self.keep)] = kept_values
            kept_values = full
        return pd.DataFrame(kept_values, self._terms, self._terms, copy=False)

    def __repr__(self):
        return repr(self.summary())

    def _repr_html_(self):
        return self.summary()._repr_html_()


@lru_cache(maxsize=64)
def _labels(names):
    """The names as an index, once for all fits with these terms: it takes as long as a round of a small fit."""
    return pd.Index(names, dtype=object)  # one of type str takes ten times as long


def _frozen(array):
    array.flags.writeable = False
    return array
