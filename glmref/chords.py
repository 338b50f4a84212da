"""Steps by the score of all rows alone, each at a third of the price of Fisher scoring's.

With the R of a sample, (R'R)^-1 J'r is a first guess at the step: Newton's method with a chord for the tangent. What the scores
at the points before have told about the information mends the guess (BFGS: Nocedal and Wright 2006, chapter 7).

>>> from glmref.chords import Near, chords
>>> from glmref.standardize import evaluator
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import blas
from scipy.optimize import LbfgsInvHessProduct

from .irls import negligible
from .least_squares import Score, back_substitute


class Near(NamedTuple):
    """Coefficients (p) near the estimate, and the decrement of the step that led there, or one beside which the next shows what
    Fisher scoring will leave of it (0: unknown)."""

    beta: np.ndarray
    decrement: float = 0.0


def chords(evaluate, beta, root, farthest, *, limit, settled, reach=None):
    """Near the estimate, from beta (p), by chords with the R of a sample (p x p). None where the first step is impossible or its
    decrement above `farthest`; later ones go on while each decrement is a quarter of the last or less, until the next point may
    be taken for the last of Fisher scoring (limit, settled: see there).

    reach: of a decrement d the Fisher step that follows is taken to leave d (d / reach), as where its error is quadratic: of a
    canonical link, with the deviance for reach. None: it leaves what the last step here left.

    >>> evaluate = evaluator(fit.design.rows, fit.family, fit.link)
    >>> chords(evaluate, fit.solution.beta + 0.01, fit.root, np.inf, limit=1e-8, settled=10).beta.round(4)
    array([ 5.085 , -0.1156])
    """
    near, last, factors, moves, bends, before = None, 4 * farthest, [], [], [], None
    while (total := evaluate(beta, Score)) is not None and np.all(np.isfinite(total.score)):
        slope = back_substitute(root, total.score, transposed=True)
        decrement = blas.dnrm2(slope)
        decrement *= decrement  # infinite, if far out
        if not decrement <= last / 4:
            break
        if near is not None:
            bends.append(before - slope)
            factors.append(decrement / last)
        moves.append(LbfgsInvHessProduct(np.array(moves), np.array(bends)) @ slope if bends else slope)
        near = Near(beta + back_substitute(root, moves[-1]), reach or decrement)
        coming = decrement * max(factors[-2:], default=1.0)  # the worse of two: BFGS is uneven
        if negligible(coming, near.decrement, limit, settled):
            break
        beta, last, before = near.beta, decrement, slope
    return near
