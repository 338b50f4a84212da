"""One point a row: residuals against anything, their spread, leverage and influence, and the shape of a term."""

import numpy as np

from .. import checking, partial
from ..errors import InputError
from ..smoothing import lowess
from .style import (
    DASHED,
    GREY,
    LINE,
    SMALL,
    axes,
    categories,
    kind_name,
    label_extremes,
    note,
    points,
    reference,
    residual_label,
    spread,
)

_AGAINST = {
    "linear_predictor": (lambda fit: fit.linear_predictor, "linear predictor"),
    "fitted": (lambda fit: fit.fitted, "fitted mean"),
    "leverage": (lambda fit: fit.leverage, "leverage"),
    "index": (lambda fit: np.arange(len(fit.design.y)), "row, in the order of the data"),
}


def residuals(fit, kind="quantile", against="linear_predictor", *, rng=0, ax=None):
    """Residuals against what should not explain them: a smooth that leaves zero shows a mean that is wrong.

    kind: as in fit.residuals; quantile residuals of a true model are standard normal whatever the family. against:
    "linear_predictor", "fitted", "leverage", "index", a column of X by name, or one value per row (numbers or categories, such
    as a variable left out). The smooth resists outliers, except for residuals that lie on few curves (0 and 1).

    >>> ax = plots.residuals(claims, against="fitted")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('fitted mean', 'quantile residual')
    """
    x, label = _against(fit, against)
    y = np.array(fit.residuals(kind, rng=rng), dtype=float)
    y[~fit.design.used] = np.nan
    _check_some(y)
    ax = axes(ax)
    _cloud(ax, x, y, np.abs(y), fit, kind)
    reference(ax)
    ax.set(xlabel=label, ylabel=residual_label(kind, False))
    return ax


def scale_location(fit, kind="deviance", against="linear_predictor", *, rng=0, ax=None):
    """sqrt|standardized residual| against the linear predictor: a smooth that is not level shows a variance that is wrong.

    kind: "deviance", "pearson", "anscombe" or "quantile"; against: as in `residuals`. The grey line is the mean of
    sqrt|Z| for a standard normal Z, 0.822.

    >>> ax = plots.scale_location(claims)
    >>> ax.get_ylabel().endswith("standardized")
    True
    """
    x, label = _against(fit, against)
    y = np.sqrt(np.abs(checking.standardized(fit, kind, rng)))
    _check_some(y)
    ax = axes(ax)
    _cloud(ax, x, y, y, fit, kind, bottom=0)
    reference(ax, 0.8222)
    ax.set(xlabel=label, ylabel=r"$\sqrt{|\mathrm{" + kind_name(kind) + r"\ residual}|}$, standardized")
    return ax


