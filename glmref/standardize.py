"""A family and a link joined: from coefficients to the summary of all rows.

This is the one place where statistics meets linear algebra: each row becomes a working weight h'^2 / V and a score
(y - mu) h' / V, both times its prior weight, and the rows become sums.
"""

import numpy as np
from scipy import linalg

from .least_squares import Gram, Triangle


def standardize(block, beta, family, link):
    """eta and, per row, prior weight times (working weight, score, unit deviance); None for an impossible mean."""
    eta = block.X @ beta + block.offset
    if not np.all(family.valid(eta, link)):
        return None
    weight, score = family.working(block.y, eta, link)
    deviance = family.deviance(block.y, eta, link)
    return eta, block.weight * weight, block.weight * score, float(block.weight @ deviance)


def evaluator(rows, family, link):
    """The function that irls calls: evaluate(beta, kind) -> the summary of all rows at beta, or None."""

    def evaluate(beta, kind):
        total = None
        for block in rows:
            standardized = standardize(block, beta, family, link)
            if standardized is None or not np.isfinite(standardized[3]):
                return None
            part = kind.of(block.X, *standardized[1:])
            total = part if total is None else total + part
        return total if np.isfinite(total.deviance) else None

    return evaluate


def refined_root(rows, family, link, beta):
    """Upper R with R'R = X'WX at beta, accurate though formed from products (CholeskyQR2).

    With R from the Gram matrix, J R^-1 is nearly orthogonal; its own Gram matrix corrects what the first one lost.
    """
    evaluate = evaluator(rows, family, link)
    root = evaluate(beta, Gram).triangle()
    if root is None:
        return evaluate(beta, Triangle).root
    inverse = linalg.solve_triangular(root, np.eye(len(root)))

    def orthogonalized(block):
        weight = standardize(block, beta, family, link)[1]
        J = np.sqrt(weight)[:, None] * block.X
        return (J @ inverse).T @ (J @ inverse)

    return np.linalg.cholesky(rows.sum(orthogonalized)).T @ root
