"""The sandwich: a covariance that does not believe the model's variance, only its mean.

Near the solution of sum u_i(beta) = 0 the estimate errs by B^-1 sum u_i, so its covariance is B^-1 C B^-1: the bread
B^-1 = (X'WX)^-1, and the meat C, the sum of u_i u_i' over independent pieces, rows or clusters. Nothing here knows a
family: bread, scores and leverages are all it sees. Expected information is the bread, as in R's sandwich package.
"""

import numpy as np
import pandas as pd

from .errors import InputError

ROW_KINDS = ("HC0", "HC1", "HC2", "HC3")


def sandwich(bread, scores):
    """bread (p x p) times sum of u u' (scores: pieces x p) times bread."""
    half = scores @ bread
    return half.T @ half


def by_row(kind, bread, scores, leverage, frequency):
    """Rows are the pieces. HC0 as they are; HC1 times n / (n - p); HC2, HC3: u / (1 - h)^(1/2), u / (1 - h).

    scores: rows x p; leverage: the part of its own fit that a row decides, for which its residual is too small;
    frequency: how many pieces each row stands for, n in all.
    MacKinnon and White (1985), Some heteroskedasticity-consistent covariance matrix estimators.
    """
    n, p = frequency.sum(), scores.shape[1]
    if kind == "HC1":
        return sandwich(bread, scores * np.sqrt(frequency)[:, None]) * n / (n - p)
    if kind in ("HC2", "HC3"):
        full = np.flatnonzero(leverage > 1 - 1e-12)
        if len(full):
            raise InputError(
                expected=f"rows with leverage below 1 for {kind}",
                got=f"{len(full)} rows that determine a coefficient alone, the first at position {full[0]}",
                remedy="Merge the level that only this row has, or use HC0 or HC1.",
            )
        scores = scores / ((1 - leverage) ** (0.5 if kind == "HC2" else 1.0))[:, None]
    return sandwich(bread, scores * np.sqrt(frequency)[:, None])


def by_cluster(bread, scores, groups):
    """Clusters are the pieces: the scores of a cluster are added first. No small-sample factor (CR0)."""
    codes, labels = pd.factorize(groups)
    if (codes < 0).any():
        raise InputError(
            expected="a cluster for every row",
            got=f"a missing value in row {int(np.argmax(codes < 0))} of groups",
            remedy="Give each row its cluster.",
        )
    if len(labels) < 2:
        raise InputError(
            expected="at least two clusters", got=f"{len(labels)}", remedy="With one cluster there is nothing to compare."
        )
    totals = np.zeros((len(labels), scores.shape[1]))
    np.add.at(totals, codes, scores)
    return sandwich(bread, totals)
