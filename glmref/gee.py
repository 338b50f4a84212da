"""Generalized estimating equations: `gee` and `fit_gee`, from a formula or from arrays to a GEEFit.

The path of one fit: the independence model by `glm.fit`, clusters sorted and batched (`clusters`), a working correlation
(`correlation`), rounds of `estimating` until the equation is solved, and a robust covariance (`sandwich`). Inference is
marginal: coefficients speak of the population's mean, and stay consistent if the working correlation is wrong.
"""

import warnings

import numpy as np
import pandas as pd

from . import blocks, checks, families, streaming
from . import correlation as correlations
from . import design as designs
from .clusters import arrange
from .errors import (
    ConvergenceWarning,
    CorrelationWarning,
    FewClustersWarning,
    InputError,
)
from .estimating import Panel, finish
from .geefit import GEEFit
from .geeloop import iterate
from .glm import fit as fit_independence
from .progress import reported_rounds
from .streaming.clusters import survey_clusters
from .streaming.panel import StreamPanel

START_TOLERANCE = 3e-3  # the independence model is a start, not a result: a standard error or so is near enough


def gee(
    formula, data, groups, family="gaussian", *, link=None, correlation="independence", time=None, offset=None, weights=None,
    dispersion=None, convention="liang_zeger", missing="error", **control,
):  # fmt: skip
    """Fit g(mu) = X beta + offset to clustered responses, X from a formula and a table, or from rows larger than memory (see
    `glm`), in which the rows of a cluster stand together.

    groups, time: the cluster of each row and its time within it (default: order of the rows), as arrays or column names;
    rows in any order. correlation: "independence", "exchangeable", "ar1", "unstructured", "toeplitz", or an instance, also
    of a class of your own (see `glmref.correlation`). weights w: one per row, var(y) = phi V(mu) / w. dispersion: phi, or
    None to estimate it. convention: how alpha and phi are estimated, "liang_zeger", "geepack" or "statsmodels".
    control: start, max_iter, tol (of a step, in standard errors), progress. Raises InputError; warns AliasWarning,
    ConvergenceWarning, CorrelationWarning, FewClustersWarning, SeparationWarning.

    >>> child = gee("wheeze ~ age + smoking", ohio, "child", "binomial", correlation="ar1", time="age")
    >>> child.coef.round(4)
    Intercept           -0.8654
    age                 -0.1148
    smoking[T.smoker]    0.2438
    Name: coef, dtype: float64
    """
    if blocks.is_source(data):
        design = streaming.from_formula(formula, data, offset=offset, weights=weights, missing=missing)
        return fit_portions(design, groups, time, family, link, correlation, dispersion, convention, **control)
    design = designs.from_formula(formula, data, offset=offset, weights=weights, missing=missing)
    table = data if isinstance(data, pd.DataFrame) else pd.DataFrame(data)
    keep = _kept_rows(design, table.index)
    groups, time = _column(groups, table, "groups"), _column(time, table, "time")
    return fit(
        design, _labels(groups, keep, table.index), _times(time, keep, table.index), family, link, correlation, dispersion,
        convention, **control,
    )  # fmt: skip


def fit_gee(
    X, y, groups, family="gaussian", *, link=None, correlation="independence", time=None, offset=None, weights=None,
    dispersion=None, convention="liang_zeger", names=None, missing="error", **control,
):  # fmt: skip
    """Fit g(mu) = X beta + offset for arrays X (n x p), y, groups (n). X is used as it is: no intercept is added.

    Keywords as in `gee`; names: p strings for the coefficients.

    >>> X = np.column_stack([np.ones(len(ohio)), ohio["age"] - 9])
    >>> fit_gee(X, ohio["wheeze"], ohio["child"], "binomial", correlation="exchangeable").coef.round(4)
    x1   -1.7826
    x2   -0.1131
    Name: coef, dtype: float64
    """
    if blocks.is_source(X):
        given = {"groups": groups} | ({} if time is None else {"time": time})
        design, (groups, *rest) = streaming.with_labels(X, y, given, offset=offset, weights=weights, names=names, missing=missing)
        time = rest[0] if rest else None
        return fit_portions(design, groups, time, family, link, correlation, dispersion, convention, **control)
    design = designs.from_arrays(X, y, offset=offset, weights=weights, names=names, missing=missing)
    index = next((part.index for part in (X, y) if isinstance(part, (pd.DataFrame, pd.Series))), pd.RangeIndex(len(y)))
    keep = _kept_rows(design, index)
    groups, time = _labels(groups, keep, index), _times(time, keep, index)
    return fit(design, groups, time, family, link, correlation, dispersion, convention, **control)


