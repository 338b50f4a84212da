"""Is the law right: quantiles of the residuals, and frequencies of counts, against what the model expects."""

import numpy as np

from .. import checking, envelopes
from ..errors import InputError
from .style import (
    BAND,
    DASHED,
    GREY,
    LINE,
    POINT,
    SMALL,
    axes,
    label_extremes,
    note,
    percent,
    points,
    reference,
    residual_label,
)


def qq(fit, kind="quantile", level=0.95, envelope="simultaneous", *, rng=0, ax=None):
    """Ordered residuals against normal quantiles, with a band for a sample of standard normals.

    envelope "simultaneous": all points inside with probability `level`; "pointwise": each; None: no band. Quantile residuals
    are standard normal if the model is true (but for the estimation of its coefficients, which makes the band a little wide). The
    other kinds ("deviance", "pearson", "anscombe", standardized) are so only approximately, and for small counts and for 0-1
    data not at all: there the band says what normal residuals would do, not what these should; see `half_normal`.

    >>> ax = plots.qq(claims, envelope="pointwise")
    >>> ax.texts[0].get_text()
    '95% band, pointwise: 34 of 64 outside'
    """
    values = checking.standardized(fit, kind, rng)
    known = np.flatnonzero(np.isfinite(values))
    if len(known) == 0:
        raise InputError(expected="a row with a finite residual", got="none", remedy="The model leaves nothing over.")
    order = known[np.argsort(values[known], kind="stable")]
    band = envelopes.normal_band(len(order), level, "pointwise" if envelope is None else envelope)
    ax = axes(ax)
    x, y = band["expected"].to_numpy(), values[order]
    if envelope is not None:
        ax.fill_between(x, band["lower"], band["upper"], color=BAND, alpha=0.6, linewidth=0, zorder=0)
        outside = np.count_nonzero((y < band["lower"]) | (y > band["upper"]))
        note(ax, f"{percent(level)} band, {envelope}: {outside} of {len(y)} outside")
    ax.axline((0, 0), slope=1, color=GREY, linewidth=1, zorder=1)
    points(ax, x, y)
    ax.margins(0.05)
    label_extremes(ax, x, y, np.abs(y - x), fit.design.index[order])
    ax.set(xlabel="standard normal quantile", ylabel=residual_label(kind, True))
    return ax


def half_normal(fit, kind="deviance", level=0.95, simulations=99, *, rng=0, ax=None):
    """Ordered absolute residuals against half-normal quantiles, with an envelope from the model itself (Atkinson 1981).

    The model is simulated and fitted again `simulations` times; the band holds the middle `level` of each ordered residual, so
    it is valid for residuals that are not normal, and pointwise. The dashed line is the median of the simulations.

    >>> ax = plots.half_normal(fit, simulations=19)
    >>> ax.get_ylabel()
    '|standardized deviance residual|'
    """
    table = envelopes.simulated_band(fit, kind, level, simulations, rng)
    ax = axes(ax)
    x, y = table["expected"].to_numpy(), table["observed"].to_numpy()
    ax.fill_between(x, table["lower"], table["upper"], color=BAND, alpha=0.6, linewidth=0, zorder=0)
    ax.plot(x, table["median"], color=GREY, linewidth=1, linestyle=DASHED, zorder=1)
    points(ax, x, y)
    ax.margins(0.05)
    ax.set_ylim(bottom=0)
    outside = np.count_nonzero((y < table["lower"]) | (y > table["upper"]))
    note(ax, f"{percent(level)} band of {simulations} simulations: {outside} of {len(y)} outside")
    label_extremes(ax, x, y, y, table["row"].to_numpy())
    ax.set(xlabel="half-normal quantile", ylabel=f"|{residual_label(kind, True)}|")
    return ax


def rootogram(fit, style="hanging", max_count=None, *, ax=None):
    """Square roots of observed and expected frequencies of each count (Tukey 1977; Kleiber and Zeileis 2016).

    style "hanging": bars hang from the expected curve, and ought to end at zero; "standing": bars stand below it;
    "suspended": the differences alone. The dashed lines at -1 and 1 are about two standard errors: sqrt frequencies have one
    of about 1/2. max_count: larger counts go into one last bar.

    >>> kicks = glm("deaths ~ 1", datasets.load("horsekicks"), "poisson")
    >>> ax = plots.rootogram(kicks, style="suspended")
    >>> ax.get_xlabel()
    'count'
    """
    if style not in ("hanging", "standing", "suspended"):
        raise InputError(expected='style="hanging", "standing" or "suspended"', got=repr(style), remedy="Choose one.")
    table = checking.rootogram_table(fit, max_count)
    observed, expected = np.sqrt(table["observed"].to_numpy()), np.sqrt(table["expected"].to_numpy())
    k = np.arange(len(table))
    ax = axes(ax)
    bottom = {"hanging": expected - observed, "standing": 0 * k, "suspended": 0 * k}[style]
    height = expected - observed if style == "suspended" else observed
    ax.bar(k, height, bottom=bottom, width=0.86, color=POINT, alpha=0.55, linewidth=0, zorder=2, label="observed")
    if style != "suspended":
        few = len(k) <= 40
        ax.plot(k, expected, color=LINE, marker="o" if few else None, markersize=4, linewidth=1.5, zorder=3, label="expected")
        ax.legend(loc="upper right", fontsize=SMALL, frameon=False)
    if style != "standing":
        for height in (-1, 1):
            ax.axhline(height, color=GREY, linewidth=1, linestyle=DASHED, zorder=1)
    reference(ax)
    step = max(1, int(np.ceil(len(k) / 14)))
    ticks = [*range(0, len(k) - 1, step)]
    if ticks[-1] > len(k) - 1 - 0.7 * step and len(ticks) > 1:
        ticks.pop()
    ticks.append(len(k) - 1)
    ax.set_xticks(ticks, table.index[ticks])
    ax.grid(False, axis="x")
    if style != "standing":
        ax.use_sticky_edges = False
        ax.margins(y=0.06)
    difference = r"$\sqrt{\mathrm{expected}} - \sqrt{\mathrm{observed}}$"
    ax.set(xlabel="count", ylabel=difference if style == "suspended" else r"$\sqrt{\mathrm{number\ of\ rows}}$")
    return ax
