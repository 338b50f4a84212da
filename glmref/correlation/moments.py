"""What an estimator of alpha is given: sums of products of Pearson residuals, and the rule that makes them correlations.

Write e for the Pearson residuals (y - mu) / sqrt(V(mu)), w for the weights, N rows, K clusters, p coefficients. All rules
divide a sum of products e_j e_k by phi and by a number of pairs; they differ in what they count.

    convention       phi                      a mean product is divided by    weights
    "liang_zeger"    sum w e^2 / (N - p)      phi (pairs - p)                 the products are those of sqrt(w) e
    "geepack"        sum w e^2 / sum w        phi pairs                       a pair counts w_j w_k times
    "statsmodels"    as liang_zeger           as liang_zeger                  as liang_zeger

Liang and Zeger (1986), Longitudinal data analysis using generalized linear models, section 4; SAS counts as they do.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import InputError

CONVENTIONS = ("liang_zeger", "geepack", "statsmodels")


@dataclass(frozen=True)
class Moments:
    """Residuals of all clusters. signal (n): what is multiplied, sqrt(w) e or w e; mass (n): what a row counts, or None
    for 1; phi: the dispersion that turns products into correlations; p: the number of coefficients; clusters: see
    `glmref.clusters`; convention: one of CONVENTIONS.

    >>> residuals, clusters = wheeze.residuals("pearson"), wheeze.panel.clusters
    >>> moments = correlation.Moments(residuals, None, wheeze.dispersion, wheeze.rank, clusters, "liang_zeger")
    >>> alpha = moments.correlation(*moments.pairs())
    >>> round(float(alpha), 4), round(wheeze.alpha, 4)
    (0.3541, 0.3541)
    """

    signal: np.ndarray
    mass: np.ndarray | None
    phi: float
    p: int
    clusters: object
    convention: str

    def correlation(self, total, pairs):
        """A sum of products over `pairs` pairs as a correlation: total / (phi (pairs - p)), or by the convention's rule.

        >>> total, count = moments.pairs()
        >>> round(float(moments.correlation(total, count)), 4)
        0.3541
        """
        lost = 0 if self.convention == "geepack" else self.p
        if np.any((pairs > 0) & (pairs <= lost)):
            raise InputError(
                expected=f"more than {lost} pairs for each correlation that is estimated, one for each coefficient and more",
                got=f"{np.min(np.where(pairs > 0, pairs, np.inf)):g}",
                remedy='Choose a structure with fewer parameters, or convention="geepack", which does not subtract them.',
            )
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(pairs > 0, total / (self.phi * (pairs - lost)), np.nan)[()]

    def blocks(self):
        """(batch, signal, mass), signal and mass k x m, a cluster a row.

        >>> [(batch.k, batch.m, e.shape) for batch, e, mass in moments.blocks()]
        [(537, 4, (537, 4))]
        """
        for batch in self.clusters.batches:
            shape = (batch.k, batch.m)
            mass = np.broadcast_to(1.0, shape) if self.mass is None else self.mass[batch.rows].reshape(shape)
            yield batch, self.signal[batch.rows].reshape(shape), mass

    def pairs(self):
        """(sum of products, number) of all pairs within clusters: [(sum e)^2 - sum e^2] / 2 for each.

        >>> total, count = moments.pairs()
        >>> int(count) == 537 * 4 * 3 // 2
        True
        """
        total = count = 0.0
        for batch, e, mass in self.blocks():
            total += np.sum((e @ np.ones(batch.m)) ** 2) - np.sum(e * e)
            count += batch.k * batch.m * (batch.m - 1.0) if self.mass is None else np.sum(mass.sum(1) ** 2) - np.sum(mass * mass)
        return total / 2, count / 2

    def matrices(self):
        """For each batch whose clusters agree in their times: (batch, sum of e e', number of pairs), both m x m.

        >>> batch, products, number = next(moments.matrices())
        >>> products.shape, number[0]
        ((4, 4), array([537., 537., 537., 537.]))
        """
        for batch, e, mass in self.blocks():
            yield batch, e.T @ e, np.full((batch.m, batch.m), float(batch.k)) if self.mass is None else mass.T @ mass

    def by_wave(self, n):
        """(sum of products, number) for each pair of waves 0 ... n - 1 (n x n); the times must be wave numbers.

        >>> total, count = moments.by_wave(11)  # ages up to 10
        >>> count[7, 7:]
        array([537., 537., 537., 537.])
        """
        total, count = np.zeros((n, n)), np.zeros((n, n))
        for batch, S, N in self.matrices():
            at = np.ix_(batch.times.astype(int), batch.times.astype(int))
            total[at] += S
            count[at] += N
        return total, count

    def by_gap(self, steps=None, squares=False):
        """(gaps, sums of products, numbers) of pairs at most `steps` positions apart (None: all), gathered by gap in time
        where the gaps are whole numbers. squares: instead of numbers, the sums of squares of the earlier of each pair.

        >>> gaps, total, count = moments.by_gap()
        >>> gaps, count
        (array([1., 2., 3.]), array([1611., 1074.,  537.]))
        """
        parts = []
        for batch, e, mass in self.blocks():
            for step in range(1, min(batch.m, (steps or batch.m) + 1)):
                gap = batch.times[..., step:] - batch.times[..., :-step]
                product = e[:, step:] * e[:, :-step]
                number = e[:, :-step] ** 2 if squares else mass[:, step:] * mass[:, :-step]
                if gap.ndim == 1:
                    product, number = np.ones(batch.k) @ product, np.ones(batch.k) @ number
                parts.append((gap.ravel(), product.ravel(), number.ravel()))
        if not parts:
            return np.ones(0), np.zeros(0), np.zeros(0)
        gap, product, number = map(np.concatenate, zip(*parts))
        if np.all(gap == np.round(gap)) and np.max(gap) < 1e6:
            whole = gap.astype(int)
            sums = np.bincount(whole, product), np.bincount(whole, number)
            seen = np.flatnonzero(np.bincount(whole))
            return seen.astype(float), sums[0][seen], sums[1][seen]
        return gap, product, number

    def at_gap(self, gap):
        """(sum of products, number) of the pairs that are `gap` apart in time.

        >>> total, count = moments.at_gap(1)
        >>> round(float(moments.correlation(total, count)), 3)
        0.399
        """
        gaps, total, count = self.by_gap()
        at = np.isclose(gaps, gap, rtol=1e-9)
        return float(np.sum(total[at])), float(np.sum(count[at]))
