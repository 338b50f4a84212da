"""glmref against R's glm (oracles/glm.json, made by glm.R) and against forty digits (high_precision.json, by high_precision.py).

Where conventions differ from R's: the log-likelihood of the Gamma is taken at the maximum likelihood dispersion (the
oracle holds that value, with AIC and BIC to match); without an intercept R's null deviance belongs to eta = 0 (infinite
for some links) and is not compared; what has no density (fractions as counts, a weighted Gamma) has no log-likelihood.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from agreement import entry_by_entry, in_standard_errors, within
from scipy import stats

from glmref import AliasWarning, datasets, families, glm, links

ORACLES = Path(__file__).parent / "oracles"
CASES = {case["id"]: case for case in json.loads((ORACLES / "glm.json").read_text(encoding="utf-8"))["cases"]}
PRECISE = json.loads((ORACLES / "high_precision.json").read_text(encoding="utf-8"))["cases"]
RTOL = 1e-9
pytestmark = pytest.mark.oracle
NUMBERS = {"deviance", "null_deviance", "pearson_chi2", "dispersion", "df_resid", "loglik", "aic", "bic"}


def table(case):
    frame = datasets.load(case["dataset"])
    return frame if case["subset"] is None else frame.query(case["subset"])


def link_of(case):
    return links.Power(case["link"]["power"]) if isinstance(case["link"], dict) else case["link"]


def fit(case):
    aliased = None in case["coef"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if aliased else "error", AliasWarning)
        return glm(case["formula"], table(case), family=case["family"], link=link_of(case),
                   offset=case["offset"], weights=case["weights"], tol=1e-13)


@pytest.fixture(scope="module", params=CASES)
def pair(request):
    case = CASES[request.param]
    return case, fit(case)


def array(values):
    return np.array([np.nan if value is None else float(value) for value in values])


def agree(got, want, what, case, rtol=RTOL, oracle="glm", rounding=None):
    """With `rounding`, in absolute terms: the exact value is zero, as in a saturated fit, and so is R's up to rounding."""
    if rounding is None:
        within(rtol, got, want, what, oracle, case["id"])
    else:
        within(rounding, got, want, what, oracle, case["id"], "absolute, the fit is saturated", 1.0)


def test_coefficients_by_name(pair):
    case, fit = pair
    assert sorted(fit.coef.index) == sorted(case["names"])
    coef, se = fit.coef[case["names"]], fit.se[case["names"]]
    want, want_se = array(case["coef"]), array(case["se"])
    np.testing.assert_array_equal(np.isnan(coef), np.isnan(want), err_msg=f"aliased terms of {case['id']}")
    np.testing.assert_array_equal(np.isnan(se), np.isnan(want))
    kept = ~np.isnan(want)
    in_standard_errors(RTOL, coef[kept], want[kept], want_se[kept], "glm", case["id"])
    entry_by_entry(RTOL, se[kept], want_se[kept], "standard errors", "glm", case["id"])


def test_covariance(pair):
    case, fit = pair
    kept = [name for name, value in zip(case["names"], case["coef"]) if value is not None]
    se = fit.se[kept].to_numpy()
    correlation = np.array(case["cov"]) / np.outer(se, se)
    agree(fit.cov.loc[kept, kept].to_numpy() / np.outer(se, se), correlation, "covariance", case)


def other_convention(case):
    """The numbers of a case for which glmref has chosen otherwise (see above)."""
    chosen = {"null_deviance"} if not case["intercept"] else set()
    return chosen | {what for what in NUMBERS if case[what] is None}


def test_numbers(pair):
    case, fit = pair
    for what in NUMBERS - other_convention(case):
        saturated = case["df_resid"] == 0 and what in ("deviance", "pearson_chi2")
        agree(getattr(fit, what), case[what], what, case, rounding=1e-11 if saturated else None)


def test_few_numbers_are_left_out():
    assert sum(len(other_convention(case)) for case in CASES.values()) <= 10


@pytest.mark.parametrize("what", ["fitted", "linear_predictor", "leverage"])
def test_rows(pair, what):
    case, fit = pair
    agree(getattr(fit, what), case[what], what, case)


@pytest.mark.parametrize("kind", ["response", "pearson", "deviance", "working"])
def test_residuals(pair, kind):
    case, fit = pair
    # a saturated fit has residuals of rounding only; the deviance residual is the root of such a number
    agree(fit.residuals(kind), case["residuals"][kind], f"{kind} residuals", case, rounding=1e-6 if case["df_resid"] == 0 else None)


@pytest.mark.parametrize("kind", ["mean", "linear"])
def test_predictions_for_new_rows(pair, kind):
    case, fit = pair
    agree(fit.predict(table(case).head(5), kind=kind), case["predict"][kind], f"predictions, {kind}", case)


def test_standard_errors_of_predictions(pair):
    """Half the width of an interval on the linear scale is a quantile (t where the dispersion is estimated) times R's se.fit."""
    case, fit = pair
    reference = stats.norm if case["family"] in ("binomial", "poisson") else stats.t(case["df_resid"])
    interval = fit.predict(table(case).head(5), kind="linear", interval=0.9)
    se = (interval["upper"] - interval["lower"]) / (2 * reference.ppf(0.95))
    agree(se, case["predict"]["linear_se"], "standard errors of predictions", case)


@pytest.mark.parametrize("key", sorted(PRECISE))
def test_against_forty_digits(key):
    case, want = CASES[key], PRECISE[key]
    got = fit(case)
    se = array(want["se"])
    in_standard_errors(1e-11, got.coef[case["names"]], array(want["coef"]), se, "high_precision", key)
    entry_by_entry(1e-11, got.se[case["names"]], se, "standard errors", "high_precision", key)
    for what in ("deviance", "pearson_chi2", "dispersion", "loglik"):
        agree(getattr(got, what), float(want[what]), what, case, 1e-11, "high_precision")


def test_every_family_and_link_has_an_oracle():
    """A family of glm.R's is compared under each link that R offers for it."""
    seen = {(case["family"], case["link"] if isinstance(case["link"], str) else "power") for case in CASES.values()}
    offered = {
        "gaussian": {"identity", "log", "inverse", "power"},
        "binomial": {"logit", "probit", "cauchit", "log", "cloglog"},
        "poisson": {"log", "identity", "sqrt", "power"},
        "gamma": {"inverse", "identity", "log", "power"},
        "inverse_gaussian": {"inverse_squared", "inverse", "identity", "log", "power"},
    }
    assert {(family, link) for family, names in offered.items() for link in names} <= seen
    assert {family for family, _ in seen} <= {families.get(family).name for family in offered}
