"""Where Fisher scoring begins, and which columns it can use.

First choice, where rows abound: the estimate from every eighth row (which begins at the estimate from every eighth of
these, and so on), which saves rounds over all of them. Else one regression of the link of the data. Where that implies an
impossible mean (an identity link on counts, say), the coefficients that come nearest to a constant mean; where these do
too, those with means farthest from the edge.
"""

from typing import NamedTuple

import numpy as np

from .boundary import inside
from .errors import InputError
from .irls import fisher_scoring
from .least_squares import Gram, Triangle, back_substitute, independent_columns, solve
from .links import UNIT
from .standardize import evaluator, far, standardize


FAR = 4  # times the columns and ten more: a step from the sample's estimate that chance does not take
ROUGH = 0.03  # relative to the residuals: less than what distinguishes a sample from all rows


class Columns(NamedTuple):
    """keep (p): which columns are independent. combination: each other column as X[:, keep] @ combination."""

    keep: np.ndarray
    combination: np.ndarray


def choose_columns(rows):
    """The Columns of all rows, the earlier having priority. Decided on X itself: aliasing is a property of the design."""
    if independent(rows):
        p = rows.shape[1]
        return Columns(np.ones(p, dtype=bool), np.zeros((p, 0)))
    root = rows.sum(lambda block: Triangle.fold(block.X, np.zeros(len(block.y)))).root
    keep = independent_columns(root)
    if not keep.any():
        raise InputError(
            expected="a column of X that is not zero", got="none", remedy="Add an intercept, or check the columns."
        )
    return Columns(keep, np.linalg.lstsq(root[:, keep], root[:, ~keep], rcond=None)[0])


def independent(rows):
    """Whether the columns are well apart, seen from a sample where that is enough."""
    sample = rows.sample()
    return (sample is not rows and independent(sample)) or products(rows).triangle() is not None


def products(rows):
    """X'X as a Gram."""
    return rows.sum(lambda block: Gram(block.X.T @ block.X, np.zeros(block.X.shape[1]), 0.0))


def starting_coefficients(rows, family, link):
    """The coefficients of one regression from means near the data, or None where its weights are singular.

    The regression of z = eta0 + (y - mu0) / h' with the weights at mu0; z enters as its score W z.
    """

    level = rows.level

    @far
    def summarize(block, kind):
        eta = link.link(family.starting_mean(block.y, block.weight))
        usable = np.isfinite(eta) & family.valid(eta, link)
        if not usable.all():
            eta = np.where(usable, eta, constant_eta(level, link))
        weight, score, _ = family.kernel(block.y, eta, link)
        score = block.weight * (score + weight * (eta - block.offset))
        return kind.of(block.X, block.weight * weight, score, 0.0)

    steps = (solve(rows.sum(lambda block: summarize(block, kind))) for kind in (Gram, Triangle))
    step = next(filter(None, steps), None)
    return None if step is None or not np.isfinite(step.direction).all() else step.direction


def constant_eta(level, link):
    """g of the weighted mean response: the linear predictor of a model with no covariates. level: see ArrayRows.level."""
    with np.errstate(all="ignore"):
        mean, largest = level()
        candidates = [mean, 0.5] if link.image == UNIT else [mean, largest + 1.0]
        etas = [float(link.link(candidate)) for candidate in candidates]
    return next((eta for eta in etas if np.isfinite(eta)), 1.0)


def nearest_to_constant(rows, link):
    """The least squares fit of the linear predictor of a constant mean."""
    target = constant_eta(rows.level, link)
    step = solve(rows.sum(lambda b: Triangle.of(b.X, np.ones(len(b.y)), target - b.offset, 0.0)))
    return None if step is None else step.direction


def estimate_of_sample(rows, family, link):
    """Nearly the estimate, from the rows' sample: its own estimate, and one step from there by the score of all rows and the
    information of the sample. None where the rows are few, the sample's rounds do not arrive, or the sample is unlike the
    whole: were it drawn by chance, the square of that step in its standard errors would be near the number of columns."""
    sample = rows.sample()
    if sample is rows:
        return None
    evaluate = evaluator(sample, family, link)
    try:
        beta = feasible_start(evaluate, sample, family, link)
    except InputError:
        return None
    solution = fisher_scoring(evaluate, beta, max_iter=10, tol=ROUGH, floor=family.deviance_floor, bounded=False)
    if not solution.converged:
        return None

    beta = solution.beta

    @far
    def score(block):
        standardized = standardize(block, beta, family, link)
        return None if standardized is None else standardized[1] @ block.X

    total, root, share = rows.sum(score), solution.step.root, sample.shape[0] / rows.shape[0]
    if total is None or not np.all(np.isfinite(total)):
        return None
    step = share * back_substitute(root, total, transposed=True)  # in standard errors of the sample, times phi^(1/2)
    phi = max(solution.deviance / len(sample.y), (family.dispersion or 0.0) * np.mean(sample.weight))
    if step @ step > FAR * (len(step) + 10) * phi:
        return None
    return solution.beta + back_substitute(root, step)


def score_from_start(evaluate, rows, family, link, near=None, **limits):
    """Fisher scoring from `near` (p), where that has possible means. Else from a feasible start, and once more from one
    without the sample where the first did not arrive."""
    limits = {"floor": family.deviance_floor} | limits
    if near is not None and evaluate(near, Gram) is not None:
        return fisher_scoring(evaluate, near, **limits)
    solution = fisher_scoring(evaluate, feasible_start(evaluate, rows, family, link), **limits)
    if solution.converged or rows.sample() is rows:
        return solution
    again = fisher_scoring(evaluate, feasible_start(evaluate, rows, family, link, sampled=False), **limits)
    return again if again.converged or again.deviance < solution.deviance else solution


def feasible_start(evaluate, rows, family, link, sampled=True):
    """Coefficients with possible means: the sample's (unless not sampled), else from one regression, else nearest to a
    constant mean, else any."""
    for candidate in (
        lambda: estimate_of_sample(rows, family, link) if sampled else None,
        lambda: starting_coefficients(rows, family, link),
        lambda: nearest_to_constant(rows, link),
        lambda: inside(rows if rows.in_memory else rows.sample(), family, link, constant_eta(rows.level, link)),
    ):
        beta = candidate()
        if beta is not None and evaluate(beta, Gram) is not None:
            return beta
    raise InputError(
        expected=f"coefficients from which every mean of the {family.name} family with the {link.name} link is possible",
        got="none: neither a regression on the transformed data nor a constant mean will do",
        remedy="Pass start= with coefficients that give valid means, or choose a link whose range fits, such as 'log'.",
    )


def given_start(evaluate, start, names, keep):
    """The user's starting coefficients, one per column of X, for the columns kept."""
    start = getattr(start, "reindex", lambda _: start)(list(names))
    try:
        start = np.asarray(start, dtype=float)
    except (TypeError, ValueError):
        start = np.array(np.nan)
    if start.shape != (len(names),) or not np.all(np.isfinite(start[keep])):
        raise InputError(
            expected=f"start with {len(names)} finite numbers, one per column",
            got=f"shape {start.shape}" if np.all(np.isfinite(start)) else f"{start}",
            remedy="The columns are, in order: " + ", ".join(names) + ".",
        )
    if evaluate(start[keep], Gram) is None:
        raise InputError(
            expected="start with coefficients from which every mean is possible",
            got="coefficients under which some mean is impossible or the deviance infinite",
            remedy="Leave start out: a possible one is then found.",
        )
    return start[keep]
