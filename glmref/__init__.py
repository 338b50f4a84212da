"""glmref: generalized linear models, written to be read.

The modules are the chapters of the book that they carry: families and links, Fisher scoring, the fit.
"""

from . import datasets, families, links, symbolic
from .errors import (
    AliasWarning,
    BoundaryWarning,
    ConvergenceWarning,
    GLMWarning,
    InputError,
    SeparationWarning,
)
from .glm import fit_glm, glm
from .glmfit import GLMFit
from .inference import compare

__version__ = "0.1.0"
__all__ = [
    "AliasWarning",
    "BoundaryWarning",
    "ConvergenceWarning",
    "GLMFit",
    "GLMWarning",
    "InputError",
    "SeparationWarning",
    "compare",
    "datasets",
    "families",
    "fit_glm",
    "glm",
    "links",
    "symbolic",
]
