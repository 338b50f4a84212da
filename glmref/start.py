"""Where Fisher scoring begins.

First choice, where rows abound: the estimate from every eighth row or fewer (which begins at the estimate from every eighth
of these, and so on), and from there steps by the score of all rows (module chords): they save rounds. Where rows come in portions,
so that each look at them is dear: one look, at the estimate of a few portions, and from there the surrogate of all rows (module
surrogate). Else one regression of the link of means near the data. Where that implies an impossible mean (an identity link on
counts, say), the coefficients that come nearest to a constant mean; where these do too, those with means farthest from the edge.
"""

from functools import partial
from math import isfinite
from typing import NamedTuple

import numpy as np

from .boundary import inside
from .chords import Near, chords
from .columns import all_columns, choose_columns
from .errors import InputError
from .irls import TOLERANCE, fisher_scoring
from .least_squares import NARROW, Gram, Triangle, back_substitute, solve
from .links import UNIT
from .standardize import evaluator, far, standardize, total_deviance
from .surrogate import surrogate


FAR = 4  # times the columns and ten more: a step from the sample's estimate that chance does not take
MOVED = 1e-6  # in units of R: as much of a change as a sample foretells to 8 digits
ROUGH = 0.03  # relative to the residuals: less than what distinguishes a sample from all rows
MANY = 16  # columns; with fewer a round is short, and with a canonical link two or three are all
LARGE = 1_000_000  # numbers in X; from here on a last round that changes the covariance by 1e-8 of itself is saved


def open_few(rows, family, link):
    """(Columns, coefficients to begin from or None): where rows are few, the regression that rounds begin with shows as well that
    no column repeats others."""
    few = rows.in_memory and rows.sample() is rows and not family.unknown
    step = starting_step(rows, family, link, Gram) if few else None
    return (choose_columns(rows), None) if step is None else (all_columns(rows.shape[1]), step.direction)


def starting_coefficients(rows, family, link):
    """The coefficients of one regression from means near the data, or None where its weights are singular."""
    steps = (starting_step(rows, family, link, kind) for kind in (Gram, Triangle))
    return next((step.direction for step in steps if step is not None), None)


def starting_step(rows, family, link, kind):
    """From means near the data: the regression of z = eta0 + (y - mu0) / h' with the weights at mu0, as a Step from 0; None where
    it is singular. z enters as its score W z."""
    level, bounded = rows.level, family.bounded(link)

    @far
    def summarize(block):
        eta = link.link(family.starting_mean(block.y, block.weight))
        if bounded or not isfinite(np.add.reduce(eta)):
            usable = family.valid(eta, link)
            eta = eta if usable.all() else np.where(usable, eta, constant_eta(level, link))
        weight, score, _ = family.kernel(block.y, eta, link)
        score = block.weight * (score + weight * (eta - block.offset))
        return kind.of(block.X, block.weight * weight, score, 0.0)

    return solve(rows.sum(summarize))


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


class Opening(NamedTuple):
    """total: the Gram of all rows at beta (p) for a family and a link, or None where some mean is impossible."""

    family: object
    link: object
    beta: np.ndarray
    total: Gram | None


def sample_solution(sample, family, link):
    """The Solution near the estimate from a sample alone, or None where the rounds do not arrive. Where columns are many, here too
    scores alone go most of the way, by the R of the regression that it begins with."""
    evaluate, near = evaluator(sample, family, link), None
    if sample.shape[1] > NARROW and sample.sample() is sample and (step := starting_step(sample, family, link, Gram)) is not None:
        limit = ROUGH**2 * total_deviance(sample, family, link, step.direction)
        near = chords(evaluate, step.direction, step.root, np.inf, limit=limit, settled=1)
    near = None if near is None else near.beta
    rounds = {"max_iter": 10, "tol": ROUGH, "floor": family.deviance_floor, "bounded": False}
    try:
        solution = score_from_start(evaluate, sample, family, link, near, again=False, **rounds)
    except InputError:
        return None
    return solution if solution.converged else None


def estimate_of_sample(evaluate, rows, family, link, tol=np.inf, settled=1):
    """Near the estimate, from the rows' sample: its own estimate, and steps from there by the score of all rows and the
    information of the sample: one, or as many as let the next round over all rows be the last (tol, settled: its tolerances).
    None where the rows are few, the sample's rounds do not arrive, or the sample is unlike the whole: were it drawn by chance,
    the square of the first step in its standard errors would be near the number of columns."""
    sample = rows.sample()
    if sample is rows:
        return None
    if not rows.in_memory:
        return estimate_beyond_sample(evaluate, rows, family, link)
    solution = sample_solution(sample, family, link)
    if solution is None:
        return None
    share = sample.shape[0] / rows.shape[0]
    phi = max(solution.deviance / len(sample.y), (family.dispersion or 0.0) * np.mean(sample.weight))
    root, farthest = solution.step.root / share**0.5, FAR * (rows.shape[1] + 10) * phi / share
    scale = max(solution.deviance, 0.0) / share + family.deviance_floor
    newton = {"settled": settled, "reach": scale} if link == family.canonical_link else {"settled": settled}
    return chords(evaluate, solution.beta, root, farthest, limit=tol**2 * scale, **newton)


