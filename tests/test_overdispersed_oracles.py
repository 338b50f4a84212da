"""Negative binomial, quasi and Tweedie fits against R's MASS and statmod (oracles/overdispersed.json, by overdispersed.R) and
against forty digits (overdispersed_precise.json, by overdispersed_precise.py).

R has no log-likelihood for the Tweedie family; its densities are compared in test_tweedie.py.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from agreement import entry_by_entry, in_standard_errors, within

from glmref import compare, datasets, families, glm, links

ORACLES = Path(__file__).parent / "oracles"
CASES = {case["id"]: case for case in json.loads((ORACLES / "overdispersed.json").read_text(encoding="utf-8"))["cases"]}
PRECISE = json.loads((ORACLES / "overdispersed_precise.json").read_text(encoding="utf-8"))
NUMBERS = ("deviance", "null_deviance", "pearson_chi2", "dispersion", "df_resid", "loglik", "aic", "bic", "alpha", "alpha_se")
RTOL = 1e-9
pytestmark = pytest.mark.oracle


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


def agree(got, want, what, case, rtol=RTOL):
    within(rtol, got, want, what, "overdispersed", case["id"])


def test_coefficients_and_covariance(pair):
    case, fit = pair
    assert sorted(fit.coef.index) == sorted(case["names"])
    se = np.array(case["se"])
    in_standard_errors(RTOL, fit.coef[case["names"]], case["coef"], se, "overdispersed", case["id"])
    entry_by_entry(RTOL, fit.se[case["names"]], se, "standard errors", "overdispersed", case["id"])
    agree(fit.cov.loc[case["names"], case["names"]] / np.outer(se, se), case["cov"] / np.outer(se, se), "covariance", case)


def test_numbers(pair):
    case, fit = pair
    for what in NUMBERS:
        if (
            case[what] is None
            or (what == "null_deviance" and not case["intercept"])
            or (what == "alpha_se" and fit.estimate is None)
        ):
            continue  # without an intercept R's null deviance belongs to eta = 0
        agree(getattr(fit, what), case[what], what, case)


def test_rows(pair):
    case, fit = pair
    for what in ("fitted", "linear_predictor", "leverage"):
        agree(getattr(fit, what), case[what], what, case)
    for kind, want in case["residuals"].items():
        agree(fit.residuals(kind), want, f"{kind} residuals", case)


@pytest.mark.parametrize("key", [key for key, case in CASES.items() if case["lr"] is not None])
def test_likelihood_ratios_estimate_alpha_again(key):
    """As MASS's anova does, between two fits of glm.nb; by restriction and by comparison of two fits."""
    case = CASES[key]
    large, small = fit(case), fit(case, case["smaller"])
    table = compare(small, large)
    agree(table["drop"].iloc[1], case["lr"], "likelihood ratio", case, 1e-8)
    agree(table["statistic"].iloc[1], case["lr"], "likelihood ratio", case, 1e-8)
    removed = [name for name in large.coef.index if name not in small.coef.index]
    L = np.eye(large.rank)[[list(large.coef.index).index(name) for name in removed]]
    agree(large.test(L, "lr").statistic, case["lr"], "likelihood ratio", case, 1e-8)


@pytest.mark.parametrize("key", sorted(PRECISE["negative_binomial"]))
def test_negative_binomial_against_forty_digits(key):
    want, got = PRECISE["negative_binomial"][key], fit(CASES[key])
    se = np.array(want["se"], dtype=float)
    in_standard_errors(1e-11, got.coef[CASES[key]["names"]], np.array(want["coef"], dtype=float), se, "overdispersed_precise", key)
    entry_by_entry(1e-11, got.se[CASES[key]["names"]], se, "standard errors", "overdispersed_precise", key)
    for what in ("alpha", "alpha_se", "loglik", "deviance"):
        within(1e-11, getattr(got, what), float(want[what]), what, "overdispersed_precise", key)


def test_tweedie_densities_against_forty_digits():
    for y, mu, phi, power, want in PRECISE["tweedie"]:
        got = families.Tweedie(power).log_density(np.array([y]), np.array([mu]), phi)[0]
        case, scale = f"power {power}, y = {y}, mu = {mu}, phi = {phi}", max(abs(float(want)), 0.1)
        within(2e-13, got, float(want), "log-density", "overdispersed_precise", case, "relative, or to 0.1 near zero", scale)


def test_every_kind_of_family_has_its_oracles():
    kinds = [case["family"] for case in CASES.values()]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "negative_binomial": 17,
        "quasipoisson": 4,
        "quasibinomial": 5,
        "tweedie": 7,
    }
