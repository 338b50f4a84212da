"""Are the probabilities right: calibration, and how far they tell events from the rest."""

import numpy as np
from matplotlib.colors import to_rgb

from .. import checking
from .style import GREY, LINE, POINT, axes, note, percent

STRIPES, SHADES, PALE = 500, 250, "#f2e6c9"


def calibration(fit, groups=10, level=0.95, *, ax=None):
    """Observed shares against fitted probabilities in groups of like rows, with Wilson intervals; the diagonal is the model.

    `checking.calibration_table` has the numbers. Groups hold about equal numbers of trials; rows of one probability stay
    together.

    >>> vessels = glm("high_grade ~ pulsatility + height", datasets.load("endometrial"), "binomial")
    >>> ax = plots.calibration(vessels, groups=5)
    >>> ax.texts[0].get_text()
    '5 groups, 95% intervals'
    """
    table = checking.calibration_table(fit, groups, level)
    ax = axes(ax)
    x, y = table["predicted"].to_numpy(), table["observed"].to_numpy()
    ax.axline((0, 0), slope=1, color=GREY, linewidth=1, zorder=1)
    ax.vlines(x, table["lower"], table["upper"], color=POINT, linewidth=1.5, alpha=0.7, zorder=2)
    ax.scatter(x, y, s=34, color=POINT, zorder=3)
    low, high = min(x.min(), table["lower"].min()), max(x.max(), table["upper"].max())
    near = 0.25 * (high - low)
    low, high = 0.0 if low < near else low, 1.0 if 1 - high < near else high
    edge = 0.04 * (high - low)
    ax.set(xlim=(max(x.min() - 2 * edge, -0.02), min(x.max() + 2 * edge, 1.02)))
    ax.set(ylim=(max(low - edge, -0.02), min(high + edge, 1.02)))
    note(ax, f"{len(table)} groups, {percent(level)} intervals")
    ax.set(xlabel="mean fitted probability", ylabel="observed share")
    return ax


def separation(fit, *, ax=None):
    """All trials in the order of their fitted probability, events in colour (Greenhill, Ward and Sacks 2011).

    A model that tells them apart has the colour at the right; beyond 500 trials, shades of it show the share of events. The line
    is the fitted probability; the triangle stands where the events would begin if as many as expected all came last.

    >>> vessels = glm("high_grade ~ pulsatility + height", datasets.load("endometrial"), "binomial")
    >>> ax = plots.separation(vessels)
    >>> ax.texts[0].get_text()
    '30 events of 79'
    """
    trials = checking.separation_trials(fit)
    n = len(trials.event)
    ax = axes(ax, (6.0, 2.6))
    if n <= STRIPES:
        change = np.flatnonzero(np.diff(np.concatenate([[0], trials.event.astype(int), [0]])))
        spans = [(start, end - start) for start, end in zip(change[::2], change[1::2])]
        ax.broken_barh([(0, n)], (0, 1), facecolors=PALE, linewidth=0, zorder=0)
        ax.broken_barh(spans, (0, 1), facecolors=LINE, linewidth=0, zorder=1)
    else:  # finer than the screen: shades, by the share of events
        edges = np.linspace(0, n, SHADES + 1).astype(int)
        share = np.add.reduceat(trials.event.astype(float), edges[:-1]) / np.diff(edges)
        shades = (1 - share)[:, None] * np.array(to_rgb(PALE)) + share[:, None] * np.array(to_rgb(LINE))
        ax.imshow(shades[None], extent=(0, n, 0, 1), aspect="auto", interpolation="nearest", zorder=0)
    ax.step(np.arange(n + 1), [*trials.probability, trials.probability[-1]], where="post", color="black", linewidth=1.5, zorder=2)
    ax.plot(n - trials.expected, -0.045, marker="^", color="black", markersize=8, clip_on=False, zorder=3)
    ax.grid(False)
    ax.set(xlim=(0, n), ylim=(0, 1), xlabel="trials, by fitted probability", ylabel="fitted probability")
    ax.tick_params(axis="x", pad=9)
    note(ax, f"{np.count_nonzero(trials.event)} events of {n}")
    return ax
