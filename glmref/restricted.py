"""Fits under a linear restriction L beta = c, by changing coordinates: beta = beta0 + N gamma, with L N = 0, L beta0 = c.

The restricted model is an unrestricted one in gamma, with design X N and offset X beta0. Score tests, likelihood-ratio
tests and profile likelihoods are made of such fits.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import linalg

from .boundary import settle
from .irls import Solution
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


def restricted_fit(rows, family, link, L, c, near, guess=None):
    """Fit subject to L beta = c (L: q x p), starting from the feasible point nearest to `near` (p).

    A parameter of the family that is unknown is estimated under the restriction, too; guess: a family that may be close.
    """
    particular = linalg.lstsq(L, c)[0]
    free = linalg.null_space(L)
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
        if solution.converged:
            return solution
        fresh = settled()  # `near` was no good: begin from the data
        return fresh if fresh.deviance < solution.deviance else solution

    complete, solution, estimate = family.estimate(solve, inner, link, guess)
    cost = total_deviance(inner, complete, link, solution.beta)
    if estimate is not None:
        cost = cost - 2 * inner.sum(lambda block: np.sum(complete.saturated_log_density(block.y, 1.0, block.weight)))
    return Restricted(particular + free @ solution.beta, complete, float(cost), solution.converged)
