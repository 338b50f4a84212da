"""How a GEE is printed: coefficients with robust standard errors, the clusters, the working correlation."""

import numpy as np
import pandas as pd

from . import geeinference, inference
from .report import Report, aliased, dropped, number, rounds

SHOWN = 8  # a working correlation of more times than these is cut


def gee_report(fit, level):
    """The Report of a GEEFit."""
    df = geeinference.degrees(fit, None)
    value = fit.coef / fit.se
    interval = fit.confint(level)
    table = pd.DataFrame(
        {
            "estimate": fit.coef,
            "robust s.e.": fit.se,
            "model s.e.": np.sqrt(np.diag(fit.covariance("model"))),
            "t": value,
            "P(>|t|)": inference.p_value(value, df),
            f"lower {100 * level:g}%": interval["lower"],
            f"upper {100 * level:g}%": interval["upper"],
        }
    )
    sizes = fit.panel.clusters.sizes
    size = f"{sizes.min()}" if sizes.min() == sizes.max() else f"{sizes.min()} to {sizes.max()}, median {np.median(sizes):g}"
    fixed = "" if fit.panel.dispersion is None else " (fixed)"
    facts = (
        ("family, link", f"{fit.family}, {fit.link}{_own(fit.estimate)}"),
        ("working correlation", f"{fit.correlation}{_alpha(fit)}"),
        ("clusters", f"{fit.nclusters}, of size {size}"),
        ("observations", f"{fit.nobs}{dropped(fit)}"),
        ("dispersion", number(fit.dispersion) + fixed),
        ("estimated as", f"{fit.panel.convention}; t on {fit.nclusters} - {fit.rank} = {fit.nclusters - fit.rank} degrees"),
        ("QIC, QICu, CIC", f"{number(fit.qic, 6)}, {number(fit.qicu, 6)}, {number(fit.cic)}"),
        ("converged", f"{'yes' if fit.converged else 'NO'}, in {rounds(len(fit.solution.trace))}"),
    )
    title = "Generalized estimating equations" + (f": {fit.design.formula}" if fit.design.formula else "")
    return Report(title, facts, table, aliased(fit) + _matrix(fit))


def _own(estimate):
    """The family's own parameter, where the independence model estimated it."""
    return "" if estimate is None else f"; {estimate.name} = {number(estimate.value)} from the independence model"


def _alpha(fit):
    if not isinstance(fit.alpha, float):
        return ""
    return f", alpha = {number(fit.alpha)}{'' if fit.correlation.held() is None else ' (held)'}"


def _matrix(fit):
    """R(alpha), one line for each time, up to the eighth."""
    R = fit.working_correlation()
    cut = R.iloc[:SHOWN, :SHOWN]
    lines = cut.map(lambda r: f"{r:.3f}").to_string(index_names=False).split("\n")
    more = (f"... and {len(R) - SHOWN} more times",) if len(R) > SHOWN else ()
    return ("Working correlation, by time:", *lines, *more)
