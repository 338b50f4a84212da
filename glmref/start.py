"""Where Fisher scoring begins, and which columns it can use.

First choice: one regression of the link of the data. Where that implies an impossible mean (an identity link on counts,
say), the coefficients that come nearest to a constant mean, which every link can give.
"""

import numpy as np

from .errors import InputError
from .least_squares import Gram, Triangle, independent_columns, solve


def starting_coefficients(rows, family, link):
    """Which columns are independent, and the coefficients of one regression from means near the data.

    The regression of z = eta0 + (y - mu0) / h' with the weights at mu0; z enters as its score W z.
    """

    def summarize(kind):
        def of(block):
            mu = family.starting_mean(block.y, block.weight)
            with np.errstate(all="ignore"):
                eta = link.link(mu)
                usable = np.isfinite(eta) & family.valid(eta, link)
            eta = np.where(usable, eta, fallback)
            weight, score = family.working(block.y, eta, link)
            score = block.weight * (score + weight * (eta - block.offset))
            return kind.of(block.X, block.weight * weight, score, 0.0)

        return of

    fallback = constant_eta(rows, link)
    summary = rows.sum(summarize(Gram))
    step = solve(summary)
    if step is not None:
        return np.ones(len(step.direction), dtype=bool), step.direction
    summary = rows.sum(summarize(Triangle))
    keep = independent_columns(summary.root)
    if keep.all():
        return keep, solve(summary).direction
    return keep, solve(Triangle.fold(summary.root[:, keep], summary.projection, 0.0)).direction


def given_start(rows, start):
    """The user's starting coefficients, which also say which columns to use."""
    start = np.asarray(start, dtype=float)
    if start.shape != (rows.X.shape[1],) or not np.all(np.isfinite(start)):
        raise InputError(
            expected=f"start with {rows.X.shape[1]} finite numbers, one per column",
            got=f"shape {start.shape}",
            remedy="Pass one starting coefficient per column of X.",
        )
    keep = independent_columns(rows.sum(lambda b: Triangle.of(b.X, b.weight, b.weight * 0, 0.0)).root)
    return keep, start[keep]


def constant_eta(rows, link):
    """g of the weighted mean response: the linear predictor of a model with no covariates."""
    with np.errstate(all="ignore"):
        mean = np.average(rows.y, weights=rows.weight)
        eta = float(link.link(mean))
    return eta if np.isfinite(eta) else float(link.link(np.max(np.abs(rows.y)) + 1.0))


def feasible(evaluate, rows, beta, family, link):
    """beta if its means are possible, else the coefficients that come nearest to a constant mean."""
    if evaluate(beta, Gram) is not None:
        return beta
    target = constant_eta(rows, link)
    constant = rows.sum(lambda b: Triangle.of(b.X, np.ones(len(b.y)), target - b.offset, 0.0))
    beta = solve(constant).direction
    if evaluate(beta, Gram) is None:
        raise InputError(
            expected=f"coefficients from which every mean of the {family.name} family with the {link.name} link is possible",
            got="none: neither a regression on the transformed data nor a constant mean will do",
            remedy="Pass start= with coefficients that give valid means, or choose a link whose range fits, such as 'log'.",
        )
    return beta
