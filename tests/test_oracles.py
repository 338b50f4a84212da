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
from scipy import stats

from glmref import AliasWarning, datasets, families, glm, links

ORACLES = Path(__file__).parent / "oracles"
CASES = {case["id"]: case for case in json.loads((ORACLES / "glm.json").read_text(encoding="utf-8"))["cases"]}
PRECISE = json.loads((ORACLES / "high_precision.json").read_text(encoding="utf-8"))["cases"]
RTOL = 1e-9
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


def agree(got, want, what, case, rtol=RTOL, atol=0.0):
    """Relative to the largest entry: a vector that should be near zero is judged beside its companions."""
    got, want = np.asarray(got, dtype=float), np.asarray(want, dtype=float)
    assert got.shape == want.shape, f"{what}: shape {got.shape}, R has {want.shape}"
    scale = np.nanmax(np.abs(want), initial=0.0)
    np.testing.assert_allclose(got, want, rtol=0, atol=rtol * scale + atol, err_msg=f"{what} of {case['id']}, {case['r_formula']}")


def test_coefficients_by_name(pair):
    case, fit = pair
    assert sorted(fit.coef.index) == sorted(case["names"])
    coef, se = fit.coef[case["names"]], fit.se[case["names"]]
    want, want_se = array(case["coef"]), array(case["se"])
    np.testing.assert_array_equal(np.isnan(coef), np.isnan(want), err_msg=f"aliased terms of {case['id']}")
    np.testing.assert_array_equal(np.isnan(se), np.isnan(want))
    kept = ~np.isnan(want)
    agree(((coef - want) / want_se)[kept], np.zeros(kept.sum()), "coefficients in standard errors", case, atol=RTOL)
    agree((se / want_se)[kept], np.ones(kept.sum()), "standard errors", case)


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
        agree(getattr(fit, what), case[what], what, case, atol=1e-11 if saturated else 0.0)


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
    agree(fit.residuals(kind), case["residuals"][kind], f"{kind} residuals", case, atol=1e-6 if case["df_resid"] == 0 else 0.0)


@pytest.mark.parametrize("kind", ["mean", "linear"])
def test_predictions_for_new_rows(pair, kind):
    case, fit = pair
    agree(fit.predict(table(case).head(5), kind=kind), case["predict"][kind], f"prediction ({kind})", case)


def test_standard_errors_of_predictions(pair):
    """Half the width of an interval on the linear scale is a quantile (t where the dispersion is estimated) times R's se.fit."""
    case, fit = pair
    reference = stats.norm if case["family"] in ("binomial", "poisson") else stats.t(case["df_resid"])
    interval = fit.predict(table(case).head(5), kind="linear", interval=0.9)
    se = (interval["upper"] - interval["lower"]) / (2 * reference.ppf(0.95))
    agree(se, case["predict"]["linear_se"], "standard error of the linear predictor", case)


@pytest.mark.parametrize("key", sorted(PRECISE))
def test_against_forty_digits(key):
    case, want = CASES[key], PRECISE[key]
    got = fit(case)
    se = array(want["se"])
    agree((got.coef[case["names"]] - array(want["coef"])) / se, np.zeros(len(se)), "coefficients in standard errors", case, atol=1e-11)
    agree(got.se[case["names"]] / se, np.ones(len(se)), "standard errors", case, rtol=1e-11)
    for what in ("deviance", "pearson_chi2", "dispersion", "loglik"):
        agree(getattr(got, what), float(want[what]), what, case, rtol=1e-11)


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
