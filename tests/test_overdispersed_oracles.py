"""Negative binomial, quasi and Tweedie fits against R's MASS and statmod (oracles/overdispersed.json, by overdispersed.R) and
against forty digits (overdispersed_precise.json, by overdispersed_precise.py).

R has no log-likelihood for the Tweedie family; its densities are compared in test_tweedie.py.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from glmref import compare, datasets, families, glm, links

ORACLES = Path(__file__).parent / "oracles"
CASES = {case["id"]: case for case in json.loads((ORACLES / "overdispersed.json").read_text(encoding="utf-8"))["cases"]}
PRECISE = json.loads((ORACLES / "overdispersed_precise.json").read_text(encoding="utf-8"))
NUMBERS = ("deviance", "null_deviance", "pearson_chi2", "dispersion", "df_resid", "loglik", "aic", "bic", "alpha", "alpha_se")
RTOL = 1e-9


def family_of(case):
    if case["family"] == "negative_binomial":
        return families.NegativeBinomial(case["alpha_given"])
    return families.Tweedie(case["power"]) if case["power"] is not None else case["family"]


def fit(case, formula=None):
    table = datasets.load(case["dataset"])
    table = table if case["subset"] is None else table.query(case["subset"])
    link = links.Power(case["link"]["power"]) if isinstance(case["link"], dict) else case["link"]
    family = family_of(case)
    return glm(formula or case["formula"], table, family, link=link, offset=case["offset"], weights=case["weights"], tol=1e-13)


@pytest.fixture(scope="module", params=CASES)
def pair(request):
    case = CASES[request.param]
    return case, fit(case)


def agree(got, want, what, rtol=RTOL):
    """Relative to the largest entry: a vector that should be near zero is judged beside its companions."""
    got, want = np.asarray(got, dtype=float), np.asarray(want, dtype=float)
    assert got.shape == want.shape, what
    np.testing.assert_allclose(got, want, rtol=0, atol=rtol * np.max(np.abs(want)), err_msg=what)


def test_coefficients_and_covariance(pair):
    case, fit = pair
    assert sorted(fit.coef.index) == sorted(case["names"])
    se = np.array(case["se"])
    np.testing.assert_allclose((fit.coef[case["names"]] - case["coef"]) / se, 0, atol=RTOL)
    np.testing.assert_allclose(fit.se[case["names"]], se, rtol=RTOL)
    agree(fit.cov.loc[case["names"], case["names"]] / np.outer(se, se), case["cov"] / np.outer(se, se), "covariance")


def test_numbers(pair):
    case, fit = pair
    for what in NUMBERS:
        if (
            case[what] is None
            or (what == "null_deviance" and not case["intercept"])
            or (what == "alpha_se" and fit.estimate is None)
        ):
            continue  # without an intercept R's null deviance belongs to eta = 0
        agree(getattr(fit, what), case[what], what)


def test_rows(pair):
    case, fit = pair
    for what in ("fitted", "linear_predictor", "leverage"):
        agree(getattr(fit, what), case[what], what)
    for kind, want in case["residuals"].items():
        agree(fit.residuals(kind), want, f"{kind} residuals")


@pytest.mark.parametrize("key", [key for key, case in CASES.items() if case["lr"] is not None])
def test_likelihood_ratios_estimate_alpha_again(key):
    """As MASS's anova does, between two fits of glm.nb; by restriction and by comparison of two fits."""
    case = CASES[key]
    large, small = fit(case), fit(case, case["smaller"])
    table = compare(small, large)
    assert table["drop"].iloc[1] == pytest.approx(case["lr"], rel=1e-8)
    assert table["statistic"].iloc[1] == pytest.approx(case["lr"], rel=1e-8)
    removed = [name for name in large.coef.index if name not in small.coef.index]
    L = np.eye(large.rank)[[list(large.coef.index).index(name) for name in removed]]
    assert large.test(L, "lr").statistic == pytest.approx(case["lr"], rel=1e-8)


@pytest.mark.parametrize("key", sorted(PRECISE["negative_binomial"]))
def test_negative_binomial_against_forty_digits(key):
    want, got = PRECISE["negative_binomial"][key], fit(CASES[key])
    se = np.array(want["se"], dtype=float)
    np.testing.assert_allclose((got.coef[CASES[key]["names"]] - np.array(want["coef"], dtype=float)) / se, 0, atol=1e-11)
    np.testing.assert_allclose(got.se[CASES[key]["names"]], se, rtol=1e-11)
    for what in ("alpha", "alpha_se", "loglik", "deviance"):
        assert getattr(got, what) == pytest.approx(float(want[what]), rel=1e-11), what


def test_tweedie_densities_against_forty_digits():
    for y, mu, phi, power, want in PRECISE["tweedie"]:
        got = families.Tweedie(power).log_density(np.array([y]), np.array([mu]), phi)[0]
        assert got == pytest.approx(float(want), rel=2e-13, abs=2e-14), (y, mu, phi, power)


def test_every_kind_of_family_has_its_oracles():
    kinds = [case["family"] for case in CASES.values()]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "negative_binomial": 17,
        "quasipoisson": 4,
        "quasibinomial": 5,
        "tweedie": 7,
    }
