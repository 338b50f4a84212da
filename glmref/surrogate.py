"""All rows at any coefficients, as far as one look at them and a sample tell.

Of all rows: the score U and the information I at some beta. Of a sample, kept in memory and weighted so that it stands for all
rows: its own score u and information i, at any coefficients. At beta + d the score of all rows is then about

    U - I d + [u(beta + d) - u(beta) + i(beta) d]:

exact to first order in d, where I is minus the derivative of U, as under a canonical link; what is beyond that, in brackets, is
the sample's, with a relative error of the order of (p / m)^(1/2) for m rows drawn by chance. The information follows likewise, and
so does the deviance, of which this is the gradient over -2. After Jordan, Lee and Yang (2019), who take the information from the
sample as well.

>>> from glmref.least_squares import Gram
>>> from glmref.standardize import evaluator
>>> from glmref.surrogate import surrogate
"""

from .least_squares import Gram


def surrogate(total, beta, evaluate):
    """A function like `evaluate` for irls: surrogate(...)(trial, kind) -> about the Gram of all rows, or None for impossible means.

    total: the Gram of all rows at beta (p). evaluate(beta, kind): the summary of the sample.

    >>> evaluate = evaluator(fit.design.rows, fit.family, fit.link)
    >>> half, there = np.array([2.5, -0.05]), np.array([5.0, -0.1])
    >>> about = surrogate(evaluate(half, Gram), half, evaluate)
    >>> np.allclose(about(there, Gram).score, evaluate(there, Gram).score)
    True
    """
    own = evaluate(beta, Gram)

    def about(trial, kind):
        there = evaluate(trial, Gram)
        if own is None or there is None:
            return None
        d = trial - beta
        information, score = total.information - own.information, total.score - own.score
        return Gram(
            information + there.information,
            score - information @ d + there.score,
            total.deviance + there.deviance - own.deviance - 2 * score @ d + d @ information @ d,
            total.rounding + there.rounding + own.rounding,
        )

    return about
