"""Generalized linear models: a family and a link joined to Fisher scoring, and the fit that results.

The path of one fit: rows -> standardize (family, link) -> summarize -> add -> step, repeated by `irls`; then the
covariance from a triangle refined at the last coefficients.
"""

import warnings

import numpy as np

from . import checks, families, links
from . import design as designs
from .boundary import settle
from .errors import AliasWarning, BoundaryWarning, ConvergenceWarning, SeparationWarning
from .glmfit import GLMFit
from .irls import fisher_scoring
from .standardize import evaluator, refined_root
from .start import choose_columns, feasible_start, given_start


def glm(formula, data, family="gaussian", *, link=None, offset=None, weights=None, dispersion=None, missing="error", **control):
    """Fit g(mu) = X beta + offset, X from a formula and a table, by maximum likelihood.

    family, link: names or instances (link None: the canonical one). offset, weights: array, column name or expression.
    weights w: var(y) = phi V(mu) / w; for grouped binomial data the trials, with y the proportion.
    dispersion: a number, "pearson", "deviance" or "ml"; None: 1 for Poisson and binomial, else Pearson's.
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
    link = family.canonical_link if link is None else links.get(link)
    settings = checks.control(control)
    checks.response(design, family)
    checks.dispersion(dispersion)
    rows = design.rows
    columns = choose_columns(rows)
    warn_of_aliases(design.names, columns.keep)
    rows = rows.columns(columns.keep)
    evaluate = evaluator(rows, family, link)
    if settings["start"] is None:
        beta = feasible_start(evaluate, rows, family, link)
    else:
        beta = given_start(evaluate, settings["start"], design.names, columns.keep)
    floor = 0.1 if family.dispersion is not None else 0.0  # elsewhere the deviance has the response's own scale
    solution = fisher_scoring(evaluate, beta, max_iter=settings["max_iter"], tol=settings["tol"], floor=floor)
    solution = settle(rows, family, link, solution, floor)
    result = GLMFit(design, family, link, dispersion, columns, solution, refined_root(rows, family, link, solution.beta))
    warn_if_doubtful(result)
    return result


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


def warn_if_doubtful(fit):
    """Say so where the estimate is infinite or at the boundary, and where the rounds ended without arriving."""
    if fit.boundary.any():
        positions = np.flatnonzero(fit.boundary)
        shown = ", ".join(checks.row(fit.design.index, position) for position in positions[:5])
        warnings.warn(
            f"{len(positions)} fitted means lie at the edge of those that the {fit.link.name} link allows: "
            f"{shown}{', ...' if len(positions) > 5 else ''}. The coefficients are the best possible ones, but the likelihood "
            "still rises beyond the edge: standard errors and tests do not hold. Choose a link whose range fits.",
            BoundaryWarning,
            stacklevel=4,
        )
    if fit.separation is not None:
        warnings.warn(
            f"{fit.separation}. Some combination of the covariates separates these responses, and the likelihood rises along it "
            "without end. Values and standard errors of the infinite coefficients mean nothing; the other coefficients, the "
            "deviance and likelihood-ratio tests are right. See fit.separation.",
            SeparationWarning,
            stacklevel=4,
        )
    solution = fit.solution
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
