"""Generalized linear models: a family and a link joined to Fisher scoring, and the fit that results.

The path of one fit: rows -> standardize (family, link) -> summarize -> add -> step, repeated by `irls`; then the
covariance from a triangle refined at the last coefficients.
"""

import warnings

import numpy as np

from . import checks, families, links
from . import design as designs
from .errors import AliasWarning, BoundaryWarning, ConvergenceWarning, SeparationWarning
from .glmfit import GLMFit
from .irls import fisher_scoring
from .least_squares import Gram, Triangle
from .least_squares import solve as step_of
from .standardize import evaluator, refined_root
from .start import choose_columns, feasible_start, given_start


def glm(formula, data, family="gaussian", *, link=None, offset=None, weights=None, dispersion=None, missing="error", **control):
    """Fit g(mu) = X beta + offset, X from a formula and a table, by maximum likelihood.

    family, link: names or instances (link None: the family's default, mostly the canonical one). offset, weights: array,
    column name or expression.
    weights w: var(y) = phi V(mu) / w; for grouped binomial data the trials, with y the proportion.
    dispersion: a number, "pearson", "deviance" or "ml"; None: 1 where the family fixes it, else Pearson's.
    control: start, max_iter, tol. Raises InputError; warns AliasWarning, BoundaryWarning, ConvergenceWarning,
    SeparationWarning.
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


def fit(design, family, link=None, dispersion=None, **control):
    """Fit a Design. control: start (p coefficients to begin from), max_iter, tol (see irls.fisher_scoring)."""
    family = families.get(family)
    link = family.default_link if link is None else links.get(link)
    settings = checks.control(control)
    checks.response(design, family)
    checks.dispersion(dispersion, family)
    rows = design.rows
    columns = choose_columns(rows)
    warn_of_aliases(design.names, columns.keep)
    rows = rows.columns(columns.keep)

    def solve(family, near):
        evaluate = evaluator(rows, family, link)
        if near is not None and evaluate(near, Gram) is not None:
            beta = near
        elif settings["start"] is None:
            beta = feasible_start(evaluate, rows, family, link)
        else:
            beta = given_start(evaluate, settings["start"], design.names, columns.keep)
        return fisher_scoring(evaluate, beta, max_iter=settings["max_iter"], tol=settings["tol"], floor=family.deviance_floor)

    family, solution, estimate = family.estimate(solve, rows, link)
    warn_if_doubtful(rows, family, link, evaluator(rows, family, link), solution)
    if estimate is not None and estimate.note:
        warnings.warn(estimate.note, BoundaryWarning, stacklevel=3)
    root = refined_root(rows, family, link, solution.beta)
    return GLMFit(design, family, link, dispersion, columns, solution, root, estimate)


def warn_of_aliases(names, keep):
    """Say which columns repeat others."""
    aliased = [name for name, kept in zip(names, keep) if not kept]
    if aliased:
        warnings.warn(
            f"{', '.join(aliased)}: a linear combination of the columns before it; its coefficient is NaN. "
            "Drop the column, or one of those it repeats.",
            AliasWarning,
            stacklevel=4,
        )


def warn_if_doubtful(rows, family, link, evaluate, solution):
    """Say so where the estimate is infinite or at the boundary, and where the rounds ended without arriving."""
    eta = rows.X @ solution.beta + rows.offset
    edge = means_at_edge(rows.y, eta, family, link)
    low, high = family.eta_interval(eta, link)
    boundary = edge & np.isfinite(np.minimum(eta - low, high - eta))
    if boundary.any():
        warnings.warn(
            f"{np.count_nonzero(boundary)} fitted means lie at the edge of those that the {link.name} link allows. The "
            "coefficients are the best possible ones, but the likelihood still rises beyond the edge: standard errors and "
            "tests do not hold. Choose a link whose range fits.",
            BoundaryWarning,
            stacklevel=4,
        )
    edge = edge & ~boundary
    step = step_of(evaluate(solution.beta, Triangle)) if edge.any() and solution.ended != "stalled" else None
    if step is not None and np.max(np.abs(rows.X[edge] @ step.direction)) > 0.1:
        warnings.warn(
            f"{np.count_nonzero(edge)} fitted means equal a response at the edge of the range, and every further round moves "
            "them closer: some combination of the covariates separates these responses, and the estimate is infinite. "
            "Coefficients and standard errors of that combination mean nothing. Look at the largest coefficients.",
            SeparationWarning,
            stacklevel=4,
        )
    if not solution.converged:
        trace = solution.trace
        reason = {
            "max_iter": f"not converged after {len(trace)} rounds. Raise max_iter if the decrement falls steadily",
            "stalled": f"stopped after {len(trace)} rounds where no further step improves the fit: the best coefficients lie "
            "on the boundary of those with possible means, or beyond it. Choose a link whose range fits",
            "singular": "stopped where the working weights hold no information about some coefficient. Try another start",
        }[solution.ended]
        last = f"{trace[-1].decrement:.2g}" if trace else "none"
        warnings.warn(f"{reason} (last decrement {last}; see fit.trace).", ConvergenceWarning, stacklevel=4)


def means_at_edge(y, eta, family, link):
    """Which rows have a response at an end of the mean's range and a fitted mean within 1e-9 of it."""
    low, high = family.mean_interval
    with np.errstate(all="ignore"):
        near_low = (y == low) & (link.inverse(eta) - low < 1e-9)
        near_high = (y == high) & (high - link.inverse(eta) < 1e-9)
    return near_low | near_high
