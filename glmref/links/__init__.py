"""The links: how the mean mu hangs on the linear predictor eta.

A link is g with g(mu) = eta; the computations use its inverse h, mu = h(eta). Each class defines h twice:
`definition`, one line in the textbook's words, for any library that has exp, log and sqrt; and the numerics,
written from eta with functions that keep every digit in the tails. The tests hold the second to the first at
50 digits. Where a mean can only underflow, its logarithm is returned beside it, and where 1 - mu would cancel,
the complement is.

`base` has the contract, `powers` and `probabilities` the links.

>>> list(links.BY_NAME)
['identity', 'log', 'logit', 'probit', 'cloglog', 'loglog', 'cauchit', 'inverse', 'inverse_squared', 'sqrt']
>>> links.REAL, links.POSITIVE, links.NEGATIVE, links.UNIT
((-inf, inf), (0.0, inf), (-inf, 0.0), (0.0, 1.0))
"""

from ..errors import InputError
from .base import NEGATIVE, POSITIVE, REAL, UNIT, Link
from .powers import (
    Identity,
    Inverse,
    InverseSquared,
    Log,
    NegativeBinomial,
    Power,
    Sqrt,
)
from .probabilities import Cauchit, CLogLog, Logit, LogLog, Probit

__all__ = [
    "BY_NAME",
    "CLogLog",
    "Cauchit",
    "Identity",
    "Inverse",
    "InverseSquared",
    "Link",
    "Log",
    "LogLog",
    "Logit",
    "NEGATIVE",
    "NegativeBinomial",
    "POSITIVE",
    "Power",
    "Probit",
    "REAL",
    "Sqrt",
    "UNIT",
    "get",
]

BY_NAME = {
    link.name: link
    for link in (Identity(), Log(), Logit(), Probit(), CLogLog(), LogLog(), Cauchit(), Inverse(), InverseSquared(), Sqrt())
}


def get(link):
    """The link of that name, or the link itself. Unknown names raise InputError with the known ones.

    >>> links.get("cloglog")
    CLogLog()
    """
    if isinstance(link, type) and issubclass(link, Link) and isinstance(getattr(link, "name", None), str):
        link = link()
    if isinstance(link, Link) and hasattr(link, "name"):
        return link
    if isinstance(link, str) and link in BY_NAME:
        return BY_NAME[link]
    raise InputError(
        expected="a link: one of " + ", ".join(map(repr, BY_NAME)) + ", or an instance such as links.Power(0.5)",
        got=repr(link),
        remedy="Check the spelling, or write a subclass of links.Link.",
    )