def estimate_beyond_sample(evaluate, rows, family, link):
    """Near the estimate of rows in portions, each pass over which is dear: one pass at the sample's estimate, or the one that was
    made with the survey, and from there by the surrogate. None as for `estimate_of_sample`."""
    opening = rows.opening(family, link)
    if opening is None:
        solution = sample_solution(rows.sample(), family, link)
        opening = None if solution is None else Opening(family, link, solution.beta, evaluate(solution.beta, Gram))
    if opening is None or opening.total is None:
        return None
    about = surrogate(opening.total, opening.beta, evaluator(rows.sample(), family, link))
    solution = zero(about, opening.beta, family)
    if not solution.converged:
        return None
    canonical = link == family.canonical_link  # elsewhere the surrogate's step tells nothing of what Fisher's will leave
    return Near(solution.beta, solution.trace[0].decrement if canonical else 0.0)


def zero(about, beta, family):
    """The Solution of a surrogate, from beta."""
    return fisher_scoring(about, beta, max_iter=20, floor=family.deviance_floor, bounded=False)


def beyond_last_look(rows, family, link, beta, point):
    """(beta, Point) after the last Point of all rows: by its step, or for a canonical link to the zero of the surrogate, which is
    nearer to the estimate; with R there. None where some direction of the information moves by more than a sample may tell."""
    step, information = point.step, point.step.root.T @ point.step.root
    total = Gram(information, information @ step.direction, point.deviance, point.rounding)
    about = surrogate(total, beta, evaluator(rows.sample(), family, link))
    trial = beta + step.direction
    if link == family.canonical_link:
        solution = zero(about, beta, family)
        trial = solution.beta if solution.converged and not solution.trace[-1].halvings else trial
    there = about(trial, Gram)
    root, least = (None, 0.0) if there is None else there.factored()
    if root is None:
        return None
    ratio = back_substitute(step.root, root.T, transposed=True)  # R^-T of before, times R' of now: its singular values are 1 if still
    if not np.abs(np.linalg.svd(ratio, compute_uv=False) - 1).max() <= MOVED:
        return None
    return trial, point._replace(step=step._replace(root=root, least=least))


def score_from_start(evaluate, rows, family, link, near=None, opening=None, again=True, **limits):
    """Fisher scoring from `near` (p), where that has possible means; else from a feasible start (opening: that of the first
    regression, if known). again: where the rounds did not arrive, once more without the sample; and where they lost their way though
    no mean is impossible, from a constant mean."""
    large = rows.shape[0] * rows.shape[1] >= LARGE
    limits = {"tol": TOLERANCE, "floor": family.deviance_floor, "settled": 200 if large else 10} | limits
    bounded = limits.get("bounded", True)
    if large and not rows.in_memory and not bounded:
        limits |= {"settled": 2000, "beyond": partial(beyond_last_look, rows, family, link)}
    if near is not None and evaluate(near, Gram) is not None:
        return fisher_scoring(evaluate, near, **limits)
    cheap = large or rows.shape[1] >= MANY or link != family.canonical_link  # a score, beside the rounds that it saves
    chorded = {key: limits[key] for key in ("tol", "settled")} if cheap and rows.in_memory else {}
    start = feasible_start(evaluate, rows, family, link, opening=opening, **chorded)
    solution = fisher_scoring(evaluate, start.beta, previous=start.decrement, **limits)
    if solution.converged or not again:
        return solution
    if rows.sample() is not rows:
        start = feasible_start(evaluate, rows, family, link, sampled=False)
        solution = better(solution, fisher_scoring(evaluate, start.beta, **limits))
    if solution.ended in ("stalled", "singular") and not bounded:
        constant = nearest_to_constant(rows, link)
        if constant is not None and evaluate(constant, Gram) is not None:
            solution = better(solution, fisher_scoring(evaluate, constant, **limits))
    return solution


def better(first, second):
    """The Solution that arrived, else the one of smaller deviance."""
    return second if second.converged or second.deviance < first.deviance else first


def feasible_start(evaluate, rows, family, link, sampled=True, opening=None, **chorded):
    """Coefficients with possible means, as Near: the sample's (unless not sampled), else from one regression, else nearest to
    a constant mean, else any."""
    for candidate in (
        lambda: estimate_of_sample(evaluate, rows, family, link, **chorded) if sampled else None,
        lambda: starting_coefficients(rows, family, link) if opening is None else opening,
        lambda: nearest_to_constant(rows, link),
        lambda: inside(rows if rows.in_memory else rows.sample(), family, link, constant_eta(rows.level, link)),
    ):
        start = candidate()
        start = start if start is None or isinstance(start, Near) else Near(start)
        if start is not None and evaluate(start.beta, Gram) is not None:
            return start
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
