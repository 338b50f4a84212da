"""Generalized linear models: a family and a link joined to Fisher scoring, and the fit that results.

The path of one fit: rows -> standardize (family, link) -> summarize -> add -> step, repeated by `irls`; then the
covariance from a triangle refined at the last coefficients.
"""

import warnings
from dataclasses import replace
from time import perf_counter

import numpy as np

from . import blocks, checks, families, links, streaming
from . import design as designs
from .boundary import settle
from .columns import choose_columns
from .errors import AliasWarning, BoundaryWarning, ConvergenceWarning, SeparationWarning
from .glmfit import GLMFit
from .least_squares import WELL_CONDITIONED
from .progress import report_survey, reported
from .separation import infinite_columns
from .standardize import evaluator, refined_root
from .start import given_start, open_few, score_from_start

NEARLY_COLLINEAR = 1e-6  # of the length of a column, left by those before it: below, rounding in X beta is felt
REGULAR_ROUNDS = 8  # a finite estimate squares its error each round; an infinite one, or one at an edge, creeps for longer


def glm(
    formula,
    data,
    family="gaussian",
    *,
    link=None,
    offset=None,
    weights=None,
    dispersion=None,
    frequency_weights=None,
    missing="error",
    **control,
):
    """Fit g(mu) = X beta + offset, X from a formula and a table, by maximum likelihood.

    data: a table, or rows larger than memory: the path of a Parquet file, blocks.Parquet(...), or a Dask DataFrame.
    family, link: names or instances (link None: the family's default, mostly the canonical one).
    offset, weights: array, column name or expression.
    weights w: var(y) = phi V(mu) / w; for grouped binomial data the trials, with y the proportion.
    frequency_weights f: the row stands for f rows, all equal: whole numbers, which count in nobs.
    dispersion: a number, "pearson", "deviance" or "ml"; None: 1 where the family fixes it, else Pearson's.
    control: start, max_iter, tol, threads (blocks of rows, or portions, at once; best with pip install "glmref[threads]"),
    progress (True: a line for each pass).
    Raises InputError; warns AliasWarning, BoundaryWarning, ConvergenceWarning, SeparationWarning.

    >>> claims = glm("claims ~ age", insurance, "poisson", offset="np.log(holders)")
    >>> claims.coef.round(4)
    Intercept      -1.6033
    age[T.25-29]   -0.1515
    age[T.30-35]   -0.2895
    age[T.>35]     -0.4976
    Name: coef, dtype: float64
    """
    per_row = {"offset": offset, "weights": weights, "frequency_weights": frequency_weights}
    made_by = streaming if blocks.is_source(data) else designs
    design = made_by.from_formula(formula, data, **per_row, missing=missing)
    return fit(design, family, link, dispersion, **control)


def fit_glm(
    X,
    y,
    family="gaussian",
    *,
    link=None,
    offset=None,
    weights=None,
    dispersion=None,
    frequency_weights=None,
    names=None,
    missing="error",
    **control,
):
    """Fit g(mu) = X beta + offset for arrays X (n x p), y (n). X is used as it is: no intercept is added. Arrays are not
    copied: do not change them while the fit is in use.

    X may be a Dask array, with y as one; or a source (see `glm`), with y the name of a column: all others are X's, or `names`.
    Keywords as in `glm`; names: p strings for the coefficients.

    >>> X = np.column_stack([np.ones(23), orings["temperature"]])
    >>> fit_glm(X, orings["distress"] > 0, "binomial", names=["one", "temperature"]).coef.round(4)
    one            15.0429
    temperature    -0.2322
    Name: coef, dtype: float64
    """
    per_row = {"offset": offset, "weights": weights, "frequency_weights": frequency_weights}
    design = (streaming.from_columns if blocks.is_source(X) else designs.from_arrays)(X, y, **per_row, names=names, missing=missing)
    return fit(design, family, link, dispersion, **control)


