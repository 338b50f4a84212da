"""Working correlations: how the responses of one cluster are taken to hang together.

A working correlation is a function R(alpha) of a few parameters and of the times of a cluster, with a recipe for estimating
alpha from residuals. It is pure: alpha is passed in and returned, never kept, unless you hold it fixed (`alpha=`). Its
modules: `base` the contract and all that follows from it, `closed` and `ar1` the structures whose whitening has a closed form,
`waves` those that take a Cholesky factor for each pattern of waves; `moments` is what an estimator of alpha is given.

One of your own is a class with a name, `matrix(alpha, times)` and `estimate(moments)`:

    class Neighbours(correlation.Correlation):
        name = "neighbours"

        def matrix(self, alpha, times):
            near = np.abs(np.subtract.outer(times, times)) == 1
            return np.eye(len(times)) + alpha[0] * near

        def estimate(self, moments):
            return [moments.correlation(*moments.at_gap(1))]

>>> list(correlation.BY_NAME)
['independence', 'exchangeable', 'ar1', 'unstructured', 'toeplitz']
>>> correlation.CONVENTIONS
('liang_zeger', 'geepack', 'statsmodels')
"""

from ..errors import InputError
from .ar1 import AR1
from .base import Correlation
from .closed import Exchangeable, Independence
from .moments import CONVENTIONS, Moments
from .waves import Fixed, MDependent, Toeplitz, Unstructured

BY_NAME = {kind.name: kind for kind in (Independence, Exchangeable, AR1, Unstructured, Toeplitz)}

__all__ = [
    "AR1", "BY_NAME", "CONVENTIONS", "Correlation", "Exchangeable", "Fixed", "Independence", "MDependent", "Moments",
    "Toeplitz", "Unstructured", "get",
]  # fmt: skip


def get(correlation):
    """The working correlation of that name, or the instance itself. Unknown ones raise InputError with the known names.

    >>> correlation.get("ar1"), correlation.get(correlation.MDependent(2))
    (AR1(), MDependent(2))
    """
    if isinstance(correlation, Correlation):
        return correlation
    if isinstance(correlation, type) and issubclass(correlation, Correlation) and correlation not in (Fixed, MDependent):
        return correlation()
    if isinstance(correlation, str) and correlation in BY_NAME:
        return BY_NAME[correlation]()
    raise InputError(
        expected="a working correlation: one of "
        + ", ".join(map(repr, BY_NAME))
        + ", correlation.MDependent(m), correlation.Fixed(R), or an instance of your own class",
        got=repr(correlation),
        remedy="Check the spelling, or write a subclass of correlation.Correlation.",
    )
