"""Generalized linear models: a family and a link joined to Fisher scoring, and the fit that results.

The path of one fit: rows -> standardize (family, link) -> summarize -> add -> step, repeated by `irls`; then the
covariance from a triangle refined at the last coefficients.
"""

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import linalg

from . import design as designs
from . import diagnostics, families, inference, links, report
from .design import Design
from .errors import AliasWarning, ConvergenceWarning, InputError, SeparationWarning
from .families import Family
from .irls import Solution, fisher_scoring
from .least_squares import Gram, Triangle, inverse_information
from .links import Link
from .start import feasible, given_start, starting_coefficients


def glm(formula, data, family="gaussian", *, link=None, offset=None, weights=None, dispersion=None, missing="error", **control):
    """Fit g(mu) = X beta + offset, X from a formula and a table, by maximum likelihood.

    family, link: names or instances (link None: the canonical one). offset, weights: array, column name or expression.
    weights w: var(y) = phi V(mu) / w; for grouped binomial data the trials, with y the proportion.
    dispersion: a number, "pearson", "deviance" or "ml"; None: 1 for Poisson and binomial, else Pearson's.
    control: start, max_iter, tol. Raises InputError; warns AliasWarning, ConvergenceWarning, SeparationWarning.
    """
    design = designs.from_formula(formula, data, offset=offset, weights=weights, missing=missing)
    return fit(design, family, link, dispersion, **control)


def fit_glm(
    X, y, family="gaussian", *, link=None, offset=None, weights=None, dispersion=None, names=None, missing="error", **control
):
    """Fit g(mu) = X beta + offset for arrays X (n x p), y (n). X is used as it is: no intercept is added.

    Keywords as in `glm`; names: p strings for the coefficients.
    """
    design = designs.from_arrays(X, y, offset=offset, weights=weights, names=names, missing=missing)
    return fit(design, family, link, dispersion, **control)


def fit(design, family, link=None, dispersion=None, *, start=None, max_iter=200, tol=1e-10):
    """Fit a Design. start: p coefficients to begin from; tol: see irls.fisher_scoring."""
    family = families.get(family)
    link = family.canonical_link if link is None else links.get(link)
    check_response(design, family)
    check_dispersion(dispersion)
    rows = design.rows
    keep, beta = starting_coefficients(rows, family, link) if start is None else given_start(rows, start)
    aliased = [name for name, kept in zip(design.names, keep) if not kept]
    if aliased:
        warnings.warn(
            f"{', '.join(aliased)}: a linear combination of the columns before it; its coefficient is NaN. "
            "Drop the column, or one of those it repeats.",
            AliasWarning,
            stacklevel=3,
        )
    rows = rows.columns(keep)
    evaluate = evaluator(rows, family, link)
    beta = feasible(evaluate, rows, beta, family, link)
    solution = fisher_scoring(evaluate, beta, max_iter=max_iter, tol=tol)
    summary = evaluate(solution.beta, Gram)
    fitted = GLMFit(design, family, link, dispersion, keep, solution, refined_root(rows, family, link, solution.beta), summary.deviance)
    warn_if_doubtful(fitted)
    return fitted


def standardize(block, beta, family, link):
    """eta and, per row, prior weight times (working weight, score, unit deviance); None for an impossible mean."""
    eta = block.X @ beta + block.offset
    if not np.all(family.valid(eta, link)):
        return None
    weight, score = family.working(block.y, eta, link)
    deviance = family.deviance(block.y, eta, link)
    return eta, block.weight * weight, block.weight * score, float(block.weight @ deviance)


def evaluator(rows, family, link):
    """The function that irls calls: evaluate(beta, kind) -> the summary of all rows at beta, or None."""

    def evaluate(beta, kind):
        total = None
        for block in rows:
            standardized = standardize(block, beta, family, link)
            if standardized is None:
                return None
            part = kind.of(block.X, *standardized[1:])
            total = part if total is None else total + part
        return total if np.isfinite(total.deviance) else None

    return evaluate


def refined_root(rows, family, link, beta):
    """Upper R with R'R = X'WX at beta, accurate though formed from products (CholeskyQR2).

    With R from the Gram matrix, J R^-1 is nearly orthogonal; its own Gram matrix corrects what the first one lost.
    """
    evaluate = evaluator(rows, family, link)
    root = evaluate(beta, Gram).triangle()
    if root is None:
        return evaluate(beta, Triangle).root
    inverse = linalg.solve_triangular(root, np.eye(len(root)))

    def orthogonalized(block):
        weight = standardize(block, beta, family, link)[1]
        J = np.sqrt(weight)[:, None] * block.X
        return (J @ inverse).T @ (J @ inverse)

    return np.linalg.cholesky(rows.sum(orthogonalized)).T @ root


