"""glmref's GEE against R's geepack (oracles/gee.json, made by gee.R) and statsmodels (oracles/gee_statsmodels.json, by
gee_statsmodels.py), each under its own convention: coefficients, both covariances, alpha and phi to ten digits.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from glmref import correlation, datasets, gee

ORACLES = Path(__file__).parent / "oracles"
GEEPACK = {case["id"]: case for case in json.loads((ORACLES / "gee.json").read_text(encoding="utf-8"))["cases"]}
RTOL = 1e-9


def structure(case):
    if case["correlation"] == "fixed":
        return correlation.Fixed(np.array(case["R"]))
    return correlation.MDependent(case["m"]) if case["correlation"] == "mdependent" else case["correlation"]


def table(case):
    frame = datasets.load(case["dataset"])
    frame["row"] = np.arange(1, len(frame) + 1)
    frame["wave"] = frame.eval(case["time"])
    return frame if case["subset"] is None else frame[frame.eval(case["subset"])]


def fit(case, convention, **options):
    frame = table(case)
    weights = None if case["weights"] is None else frame.eval(case["weights"])
    return gee(case["formula"], frame, case["cluster"], case["family"], link=case["link"], correlation=structure(case),
               time="wave", offset=case["offset"], weights=weights, convention=convention,
               dispersion=case["dispersion_given"], tol=1e-12, **options)


def agree(got, want, what, rtol=RTOL):
    got, want = np.asarray(got, dtype=float), np.asarray(want, dtype=float)
    assert got.shape == want.shape, what
    np.testing.assert_allclose(got, want, rtol=0, atol=rtol * np.max(np.abs(want), initial=0.0), err_msg=what)


@pytest.mark.parametrize("name", GEEPACK)
def test_against_geepack(name):
    case = GEEPACK[name]
    got = fit(case, "geepack")
    se = np.sqrt(np.diag(case["robust"]))
    np.testing.assert_allclose((got.coef - case["coef"]) / se, 0, atol=RTOL, err_msg="coefficients, in standard errors")
    agree(got.covariance("robust") / np.outer(se, se), case["robust"] / np.outer(se, se), "robust covariance")
    agree(got.covariance("model") / np.outer(se, se), case["model"] / np.outer(se, se), "model-based covariance")
    agree(np.ravel(got.alpha), case["alpha"], "alpha")
    agree(got.dispersion, case["dispersion"], "phi")
    assert got.nclusters == case["clusters"]