def fit(
    design, groups, time, family, link=None, correlation="independence", dispersion=None, convention="liang_zeger", **control
):
    """Fit a Design whose rows have the cluster labels `groups` (n) and times (n, or None)."""
    settings = checks.control(control)
    correlation = correlations.get(correlation)
    _check_choices(convention, dispersion)
    used = design.weight > 0
    arrange_by = (correlation.clock, correlation.by_pattern, design.X.shape[1] + 1)
    groups = groups if used.all() else groups[used]
    time = time if used.all() or time is None else time[used]
    clusters = arrange(groups, time, design.index[used], *arrange_by)
    # step 1: the independence model; it also finds aliased columns, estimates what the family leaves unknown, and refuses
    # what no model could use
    family = families.get(family)
    roughly = settings["tol"] if family.unknown else max(settings["tol"], START_TOLERANCE)
    start = fit_independence(design, family, link, None, start=settings["start"], threads=settings["threads"], tol=roughly)
    keep = start.keep
    order = np.flatnonzero(used)[clusters.order]
    in_order = np.array_equal(order, np.arange(len(used)))
    gather = (lambda part: part) if in_order else (lambda part: part[order])
    panel = Panel(
        X=np.ascontiguousarray(gather(design.X if keep.all() else design.X[:, keep]).T),
        y=gather(design.y),
        offset=gather(design.offset),
        weight=None if np.all(design.weight[used] == 1) else gather(design.weight),
        clusters=clusters,
        family=start.family,
        link=start.link,
        correlation=correlation,
        convention=convention,
        dispersion=None if dispersion in (None, "pearson") else float(dispersion),
    )
    if panel.n <= panel.p:
        raise too_few_rows(panel)
    if correlation.held() is not None:
        correlation.check(correlation.held(), clusters)
    solution = iterate(panel, start.solution.beta, max_iter=settings["max_iter"], tol=settings["tol"])
    warn_if_doubtful(panel, solution)
    if means_at_edge(panel, solution.beta):  # perhaps infinite estimates: the independence model, fitted to the end, knows
        fit_independence(design, family, link, None, start=settings["start"])
    root, scores = finish(panel, solution.point)
    return GEEFit(design, panel, start.columns, solution, root, scores, start.estimate)


def fit_portions(
    design, groups, time, family, link=None, correlation="independence", dispersion=None, convention="liang_zeger", **control
):
    """Fit a StreamDesign; groups, time: columns of its source."""
    settings = checks.control(control)
    correlation = correlations.get(correlation)
    _check_choices(convention, dispersion)
    if convention == "statsmodels":
        raise InputError(
            expected='convention="liang_zeger" or "geepack" where rows come in portions',
            got="'statsmodels', which averages over clusters",
            remedy="Fit rows in memory for that convention.",
        )
    for what, column in (("groups", groups), ("time", time)):
        if not (isinstance(column, str) or (what == "time" and column is None)):
            raise InputError(
                expected=f"{what} as the name of a column, since rows come in portions",
                got=type(column).__name__,
                remedy="Store it as a column of the data.",
            )
    clusters = survey_clusters(design, groups, time, correlation)
    family = families.get(family)
    roughly = settings["tol"] if family.unknown else max(settings["tol"], START_TOLERANCE)
    start = fit_independence(design, family, link, None, **{**settings, "tol": roughly})
    if correlation.held() is not None:
        correlation.check(correlation.held(), clusters)
    panel = StreamPanel(
        design.source, design.recipe, groups, time, start.keep, start.nobs, clusters, start.family, start.link, correlation,
        convention, None if dispersion in (None, "pearson") else float(dispersion),
    )  # fmt: skip
    if panel.n <= panel.p:
        raise too_few_rows(panel)
    panel_seen = reported_rounds(panel, settings["progress"])
    solution = iterate(panel_seen, start.solution.beta, max_iter=settings["max_iter"], tol=settings["tol"])
    warn_if_doubtful(panel, solution)
    root = panel.root(solution.point, solution.beta)
    return GEEFit(start.design, panel, start.columns, solution, root, None, start.estimate)


def too_few_rows(panel):
    """The error of a model that leaves nothing over."""
    return InputError(
        expected=f"more rows than the {panel.p} coefficients",
        got=f"{panel.n}",
        remedy="The dispersion is estimated from what is left over: leave columns out.",
    )


