"""Separation: which maximum likelihood estimates are infinite, found exactly (Albert & Anderson 1984; Konis 2007).

A row whose response lies at an end of the means' range that the link reaches only at eta = -inf or +inf (a count of 0
under a log link, a proportion of 0 or 1 under logit) pulls its linear predictor there without limit; every other row holds
its own where it is. So the deviance falls for ever along the directions g of a cone,

    s_i (X g)_i >= 0 in the rows at an end (s_i = +-1, the sign of that infinite eta),    (X g)_i = 0 in all others,

and the estimate is infinite if some g of it moves a row (and only if, where a wrong mean at an edge costs infinite deviance:
not so under a Gaussian or an inverse Gaussian). The rows that any g moves are the separated ones: in the limit their means
equal their responses, and the other rows determine what can be determined. A coefficient is finite if these determine it;
infinite with the sign that it has in every direction g; of undetermined sign if it has both.

The cone is searched by linear programs, in the coordinates of X = QR, so that scales and collinear columns do not matter.
A direction is believed only after it passed the inequalities itself: in doubt nothing is said.

>>> from glmref import design, separation
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg, optimize

from . import families, links
from .columns import RANK_TOLERANCE, choose_columns
from .least_squares import Triangle, solve
from .standardize import evaluator

TOLERANCE = 1e-8  # below this a number of order 1 counts as zero
LOOSE = 1e6  # a linear predictor with this standard error is held by no row (its step may have underflowed)
NEAR = 1e-6  # a fitted mean this close to the edge, beside the mean response, may be on its way there


@dataclass(frozen=True, eq=False)
class Separation:
    """rows (n): which are separated. infinite: a Series of +inf, -inf or NaN (sign undetermined), by name of the
    coefficients that are infinite. direction (p): a g of the cone that moves every separated row. complete: whether these
    are all rows, so that nothing is estimated.

    >>> rows = design.from_arrays(np.array([[1, -2.0], [1, -1], [1, 1], [1, 2]]), np.array([0, 0, 1, 1]))
    >>> found = separation.find(rows)
    >>> found.infinite.to_dict(), found.rows, found.complete
    ({'x1': nan, 'x2': inf}, array([ True,  True,  True,  True]), True)
    """

    rows: np.ndarray
    infinite: pd.Series
    direction: np.ndarray
    complete: bool

    def __str__(self):
        signs = self.infinite.map(lambda value: "sign undetermined" if np.isnan(value) else f"{value:+}")
        shown = ", ".join(f"{name} ({sign})" for name, sign in signs.head(10).items()) + (", ..." if len(signs) > 10 else "")
        count = np.count_nonzero(self.rows)
        means = "1 fitted mean reaches its response" if count == 1 else f"{count} fitted means reach their responses"
        return f"{means} only in the limit; infinite: {shown}"


def find(design, family="binomial", link=None):
    """The Separation of a Design (see design.from_formula, design.from_arrays), or None where the estimate is finite.

    >>> rows = design.from_arrays(np.array([[1, -2.0], [1, -1], [1, 1], [1, 2]]), np.array([0, 1, 0, 1]))
    >>> separation.find(rows) is None
    True
    """
    family = families.get(family)
    link = family.default_link if link is None else links.get(link)
    rows = design.rows
    keep = choose_columns(rows).keep
    scale, X = scaled(rows.X[:, keep])
    Q, R = np.linalg.qr(X)
    Q = unit(Q)
    sign = edge_signs(rows.y, family, link)
    free = null_space(Q[sign == 0])
    moved, gamma = strict_rows(sign[:, None] * (Q @ free))
    if not moved.any():
        return None
    everywhere = np.zeros(len(design.y), dtype=bool)
    everywhere[np.flatnonzero(design.used)[moved]] = True
    direction = np.zeros(len(keep))
    direction[keep] = linalg.solve_triangular(R, free @ gamma) / scale
    limit = null_space(Q[~moved])
    found = limits(linalg.solve_triangular(R, np.eye(len(R))), limit, unit(sign[moved, None] * (Q[moved] @ limit)))
    infinite = pd.Series(found, index=np.array(design.names)[keep], dtype=float)
    return Separation(everywhere, infinite[found != 0], direction, bool(moved.all()))


def suspected(fit):
    """Whether the estimate may be infinite: the rounds did not arrive, or some mean is nearly at an edge and still moving.

    Cheap, so that regular fits pay next to nothing.
    """
    y, weight, sign = fit.design.y, fit.design.weight, edge_signs(fit.design.y, fit.family, fit.link)
    if not sign.any():
        return False
    with np.errstate(all="ignore"):  # rows without weight may have impossible means
        inside = np.clip(y, *edges(fit.family, fit.link))  # a response beyond the edge pulls its mean there as well
        distance = np.abs(inside - fit.link.inverse(fit.linear_predictor))
    near = (sign != 0) & (weight > 0) & (distance <= NEAR * np.average(np.abs(y), weights=weight))
    if not near.any() or not fit.converged:
        return not fit.converged
    step = solve(evaluator(fit._rows, fit.family, fit.link)(fit.solution.beta, Triangle))
    if step is None:
        return True
    X = fit.design.X[near][:, fit.keep]
    loose = np.max(np.linalg.norm(linalg.solve_triangular(step.root, X.T, trans="T"), axis=0)) > LOOSE
    return bool(loose or np.max(np.abs(X @ step.direction)) > 1e-3)


def infinite_columns(rows, family, link, beta):
    """Which columns the rows leave undetermined whose means have not run to an edge (positions), by sums over rows alone.

    For rows that come in portions: it tells no more than that, and what it tells is a suspicion, not a proof.
    """

    def of(block):
        eta = block.X @ beta + block.offset
        with np.errstate(all="ignore"):
            distance = np.abs(block.y - link.inverse(eta))
        held = (edge_signs(block.y, family, link) == 0) | (distance > NEAR * np.maximum(np.abs(block.y), 1.0))
        return np.array([unit(block.X).T @ unit(block.X), unit(block.X[held]).T @ unit(block.X[held])])

    everything, held = rows.sum(of)
    size = np.sqrt(np.diag(everything))
    values, axes = np.linalg.eigh(held / np.outer(size, size))
    loose = axes[:, values <= 1e-12 * values[-1]]
    return np.flatnonzero(np.any(np.abs(loose) > TOLERANCE, axis=1))


def edge_signs(y, family, link):
    """Per row: +1 or -1 where the response is at (or beyond) a mean that the link reaches at eta = +inf or -inf; else 0."""
    low, high = edges(family, link)
    with np.errstate(all="ignore"):
        at_low, at_high = (np.sign(eta) if np.isinf(eta) else 0.0 for eta in map(link.link, np.array([low, high])))
    return np.where(y <= low, at_low, np.where(y >= high, at_high, 0.0))


def edges(family, link):
    """The ends of the means that are possible for both."""
    return max(family.mean_interval[0], link.image[0]), min(family.mean_interval[1], link.image[1])


def scaled(X):
    """The typical size of each column (p), and X with columns divided by it and then rows of length 1.

    A positive factor per row changes no inequality; so a few huge values do not hide the others.
    """
    size = np.abs(X)
    scale = np.array([np.median(column[column > 0]) for column in size.T])
    return scale, unit(X / scale)


def unit(rows, tolerance=1e-12):
    """The rows divided by their lengths; 0 where that is 0 up to the tolerance."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, length, out=np.zeros_like(rows), where=length > tolerance)