def leverage(fit, kind="pearson", levels=(0.5, 1.0), *, ax=None):
    """Standardized residuals against leverage, with the contours of Cook's distance D = r^2 h / [p (1 - h)].

    The labelled rows have the largest D: without them the coefficients would change most. kind "pearson" makes the contours
    exact; with "deviance" they are nearly so. Rows of leverage 1, whose residual is 0 / 0, are counted in a note.

    >>> ax = plots.leverage(fit, levels=[0.5])
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('leverage', 'standardized Pearson residual')
    """
    r, h = checking.standardized(fit, kind), np.asarray(fit.leverage)
    _check_some(r)
    known, hidden = np.isfinite(r), np.count_nonzero((fit.design.used) & ~np.isfinite(r))
    ax = axes(ax)
    points(ax, h[known], r[known])
    reference(ax)
    ax.margins(x=0.12, y=0.12)
    ax.autoscale_view()
    (_, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    right = min(right, 1.0)
    ax.set(xlim=(0, right), ylim=(bottom, top), xlabel="leverage", ylabel=residual_label(kind, True))
    shown = [_contour(ax, level, fit.rank, right, (bottom, top)) for level in sorted(levels)]
    influence = np.where(known, np.nan_to_num(r) ** 2 * h / np.where(known, fit.rank * (1 - h), 1.0), np.nan)
    remarks = [] if any(shown) else [f"largest Cook's distance {np.nanmax(influence):.2g}"]
    remarks += [f"{hidden} of leverage 1 not shown"] if hidden else []
    note(ax, "; ".join(remarks))
    label_extremes(ax, h, r, influence, fit.design.index)
    return ax


def _contour(ax, level, p, right, limits):
    """Draw both branches of D = level, named where they come nearest to 0, at the right; whether any is within the limits."""
    h = np.geomspace(min(1e-4, right / 2), min(right, 1 - 1e-6), 400)
    r = np.sqrt(level * p * (1 - h) / h)
    seen = [branch for branch in (r, -r) if limits[0] < branch[-1] < limits[1]]
    for branch in seen:
        ax.plot(h, branch, color=LINE, linewidth=1.2, linestyle=DASHED, zorder=1, scalex=False, scaley=False)
        ax.annotate(
            f"D = {level:g}",
            (h[-1], branch[-1]),
            xytext=(4, 2 if branch is r else -2),
            textcoords="offset points",
            ha="left",
            va="center",
            fontsize=SMALL,
            color=LINE,
            annotation_clip=False,
        )
    return bool(seen)


def partial_residuals(fit, column, against=None, *, ax=None):
    """A term's contribution to the linear predictor, plus the working residuals: the shape the data would give it.

    column: a column of X, a term of the formula, or a list of either; against: the variable it is made of, where that
    cannot be seen in X (a spline). Straight: the fitted term; the second line: the smooth of the points, weighted as the fit
    weights them. Where they part, the term has the wrong shape.

    >>> trees = glm("volume ~ diameter + height", datasets.load("trees"))
    >>> ax = plots.partial_residuals(trees, "diameter")
    >>> ax.get_ylabel()
    'contribution + working residual'
    """
    part = partial.partial_residuals(fit, column, against)
    x, y = part.x.position, part.residual
    name = column if isinstance(column, str) else " + ".join(column)
    ax = axes(ax)
    points(ax, x if part.x.labels is None else spread(x), y)
    if part.x.labels is None:
        order = np.argsort(x, kind="stable")
        ax.plot(x[order], part.contribution[order], color=GREY, linewidth=1.5, label="fitted term")
        _smooth(ax, x, y, part.weight, resistant=fit.family.spacing is None, label="smooth of the points")
        ax.legend(loc="best", fontsize=SMALL, frameon=False)
    else:
        level, first = np.unique(x, return_index=True)
        ax.hlines(part.contribution[first], level - 0.3, level + 0.3, color=GREY, linewidth=2)
        categories(ax, part.x.labels)
    shown = x if part.x.labels is None else spread(x)
    size = np.abs(y - part.contribution) * np.sqrt(part.weight)
    label_extremes(ax, shown, y, size, fit.design.index[fit.design.used])
    ax.set(xlabel=name if against is None else getattr(against, "name", None) or name, ylabel="contribution + working residual")
    return ax


def _against(fit, against):
    n = len(fit.design.y)
    if not isinstance(against, str):
        return partial.axis(against, n, fit.design.index), str(getattr(against, "name", None) or "given values")
    if against in _AGAINST:
        values, label = _AGAINST[against]
        return partial.Axis(np.array(values(fit), dtype=float), None), label
    if against in fit.design.names:
        return partial.Axis(fit.design.X[:, fit.design.names.index(against)], None), against
    raise InputError(
        expected="against= one of " + ", ".join(map(repr, _AGAINST)) + ", or a column of the fit: " + ", ".join(fit.design.names),
        got=repr(against),
        remedy="For another variable pass its values, one per row: against=table['x'].",
    )


def _check_some(values):
    if not np.any(np.isfinite(values)):
        raise InputError(
            expected="a row with a finite residual", got="none", remedy="Every row has leverage 1: the model leaves nothing over."
        )


def _cloud(ax, x, y, extreme, fit, kind, bottom=None):
    """Points, smooth (or the mean of each category) and the labels of the three most extreme."""
    known = np.isfinite(y) & np.isfinite(x.position)
    shown = x.position if x.labels is None else spread(x.position)
    points(ax, shown[known], y[known])
    ax.margins(0.06, 0.1)
    if x.labels is None:
        _smooth(ax, x.position[known], y[known], None, kind == "quantile" or fit.family.spacing is None)
    else:
        for level in np.unique(x.position[known]):
            ax.hlines(np.mean(y[known & (x.position == level)]), level - 0.3, level + 0.3, color=LINE, linewidth=2)
        categories(ax, x.labels)
    ax.set_ylim(bottom=bottom)
    label_extremes(ax, shown, y, extreme, fit.design.index)


def _smooth(ax, x, y, weight, resistant, label=None):
    """The smooth, where there are enough different x to show a shape; else the (weighted) means of each x."""
    if len(np.unique(x)) >= 8:
        at, height = lowess(x, y, weight=weight, iterations=3 if resistant else 0, places=200 if len(x) <= 5000 else 60)
        ax.plot(at, height, color=LINE, zorder=3, label=label)
    else:
        at, which = np.unique(x, return_inverse=True)
        weight = np.ones(len(x)) if weight is None else weight
        mass = np.bincount(which, weight)
        height = np.bincount(which, weight * y) / np.where(mass > 0, mass, np.nan)
        ax.plot(at, height, color=LINE, marker="_", markersize=14, markeredgewidth=2, linewidth=1, zorder=3, label=label)
