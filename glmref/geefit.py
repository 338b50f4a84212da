"""A fitted generalized estimating equation: what can be asked of it.

The fit keeps the estimate, the triangle R of its information, the score of each cluster and the sorted data; everything
else is computed when asked for. Rows come back in the caller's order.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from . import diagnostics, geeinference, geereport, prediction, sandwich
from .columns import Columns
from .design import Design
from .errors import InputError
from .estimating import Panel, cluster_grams
from .families import Estimate
from .geeloop import Solution
from .jackknife import jackknife
from .least_squares import inverse_information
from .qic import Criteria

KINDS = ("model", *sandwich.CLUSTER_KINDS, "jackknife")


@dataclass(frozen=True, eq=False, repr=False)
class GEEFit(Criteria):
    """A fitted GEE. Arrays have one entry per row; Series are named by term; standard errors are robust unless you ask.

    design: the rows as given; panel: the same, sorted by cluster; solution: of the rounds; columns: which were estimable;
    root: R with R'R = phi sum D'V^-1 D at the estimate; scores: each cluster's phi D'V^-1 S (K x rank), in the panel's order;
    estimate: how the family's own parameter was estimated, where it was: by maximum likelihood as if rows were independent,
    and then held.

    >>> wheeze.nclusters, wheeze.panel.convention, wheeze.solution.converged
    (537, 'liang_zeger', True)
    """

    design: Design
    panel: Panel
    columns: Columns
    solution: Solution
    root: np.ndarray
    scores: np.ndarray
    estimate: Estimate | None = None

    @property
    def family(self):
        """The family.

        >>> wheeze.family
        Binomial()
        """
        return self.panel.family

    @property
    def link(self):
        """The link.

        >>> wheeze.link
        Logit()
        """
        return self.panel.link

    @property
    def correlation(self):
        """The structure of the working correlation.

        >>> wheeze.correlation
        Exchangeable()
        """
        return self.panel.correlation

    @cached_property
    def cov(self):
        """The robust covariance B^-1 C B^-1 (DataFrame).

        >>> wheeze.cov.loc["age", "age"].round(5).item()
        0.00192
        """
        return self.covariance("robust")

    def covariance(self, kind="robust"):
        """Covariance of the estimates (DataFrame).

        "model": phi (sum D'V^-1 D)^-1 phi^-1, right if the working covariance is; "robust": right for any; with few
        clusters it is too small, which "mancl_derouen", "kauermann_carroll", "fay_graubard" (see `sandwich`) and
        "jackknife" (one fit per cluster) make good.

        >>> np.sqrt(np.diag(wheeze.covariance("model"))).round(4)
        array([0.3774, 0.0435, 0.177 ])
        """
        if kind not in KINDS:
            raise InputError(expected="one of " + ", ".join(map(repr, KINDS)), got=repr(kind), remedy="Choose one.")
        bread = inverse_information(self.root)
        if not self.panel.in_memory and kind not in ("model", "jackknife"):
            alpha = self.solution.point.parameters.alpha
            return self._square(self.panel.covariance(kind, self.root, self.solution.beta, alpha))
        if kind == "model":
            return self._square(self.dispersion * bread)
        if kind == "jackknife":
            return self._square(jackknife(self.panel, self.solution))
        scores = self.scores
        if kind != "robust":
            labels = self.panel.clusters.labels
            scores = np.concatenate([
                sandwich.corrected(kind, self.root, self.scores[batch.clusters], grams, labels[batch.clusters])
                for batch, grams in cluster_grams(self.panel, self.solution.point)
            ])  # fmt: skip
        return self._square(sandwich.sandwich(bread, scores))

    @property
    def dispersion(self):
        """phi: as given, or estimated from the Pearson residuals by the convention (statsmodels: 1 for Poisson, binomial).

        >>> round(wheeze.dispersion, 4)
        0.9999
        """
        if self.panel.dispersion is not None:
            return self.panel.dispersion
        if self.panel.convention == "statsmodels" and self.family.dispersion is not None:
            return self.family.dispersion
        return self.solution.point.parameters.phi

    @property
    def alpha(self):
        """The correlation parameters: a number where there is one, else a Series (empty for independence).

        >>> round(wheeze.alpha, 4)
        0.3541
        """
        values = self.solution.point.parameters.alpha
        names = self.correlation.parameters(*self._waves)
        if names is None:
            names = [f"alpha {k + 1}" for k in range(len(values))]
        return float(values[0]) if tuple(names) == ("alpha",) else pd.Series(values, list(names), name="alpha", dtype=float)

    @cached_property
    def _waves(self):
        ticks, first = np.unique(self.panel.clusters.ticks, return_index=True)
        return ticks, self.panel.clusters.times[first]

    def working_correlation(self, cluster=None):
        """R(alpha) labelled by time (DataFrame): of the cluster with that label, or (None) of all different times, where
        there are at most 50, else of the largest cluster.

        >>> wheeze.working_correlation().round(3)
                 7      8      9      10
        time
        7     1.000  0.354  0.354  0.354
        8     0.354  1.000  0.354  0.354
        9     0.354  0.354  1.000  0.354
        10    0.354  0.354  0.354  1.000
        """
        clusters = self.panel.clusters
        ticks, times = self._waves
        if not self.panel.in_memory and (cluster is not None or len(ticks) > 50):
            raise InputError(
                expected="rows in memory for the matrix of one cluster",
                got=f"rows of {self.panel.source.name}",
                remedy="fit.correlation.matrix(alpha, times) gives R for any times.",
            )
        if cluster is not None or len(ticks) > 50:
            at = int(np.argmax(clusters.sizes)) if cluster is None else self._position(cluster)
            rows = slice(clusters.starts[at], clusters.starts[at] + clusters.sizes[at])
            ticks, times = clusters.ticks[rows], clusters.times[rows]
        labels = pd.Index(times.astype(int) if np.all(times == np.round(times)) else times, name="time")
        R = self.correlation.matrix(self.solution.point.parameters.alpha, ticks)
        return pd.DataFrame(R, labels, labels.rename(None))

    def _position(self, cluster):
        found = np.flatnonzero(self.panel.clusters.labels == cluster)
        if len(found) == 0:
            raise InputError(expected="the label of a cluster", got=repr(cluster), remedy="Labels are those of groups=.")
        return int(found[0])

    @property
    def cluster_sizes(self):
        """Rows of each cluster (Series by label, in the order of the labels).

        >>> wheeze.cluster_sizes.value_counts().to_dict()
        {4: 537}
        """
        if not self.panel.in_memory:
            raise InputError(
                expected="rows in memory for the size of each cluster",
                got=f"rows of {self.panel.source.name}",
                remedy="fit.panel.clusters.counts says how many clusters have each size.",
            )
        sizes = pd.Series(self.panel.clusters.sizes, pd.Index(self.panel.clusters.labels, name="cluster"), name="size")
        try:
            return sizes.sort_index()
        except TypeError:  # labels of several kinds have no order
            return sizes

    @property
    def nclusters(self):
        """K, the number of clusters.

        >>> wheeze.nclusters
        537
        """
        return len(self.panel.clusters)

    @property
    def nobs(self):
        """Rows with positive weight.

        >>> wheeze.nobs
        2148
        """
        return self.panel.n

    def residuals(self, kind="pearson", rng=0):
        """kind: "response", "pearson", "deviance", "working", "anscombe" or "quantile", row by row; see GLMFit.residuals.

        >>> wheeze.residuals("pearson")[:3].round(3)
        array([-0.437, -0.413, -0.391])
        """
        return diagnostics.residuals(kind, self.design, self.family, self.link, self.linear_predictor, self.dispersion, rng)

    def predict(self, data=None, kind="mean", interval=None, offset=None, method="transformed", covariance="robust", df=None):
        """Marginal mean or linear predictor for new rows (default: the fitted ones): of the population with these
        covariates, not of one cluster.

        interval: a level such as 0.95 adds a Wald interval from the named covariance (DataFrame: the prediction, lower,
        upper). method, offset: as in GLMFit.predict. df: as in `test`.

        >>> wheeze.predict(interval=0.95).round(3).head(2)
            mean  lower  upper
        0  0.161  0.130  0.196
        1  0.146  0.121  0.175
        """
        cov = None if interval is None else self.covariance(covariance).to_numpy()[np.ix_(self.keep, self.keep)]

        def se(X):
            return np.sqrt(np.maximum(np.sum((X @ cov) * X, axis=1), 0.0))

        return prediction.predict(self, data, kind, interval, offset, method, se, geeinference.degrees(self, df))

    def confint(self, level=0.95, kind="robust", df=None):
        """coef -+ quantile x se (DataFrame lower, upper). kind: of covariance; df: of Student's t, None for K - rank,
        np.inf for the normal law.

        >>> wheeze.confint().round(3)
                           lower  upper
        Intercept         -1.607 -0.112
        age               -0.200 -0.027
        smoking[T.smoker] -0.084  0.614
        """
        return geeinference.wald_interval(self, level, kind, df)

    def test(self, hypothesis, method="wald", kind="robust", df=None):
        """Test "x = 0", "a = b", a term's name, a list, or a matrix L. method: "wald" (by the covariance named kind; F on
        K - rank, or df, degrees of freedom; np.inf: chi-squared) or "score" (robust, chi-squared).

        >>> print(wheeze.test("smoking", method="score"))
        score test of smoking = 0: chi-squared(1) = 2.095, P = 0.148
        """
        return geeinference.test(self, hypothesis, method, kind, df)

    @property
    def trace(self):
        """One row per round: dispersion, alpha, the length of the step in standard errors, halvings (DataFrame).

        >>> list(wheeze.trace.columns), bool(wheeze.trace["step"].iloc[-1] < 1e-6)
        (['dispersion', 'alpha', 'step', 'halvings'], True)
        """
        alpha = [round.alpha[0] if len(round.alpha) == 1 else np.array(round.alpha) for round in self.solution.trace]
        table = pd.DataFrame(list(self.solution.trace), columns=("iteration", "dispersion", "alpha", "step", "halvings"))
        if all(np.size(value) == 0 for value in alpha):
            return table.drop(columns="alpha").set_index("iteration")
        return table.assign(alpha=alpha).set_index("iteration")

    def summary(self, level=0.95):
        """The fit as a table that reads in a terminal and in a notebook.

        >>> wheeze.summary().table["robust s.e."].round(4).to_dict()
        {'Intercept': 0.3805, 'age': 0.0439, 'smoking[T.smoker]': 0.1777}
        """
        return geereport.gee_report(self, level)
