"""Robust covariances against R's sandwich package (oracles/sandwich.json, made by sandwich.R), laws, and bad input."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from agreement import within

from glmref import AliasWarning, InputError, datasets, fit_glm, glm

CASES = json.loads((Path(__file__).parent / "oracles" / "sandwich.json").read_text(encoding="utf-8"))["cases"]
MODELS = {
    "orings-logit": ("distress ~ temperature", "orings", "binomial", {}),
    "beetles-cloglog": ("I(killed / beetles) ~ log_dose", "beetles", "binomial", {"link": "cloglog", "weights": "beetles"}),
    "doctors-log": ("deaths ~ smoking + age", "doctors", "poisson", {"offset": "log(person_years)"}),
    "sprays-sqrt": ("insects ~ spray", "insectsprays", "poisson", {"link": "sqrt"}),
    "clotting-inverse": ("time ~ log(concentration)", "clotting", "gamma", {}),
    "clotting-log": ("time ~ log(concentration) + lot", "clotting", "gamma", {"link": "log"}),
    "cars-identity": ("distance ~ speed", "cars", "gaussian", {}),
    "crabs-log": ("satellites ~ width", "crabs", "poisson", {}),
}


@pytest.mark.oracle
@pytest.mark.parametrize("name", CASES)
def test_against_r(name):
    formula, data, family, options = MODELS[name]
    table, case = datasets.load(data), CASES[name]
    fit = glm(formula, table, family, tol=1e-13, **options)
    for kind in ("HC0", "HC1", "HC2", "HC3", "cluster"):
        if case[kind] is None:
            continue
        got = fit.covariance(kind, groups=table[case["groups"]] if kind == "cluster" else None)
        want = np.array(case[kind]).reshape(got.shape)
        # row-wise factors (doctors by age alone, sprays) leave exact zeros of rounding in R: compare beside the variances
        scale = np.sqrt(np.outer(np.diag(want), np.diag(want)))
        within(1e-8, got, want, f"covariance, {kind}", "sandwich", name, "relative to the variances", scale)


FIT = glm("deaths ~ smoking + age", datasets.load("doctors"), "poisson", offset="log(person_years)")


def test_each_row_its_own_cluster_is_hc0():
    np.testing.assert_allclose(FIT.covariance("cluster", groups=np.arange(10)), FIT.covariance("HC0"), rtol=1e-12)


def test_scores_sum_to_zero():
    np.testing.assert_allclose(FIT.scores.sum(0), 0, atol=1e-8)


def test_order_and_labels_of_clusters_do_not_matter():
    rng = np.random.default_rng(0)
    X, y, g = np.column_stack([np.ones(40), rng.normal(size=40)]), rng.poisson(2, 40).astype(float), rng.integers(0, 6, 40)
    order = rng.permutation(40)
    one = fit_glm(X, y, "poisson").covariance("cluster", groups=g)
    two = fit_glm(X[order], y[order], "poisson").covariance("cluster", groups=np.array(list("abcdef"))[g[order]])
    np.testing.assert_allclose(one, two, rtol=1e-9)


def test_rows_of_weight_zero_contribute_nothing():
    rng = np.random.default_rng(1)
    X, y, w = np.column_stack([np.ones(30), rng.normal(size=30)]), rng.normal(size=30), rng.uniform(0.5, 2, 30)
    w[:7] = 0
    for kind in ("HC0", "HC1", "HC2", "HC3"):
        one, two = fit_glm(X, y, weights=w).covariance(kind), fit_glm(X[7:], y[7:], weights=w[7:]).covariance(kind)
        np.testing.assert_allclose(one, two, rtol=1e-10)


def test_what_cannot_be_computed_is_named():
    for call, message in [
        (lambda: FIT.covariance("HC4"), r'"HC3" or "cluster".*HC4'),
        (lambda: FIT.covariance("cluster"), r"label for each of the 10 rows"),
        (lambda: FIT.covariance("cluster", groups=[1, 2]), r"10 rows; got 2"),
        (lambda: FIT.covariance("cluster", groups=np.ones(10)), r"two clusters"),
        (lambda: FIT.covariance("cluster", groups=[None, *range(9)]), r"row 0 of groups"),
        (lambda: glm("y ~ x + g", {"y": [1.0, 2, 3, 5], "x": [1.0, 2, 4, 3], "g": list("aaab")}).covariance("HC3"), r"leverage below 1"),
    ]:
        with pytest.raises(InputError, match=message):
            call()


def test_a_saturated_fit_has_no_hc1():
    fit = fit_glm(np.eye(3), [1.0, 2.0, 4.0], "poisson")
    assert fit.covariance("HC1").isna().all(axis=None) and not fit.covariance("HC0").isna().any(axis=None)


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC3"])
def test_rows_in_blocks_with_frequencies_and_weights(kind):
    """The sum over blocks is B^-1 sum f u u' B^-1 of the scores and leverages that the fit gives row by row."""
    n, rng = 5000, np.random.default_rng(8)
    X = np.c_[np.ones(n), rng.normal(size=(n, 2)), np.zeros(n)]
    X[:, 3] = X[:, 1] + X[:, 2]
    frequency, weight = rng.integers(0, 3, n), rng.uniform(0.5, 2, n) * (rng.random(n) < 0.9)
    with pytest.warns(AliasWarning):
        fit = fit_glm(X, rng.poisson(np.exp(0.3 * X[:, 1])), "poisson", weights=weight, frequency_weights=frequency)
    factor = frequency * (weight > 0) / (1 - fit.leverage * (weight > 0) * (kind == "HC3")) ** 2
    scores = fit.scores * np.sqrt(factor)[:, None]
    bread = fit.cov.to_numpy()[:3, :3]
    expected = bread @ scores.T @ scores @ bread * (fit.nobs / (fit.nobs - 3) if kind == "HC1" else 1)
    np.testing.assert_allclose(fit.covariance(kind).to_numpy()[:3, :3], expected, rtol=1e-10, atol=1e-12 * expected.max())


def test_hc0_holds_no_table_of_scores():
    n = 200_000
    X = np.c_[np.ones(n), np.random.default_rng(1).normal(size=(n, 9))]
    fit = fit_glm(X, np.random.default_rng(2).poisson(1.5, n), "poisson")
    tracemalloc.start()
    fit.covariance("HC0")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.2 * X.nbytes
