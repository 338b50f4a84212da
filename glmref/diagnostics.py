"""What each row says about the fit: residuals and leverage, as functions of y, the mean and the weight."""

import numpy as np
from scipy.linalg import solve_triangular

from .errors import InputError

RESIDUALS = ("response", "pearson", "deviance", "working")


def residuals(kind, design, family, link, eta):
    """Residuals of each row (n).

    response: y - mu. pearson: (y - mu) sqrt(w / V(mu)). deviance: sign(y - mu) sqrt(w d(y, mu)).
    working: (y - mu) / h'(eta), on the scale of the linear predictor.
    """
    y, weight = design.y, design.weight
    mu = link.inverse(eta)
    if kind == "response":
        return y - mu
    if kind == "pearson":
        return np.sqrt(weight) * pearson(y, eta, family, link)
    if kind == "deviance":
        return np.sign(y - mu) * np.sqrt(weight * family.deviance(y, eta, link))
    if kind == "working":
        return (y - mu) / link.derivative(eta)
    raise InputError(
        expected="a kind of residual: " + ", ".join(map(repr, RESIDUALS)), got=repr(kind), remedy="Choose one of these."
    )


def pearson(y, eta, family, link):
    """(y - mu) / sqrt(V(mu)) from the working pair: score / sqrt(weight), signed by the slope of h."""
    weight, score = family.working(y, eta, link)
    return np.sign(link.derivative(eta)) * np.divide(score, np.sqrt(weight), out=np.zeros_like(score), where=weight > 0)


def leverage(X, root, working_weight):
    """Diagonal of the hat matrix W^(1/2) X (X'WX)^-1 X' W^(1/2) (n), with X'WX = R'R."""
    scaled = solve_triangular(root, X.T, trans="T")
    return working_weight * np.sum(scaled**2, axis=0)
