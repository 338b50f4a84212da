"""What glmref says when it cannot go on (one exception) and when it goes on with a doubt (named warnings).

An error states what was expected, what came, and the remedy; it never guesses, clips or drops.

>>> import warnings
>>> from glmref import errors
>>> warnings.simplefilter("error", errors.GLMWarning)
"""


class InputError(ValueError):
    """The input cannot be used.

    expected, got, remedy: one clause each; together they are the message.

    >>> glm("damaged ~ temprature", orings)
    Traceback (most recent call last):
        ...
    glmref.errors.InputError: expected columns of the table: flight, temperature, damaged, rings, distress ...
    """

    def __init__(self, *, expected, got, remedy):
        self.expected, self.got, self.remedy = expected, got, remedy
        super().__init__(f"expected {expected}; got {got}. {remedy}")

    def __reduce__(self):
        return _rebuild, (self.expected, self.got, self.remedy)


def _rebuild(expected, got, remedy):
    return InputError(expected=expected, got=got, remedy=remedy)


class GLMWarning(UserWarning):
    """Base of all warnings of glmref: silence or raise them together.

    >>> issubclass(errors.AliasWarning, errors.GLMWarning), issubclass(errors.GLMWarning, UserWarning)
    (True, True)
    """


class ConvergenceWarning(GLMWarning):
    """The iterations stopped before the score was zero to working accuracy.

    >>> glm("I(damaged / rings) ~ temperature", orings, "binomial", weights="rings", max_iter=2)
    Traceback (most recent call last):
        ...
    glmref.errors.ConvergenceWarning: not converged after 2 rounds. Raise max_iter if the decrement falls ...
    """


class AliasWarning(GLMWarning):
    """A column is a linear combination of columns before it; its coefficient is NaN.

    >>> fit_glm(np.ones((3, 2)), np.arange(3.0))
    Traceback (most recent call last):
        ...
    glmref.errors.AliasWarning: x2: a linear combination of the columns before it; its coefficient is NaN. ...
    """


class SeparationWarning(GLMWarning):
    """Some fitted means ran into the edge of their range: the maximum likelihood estimate is not finite.

    >>> fit_glm(np.array([[1, -2.0], [1, -1], [1, 1], [1, 2]]), np.array([0, 0, 1, 1]), "binomial")
    Traceback (most recent call last):
        ...
    glmref.errors.SeparationWarning: 4 fitted means reach their responses only in the limit; infinite: x1 ...
    """


class BoundaryWarning(GLMWarning):
    """The best fit has a mean at the edge of those the link allows, or a family's parameter at the edge of its range: the
    usual standard errors and tests do not hold there.

    >>> fit_glm(np.ones((4, 1)), np.array([2, 3, 2, 3]), "negative_binomial")
    Traceback (most recent call last):
        ...
    glmref.errors.BoundaryWarning: The counts vary no more than Poisson counts: the estimate of alpha is 0, ...
    """


class CorrelationWarning(GLMWarning):
    """The estimated working correlation was no correlation matrix; it was drawn towards independence.

    >>> y = np.array([1, 2, 3, 3, 1, 2, 2, 3, 1, 1, 3, 2.0])
    >>> fit_gee(np.ones((12, 1)), y, np.repeat([1, 2, 3, 4], 3), correlation="exchangeable")
    Traceback (most recent call last):
        ...
    glmref.errors.CorrelationWarning: the exchangeable working correlation that the residuals suggest is ...
    """


class FewClustersWarning(GLMWarning):
    """No more clusters than coefficients: the robust covariance is singular.

    >>> fit_gee(np.vander(np.arange(6.0), 2), np.array([1, 3, 2, 4, 4, 6.0]), [1, 1, 1, 2, 2, 2])
    Traceback (most recent call last):
        ...
    glmref.errors.FewClustersWarning: 2 clusters for 2 coefficients: the robust covariance has rank 1 or ...
    """
