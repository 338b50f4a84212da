"""Fits under a linear restriction L beta = c, by changing coordinates: beta = beta0 + N gamma, with L N = 0, L beta0 = c.

The restricted model is an unrestricted one in gamma, with design X N and offset X beta0. Its summaries are those of the whole
model seen in fewer coordinates, N'J'JN and N'J'r, so that no new rows need be made. Score tests, likelihood-ratio tests and
profile likelihoods are made of such fits.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import linalg

from .boundary import settle
from .errors import InputError
from .irls import Solution, fisher_scoring
from .least_squares import Gram
from .start import score_from_start
from .standardize import evaluator, total_deviance


class Restricted(NamedTuple):
    """The best point under the restriction: beta (p), the family there, its cost, and whether the rounds arrived.

    cost: the deviance, or -2 loglik where a parameter of the family was estimated as well.
    """

    beta: np.ndarray
    family: object
    cost: float
    converged: bool


def by_projection(evaluate, family, particular, free, near):
    """The Solution for gamma, by the summaries of the whole model at beta = particular + free gamma."""

    def projected(gamma, kind):
        summary = evaluate(particular + free @ gamma, kind)
        return None if summary is None else summary.within(free)

    begin = free.T @ (near - particular)
    if projected(begin, Gram) is None:
        return Solution(begin, np.inf, None, "stalled", ())
    return fisher_scoring(projected, begin, max_iter=50, floor=family.deviance_floor, bounded=False)


def restricted_fit(rows, family, link, L, c, near, guess=None, afresh=False):
    """Fit subject to L beta = c (L: q x p), starting from the feasible point nearest to `near` (p).

    A parameter of the family that is unknown is estimated under the restriction, too; guess: a family that may be close. afresh:
    begin from the data as well, and take the better of two optima.
    """
    particular = linalg.lstsq(L, c)[0]
    free = linalg.null_space(L)
    if free.shape[1] and not family.unknown and not family.bounded(link) and not afresh:
        found = by_projection(evaluator(rows, family, link), family, particular, free, near)
        if found.converged:
            beta = particular + free @ found.beta
            return Restricted(beta, family, total_deviance(rows, family, link, beta), True)
    inner = rows.map(lambda rows: replace(rows, X=rows.X @ free, offset=rows.offset + rows.X @ particular))
    nearest = free.T @ (near - particular)

    def solve(family, gamma):
        if free.shape[1] == 0:
            return Solution(nearest, total_deviance(inner, family, link, nearest), None, "converged", ())
        evaluate = evaluator(inner, family, link)

        def settled(**begun):
            solution = score_from_start(evaluate, inner, family, link, **begun)
            return settle(inner, family, link, solution, family.deviance_floor)

        solution = settled(near=nearest if gamma is None else gamma, max_iter=50)
        if solution.converged and not afresh:
            return solution
        try:
            fresh = settled()  # `near` was no good: begin from the data
        except InputError:  # which have no possible start
            if not solution.converged:
                raise
            return solution
        solution = fresh if fresh.deviance < solution.deviance else solution
        return solution if solution.converged else settled(near=solution.beta)

    complete, solution, estimate = family.estimate(solve, inner, link, guess)
    cost = total_deviance(inner, complete, link, solution.beta)
    if estimate is not None:
        cost = cost - 2 * inner.sum(lambda block: np.sum(complete.saturated_log_density(block.y, 1.0, block.weight)))
    return Restricted(particular + free @ solution.beta, complete, float(cost), solution.converged)
