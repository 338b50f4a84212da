"""A family and a link joined: from coefficients to the summary of all rows.

This is the one place where statistics meets linear algebra: each row becomes a working weight h'^2 / V and a score
(y - mu) h' / V, both times its prior weight, and the rows become sums.
"""

from math import isfinite

import numpy as np
from scipy import linalg
from scipy.linalg import blas

from .blocks import is_constant
from .least_squares import Gram, Score, Triangle


def far(function):
    """The same function where a step may lead to numbers that overflow: whoever sums over rows looks whether sums are finite."""

    def quiet(*arguments):
        with np.errstate(all="ignore"):  # as a decorator it could not be sent to a worker
            return function(*arguments)

    return quiet


def standardize(block, beta, family, link, bounded=True):
    """Per row, prior weight times (working weight, score, loss); None for an impossible mean (not bounded: there is none)."""
    eta = linear_predictor(block, beta, family, link, bounded)
    if eta is None:
        return None
    standardized = family.kernel(block.y, eta, link)
    return standardized if is_constant(block.weight, 1.0) else tuple(block.weight * values for values in standardized)


def linear_predictor(block, beta, family, link, bounded):
    """eta of a block, or None where some mean is impossible."""
    eta = beta.dot(block.X.T)  # so, and not X beta, since columns that lie apart in memory then take less time
    if not is_constant(block.offset, 0.0):
        eta += block.offset
    return None if bounded and not family.valid(eta, link).all() else eta


def score_alone(block, beta, family, link, bounded):
    """The Score of a block, in less than half the time of a Gram; None where some mean is impossible. By pieces that stay in the
    processor's cache from the first product with X to the second."""
    total = np.zeros(len(beta))
    for piece in block.pieces():
        eta = linear_predictor(piece, beta, family, link, bounded)
        if eta is None:
            return None
        score = family.score(piece.y, eta, link)
        total += piece.X.T.dot(score if is_constant(piece.weight, 1.0) else piece.weight * score)
    return Score(total)


def saturated_loss(block, family):
    """The loss of a block whose means are its responses."""
    loss = family.saturated_loss(block.y)
    return float(np.add.reduce(loss) if is_constant(block.weight, 1.0) else np.dot(block.weight, loss))


def evaluator(rows, family, link):
    """The function that irls calls: evaluate(beta, kind) -> the summary of all rows at beta, or None.

    It remembers its last answer, for whoever asks first whether a point is possible and then steps from it.
    """
    saturated = {block.rows.start: saturated_loss(block, family) for block in rows} if rows.in_memory else None
    bounded, last = family.bounded(link), {}

    @far
    def summarize(block, beta, kind):
        if kind is Score:
            return score_alone(block, beta, family, link, bounded)
        standardized = standardize(block, beta, family, link, bounded)
        if standardized is None:
            return None
        weight, score, loss = standardized
        known = saturated_loss(block, family) if saturated is None else saturated[block.rows.start]
        deviance, rounding = 2 * (float(np.add.reduce(loss)) - known), 2e-13 * blas.dasum(loss)
        if family.loss_noise:
            rounding += 2 * family.loss_noise * float(np.add.reduce(block.weight))
        return kind.of(block.X, weight, score, deviance, rounding) if isfinite(deviance) else None

    def evaluate(beta, kind):
        key = kind, beta.tobytes()
        if key not in last:
            last.clear()
            last[key] = rows.sum(lambda block: summarize(block, beta, kind))
        return last[key]

    return evaluate


def total_deviance(rows, family, link, beta):
    """sum w d(y, mu) over all rows, to full relative accuracy; infinite where a mean is impossible."""

    @far
    def of(block):
        eta = block.X @ beta + block.offset
        return block.weight @ family.deviance(block.y, eta, link) if np.all(family.valid(eta, link)) else np.inf

    return float(rows.sum(of))


def refined_root(rows, family, link, beta):
    """Upper R with R'R = X'WX at beta, accurate though formed from products (CholeskyQR2).

    With R from the Gram matrix, J R^-1 is nearly orthogonal; its own Gram matrix corrects what the first one lost.
    """
    evaluate = evaluator(rows, family, link)
    summary = evaluate(beta, Gram)
    if summary is None:  # the last step led where means overflow
        return np.full((len(beta), len(beta)), np.nan)
    root = summary.triangle()
    if root is None:
        return evaluate(beta, Triangle).root
    inverse = linalg.solve_triangular(root, np.eye(len(root)))

    @far
    def orthogonalized(block):
        weight = standardize(block, beta, family, link)[0]
        J = np.sqrt(weight)[:, None] * block.X
        return (J @ inverse).T @ (J @ inverse)

    return np.linalg.cholesky(rows.sum(orthogonalized)).T @ root