def check_response(design, family):
    """Every y in the family's domain, and not all of them equal."""
    bad = np.flatnonzero(~family.in_domain(design.y))
    if len(bad):
        raise InputError(
            expected=f"each response of the {family.name} family to be {family.response_domain}",
            got=f"y = {design.y[bad[0]]:g} in {designs.row(design.index, bad[0])} ({len(bad)} such rows)",
            remedy="Correct the data, or choose a family that allows such values.",
        )
    y = design.y[design.weight > 0]
    low, high = family.mean_interval
    if len(y) > 1 and np.all(y == y[0]) and (np.ptp(design.offset) == 0 or y[0] in (low, high)):
        raise InputError(
            expected="a response that varies",
            got=f"y = {y[0]:g} in all {len(y)} rows",
            remedy="There is nothing to explain: check that the response is the column you meant.",
        )


def check_dispersion(dispersion):
    """A positive number, the name of an estimator, or None."""
    named = dispersion is None or (isinstance(dispersion, str) and dispersion in ("pearson", "deviance", "ml"))
    number = isinstance(dispersion, (int, float, np.number)) and np.isfinite(dispersion) and dispersion > 0
    if not (named or number):
        raise InputError(
            expected='dispersion as a number > 0, "pearson", "deviance", "ml" or None',
            got=repr(dispersion),
            remedy="None takes 1 for Poisson and binomial, and Pearson's estimate otherwise.",
        )


def warn_if_doubtful(fitted):
    """Say so where the iterations did not arrive, or arrived at the edge of the range."""
    at_edge = np.count_nonzero(means_at_edge(fitted))
    if at_edge:
        warnings.warn(
            f"{at_edge} fitted means equal a response at the edge of the range to nine digits. Either some combination of "
            "the covariates separates these responses, and the estimate is infinite, or the best fit lies on the boundary "
            "of what the link allows. The standard errors mean nothing here: look at the largest coefficients.",
            SeparationWarning,
            stacklevel=4,
        )
    elif not fitted.converged:
        trace = fitted.solution.trace
        warnings.warn(
            f"not converged after {len(trace)} rounds (last decrement {trace[-1].decrement if trace else np.nan:.2g}); "
            "see fit.trace. Raise max_iter, or give start=.",
            ConvergenceWarning,
            stacklevel=4,
        )


def means_at_edge(fitted):
    """Which rows have a response at an end of the mean's range and a fitted mean within 1e-9 of it."""
    rows, (low, high) = fitted.design.rows, fitted.family.mean_interval
    eta = rows.X[:, fitted.keep] @ fitted.solution.beta + rows.offset
    with np.errstate(all="ignore"):
        near_low = (rows.y == low) & (fitted.link.inverse(eta) - low < 1e-9)
        near_high = (rows.y == high) & (high - fitted.link.inverse(eta) < 1e-9)
    return near_low | near_high


