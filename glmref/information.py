"""Fisher information: how sharply the likelihood peaks at the estimate.

    expected  X'WX / phi,    W = w h'^2 / V: the mean of the curvature over responses, known without y
    observed  X'W_o X / phi, W_o = W - s (h''/h' - h' V'/V), s = w (y - mu) h' / V: the curvature at these responses

They agree where the link is canonical, for then h' is proportional to V(mu) and the bracket is zero; elsewhere they differ
by a term of mean zero. Standard errors here come from the expected information, as in R; Stata's and those of Newton's
method come from the observed one (Efron and Hinkley 1978 compare them).

>>> from glmref import information
"""

import numpy as np

from .errors import InputError
from .least_squares import Gram

KINDS = ("expected", "observed")


def observed_weight(y, eta, family, link):
    """W_o per unit of prior weight (n): minus the derivative of the score (y - mu) h' / V with respect to eta.

    >>> y, eta = np.array([0.0, 1.0]), np.array([0.5, 0.5])
    >>> information.observed_weight(y, eta, families.Binomial(), links.Probit()).round(4)
    array([0.7315, 0.5138])
    """
    weight, score = family.working(y, eta, link)
    if link == family.canonical_link:
        return weight
    mu, slope = link.inverse(eta), link.derivative(eta)
    bend = _ratio(link.second_derivative(eta), slope)
    return weight - score * (bend - _ratio(slope * family.variance_derivative(mu), family.variance(mu)))


def _ratio(a, b):
    """a / b, and 0 where b has underflowed: such a row carries no weight either way."""
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)


def information(kind, rows, family, link, beta, phi):
    """The information (p x p) about beta: kind "expected" or "observed".

    >>> beta = fit.coef.to_numpy()
    >>> found = information.information("observed", fit.design.rows, fit.family, fit.link, beta, phi=1.0)
    >>> np.sqrt(np.diag(information.inverse(found))).round(4)
    array([3.0525, 0.047 ])
    """
    if kind not in KINDS:
        raise InputError(expected='kind="expected" or "observed"', got=repr(kind), remedy="Choose one.")

    def of(block):
        eta = block.X @ beta + block.offset
        expected = kind == "expected"
        weight = family.working(block.y, eta, link)[0] if expected else observed_weight(block.y, eta, family, link)
        return Gram((block.X.T * (block.weight * weight)) @ block.X, np.zeros(len(beta)), 0.0)

    return rows.sum(of).information / phi


def inverse(matrix):
    """The inverse of an information matrix, its columns scaled first; raises where it is not positive definite.

    >>> information.inverse(np.array([[2.0, 0.0], [0.0, 4.0]]))
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """
    length = np.sqrt(np.abs(np.diag(matrix)))
    try:
        factor = np.linalg.cholesky(matrix / np.outer(length, length))
    except np.linalg.LinAlgError:
        raise InputError(
            expected="observed information that is positive definite, as at a maximum of the likelihood",
            got=f"a smallest eigenvalue of {np.linalg.eigvalsh(matrix)[0]:.3g}",
            remedy='Look at fit.converged; the expected information, kind="model", always has an inverse.',
        ) from None
    root = np.linalg.inv(factor) / length
    return root.T @ root
