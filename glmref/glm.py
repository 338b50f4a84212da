"""Generalized linear models: a family and a link joined to Fisher scoring, and the fit that results.

The path of one fit: rows -> standardize (family, link) -> summarize -> add -> step, repeated by `irls`; then the
covariance from a triangle refined at the last coefficients.
"""

import warnings

import numpy as np

from . import design as designs
from . import families, links
from .errors import AliasWarning, ConvergenceWarning, InputError, SeparationWarning
from .glmfit import GLMFit
from .irls import fisher_scoring
from .least_squares import Gram
from .standardize import evaluator, refined_root
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
