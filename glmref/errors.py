"""What glmref says when it cannot go on (one exception) and when it goes on with a doubt (named warnings).

An error states what was expected, what came, and the remedy; it never guesses, clips or drops.
"""


class InputError(ValueError):
    """The input cannot be used.

    expected, got, remedy: one clause each; together they are the message.
    """

    def __init__(self, *, expected, got, remedy):
        self.expected, self.got, self.remedy = expected, got, remedy
        super().__init__(f"expected {expected}; got {got}. {remedy}")

    def __reduce__(self):
        return _rebuild, (self.expected, self.got, self.remedy)


def _rebuild(expected, got, remedy):
    return InputError(expected=expected, got=got, remedy=remedy)


class GLMWarning(UserWarning):
    """Base of all warnings of glmref: silence or raise them together."""


class ConvergenceWarning(GLMWarning):
    """The iterations stopped before the score was zero to working accuracy."""


class AliasWarning(GLMWarning):
    """A column is a linear combination of columns before it; its coefficient is NaN."""


class SeparationWarning(GLMWarning):
    """Some fitted means ran into the edge of their range: the maximum likelihood estimate is not finite."""


class BoundaryWarning(GLMWarning):
    """The best fit has a mean at the edge of those the link allows, or a family's parameter at the edge of its range: the
    usual standard errors and tests do not hold there."""


class CorrelationWarning(GLMWarning):
    """The estimated working correlation was no correlation matrix; it was drawn towards independence."""


class FewClustersWarning(GLMWarning):
    """No more clusters than coefficients: the robust covariance is singular."""
