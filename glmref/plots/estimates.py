"""What was found: the estimates with their intervals, and the deviance around one of them."""

import numpy as np

from .. import profiles
from ..errors import InputError
from .style import DASHED, GREY, LINE, POINT, SMALL, axes, note, percent


def coefficients(fit, level=0.95, exponentiate=False, method="wald", terms=None, *, ax=None):
    """Estimates and intervals, one line each, first term on top; aliased ones are left out.

    exponentiate: draw exp(coefficient), a ratio of odds, rates or means, on a logarithmic axis. method: "wald" or
    "profile", as in fit.confint. terms: names to show; default all but the intercept, which is a level, not a difference.

    >>> ax = plots.coefficients(claims, exponentiate=True)
    >>> [tick.get_text() for tick in ax.get_yticklabels()]
    ['age[T.25-29]', 'age[T.30-35]', 'age[T.>35]']
    """
    names = [name for name, kept in zip(fit.design.names, fit.keep) if kept]
    if terms is None:
        terms = [name for name in names if name != "Intercept"] or names
    unknown = [name for name in ([terms] if isinstance(terms, str) else terms) if name not in names]
    terms = [terms] if isinstance(terms, str) else list(terms)
    if unknown or not terms:
        raise InputError(
            expected="estimated coefficients: " + ", ".join(names),
            got=", ".join(map(repr, unknown)) or "none",
            remedy="Check the spelling.",
        )
    interval, estimate = fit.confint(level, method).loc[terms], fit.coef[terms]
    change = np.exp if exponentiate else np.asarray
    lower, middle, upper = (change(part.to_numpy()) for part in (interval["lower"], estimate, interval["upper"]))
    ax = axes(ax, (6.0, max(1.6, 0.9 + 0.34 * len(terms))))
    place = np.arange(len(terms))[::-1]
    ax.axvline(1 if exponentiate else 0, color=GREY, linewidth=1, zorder=1)
    if exponentiate:
        ax.set_xscale("log")
    _segments(ax, place, lower, middle, upper)
    ax.scatter(middle, place, s=34, color=POINT, zorder=3)
    ax.set_yticks(place, terms)
    ax.set_ylim(-0.6, len(terms) - 0.4)
    ax.grid(False, axis="y")
    what = "exp(coefficient)" if exponentiate else "coefficient"
    ax.set_xlabel(f"{what} and {percent(level)} {'Wald' if method == 'wald' else 'profile'} interval")
    if exponentiate:
        _plain_ticks(ax)
    return ax


def _segments(ax, place, lower, middle, upper):
    """Intervals; an end at infinity (or at 0 on a logarithmic axis) is drawn as an arrow to the edge."""
    finite = np.concatenate([part[np.isfinite(part) & (part != 0)] for part in (lower, middle, upper)])
    ax.update_datalim([(value, 0) for value in finite])
    ax.autoscale_view()
    left, right = ax.get_xlim()
    for k, low, high in zip(place, np.where(lower == 0, left, lower), upper):
        ax.plot([max(low, left), min(high, right)], [k, k], color=POINT, linewidth=2, zorder=2, solid_capstyle="butt")
        for end, open_end, marker in ((left, low <= left, "<"), (right, high >= right, ">")):
            if open_end:
                ax.plot(end, k, marker=marker, color=POINT, markersize=7, clip_on=False)
    ax.set_xlim(left, right)


def _plain_ticks(ax):
    """Ratios as 0.5, 1, 2 rather than powers of ten."""
    left, right = ax.get_xlim()
    decades = np.log10(right / left)
    steps = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8) if decades < 0.8 else (1, 2, 5) if decades < 3 else (1,)
    ticks = [step * 10.0**e for e in range(int(np.floor(np.log10(left))), int(np.ceil(np.log10(right))) + 1) for step in steps]
    ticks = [tick for tick in ticks if left <= tick <= right]
    if len(ticks) > 9:
        ticks = ticks[:: int(np.ceil(len(ticks) / 9))]
    ax.set_xticks(ticks, [f"{tick:.10g}" for tick in ticks])
    ax.set_xticks([], minor=True)


def profile(fit, term, level=0.95, scale="deviance", *, ax=None):
    """The profile deviance of one coefficient, Wald's parabola, and the interval that each gives.

    scale "deviance": [D(b) - D] / phi, whose height at the ends of the profile interval is the squared critical value;
    "root": its signed root, which is a straight line where Wald's approximation is exact.

    >>> ax = plots.profile(fit, "temperature")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('coefficient of temperature', 'rise of the deviance')
    """
    if scale not in ("deviance", "root"):
        raise InputError(expected='scale="deviance" or "root"', got=repr(scale), remedy="Choose one.")
    result = profiles.profile(fit, term, level)
    curve, b, root = result.curve, result.curve.index.to_numpy(), scale == "root"
    cutoff = result.cutoff if root else result.cutoff**2
    ax = axes(ax)
    ax.plot(b, curve["root"] if root else curve["rise"], color=POINT, zorder=3, label="profile")
    ax.plot(b, curve["wald"] if root else curve["wald"] ** 2, color=LINE, linestyle=DASHED, zorder=2, label="Wald")
    for height in (-cutoff, 0, cutoff) if root else (cutoff,):
        ax.axhline(height, color=GREY, linewidth=1, zorder=1)
    for interval, colour, style in ((result.profile_interval, POINT, "-"), (result.wald_interval, LINE, DASHED)):
        for end, height in zip(interval, (-cutoff if root else cutoff, cutoff)):
            if b[0] < end < b[-1]:
                ax.vlines(end, 0, height, color=colour, linewidth=1.2, linestyle=style, zorder=2)
    if b[0] < result.estimate < b[-1]:
        ax.vlines(result.estimate, -cutoff if root else 0, cutoff, color=GREY, linewidth=1, linestyle=":", zorder=1)
    ax.legend(loc="upper left" if root else "upper center", fontsize=SMALL, frameon=False)
    note(ax, f"{percent(level)}: profile {_interval(result.profile_interval)}, Wald {_interval(result.wald_interval)}")
    ax.set(xlim=(b[0], b[-1]), ylim=(-1.7 * cutoff, 1.7 * cutoff) if root else (0, 1.9 * cutoff))
    label = "signed root of the rise" if root else "rise of the deviance"
    ax.set(xlabel=f"coefficient of {term}", ylabel=label + ("" if fit.dispersion == 1 else r" / $\hat\phi$"))
    return ax


def _interval(ends):
    shown = (f"{end:#.3g}".rstrip(".").replace("-", "\u2212").replace("inf", "\u221e") for end in ends)
    return "(" + ", ".join(shown) + ")"