def fit(design, family, link=None, dispersion=None, **control):
    """Fit a Design. control: start (p coefficients to begin from), max_iter, tol (see irls.fisher_scoring), threads."""
    family = families.get(family)
    link = family.default_link if link is None else links.get(link)
    settings = checks.control(control)
    checks.dispersion(dispersion, family)
    began = perf_counter()
    design = design.checked(family, link if settings["start"] is None else None, settings["threads"])
    rows = design.rows if settings["threads"] == 1 else replace(design.rows, threads=settings["threads"])
    report_survey(rows, perf_counter() - began, settings["progress"])
    columns, opening = (choose_columns(rows), None) if settings["start"] is not None else open_few(rows, family, link)
    warn_of_aliases(design.names, columns.keep)
    rows = rows.columns(columns.keep) if columns.aliased else rows
    bounded = family.bounded(link)

    def solve(family, near):
        evaluate = reported(evaluator(rows, family, link), rows, settings["progress"])
        limits = {"max_iter": settings["max_iter"], "tol": settings["tol"], "bounded": bounded}
        if near is None and settings["start"] is not None:
            near = given_start(evaluate, settings["start"], design.names, columns.keep)
        solution = score_from_start(evaluate, rows, family, link, near, opening, **limits)
        return settle(rows, family, link, solution, family.deviance_floor)

    family, solution, estimate = family.estimate(solve, rows, link)
    if estimate is not None and estimate.note:
        warnings.warn(estimate.note, BoundaryWarning, stacklevel=3)
    root, solution = accurate_root(rows, family, link, solution)
    if not rows.in_memory:
        near = settings["start"] is not None or estimate is not None
        warn_of_infinite(rows, family, link, solution, design.names, near)
    result = GLMFit(design, family, link, dispersion, columns, solution, root, estimate)
    if doubtful(result, settings):
        warn_if_doubtful(result)
    return result


def warn_of_infinite(rows, family, link, solution, names, near):
    """Where rows come in portions: warn if those whose means have not run to the edge do not determine every coefficient. near:
    whether the rounds may have begun there, so that their number tells nothing."""
    if len(solution.trace) <= REGULAR_ROUNDS and solution.converged and not near:
        return
    loose = infinite_columns(rows, family, link, solution.beta)
    if len(loose):
        warnings.warn(
            f"the coefficients of {', '.join(names[j] for j in loose)} are infinite, or nearly so: without the fitted means that "
            "have reached their responses at the edge of the range, nothing determines them. Their values and standard errors "
            "mean nothing.",
            SeparationWarning,
            stacklevel=4,
        )


def doubtful(fit, settings):
    """Whether a look at every fitted mean is due: a finite estimate inside the range arrives in a few rounds, unless these
    began close by, at a given start or at the estimate for another value of the family's own parameter."""
    slow = len(fit.solution.trace) > REGULAR_ROUNDS or not fit.converged
    return slow or fit.family.bounded(fit.link) or settings["start"] is not None or fit.estimate is not None


def accurate_root(rows, family, link, solution):
    """R at the estimate: of the last round, refined where its Gram matrix may have lost a digit that matters; and the solution,
    which is singular if R is."""
    step = solution.step
    if step is not None and step.least > WELL_CONDITIONED:
        return step.root, solution
    root = refined_root(rows, family, link, solution.beta)
    return root, replace(solution, ended="singular") if np.isnan(root).any() else solution


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
    if fit.design.rows.in_memory:
        warn_of_edges(fit)
    solution = fit.solution
    if not solution.converged:
        trace, step = solution.trace, solution.step
        reason = {
            "max_iter": f"not converged after {len(trace)} rounds. Raise max_iter if the decrement falls steadily",
            "stalled": f"stopped after {len(trace)} rounds where no further step improves the fit: the best coefficients lie "
            "on the boundary of those with possible means, or beyond it. Choose a link whose range fits",
            "singular": "stopped where the working weights hold no information about some coefficient. Try another start",
        }[solution.ended]
        if solution.ended == "stalled" and step is not None and step.least < NEARLY_COLLINEAR:
            reason = (
                f"stopped after {len(trace)} rounds where rounding hides the rest of the way: of some column those before it leave "
                f"{step.least:.1g} of its length. Drop one of the columns that nearly repeat each other, or take their difference"
            )
        last = f"{trace[-1].decrement:.2g}" if trace else "none"
        warnings.warn(f"{reason} (last decrement {last}; see fit.trace).", ConvergenceWarning, stacklevel=4)


def warn_of_edges(fit):
    """Say so where some mean is at the edge of those that the link allows, or on its way to one that it never reaches."""
    if fit.boundary.any():
        positions = np.flatnonzero(fit.boundary)
        shown = ", ".join(checks.row(fit.design.index, position) for position in positions[:5])
        lie = "fitted mean lies" if len(positions) == 1 else "fitted means lie"
        warnings.warn(
            f"{len(positions)} {lie} at the edge of those that the {fit.link.name} link allows: "
            f"{shown}{', ...' if len(positions) > 5 else ''}. The coefficients are the best possible ones, but the likelihood "
            "still rises beyond the edge: standard errors and tests do not hold. Choose a link whose range fits.",
            BoundaryWarning,
            stacklevel=5,
        )
    if fit.separation is not None:
        warnings.warn(
            f"{fit.separation}. Some combination of the covariates separates these responses, and the likelihood rises along it "
            "without end. Values and standard errors of the infinite coefficients mean nothing; the other coefficients, the "
            "deviance and likelihood-ratio tests are right. See fit.separation.",
            SeparationWarning,
            stacklevel=5,
        )
