"""A fitted generalized linear model: what can be asked of it.

The fit keeps the estimate, the triangle R of its information and the data; everything else is computed when asked for.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import linalg

from . import boundary, checks, diagnostics, inference, information, prediction, report, sandwich, separation
from .columns import Columns
from .design import Design
from .errors import InputError
from .families import Estimate, Family
from .irls import Solution
from .least_squares import inverse_information
from .likelihoods import Likelihood
from .links import Link


@dataclass(frozen=True, eq=False, repr=False)
class GLMFit(Likelihood):
    """A fitted generalized linear model. Arrays have one entry per row; Series are named by term.

    design: the rows, as `design.Design`; family, link: as fitted; dispersion_choice: as asked for; solution: of the rounds.
    columns: which columns were estimable; root: R with R'R = X'WX at the estimate (kept columns only).
    estimate: how the family's own parameter was estimated, where it was; `family` has its value.

    >>> fit.family, fit.link.name, fit.design.formula
    (Binomial(), 'logit', 'I(damaged / rings) ~ temperature')
    """

    design: Design
    family: Family
    link: Link
    dispersion_choice: object
    columns: Columns
    solution: Solution
    root: np.ndarray
    estimate: Estimate | None = None

    @property
    def cov(self):
        """phi (X'WX)^-1, the model-based covariance (DataFrame).

        >>> fit.cov.round(5)
                     Intercept  temperature
        Intercept      9.31767     -0.14257
        temperature   -0.14257      0.00221
        """
        return self._square(self.dispersion * inverse_information(self.root))

    @cached_property
    def scores(self):
        """Each row's contribution to the score, w (y - mu) h' / V(mu) x (n x rank): they sum to zero.

        >>> fit.scores.shape, bool(np.abs(fit.scores.sum(axis=0)).max() < 1e-6)
        ((23, 2), True)
        """
        with self._quiet:
            _, score = self.family.working(self.design.y, self.linear_predictor, self.link)
            return np.where(self.design.used, self.design.weight * score, 0.0)[:, None] * self._X

    def covariance(self, kind="model", groups=None):
        """Covariance of the estimates (DataFrame): "model"; "observed", from the observed information instead of the
        expected; "HC0" "HC1" "HC2" "HC3", robust to a wrong variance; "cluster", robust to dependence within `groups`
        (one label per row), without a small-sample factor.

        >>> robust = fit.covariance("HC3")
        >>> np.sqrt(np.diag(robust)).round(4)
        array([3.2405, 0.0536])
        """
        if kind == "model":
            return self.cov
        if kind == "observed":
            return self._square(information.inverse(self._information("observed")))
        if kind not in (*sandwich.ROW_KINDS, "cluster"):
            raise InputError(
                expected='"model", "observed", "HC0", "HC1", "HC2", "HC3" or "cluster"', got=repr(kind), remedy="Choose one."
            )
        if kind != "cluster":
            return self._square(self._by_row(kind))
        if not self.design.rows.in_memory:
            totals = self.design.cluster_scores(groups, self._score_rows)
            return self._square(sandwich.sandwich(inverse_information(self.root), totals))
        used = self.design.used
        checks.one_label_per_row(groups, len(self.design.y))
        if self.design.spec is not None:  # else the rows may have labels that nobody gave
            checks.same_rows(groups, self.design.index, "groups")
        codes, _ = checks.cluster_codes(np.asarray(groups)[used], self.design.index[used])
        scores = self.scores[used] * self.design.frequency[used][:, None]
        return self._square(sandwich.by_cluster(inverse_information(self.root), scores, codes))

    def _by_row(self, kind):
        family, link, root, beta, n = self.family, self.link, self.root, self.solution.beta, self.nobs
        bread, corrected = inverse_information(root), kind in ("HC2", "HC3")

        def of(block):
            frequency = 1.0 if block.frequency is None else block.frequency
            working, score = family.working(block.y, block.X @ beta + block.offset, link)
            weight, leverage = block.weight / frequency, None
            if corrected:
                leverage = diagnostics.leverage(block.X, root, weight * working)
                sandwich.check_rows(kind, leverage, block.rows.start)
            return sandwich.by_row(kind, bread, (weight * score)[:, None] * block.X, leverage, frequency, n)

        return self._rows.sum(of)

    @property
    def _score_rows(self):
        """A function: the scores of rows (m x rank), each times its frequency."""
        family, link, beta, keep = self.family, self.link, self.solution.beta, self.keep

        def of(rows):
            X = rows.X[:, keep]
            _, score = family.working(rows.y, X @ beta + rows.offset, link)
            return (rows.weight * score)[:, None] * X

        return of

    def information(self, kind="expected"):
        """Fisher information about the coefficients (DataFrame), "expected" or "observed"; phi as in `dispersion`.

        >>> fit.information().round(2)
                     Intercept  temperature
        Intercept         7.93       511.57
        temperature     511.57     33434.56
        """
        return self._square(self._information(kind))

    def _information(self, kind):
        return information.information(kind, self._rows, self.family, self.link, self.solution.beta, self.dispersion)

    def residuals(self, kind="deviance", rng=0):
        """kind: "response", "pearson", "deviance", "working", "anscombe" or "quantile".

        rng: seed of the draws that quantile residuals of counts need; another seed gives another, equally good set.

        >>> fit.residuals("pearson")[:3].round(3)
        array([-0.686,  1.382, -0.577])
        """
        phi = inference.positive_dispersion(self) if kind == "quantile" else None
        with self._quiet:
            return diagnostics.residuals(kind, self.design, self.family, self.link, self.linear_predictor, phi, rng)

    @cached_property
    def leverage(self):
        """Diagonal of the hat matrix; 0 for rows of weight 0.

        >>> fit.leverage[:3].round(4), fit.leverage.sum().round(6).item()
        (array([0.0531, 0.0521, 0.0512]), 2.0)
        """
        with self._quiet:
            weight, _ = self.family.working(self.design.y, self.linear_predictor, self.link)
            weight = np.where(self.design.used, self.design.weight * weight, 0.0)
        return diagnostics.leverage(self._X, self.root, weight)

    @cached_property
    def cooks_distance(self):
        """r_P^2 h / [phi p (1 - h)^2], the influence of each row on all coefficients.

        >>> orings["temperature"][fit.cooks_distance.argmax()].item()
        75.0
        """
        return diagnostics.cooks_distance(self.residuals("pearson"), self.leverage, self.dispersion, self.rank)

    @property
    def dfbetas(self):
        """Change of each coefficient, in standard errors, if the row were left out (one step; DataFrame rows x terms).

        >>> fit.dfbetas.round(3).head(2)
           Intercept  temperature
        0      0.014       -0.033
        1     -0.164        0.197
        """
        values = diagnostics.dfbetas(self.scores, self.leverage, self.root, self.dispersion)
        return pd.DataFrame(values, self.design.index.view(), self._terms[self.keep])

    @cached_property
    def boundary(self):
        """Which rows have their mean at the edge of those that the link allows (n booleans): the likelihood rises beyond.

        >>> fit.boundary.any().item()
        False
        """
        if not self.design.rows.in_memory:
            return np.zeros(0, dtype=bool)
        return boundary.rows_at_the_edge(self)

    @cached_property
    def separation(self):
        """Which rows are separated and which coefficients are therefore infinite (separation.Separation), or None. Not looked
        for where rows come in portions: there a SeparationWarning names the coefficients.

        >>> fit.separation is None
        True
        """
        if not self.design.rows.in_memory:
            return None
        return separation.find(self.design, self.family, self.link) if separation.suspected(self) else None

    def confint(self, level=0.95, method="wald"):
        """Intervals for the coefficients (DataFrame lower, upper), with Student's t where phi is estimated.

        method "wald": coef -+ quantile x se; "profile": where the profile deviance has risen by quantile^2 phi. Of a
        coefficient that is infinite (see `separation`) only the second means anything.

        >>> fit.confint(method="profile").round(4)
                      lower    upper
        Intercept   -1.0098  11.1850
        temperature -0.2122  -0.0245
        """
        if method not in ("wald", "profile"):
            raise InputError(expected='method="wald" or "profile"', got=repr(method), remedy="Choose one.")
        return inference.wald_interval(self, level) if method == "wald" else inference.profile_interval(self, level)

    def test(self, hypothesis, method="wald"):
        """Test "x = 0", "a = b", a term's name, a list, or a matrix L. method: "wald", "score" or "lr".

        >>> print(claims.test("age[T.25-29] = 0", method="lr"))
        lr test of age[T.25-29] = 0: chi-squared(1) = 3.304, P = 0.0691
        """
        return inference.test(self, hypothesis, method)

    def predict(self, data=None, kind="mean", interval=None, offset=None, method="transformed"):
        """Mean or linear predictor for new rows (default: the fitted ones).

        interval: a level such as 0.95 adds a Wald interval (DataFrame: the prediction, lower, upper). method: for means,
        "transformed" takes it on the linear scale and sends it through the link, ending it at the limit where it runs out
        of the link's range; "delta" is mean -+ quantile |h'(eta)| se. offset: in place of the fit's. Raises InputError for a
        row with an impossible mean, or one that an aliased fit does not determine.

        >>> import pandas as pd
        >>> fit.predict(pd.DataFrame({"temperature": [31, 70]}), interval=0.95).round(3)
            mean  lower  upper
        0  0.818   0.16  0.991
        1  0.047   0.02  0.105
        """

        def se(X):
            return np.sqrt(self.dispersion) * np.linalg.norm(linalg.solve_triangular(self.root, X.T, trans="T"), axis=0)

        return prediction.predict(self, data, kind, interval, offset, method, se, self._df)

    @property
    def trace(self):
        """One row per round: deviance, decrement and halvings (DataFrame); with an estimated alpha or power, the rounds at it.
        Of a large table most rounds are spared: it begins near the estimate of a sample of the rows.

        >>> list(fit.trace.columns), fit.trace["deviance"].round(6).is_monotonic_decreasing
        (['deviance', 'decrement', 'halvings'], True)
        """
        columns = ("iteration", "deviance", "decrement", "halvings")
        return pd.DataFrame(list(self.solution.trace), columns=columns).set_index("iteration")

    def summary(self, level=0.95):
        """The fit as a table that reads in a terminal and in a notebook.

        >>> print(fit.summary(level=0.9).table.round(3).to_string())
                     estimate  std. error      z  P(>|z|)  lower 90%  upper 90%
        Intercept       5.085       3.052  1.666    0.096      0.064     10.106
        temperature    -0.116       0.047 -2.458    0.014     -0.193     -0.038
        """
        return report.glm_report(self, level)

