"""The jackknife: fit again without each cluster in turn, and see how far the coefficients move.

It takes one fit per cluster, each begun from the full one, with alpha and phi estimated anew; the Mancl-DeRouen covariance
is its one-step approximation up to a factor, and costs one pass.
"""

import numpy as np

from .errors import InputError
from .geeloop import iterate


def deleted_coefficients(panel, solution, tol=1e-10):
    """beta without cluster i, for each i in the order of the sorted clusters (K x p)."""
    coefficients = np.empty((len(panel.clusters), len(panel.X)))
    for i, label in enumerate(panel.clusters.labels):
        fitted = iterate(panel.without(i), solution.beta, tol=tol)
        if not fitted.converged:
            raise InputError(
                expected="a fit without each cluster in turn",
                got=f"none without cluster {label!s}, which determines a coefficient alone or keeps the rounds from swinging",
                remedy='Use "mancl_derouen" or "robust", or merge the level that only this cluster has.',
            )
        coefficients[i] = fitted.beta
    return coefficients


def jackknife(panel, solution):
    """(K - p) / K sum (beta_-i - beta)(beta_-i - beta)' (p x p). Paik (1988), Repeated measurement analysis for nonnormal data
    in small samples. Under "geepack" (K - p - q - r) / K, q the number of alphas, r = 1 where phi is estimated."""
    if not panel.in_memory:
        raise InputError(
            expected="rows in memory for a fit without each cluster in turn",
            got=f"rows of {panel.source.name}",
            remedy='Use "mancl_derouen", its one-step approximation.',
        )
    K, p = len(panel.clusters), len(panel.X)
    lost = p
    if panel.convention == "geepack":
        q = 0 if panel.correlation.held() is not None else len(solution.point.parameters.alpha)
        lost += q + (panel.dispersion is None)
    away = deleted_coefficients(panel, solution) - solution.beta
    return (K - lost) / K * away.T @ away