def null_space(rows):
    """An orthonormal basis (p x k) of the directions in which no row (of length 1 or 0) moves."""
    p = rows.shape[1]
    root = np.linalg.qr(rows, mode="r") if len(rows) > p else rows
    _, size, V = np.linalg.svd(np.vstack([root, np.zeros((p, p))]))
    return V[size <= RANK_TOLERANCE * max(size[0], 1.0)].T


def strict_rows(Z):
    """Which rows some g with Z g >= 0 moves, and a g that moves them all. Z: m x k.

    One program finds some of the rows. They can then be left out, since a large multiple of its g makes up for whatever
    another direction does to them; so the next program sees fewer rows, until none moves.
    """
    Z = unit(Z, TOLERANCE)
    left = np.flatnonzero(Z.any(axis=1))
    moved, total = np.zeros(len(Z), dtype=bool), np.zeros(Z.shape[1])
    while len(left) and Z.shape[1]:
        g = extreme(Z[left].sum(axis=0), Z[left])
        still = null_space(Z[left][Z[left] @ g < TOLERANCE])
        g = still @ (still.T @ g)  # exactly 0 where the program left rounding
        slack = Z[left] @ g
        if not np.any(slack > TOLERANCE) or np.min(slack) < -1e-12:
            break
        others = Z[moved] @ g
        total = total + g * (0.5 * np.min(Z[moved] @ total, initial=1.0) / max(np.max(np.abs(others), initial=0.0), 1.0))
        moved[left[slack > TOLERANCE]] = True
        left = left[slack <= TOLERANCE]
    return moved, total


def limits(inverse, free, Z):
    """Per coefficient: 0 if finite, +inf or -inf, NaN if its sign is undetermined.

    inverse: R^-1, by which coefficients hang on the coordinates of Q; free: the directions (p x k) that are not
    determined; Z (m x k): the separated rows in them, signed.
    """
    found = np.zeros(len(inverse))
    for j, row in enumerate(inverse):
        change = free.T @ (row / np.linalg.norm(row))
        if np.linalg.norm(change) > TOLERANCE:
            change = change / np.linalg.norm(change)
            up, down = (change @ extreme(way * change, Z) * way > TOLERANCE for way in (1, -1))
            found[j] = np.nan if up == down else np.inf if up else -np.inf
    return found


def extreme(objective, Z):
    """The g with Z g >= 0 and |g_j| <= 1 that maximizes objective'g (0 where the program fails).

    Few of many rows bind: the program starts with some of them and takes in those that its answer violates most.
    """
    m, k = Z.shape
    used = np.unique(np.linspace(0, m - 1, min(m, 20 * k)).astype(int))
    while True:
        program = optimize.linprog(
            -objective / max(np.linalg.norm(objective), 1e-300),
            A_ub=-Z[used],
            b_ub=np.zeros(len(used)),
            bounds=(-1, 1),
            method="highs",
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )
        if program.x is None:
            return np.zeros(k)
        slack = Z @ program.x
        worst = np.argsort(slack)[: 20 * k]
        new = np.setdiff1d(worst[slack[worst] < -1e-9], used)
        if not len(new):
            return program.x
        used = np.union1d(used, new)
