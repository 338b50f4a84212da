"""glmref: generalized linear models, written to be read.

The modules are the chapters of the book that they carry: families and links, Fisher scoring, the fit, clustered data.

>>> import numpy as np
>>> from glmref import compare, correlation, datasets, families, fit_gee, fit_glm, gee, glm, links, symbolic
>>> orings, insurance, ohio = map(datasets.load, ("orings", "insurance", "ohio"))
>>> fit = glm("I(damaged / rings) ~ temperature", orings, "binomial", weights="rings")
>>> claims = glm("claims ~ age", insurance, "poisson", offset="np.log(holders)")
>>> wheeze = gee("wheeze ~ age + smoking", ohio, "child", "binomial", correlation="exchangeable", time="age")
"""

from . import correlation, datasets, families, links, symbolic
from .comparison import compare
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
