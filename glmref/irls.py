"""Fisher scoring: repeat a weighted regression until the score is zero.

One round at beta: the rows give the information J'J, the score J'r and the deviance; the step is
(J'J)^-1 J'r; it is halved while it leads to an impossible mean or to nothing better. The rounds stop when the
Newton decrement r'J (J'J)^-1 J'r, the squared distance still to go in standard errors, is negligible
beside the deviance. This module knows no family and no storage: `evaluate` supplies the summaries.

>>> from glmref.irls import Round, Solution, fisher_scoring
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg import blas

from .least_squares import Gram, Triangle, solve

TOLERANCE = 1e-10  # of a fit, relative to its residuals
NEARLY = 1e-12  # of the deviance: a step that long may be made of rounding, where columns are nearly collinear


class Round(NamedTuple):
    """One row of the trace: the iteration, deviance and decrement at its start, halvings its step needed.

    >>> fit.solution.trace[0].iteration, fit.solution.trace[0].halvings
    (1, 0)
    """

    iteration: int
    deviance: float
    decrement: float
    halvings: int


@dataclass(frozen=True)
class Solution:
    """beta (p), the deviance there up to rounding, the step that would follow (None if unknown), the trace of the rounds, and
    why they ended: "converged", "max_iter" (too few rounds), "stalled" (no step along the ascent direction is better), "singular"
    (the weights hold no information), or "boundary" (at the best point of those with possible means: module boundary).

    >>> fit.solution.ended, fit.solution.beta.round(4)
    ('converged', array([ 5.085 , -0.1156]))
    """

    beta: np.ndarray
    deviance: float
    step: object
    ended: str
    trace: tuple

    @property
    def converged(self):
        """Whether the last decrement was negligible, or beta is the best point on the boundary.

        >>> fit.solution.converged
        True
        """
        return self.ended in ("converged", "boundary")


class Point(NamedTuple):
    """The deviance at some beta, what rounding may have done to it, the step from there (None if singular), and the kind
    of summary it took."""

    deviance: float
    rounding: float
    step: object
    kind: type


def fisher_scoring(
    evaluate, beta, *, max_iter=200, tol=TOLERANCE, floor=0.1, bounded=True, settled=10, max_halvings=100, previous=0.0, beyond=None
):
    """Minimize the deviance from a feasible beta.

    evaluate(beta, kind) -> Gram or Triangle (kind) at beta, or None where a mean would be impossible.
    tol: stop when the decrement that the last step leaves is <= tol^2 (deviance + floor), and its own <= (settled tol)^2
    (deviance + floor): then it moves the information by settled tol of itself at most. floor is for deviances that may go to
    zero, and is on their scale. bounded: whether there are impossible means, so that the last step must be tried. previous:
    the decrement of a step that led to beta (0: none). beyond(beta, point) -> (beta, Point) in place of a last step not tried, or None
    to try it.

    >>> from glmref.standardize import evaluator
    >>> evaluate = evaluator(fit.design.rows, fit.family, fit.link)
    >>> fisher_scoring(evaluate, np.zeros(2)).beta.round(4)
    array([ 5.085 , -0.1156])
    """
    trace = []
    point = regress(evaluate, beta)
    for iteration in range(1, max_iter + 1):
        if point.step is None:
            return Solution(beta, point.deviance, None, "singular", tuple(trace))
        decrement, scale = point.step.decrement, max(point.deviance, 0.0) + floor
        arrived = negligible(decrement, previous, tol**2 * scale, settled)
        if arrived or decrement <= rounding(point.step, beta):
            trace.append(Round(iteration, point.deviance, decrement, 0))
            beta, point = last_step(evaluate, beta, point, bounded or not arrived, beyond)
            return Solution(beta, point.deviance, point.step, "converged", tuple(trace))
        near = decrement <= NEARLY * scale  # where no step is better, rounding hides what is left: do not look for long
        halvings, trial, better = improve(evaluate, beta, point, floor, min(max_halvings, 2) if near else max_halvings)
        trace.append(Round(iteration, point.deviance, decrement, halvings))
        if better is None:
            ended = "converged" if near else "stalled"
            return Solution(beta, point.deviance, point.step, ended, tuple(trace))
        beta, point, previous = trial, better, decrement
    return Solution(beta, point.deviance, point.step, "max_iter", tuple(trace))


def negligible(decrement, previous, limit, settled):
    """Whether the step leaves a decrement within the limit, and is itself too small for the working weights to notice.

    Each round squares the decrement, or multiplies it by some factor: the last factor is an upper guess at the next.
    """
    factor = min(decrement / previous, 1.0) if previous else 1.0
    return decrement * factor <= limit and decrement <= settled**2 * limit


def last_step(evaluate, beta, point, ask, beyond=None):
    """beta + direction, for the step is paid for already, and the Point there if the rows are asked, else the one before."""
    trial = beta + point.step.direction
    found = None if ask else (trial, point) if beyond is None else beyond(beta, point)
    if found is not None:
        return found
    last = regress(evaluate, trial, point.kind)
    return (beta, point) if last is None or last.step is None else (trial, last)


def rounding(step, beta):
    """The decrement of a step of 1e-14 of the coefficients' own size: below it there is nothing but rounding."""
    return 1e-28 * blas.dnrm2(step.root.dot(beta)) ** 2


def regress(evaluate, beta, kind=Gram):
    """The Point at beta, by a triangle where the Gram matrix will not do; None where a mean would be impossible."""
    summary = evaluate(beta, kind)
    if summary is None:
        return None
    step = solve(summary)
    if step is None and kind is Gram:
        return regress(evaluate, beta, Triangle)
    return Point(summary.deviance, summary.rounding, step, kind)


def improve(evaluate, beta, point, floor, max_halvings):
    """The first of beta + d, beta + d/2, beta + d/4, ... that is better; (halvings, beta, Point), or None last.

    Better: a deviance smaller by more than rounding; or, where rounding hides the difference, a smaller decrement.
    The second matters under links for which the full step overshoots for ever.
    """
    noise = point.rounding + 1e-13 * floor
    for halvings in range(max_halvings + 1):
        trial = beta + point.step.direction / 2**halvings if halvings else beta + point.step.direction
        found = regress(evaluate, trial, point.kind)
        if found is None or not found.deviance <= point.deviance + noise:
            continue
        if found.deviance < point.deviance - noise or found.step is None or found.step.decrement < point.step.decrement:
            return halvings, trial, found
    return max_halvings, beta, None