def warn_if_doubtful(panel, solution):
    """Say so where the rounds did not arrive, the working correlation was drawn in, or the estimate is infinite."""
    K, p = len(panel.clusters), panel.p
    if solution.ended != "converged":
        reason = {
            "max_iter": f"not converged after {len(solution.trace)} rounds. Raise max_iter if the step falls steadily, or "
            "choose a simpler working correlation",
            "singular": "stopped where the working weights hold no information about some coefficient",
        }[solution.ended]
        last = f"{solution.trace[-1].step:.2g} standard errors" if solution.trace else "none"
        warnings.warn(f"{reason} (last step {last}; see fit.trace).", ConvergenceWarning, stacklevel=4)
    alpha, share = solution.point.parameters.alpha, solution.point.parameters.share
    if share < 1:
        warnings.warn(
            f"the {panel.correlation} working correlation that the residuals suggest is singular or nearly so, or beyond what "
            f"the structure allows: it was drawn towards independence, to {100 * share:.3g} percent of that estimate "
            f"(alpha = {np.array2string(alpha, precision=4, threshold=6)}). Coefficients and robust standard errors hold for "
            "this working correlation as for any; a structure with fewer parameters may suit the data better.",
            CorrelationWarning,
            stacklevel=4,
        )
    if K <= p:
        warnings.warn(
            f"{K} clusters for {p} coefficients: the robust covariance has rank {K - 1} or less, and its standard errors, tests "
            'and intervals mean nothing. Use fit.covariance("model"), or fewer columns.',
            FewClustersWarning,
            stacklevel=4,
        )


def means_at_edge(panel, beta):
    """Whether some response at an end of the mean's range has a fitted mean within 1e-6 of it."""
    low, high = panel.family.mean_interval
    at_low, at_high = panel.y == low, panel.y == high
    if not (at_low.any() or at_high.any()):
        return False
    with np.errstate(all="ignore"):
        mean = panel.link.inverse(beta @ panel.X + panel.offset)
    return bool(np.any(at_low & (mean - low < 1e-6)) or np.any(at_high & (high - mean < 1e-6)))


def _check_choices(convention, dispersion):
    if convention not in correlations.CONVENTIONS:
        raise InputError(
            expected="convention as one of " + ", ".join(map(repr, correlations.CONVENTIONS)),
            got=repr(convention),
            remedy="They differ in degrees of freedom; see glmref.correlation.moments.",
        )
    number = checks.is_number(dispersion) and np.isfinite(dispersion) and dispersion > 0
    if not (number or dispersion is None or (isinstance(dispersion, str) and dispersion == "pearson")):
        raise InputError(
            expected='dispersion as a number > 0, "pearson" or None',
            got=repr(dispersion),
            remedy="None estimates it from the Pearson residuals.",
        )


def _column(values, table, what):
    """groups or time: a column's name, or an array."""
    if not isinstance(values, str):
        return values
    if values not in table.columns:
        raise InputError(
            expected=f"{what} as a column of the table: " + ", ".join(map(str, table.columns)),
            got=repr(values),
            remedy="Check the spelling, or pass an array.",
        )
    return table[values]


def _kept_rows(design, index):
    """Where the design's rows stand among those of the data."""
    if design.dropped == 0:
        return slice(None)
    if not index.is_unique:
        raise InputError(
            expected='row labels without repetition where missing="drop" leaves rows out',
            got="an index with repeated labels",
            remedy="Reset the index of the table first.",
        )
    return index.get_indexer(design.index)


def _labels(groups, keep, index):
    """One label for each row of the design."""
    checks.one_label_per_row(groups, len(index))
    checks.same_rows(groups, index, "groups")
    return np.asarray(groups)[keep]


def _times(time, keep, index):
    """One finite number for each row of the design, or None. The codes of an ordered category count as its times."""
    if time is None:
        return None
    if isinstance(time, str):
        raise InputError(expected="time as an array, since X is one", got=repr(time), remedy="Pass the numbers themselves.")
    if isinstance(getattr(time, "dtype", None), pd.CategoricalDtype) and time.dtype.ordered:
        checks.same_rows(time, index, "time")
        time = time.cat.codes.where(time.notna()) if isinstance(time, pd.Series) else np.where(time.codes < 0, np.nan, time.codes)
    if getattr(getattr(time, "dtype", None), "kind", "") in "mM":
        raise InputError(
            expected="time as numbers", got="dates", remedy="Turn dates into numbers first, for instance days since the first."
        )
    time = checks.vector(time, "time", len(index), index)[keep]
    checks.finite(time, index[keep], "time")
    return time
