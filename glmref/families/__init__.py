"""The families: what kind of randomness surrounds the mean.

A family is an exponential dispersion model, f(y) = exp{[y theta - b(theta)] / a(phi) + c(y, phi)}, a(phi) = phi / w.
Each class says b once, as one line (`cumulant`), for any library that has exp, log and sqrt; from b everything follows:
the mean is b'(theta), the variance b''(theta) a(phi), the unit deviance twice the Bregman divergence of b. The numerics
are written by hand so that no digit is lost, and the tests hold them to b at 50 digits.

`base` has the contract; `discrete` and `continuous` the families of the textbook; `negative_binomial` (fitted by `alpha`)
and `tweedie` those with a parameter of their own, given or estimated (`shape`); `quasi` those with a mean and a variance only.

>>> sorted(families.BY_NAME)
['binomial', 'gamma', 'gaussian', 'inverse_gaussian', 'negative_binomial', 'poisson', 'quasibinomial', 'quasipoisson', 'tweedie']
"""

from ..errors import InputError
from .base import Family
from .continuous import Gamma, Gaussian, InverseGaussian
from .discrete import Binomial, Poisson
from .negative_binomial import NegativeBinomial
from .quasi import QuasiBinomial, QuasiPoisson
from .shape import Estimate
from .tweedie import Tweedie

__all__ = [
    "BY_NAME",
    "Binomial",
    "Estimate",
    "Family",
    "Gamma",
    "Gaussian",
    "InverseGaussian",
    "NegativeBinomial",
    "Poisson",
    "QuasiBinomial",
    "QuasiPoisson",
    "Tweedie",
    "from_cumulant",
    "get",
]

BY_NAME = {
    family.name: family
    for family in (
        Gaussian(),
        Binomial(),
        Poisson(),
        Gamma(),
        InverseGaussian(),
        NegativeBinomial(),
        Tweedie(),
        QuasiPoisson(),
        QuasiBinomial(),
    )
}


def get(family):
    """The family of that name, or the family itself. Unknown names raise InputError with the known ones.

    >>> families.get("gamma")
    Gamma()
    """
    if isinstance(family, type) and issubclass(family, Family) and hasattr(family, "name"):
        family = family()
    if isinstance(family, Family) and hasattr(family, "name"):
        return family
    if isinstance(family, str) and family in BY_NAME:
        return BY_NAME[family]
    raise InputError(
        expected="a family: one of " + ", ".join(map(repr, BY_NAME)) + ", or an instance such as families.Gamma()",
        got=repr(family),
        remedy="Check the spelling, or write a subclass of families.Family.",
    )


def from_cumulant(cumulant, **options):
    """A family of your own from b(theta); see cumulants.from_cumulant, which needs sympy and so is imported late.

    >>> mine = families.from_cumulant(lambda theta, lib: lib.exp(theta), name="my Poisson")
    >>> mine.variance(np.array([0.5, 2.0]))
    array([0.5, 2. ])
    """
    from ..cumulants import from_cumulant as build

    return build(cumulant, **options)
