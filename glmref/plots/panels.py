"""The four figures to look at first, on one page."""

import matplotlib.pyplot as plt

from .laws import qq
from .rows import leverage, residuals, scale_location


def diagnostics(fit, *, rng=0, figure=None):
    """Residuals, their quantiles, their spread, and leverage: the four Axes (2 x 2 array) of a new figure, or of `figure`.

    Quantile residuals in the first two, which judge mean and law; standardized ones in the last two, for variance and influence.

    >>> panels = plots.diagnostics(claims)
    >>> [ax.get_title(loc="left") for ax in panels.flat]
    ['Mean', 'Law', 'Variance', 'Influence']
    """
    figure = plt.figure(figsize=(9.0, 6.4), layout="constrained") if figure is None else figure
    panels = figure.subplots(2, 2)
    residuals(fit, rng=rng, ax=panels[0, 0]).set_title("Mean", loc="left")
    qq(fit, rng=rng, ax=panels[0, 1]).set_title("Law", loc="left")
    scale_location(fit, ax=panels[1, 0]).set_title("Variance", loc="left")
    leverage(fit, ax=panels[1, 1]).set_title("Influence", loc="left")
    return panels
