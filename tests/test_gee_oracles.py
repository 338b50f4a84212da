"""glmref's GEE against R's geepack (oracles/gee.json, made by gee.R) and statsmodels (oracles/gee_statsmodels.json, by
gee_statsmodels.py), each under its own convention: coefficients, both covariances, alpha and phi to ten digits.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from agreement import in_standard_errors, within

from glmref import correlation, datasets, gee

ORACLES = Path(__file__).parent / "oracles"
GEEPACK = {case["id"]: case for case in json.loads((ORACLES / "gee.json").read_text(encoding="utf-8"))["cases"]}
STATSMODELS = {case["id"]: case for case in json.loads((ORACLES / "gee_statsmodels.json").read_text(encoding="utf-8"))["cases"]}
RTOL = 1e-9
pytestmark = pytest.mark.oracle


def structure(case):
    if case["correlation"] == "fixed":
        return correlation.Fixed(np.array(case["R"]))
    if case["correlation"] == "ar1-forecasts":
        return correlation.AR1(grid=False)
    return correlation.MDependent(case["m"]) if case["correlation"] == "mdependent" else case["correlation"]


def table(case):
    frame = datasets.load(case["dataset"])
    frame["row"] = np.arange(1, len(frame) + 1)
    frame["wave"] = frame.eval(case["time"])
    return frame if case["subset"] is None else frame[frame.eval(case["subset"])]


def fit(case, convention, **options):
    frame = table(case)
    weights = None if case["weights"] is None else frame.eval(case["weights"])
    return gee(
        case["formula"],
        frame,
        case["cluster"],
        case["family"],
        link=case["link"],
        correlation=structure(case),
        time="wave",
        offset=case["offset"],
        weights=weights,
        convention=convention,
        dispersion=case["dispersion_given"],
        tol=1e-12,
        **options,
    )


def compare(got, case, oracle, rtol=RTOL):
    se = np.sqrt(np.diag(case["robust"]))
    in_standard_errors(rtol, got.coef, case["coef"], se, oracle, case["id"])
    for kind, name in (("robust", "robust covariance"), ("model", "model-based covariance")):
        within(rtol, got.covariance(kind) / np.outer(se, se), case[kind] / np.outer(se, se), name, oracle, case["id"])
    within(rtol, np.ravel(got.alpha), case["alpha"], "working correlation", oracle, case["id"])
    within(rtol, got.dispersion, case["dispersion"], "dispersion", oracle, case["id"])
    assert got.nclusters == case["clusters"]


@pytest.mark.parametrize("name", GEEPACK)
def test_against_geepack(name):
    compare(fit(GEEPACK[name], "geepack"), GEEPACK[name], "gee")


@pytest.mark.parametrize("name", STATSMODELS)
def test_against_statsmodels(name):
    case = STATSMODELS[name]
    got = fit(case, "statsmodels")
    compare(got, case, "gee_statsmodels", 1e-7 if case["correlation"] == "ar1-forecasts" else RTOL)  # there alpha is found by comparing values
    within(1e-7, got.covariance("mancl_derouen"), case["bias_reduced"], "covariance of Mancl and DeRouen", "gee_statsmodels", name)


@pytest.mark.parametrize("name", [name for name in GEEPACK if GEEPACK[name]["ajs"] is not None])
def test_jackknives_of_geepack(name):
    """Its approximate jackknife is Mancl-DeRouen times (K - p - q - r) / K; its full one is ours. It refits to 1e-9 or so."""
    case = GEEPACK[name]
    got = fit(case, "geepack")
    K, lost = got.nclusters, got.rank + len(case["alpha"]) + 1
    within(RTOL, got.covariance("mancl_derouen") * (K - lost) / K, case["ajs"], "covariance, approximate jackknife", "gee", name)
    within(1e-7, got.covariance("jackknife"), case["fij"], "covariance, full jackknife", "gee", name)


@pytest.mark.parametrize("name", [name for name in STATSMODELS if "score_test" in STATSMODELS[name]])
def test_score_tests_of_statsmodels(name):
    case = STATSMODELS[name]
    got = fit(case, "statsmodels").test(case["score_test"]["hypothesis"], method="score")
    assert got.df == case["score_test"]["df"]
    within(1e-7, got.statistic, case["score_test"]["statistic"], "score statistic", "gee_statsmodels", name)


def test_every_structure_is_compared():
    seen = {case["correlation"] for case in GEEPACK.values()}
    assert seen == {"independence", "exchangeable", "ar1", "unstructured", "toeplitz", "mdependent", "fixed"}
    assert {case["family"] for case in STATSMODELS.values()} == {"gaussian", "binomial", "poisson", "gamma", "inverse_gaussian"}
