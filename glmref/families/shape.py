"""A family's own parameter beside mean and dispersion: alpha of the negative binomial, the power of Tweedie. Known, or estimated."""

import numbers
from typing import ClassVar, NamedTuple

import numpy as np

from ..errors import InputError


class Estimate(NamedTuple):
    """How a family's own parameter was estimated: its name, value and standard error se (NaN where there is none).

    held: the family under which restricted models are fitted in tests; note: a doubt about the estimate, or "".

    >>> days = glm("days ~ sex", datasets.load("quine"), "negative_binomial")
    >>> days.estimate.name, round(days.estimate.value, 3), round(days.estimate.se, 3)
    ('alpha', 0.931, 0.113)
    """

    name: str
    value: float
    se: float
    held: "Family"
    note: str = ""


class Joint(NamedTuple):
    """A family with its parameter, the solution for beta there, and the Estimate (None where nothing was estimated)."""

    family: "Family"
    solution: object
    estimate: Estimate | None


class Shaped:
    """A family as the holder of such a parameter, if it has one.

    shape_name: the name of the parameter, an attribute which is None while it is unknown; None: the family has none.

    >>> families.NegativeBinomial.shape_name, families.Poisson.shape_name
    ('alpha', None)
    """

    shape_name: ClassVar[str | None] = None

    @property
    def shape(self):
        """The family's own parameter. Raises InputError while it is unknown: only a fit can go on without it.

        >>> families.Tweedie(1.5).shape
        1.5
        """
        value = getattr(self, self.shape_name)
        if value is None:
            raise InputError(
                expected=f"the {self.name} family with its {self.shape_name}",
                got=f"none: {self.shape_name} is to be estimated",
                remedy=f"Take fit.family, which has the estimate, or give {self.shape_name}= a number.",
            )
        return float(value)

    @property
    def unknown(self):
        """Whether a parameter of the family is left to be estimated.

        >>> families.NegativeBinomial().unknown, families.NegativeBinomial(0.5).unknown
        (True, False)
        """
        return self.shape_name is not None and getattr(self, self.shape_name) is None

    def _check_shape(self, possible, expected):
        """Refuse a shape that is not a finite number with possible(shape)."""
        value = getattr(self, self.shape_name)
        number = isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))
        if value is not None and not (number and np.isfinite(float(value)) and possible(value)):
            raise InputError(expected=expected, got=repr(value), remedy=f"{type(self).__name__}() estimates it.")

    def estimate(self, solve, rows, link, guess=None):
        """Fit beta, and the family's own parameter where it is unknown, by maximum likelihood: a Joint.

        solve(family, near) -> the Solution for beta under a complete family, begun from beta = near if not None.
        guess: a complete family that may be close.

        >>> joint = families.Poisson().estimate(lambda family, near: "the solution for beta", None, None)
        >>> joint.family, joint.solution, joint.estimate
        (Poisson(), 'the solution for beta', None)
        """
        return Joint(self, solve(self, None), None)
