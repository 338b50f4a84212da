"""The best fit among possible means, where it lies on their boundary.

Under some links the means end at a finite linear predictor: under the identity or the square root a Poisson mean is possible
only where eta > 0. Where the deviance still falls there, Fisher scoring runs into the end of some row and sticks, often far
from the best point, which minimizes the deviance subject to low_i <= eta_i <= high_i. A quasi-Newton method with linear
constraints (SLSQP) finds which rows end there; with these held at their ends, Fisher scoring fits the rest to the last
digits; and the result is believed if it meets the conditions of Karush, Kuhn and Tucker: the score that is left is a sum,
with weights >= 0, of the held rows, each pointing outwards.
"""

from dataclasses import replace

import numpy as np
from scipy import linalg, optimize

from .blocks import ArrayRows
from .irls import fisher_scoring
from .least_squares import Gram
from .standardize import evaluator

NEAR = 1e-6  # a row this close to its end, beside the spread of eta, is there
INSIDE = 1e-12  # and is held this far inside, so that its mean stays possible


def settle(rows, family, link, solution, floor):
    """The Solution; where it ends at an end of some row, the best one of those with possible means, if that can be found.

    Also where scoring thinks it has arrived: a row at its end may have so large a weight that every step is short.
    """
    if not (family.bounded(link) and rows.in_memory):
        return solution
    eta = rows.X @ solution.beta + rows.offset
    low, high = family.eta_interval(eta, link)
    margin = np.ptp(eta)
    outward = outward_signs(eta, low, high, margin)
    if not outward.any():
        return solution
    Q, R = np.linalg.qr(rows.X)
    low, high = low + INSIDE * margin, high - INSIDE * margin
    gamma = constrained(rows, Q, family, link, low, high, R @ solution.beta)
    outward = outward_signs(Q @ gamma + rows.offset, low, high, margin)
    gamma = with_rows_held(rows, Q, family, link, outward != 0, np.where(outward < 0, low, high), gamma, floor)
    found = None if gamma is None else evaluator(rows, family, link)(linalg.solve_triangular(R, gamma), Gram)
    if found is None or not found.deviance <= solution.deviance + 1e-9 * (solution.deviance + floor):
        return solution
    if not balanced(rows, Q, family, link, Q @ gamma + rows.offset, outward):
        return solution
    ended = "boundary" if outward.any() else "converged"
    beta = linalg.solve_triangular(R, gamma)
    return replace(solution, beta=beta, deviance=found.deviance, step=None, ended=ended)


def outward_signs(eta, low, high, margin):
    """Per row: -1 where eta is at the lower end of what is possible, 1 at the upper, 0 elsewhere."""
    return np.where(eta - low < NEAR * margin, -1.0, np.where(high - eta < NEAR * margin, 1.0, 0.0))


def balanced(rows, Q, family, link, eta, outward):
    """Whether the score is a sum, with weights >= 0, of the rows at an end, each pointing outwards."""
    score = rows.weight * family.working(rows.y, eta, link)[1]
    _, rest = optimize.nnls((outward[:, None] * Q)[outward != 0].T, Q.T @ score) if outward.any() else (None, 0.0)
    return bool(rest <= 1e-6 * np.linalg.norm(np.abs(Q).T @ np.abs(score)))


def constrained(rows, Q, family, link, low, high, gamma):
    """The gamma near which the deviance of eta = Q gamma + offset is least under low <= eta <= high (SLSQP)."""

    def half_deviance(gamma):
        eta = np.clip(Q @ gamma + rows.offset, low, high)
        _, score = family.working(rows.y, eta, link)
        return rows.weight @ family.deviance(rows.y, eta, link) / 2, -(Q.T @ (rows.weight * score))

    above, below = np.isfinite(low), np.isfinite(high)
    A = np.vstack([Q[above], -Q[below]])
    b = np.concatenate([(low - rows.offset)[above], (rows.offset - high)[below]])
    constraints = {"type": "ineq", "fun": lambda gamma: A @ gamma - b, "jac": lambda gamma: A}
    options = {"ftol": 1e-15, "maxiter": 500}
    return optimize.minimize(half_deviance, gamma, jac=True, method="SLSQP", constraints=constraints, options=options).x


def with_rows_held(rows, Q, family, link, held, ends, near, floor):
    """The gamma that minimizes the deviance of the other rows while eta = ends in those held; None if scoring fails."""
    fixed, free = np.zeros(len(near)), np.eye(len(near))
    if held.any():
        fixed, free = linalg.lstsq(Q[held], (ends - rows.offset)[held])[0], linalg.null_space(Q[held])
    if not free.shape[1]:
        return fixed
    others = ArrayRows(Q[~held] @ free, rows.y[~held], (rows.offset + Q @ fixed)[~held], rows.weight[~held])
    evaluate = evaluator(others, family, link)
    if evaluate(free.T @ (near - fixed), Gram) is None:
        return None
    solution = fisher_scoring(evaluate, free.T @ (near - fixed), floor=floor, max_iter=1000)
    return fixed + free @ solution.beta if solution.converged else None


def inside(rows, family, link, centre):
    """Coefficients with every eta as far as may be (up to 1) from the ends of the possible range around the number centre,
    by a linear program; None where no coefficients give possible means.
    """
    low, high = family.eta_interval(np.full(len(rows.y), centre), link)
    above, below = np.isfinite(low), np.isfinite(high)
    scale = np.linalg.norm(rows.X, axis=0)
    scale[scale == 0] = 1.0  # a level that none of these rows has
    A = np.vstack([-rows.X[above], rows.X[below]]) / scale * np.sqrt(len(rows.y))
    b = np.concatenate([(rows.offset - low)[above], (high - rows.offset)[below]])
    if not len(b):
        return None
    bounds = [(None, None)] * len(scale) + [(0, 1)]
    program = optimize.linprog(np.r_[0 * scale, -1], np.column_stack([A, np.ones(len(b))]), b, bounds=bounds, method="highs")
    possible = program.x is not None and program.x[-1] > 0
    return program.x[:-1] / scale * np.sqrt(len(rows.y)) if possible else None


def rows_at_the_edge(fit):
    """Which rows of a fit have a mean at the edge of those its link allows, where that is at a finite eta (n)."""
    if not fit.family.bounded(fit.link):
        return np.zeros(len(fit.design.y), dtype=bool)
    eta, used = fit.linear_predictor, fit.design.used
    low, high = fit.family.eta_interval(eta, fit.link)
    distance, margin = np.minimum(eta - low, high - eta), np.ptp(eta[used])
    if fit.solution.ended == "boundary":
        return used & (distance < NEAR * margin)
    near = 1e-15 if fit.converged else 1e-9  # not settled: there, or on the way
    return used & np.isin(fit.design.y, fit.family.mean_interval) & (distance < near * margin)
