"""Figures of a fitted model, and a figure that moves without a server or a script library.

Each function takes a fit, draws on the axes given as `ax` or on a new figure, and returns the axes; what is drawn is computed
elsewhere (`checking`, `partial`, `envelopes`, `smoothing`, `profiles`), where it can be had as numbers. Rows of weight 0
are left out.
Only this package needs matplotlib; nothing else in glmref imports it.

Are the means right: `residuals`, `partial_residuals`, `calibration`, `separation`. Is the variance right: `scale_location`.
Is the law right: `qq`, `half_normal`, `rootogram`. Which rows matter: `leverage`. Four of these at once: `diagnostics`.
What was found: `coefficients`, `profile`. For the book's own figures: `use_style`, `frames`.

>>> import matplotlib.pyplot as plt
>>> from glmref import plots
>>> plots.STYLE.name
'book.mplstyle'
"""

from .estimates import coefficients, profile
from .laws import half_normal, qq, rootogram
from .panels import diagnostics
from .probabilities import calibration, separation
from .rows import leverage, partial_residuals, residuals, scale_location
from .slider import Frames, frames
from .style import STYLE, use_style

__all__ = [
    "STYLE",
    "Frames",
    "calibration",
    "coefficients",
    "diagnostics",
    "frames",
    "half_normal",
    "leverage",
    "partial_residuals",
    "profile",
    "qq",
    "residuals",
    "rootogram",
    "scale_location",
    "separation",
    "use_style",
]