@dataclass(frozen=True, eq=False, repr=False)
class GLMFit:
    """A fitted generalized linear model. Arrays have one entry per row; Series are named by term.

    keep: which columns were estimable; root: R with R'R = X'WX at the estimate (kept columns only).
    """

    design: Design
    family: Family
    link: Link
    dispersion_choice: object
    keep: np.ndarray
    solution: Solution
    root: np.ndarray
    deviance: float

    @cached_property
    def coef(self):
        """The estimates, NaN where aliased."""
        return self._named(self.solution.beta)

    @cached_property
    def cov(self):
        """phi (X'WX)^-1, the model-based covariance (DataFrame)."""
        full = np.full((len(self.keep), len(self.keep)), np.nan)
        full[np.ix_(self.keep, self.keep)] = self.dispersion * inverse_information(self.root)
        return pd.DataFrame(full, self._terms, self._terms)

    @cached_property
    def se(self):
        """Standard errors: square roots of the diagonal of cov."""
        return pd.Series(np.sqrt(np.diag(self.cov)), self._terms, name="se")

    @property
    def _terms(self):
        return pd.Index(self.design.names)

    def _named(self, kept_values):
        full = np.full(len(self.keep), np.nan)
        full[self.keep] = kept_values
        return pd.Series(full, self._terms, name="coef")

    @cached_property
    def linear_predictor(self):
        """eta = X beta + offset."""
        return self.design.X[:, self.keep] @ self.solution.beta + self.design.offset

    @cached_property
    def fitted(self):
        """mu = h(eta)."""
        return self.link.inverse(self.linear_predictor)

    def residuals(self, kind="deviance"):
        """kind: "response", "pearson", "deviance" or "working"."""
        return diagnostics.residuals(kind, self.design, self.family, self.link, self.linear_predictor)

    @cached_property
    def leverage(self):
        """Diagonal of the hat matrix; 0 for rows of weight 0."""
        weight, _ = self.family.working(self.design.y, self.linear_predictor, self.link)
        return diagnostics.leverage(self.design.X[:, self.keep], self.root, self.design.weight * weight)

    @property
    def nobs(self):
        """Rows with positive weight."""
        return int(np.count_nonzero(self.design.weight))

    @property
    def rank(self):
        """Number of estimable coefficients."""
        return int(np.count_nonzero(self.keep))

    @property
    def df_resid(self):
        """nobs - rank."""
        return self.nobs - self.rank

    @cached_property
    def pearson_chi2(self):
        """sum w (y - mu)^2 / V(mu)."""
        return float(np.sum(self.residuals("pearson") ** 2))

    @cached_property
    def dispersion(self):
        """phi: fixed by the family or the user, or estimated (by default Pearson's chi-squared / df_resid)."""
        choice = self.dispersion_choice
        if choice is None and self.family.dispersion is not None:
            return self.family.dispersion
        if choice in (None, "pearson"):
            return self.pearson_chi2 / self.df_resid if self.df_resid > 0 else np.nan
        if choice == "deviance":
            return self.deviance / self.df_resid if self.df_resid > 0 else np.nan
        return self._ml_dispersion if choice == "ml" else float(choice)

    @property
    def dispersion_estimated(self):
        """Whether phi came from the data: then Wald statistics are compared with Student's t."""
        if self.dispersion_choice is None:
            return self.family.dispersion is None
        return isinstance(self.dispersion_choice, str)

    @property
    def _df(self):
        return self.df_resid if self.dispersion_estimated else None

    @cached_property
    def _ml_dispersion(self):
        return self.family.ml_dispersion(self.deviance, self.design.weight)

    @cached_property
    def loglik(self):
        """Maximized log-likelihood; where phi is estimated, at the phi that maximizes it (not Pearson's)."""
        if self.family.dispersion is not None:
            phi = self.family.dispersion
        else:
            phi = self._ml_dispersion if self.dispersion_estimated else self.dispersion
        used = self.design.weight > 0
        saturated = self.family.saturated_log_density(self.design.y[used], phi, self.design.weight[used])
        return float(np.sum(saturated) - self.deviance / (2 * phi))

    @property
    def _parameters(self):
        return self.rank + (self.family.dispersion is None and self.dispersion_estimated)

    @property
    def aic(self):
        """-2 loglik + 2 (number of coefficients, + 1 if phi was estimated)."""
        return -2 * self.loglik + 2 * self._parameters

    @property
    def bic(self):
        """-2 loglik + log(nobs) (number of coefficients, + 1 if phi was estimated)."""
        return -2 * self.loglik + np.log(self.nobs) * self._parameters

    @cached_property
    def null_deviance(self):
        """Deviance of the model with a constant and the offset only; where no combination of the columns is constant, of
        the offset alone (infinite where that is an impossible mean)."""
        rows = self.design.rows
        if not spans_constant(self):
            eta = np.array(rows.offset)
            if not np.all(self.family.valid(eta, self.link)):
                return np.inf
            return float(rows.weight @ self.family.deviance(rows.y, eta, self.link))
        null = designs.from_arrays(np.ones((self.nobs, 1)), rows.y, offset=rows.offset, weights=rows.weight)
        return fit(null, self.family, self.link).deviance

    def confint(self, level=0.95):
        """Wald intervals, coef -+ quantile x se (DataFrame lower, upper): Student's t where phi is estimated."""
        half = inference.quantile(level, self._df) * self.se
        return pd.DataFrame({"lower": self.coef - half, "upper": self.coef + half})

    def predict(self, data=None, kind="mean", interval=None, offset=None):
        """Mean or linear predictor for new rows (default: the fitted ones).

        interval: a level such as 0.95 adds a Wald interval, taken on the linear scale and sent through the link
        (DataFrame: the prediction, lower, upper). offset: for new rows, where the fit's was an array.
        """
        if kind not in ("mean", "linear"):
            raise InputError(expected='kind="mean" or "linear"', got=repr(kind), remedy="Choose one.")
        if data is None:
            X, offset, index = self.design.X, self.design.offset, self.design.index
        else:
            X, offset, index = designs.new_rows(self.design, data, offset)
        X = X[:, self.keep]
        eta = X @ self.solution.beta + offset
        transform = self.link.inverse if kind == "mean" else np.array
        if interval is None:
            return transform(eta)
        se = np.sqrt(self.dispersion) * np.linalg.norm(linalg.solve_triangular(self.root, X.T, trans="T"), axis=0)
        half = inference.quantile(interval, self._df) * se
        ends = np.sort([transform(eta - half), transform(eta + half)], axis=0)
        return pd.DataFrame({kind: transform(eta), "lower": ends[0], "upper": ends[1]}, index=index)

    @property
    def converged(self):
        """Whether the last Newton decrement was negligible."""
        return self.solution.converged

    @property
    def trace(self):
        """One row per round: deviance, decrement and halvings (DataFrame)."""
        columns = ("iteration", "deviance", "decrement", "halvings")
        return pd.DataFrame(list(self.solution.trace), columns=columns).set_index("iteration")

    def summary(self, level=0.95):
        """The fit as a table that reads in a terminal and in a notebook."""
        return report.glm_report(self, level)

    def __repr__(self):
        return repr(self.summary())

    def _repr_html_(self):
        return self.summary()._repr_html_()


def spans_constant(fitted):
    """Whether some combination of the columns is constant: then the model contains an intercept, however coded."""
    X = fitted.design.rows.X[:, fitted.keep]
    if np.any(np.all(X == X[0], axis=0) & (X[0] != 0)):
        return True
    summary = Triangle.of(X, np.ones(len(X)), np.ones(len(X)), 0.0)
    return bool(len(X) - summary.projection @ summary.projection < 1e-10 * len(X))
