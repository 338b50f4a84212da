"""What each row says about the fit: residuals, leverage and influence, as functions of y, eta and the weight.

>>> from glmref import diagnostics
"""

import numpy as np
from scipy import special
from scipy.linalg import solve_triangular

from .errors import InputError
from .least_squares import inverse_information

FULL = 1 - 1e-12  # a leverage from here on is 1: the row decides its own mean, and without it a coefficient is undetermined
RESIDUALS = ("response", "pearson", "deviance", "working", "anscombe", "quantile")


def residuals(kind, design, family, link, eta, phi, rng):
    """Residuals of each row (n).

    response: y - mu. pearson: (y - mu) sqrt(w / V(mu)). deviance: sign(y - mu) sqrt(w d(y, mu)).
    working: (y - mu) / h'(eta), on the scale of the linear predictor.
    anscombe: sqrt(w) [A(y) - A(mu)] / V(mu)^(1/6), A the integral of V^(-1/3) (Anscombe 1953; McCullagh & Nelder, 2.4.2).
    quantile: Phi^-1 of P(Y <= y), drawn between the two sides of its jump where y has
    a probability of its own, as counts have (Dunn & Smyth 1996).

    >>> poisson, log = families.Poisson(), links.Log()
    >>> rows = fit_glm(np.ones((3, 1)), np.array([1.0, 2.0, 6.0]), "poisson").design
    >>> diagnostics.residuals("deviance", rows, poisson, log, np.log([3.0, 3.0, 3.0]), 1.0, 0).round(3)
    array([-1.343, -0.615,  1.522])
    """
    y, weight, mu = design.y, design.weight, link.inverse(eta)
    if kind == "response":
        return y - mu
    if kind == "pearson":
        return np.sqrt(weight) * pearson(y, eta, family, link)
    if kind == "deviance":
        return np.sign(y - mu) * np.sqrt(weight * family.deviance(y, eta, link))
    if kind == "working":
        return (y - mu) / link.derivative(eta)
    if kind == "anscombe":
        apart, spread = np.sqrt(weight) * (family.normalized(y) - family.normalized(mu)), family.variance(mu) ** (1 / 6)
        return np.divide(apart, spread, out=np.zeros_like(apart), where=(apart != 0) | (spread > 0))
    if kind == "quantile":
        return np.where(design.used, quantile(y, mu, weight, family, phi, rng), np.nan)
    raise InputError(
        expected="a kind of residual: " + ", ".join(map(repr, RESIDUALS)), got=repr(kind), remedy="Choose one of these."
    )


def pearson(y, eta, family, link):
    """(y - mu) / sqrt(V(mu)) from the working pair: score / sqrt(weight), signed by the slope of h.

    >>> diagnostics.pearson(np.array([6.0]), np.log([4.0]), families.Poisson(), links.Log())
    array([1.])
    """
    weight, score = family.working(y, eta, link)
    return np.sign(link.derivative(eta)) * np.divide(score, np.sqrt(weight), out=np.zeros_like(score), where=weight > 0)


def quantile(y, mu, weight, family, phi, rng):
    """Randomized quantile residuals: exactly standard normal if the model is true. Rows of weight 0: NaN.

    >>> one = np.ones(1)
    >>> diagnostics.quantile(np.array([1.96]), 0 * one, one, families.Gaussian(), 1.0, 0).round(3)
    array([1.96])
    """
    used = weight > 0
    y, mu, weight = y[used], mu[used], weight[used]
    (low, high), (low_before, high_before) = (law(y, mu, phi, weight) for law in (family.tails, family.open_tails))
    try:
        u = np.random.default_rng(rng).uniform(size=len(y))
    except (TypeError, ValueError) as error:
        raise InputError(expected="rng as a seed, a whole number >= 0", got=f"{rng!r}: {error}", remedy="0 is the default.") from None
    low, high = low_before + u * (low - low_before), high + (1 - u) * (high_before - high)
    full = np.full(len(used), np.nan)
    full[used] = np.where(low < 0.5, special.ndtri(low), -special.ndtri(high))  # the smaller tail has the digits
    return full


def leverage(X, root, working_weight):
    """Diagonal of the hat matrix W^(1/2) X (X'WX)^-1 X' W^(1/2) (n), with X'WX = R'R.

    >>> diagnostics.leverage(np.ones((4, 1)), np.array([[2.0]]), np.ones(4))
    array([0.25, 0.25, 0.25, 0.25])
    """
    scaled = solve_triangular(root, X.T, trans="T")
    return working_weight * np.sum(scaled**2, axis=0)


def cooks_distance(pearson_residuals, h, phi, p):
    """r^2 h / [phi p (1 - h)^2]: how far, in standard errors, all coefficients move without the row (one step). NaN where h = 1.

    >>> diagnostics.cooks_distance(np.array([2.0]), np.array([0.5]), phi=1.0, p=2)
    array([4.])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return pearson_residuals**2 * h / (phi * p * _rest(h) ** 2)


def dfbetas(scores, h, root, phi):
    """Change of each coefficient without the row, in its standard errors (n x p): (X'WX)^-1 u / (1 - h), one step. NaN where h = 1.

    >>> diagnostics.dfbetas(np.array([[1.0], [-1.0]]), np.array([0.5, 0.5]), np.array([[2.0]]), phi=1.0)
    array([[ 1.],
           [-1.]])
    """
    bread = inverse_information(root)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (scores / _rest(h)[:, None]) @ bread / np.sqrt(phi * np.diag(bread))


def _rest(h):
    """1 - h; NaN where nothing is left but rounding."""
    return np.where(h < FULL, 1 - h, np.nan)
