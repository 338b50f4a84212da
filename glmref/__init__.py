"""glmref: generalized linear models, written to be read.

The modules are the chapters of the book that they carry: families and links, Fisher scoring, the fit, clustered data.
"""

from . import correlation, datasets, families, links, symbolic
from .errors import (
    AliasWarning,
    BoundaryWarning,
    ConvergenceWarning,
    CorrelationWarning,
    FewClustersWarning,
    GLMWarning,
    InputError,
    SeparationWarning,
)
from .gee import fit_gee, gee
from .geefit import GEEFit
from .glm import fit_glm, glm
from .glmfit import GLMFit
from .inference import compare

__version__ = "0.1.0"
__all__ = [
    "AliasWarning",
    "BoundaryWarning",
    "ConvergenceWarning",
    "CorrelationWarning",
    "FewClustersWarning",
    "GEEFit",
    "GLMFit",
    "GLMWarning",
    "InputError",
    "SeparationWarning",
    "compare",
    "correlation",
    "datasets",
    "families",
    "fit_gee",
    "fit_glm",
    "gee",
    "glm",
    "links",
    "symbolic",
]
