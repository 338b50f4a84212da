"""Fits under a linear restriction L beta = c, by changing coordinates: beta = beta0 + N gamma, with L N = 0, L beta0 = c.

The restricted model is an unrestricted one in gamma, with design X N and offset X beta0. Score tests, likelihood-ratio
tests and profile likelihoods are made of such fits.
"""

from typing import NamedTuple

import numpy as np
from scipy import linalg

from .blocks import ArrayRows
from .boundary import settle
from .irls import fisher_scoring
from .least_squares import Gram
from .start import feasible_start
from .standardize import evaluator


class Restricted(NamedTuple):
    """beta (p) that minimizes the deviance under the restriction, that deviance, and whether the rounds arrived."""

    beta: np.ndarray
    deviance: float
    converged: bool


def restricted_fit(rows, family, link, L, c, near):
    """Minimize the deviance subject to L beta = c (L: q x p), starting from the feasible point nearest to `near` (p)."""
    particular = linalg.lstsq(L, c)[0]
    free = linalg.null_space(L)
    inner = ArrayRows(rows.X @ free, rows.y, rows.offset + rows.X @ particular, rows.weight, rows.block_rows)
    evaluate = evaluator(inner, family, link)
    if free.shape[1] == 0:
        summary = evaluate(np.zeros(0), Gram)
        return Restricted(particular, np.inf if summary is None else summary.deviance, True)
    floor = 0.1 if family.dispersion is not None else 0.0

    def arrive(gamma, rounds):
        return settle(inner, family, link, fisher_scoring(evaluate, gamma, floor=floor, max_iter=rounds), floor)

    gamma = free.T @ (near - particular)
    solution = arrive(gamma, 50) if evaluate(gamma, Gram) is not None else None
    if solution is None or not solution.converged:  # `near` was no good: begin from the data
        fresh = arrive(feasible_start(evaluate, inner, family, link), 200)
        solution = fresh if solution is None or fresh.deviance < solution.deviance else solution
    return Restricted(particular + free @ solution.beta, solution.deviance, solution.converged)
