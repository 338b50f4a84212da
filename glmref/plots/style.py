"""What all figures share: the book's style, the colours, new axes, points, labels beside the extreme ones."""

from importlib.resources import files

import matplotlib.pyplot as plt
import numpy as np

STYLE = files("glmref") / "book.mplstyle"

# Okabe and Ito (2008): told apart without red or green, and after an inversion that keeps hues
POINT, LINE, SECOND, BAND, GREY = "#0072B2", "#D55E00", "#009E73", "#B9DDF3", "#6b6b6b"
SMALL = 9  # points: labels of rows and notes
DASHED = (0, (5, 3))


def use_style():
    """Draw everything that follows in the book's style.

    >>> plots.use_style()
    """
    plt.style.use(str(STYLE))


def axes(ax, figsize=(6.0, 3.6)):
    """The axes given, or those of a new figure."""
    if ax is not None:
        return ax
    return plt.subplots(figsize=figsize, layout="constrained")[1]


def points(ax, x, y):
    """A cloud of points that stays legible from ten to a hundred thousand."""
    n = len(np.atleast_1d(x))
    size, alpha = (26, 0.75) if n <= 300 else (12, 0.5) if n <= 3000 else (5, 0.25)
    return ax.scatter(x, y, s=size, color=POINT, alpha=alpha, linewidths=0, zorder=2, rasterized=n > 3000)


def reference(ax, height=0.0):
    """A horizontal line to compare with."""
    ax.axhline(height, color=GREY, linewidth=1, zorder=1)


def categories(ax, labels):
    """Name 0, 1, 2, ... on the horizontal axis."""
    long = sum(map(len, labels)) > 45
    ax.set_xticks(range(len(labels)), labels, rotation=30 if long else 0, ha="right" if long else "center")
    ax.grid(False, axis="x")


def percent(level):
    """A confidence level as it is written: 95%, 99.9%."""
    return f"{100 * level:.6g}%"


def kind_name(kind):
    """A kind of residual as it is written in a sentence."""
    return kind.capitalize() if kind in ("pearson", "anscombe") else kind


def residual_label(kind, standardized):
    """The name of an axis of residuals. Quantile residuals are standardized by nature."""
    return ("standardized " if standardized and kind != "quantile" else "") + kind_name(kind) + " residual"


def spread(position):
    """Category positions with the points of each category side by side, always in the same way."""
    return position + 0.36 * ((np.arange(len(position)) * 0.6180339887) % 1 - 0.5)


def note(ax, text):
    """A remark in the corner above the axes."""
    ax.annotate(
        text,
        (1, 1),
        xycoords="axes fraction",
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=SMALL,
        color=GREY,
    )


def label_extremes(ax, x, y, extreme, labels, count=3):
    """Write the row's label beside the `count` points with the largest `extreme`, where it covers least.

    Rows at one place share a label. Call it last: the places are chosen for the limits the axes then have.
    """
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & np.isfinite(extreme))
    order = known[np.argsort(-np.asarray(extreme)[known], kind="stable")]
    ax.autoscale_view()
    dots = ax.transData.transform(np.column_stack([x[order], y[order]]))
    taken, named, frame, unit = [], np.zeros(len(order), dtype=bool), ax.get_window_extent(), ax.figure.dpi / 72
    for _ in range(count):
        if named.all():
            return
        first = int(np.argmin(named))
        here = dots[first]
        together = np.all(np.abs(dots - here) < 0.5, axis=1)
        named |= together
        text = _shared([str(labels[row]) for row in order[together]])
        extent = np.array([0.62 * SMALL * len(text), 1.25 * SMALL]) * unit
        place = min(_PLACES, key=lambda p, at=here, size=extent: _cost(_box(at, size, p, unit), dots, taken, frame))
        taken.append(_box(here, extent, place, unit))
        ax.annotate(
            text,
            (x[order[first]], y[order[first]]),
            xytext=(5 * place[0], 5 * place[1]),
            textcoords="offset points",
            ha=_H[place[0]],
            va=_V[place[1]],
            fontsize=SMALL,
            color="#222222",
            zorder=4,
        )


def _shared(names):
    """One label of all rows at one place."""
    if len(names) > 2:
        return f"{names[0]} (+{len(names) - 1})"
    return ", ".join(name if len(name) <= 16 else f"{name[:7]}\u2026{name[-8:]}" for name in names)


_PLACES = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)]
_H, _V = {1: "left", 0: "center", -1: "right"}, {1: "bottom", 0: "center", -1: "top"}


def _box(here, extent, place, unit):
    low = here + 5 * unit * np.array(place) + extent * (np.array(place) - 1) / 2
    return low, low + extent


def _cost(box, dots, taken, frame):
    low, high = box
    outside = np.any(low < [frame.x0, frame.y0]) or np.any(high > [frame.x1, frame.y1])
    overlaps = sum(bool(np.all(low < other[1]) and np.all(other[0] < high)) for other in taken)
    covered = np.count_nonzero(np.all((dots > low - 2) & (dots < high + 2), axis=1))
    return 1000 * overlaps + 100 * outside + covered
