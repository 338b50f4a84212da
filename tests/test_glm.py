"""The fit as a user meets it: hard cases, predictions, intervals, how it prints."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from agreement import entry_by_entry, within
from scipy import stats

from glmref import AliasWarning, ConvergenceWarning, InputError, SeparationWarning, datasets, fit_glm, glm
from glmref.columns import choose_columns

NIST = json.loads((Path(__file__).parent / "oracles" / "nist.json").read_text(encoding="utf-8"))["sets"]


def test_orings_published_fit():
    """Dalal, Fowlkes and Hoadley (1989): logit of any distress = 15.043 - 0.2322 temperature."""
    fit = glm("distress ~ temperature", datasets.load("orings"), "binomial")
    assert fit.coef.round(3)["Intercept"] == 15.043
    assert fit.coef.round(4)["temperature"] == -0.2322


def test_step_halving_finds_an_optimum_that_plain_irls_walks_past():
    """Identity link on counts: a full step gives negative means; the estimate is a minimum inside the range."""
    crabs = datasets.load("crabs")
    fit = glm("satellites ~ width", crabs, "poisson", link="identity")
    assert fit.converged and (fit.fitted > 0).all()
    X = np.column_stack([np.ones(len(crabs)), crabs["width"]])
    for step in ([0.01, 0], [0, 0.0005], [-0.01, 0.0005], [0.01, -0.0004]):
        eta = X @ (fit.coef.to_numpy() + step)
        if (eta > 0).all():
            assert fit.family.deviance(crabs["satellites"].to_numpy(float), eta, fit.link).sum() > fit.deviance


def test_a_start_far_away_ends_at_the_same_place():
    data = datasets.load("orings")
    near = glm("distress ~ temperature", data, "binomial")
    far = glm("distress ~ temperature", data, "binomial", start=[-20.0, 1.0])
    np.testing.assert_allclose(far.coef, near.coef, rtol=1e-9)
    assert far.trace["halvings"].sum() > 0


def test_scales_do_not_matter():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=80), rng.poisson(3, 80).astype(float)
    plain = fit_glm(np.column_stack([np.ones(80), x]), y, "poisson")
    for scale in (1e-150, 1e-9, 1e12, 1e100):
        scaled = fit_glm(np.column_stack([np.ones(80), x * scale]), y, "poisson")
        assert scaled.coef.iloc[1] * scale == pytest.approx(plain.coef.iloc[1], rel=1e-10)
        assert scaled.se.iloc[1] * scale == pytest.approx(plain.se.iloc[1], rel=1e-10)
        assert scaled.rank == 2


def test_saturated_and_mean_only_models():
    y = np.array([1.0, 4, 2, 8])
    full = fit_glm(np.eye(4), y, "poisson")
    np.testing.assert_allclose(full.fitted, y, rtol=1e-10)
    assert full.deviance < 1e-20 and full.df_resid == 0
    mean = fit_glm(np.ones((4, 1)), y, "gamma", link="log")
    assert mean.fitted == pytest.approx(np.full(4, y.mean()), rel=1e-12)
    assert mean.deviance == pytest.approx(mean.null_deviance, rel=1e-12)


def test_separated_group_keeps_the_other_coefficients():
    table = pd.DataFrame({"g": list("aaaabbbbcccc"), "y": [0.0] * 4 + [0, 1, 1, 0] + [1, 1, 0, 1]})
    with pytest.warns(SeparationWarning):
        fit = glm("y ~ 0 + g", table, "binomial")
    assert fit.coef["g[a]"] < -15
    assert fit.coef["g[c]"] == pytest.approx(np.log(3), rel=1e-8)


@pytest.mark.oracle
@pytest.mark.parametrize("name", sorted(NIST))
def test_nist_certified_regressions(name):
    """Gaussian + identity on the NIST Statistical Reference Datasets: as many digits as a QR of the columns gives."""
    case, data = NIST[name], datasets.load(name)
    want, want_se = (np.array(case[key], dtype=float) for key in ("estimate", "standard_error"))
    if name == "longley":
        X = np.column_stack([np.ones(len(data)), data[case["terms"][1:]]])
    else:
        X = data["x"].to_numpy(dtype=float)[:, None] ** np.arange(len(want))
    fit = fit_glm(X, data[case["response"]])
    assert fit.rank == len(want)
    root = np.linalg.qr(np.column_stack([X, data[case["response"]]]), mode="r")
    by_qr = np.linalg.solve(root[:-1, :-1], root[:-1, -1])
    error, error_by_qr = (np.max(np.abs(got - want) / np.abs(want).max()) for got in (fit.coef.to_numpy(), by_qr))
    scale = max(error_by_qr, 5e-15)
    within(20, error, 0.0, "coefficients, worst of each set", "nist", name, "in errors of a QR of the columns", scale)
    if want_se.max() > 0:
        entry_by_entry(1e-6 if name == "filip" else 1e-8, fit.se, want_se, "standard errors", "nist", name)


FIT = glm("deaths ~ smoking + age", datasets.load("doctors"), "poisson", offset="log(person_years)")


def test_predictions_repeat_the_fit_and_follow_the_offset():
    doctors = datasets.load("doctors")
    np.testing.assert_allclose(FIT.predict(), FIT.fitted)
    np.testing.assert_allclose(FIT.predict(doctors), FIT.fitted)
    np.testing.assert_allclose(FIT.predict(doctors.assign(person_years=1.0)), FIT.fitted / doctors["person_years"])
    np.testing.assert_allclose(FIT.predict(doctors, kind="linear"), np.log(FIT.fitted))


def test_intervals_use_the_right_law():
    z = stats.norm.ppf(0.975)
    np.testing.assert_allclose(FIT.confint()["lower"], FIT.coef - z * FIT.se)
    gamma = glm("time ~ log(concentration)", datasets.load("clotting"), "gamma", link="log")
    t = stats.t(gamma.df_resid).ppf(0.95)
    np.testing.assert_allclose(gamma.confint(0.9)["upper"], gamma.coef + t * gamma.se)
    fixed = glm("time ~ log(concentration)", datasets.load("clotting"), "gamma", link="log", dispersion=0.02)
    np.testing.assert_allclose(fixed.confint()["upper"], fixed.coef + z * fixed.se)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog", "cauchit"])
def test_delta_method_is_the_slope_of_the_mean_times_the_covariance(link):
    beetles = datasets.load("beetles")
    fit = glm("I(killed / beetles) ~ log_dose", beetles, "binomial", weights="beetles", link=link)
    table = fit.predict(interval=0.9, method="delta")
    b, h = fit.coef.to_numpy(), 1e-6
    for row, (x, got) in enumerate(zip(fit.design.X, table.to_numpy())):
        mean = lambda b: float(fit.link.inverse(np.array([x @ b]))[0])  # noqa: E731
        slope = np.array([(mean(b + h * e) - mean(b - h * e)) / (2 * h) for e in np.eye(2)])
        half = stats.norm.ppf(0.95) * np.sqrt(slope @ fit.cov.to_numpy() @ slope)
        np.testing.assert_allclose(got, [mean(b), mean(b) - half, mean(b) + half], rtol=1e-6, err_msg=f"row {row}")
    near = fit.predict(interval=1e-4) - fit.predict(interval=1e-4, method="delta")
    assert np.max(np.abs(near)) < 1e-7  # the two agree where the interval is short
    with pytest.raises(InputError, match='"transformed" or "delta"'):
        fit.predict(interval=0.9, method="bootstrap")


def test_prediction_intervals_stay_in_range_and_are_ordered():
    orings = datasets.load("orings")
    fit = glm("distress ~ temperature", orings, "binomial")
    for temperature in (31.0, 53.0, 81.0):
        new = pd.DataFrame({"temperature": [temperature]}, index=["launch"])
        got = fit.predict(new, interval=0.95).loc["launch"]
        assert 0 < got["lower"] < got["mean"] < got["upper"] < 1
        x = np.array([1, temperature])
        half = stats.norm.ppf(0.975) * np.sqrt(x @ fit.cov @ x)
        assert got["upper"] == pytest.approx(1 / (1 + np.exp(-(x @ fit.coef + half))), rel=1e-10)
    inverse = glm("time ~ log(concentration)", datasets.load("clotting"), "gamma")
    table = inverse.predict(interval=0.95)
    assert (table["lower"] < table["mean"]).all() and (table["mean"] < table["upper"]).all()


def test_dispersion_estimators():
    data = datasets.load("clotting")
    fits = {how: glm("time ~ log(concentration)", data, "gamma", dispersion=how) for how in (None, "pearson", "deviance", "ml", 0.5)}
    assert fits[None].dispersion == fits["pearson"].dispersion == pytest.approx(fits[None].pearson_chi2 / fits[None].df_resid)
    assert fits["deviance"].dispersion == pytest.approx(fits[None].deviance / fits[None].df_resid)
    assert fits[0.5].dispersion == 0.5
    np.testing.assert_allclose(fits[0.5].se / fits["ml"].se, np.sqrt(0.5 / fits["ml"].dispersion))
    assert fits["ml"].loglik == pytest.approx(fits[None].loglik)
    assert fits[0.5].loglik < fits["ml"].loglik
    assert fits[0.5].aic == pytest.approx(-2 * fits[0.5].loglik + 2 * 2)
    assert fits["ml"].aic == pytest.approx(-2 * fits["ml"].loglik + 2 * 3)


def test_null_deviance_is_that_of_the_constant_however_coded():
    sprays = datasets.load("insectsprays")
    one, two = glm("insects ~ spray", sprays, "poisson"), glm("insects ~ 0 + spray", sprays, "poisson")
    assert one.null_deviance == pytest.approx(two.null_deviance, rel=1e-12)
    assert one.null_deviance == pytest.approx(glm("insects ~ 1", sprays, "poisson").deviance, rel=1e-12)


def test_it_prints_in_a_terminal_and_in_a_notebook():
    text, html = repr(FIT.summary()), FIT.summary()._repr_html_()
    for word in ("deaths ~ smoking + age", "poisson, log", "rate ratio", "smoking[T.smoker]", "0.3545", "12.1324", "converged"):
        assert word in text and word in html, word
    assert html.count("<table") == 3 and 'scope=' in html
    assert FIT._repr_html_() == html
    ratios = FIT.summary(0.9).ratios
    np.testing.assert_allclose(ratios["rate ratio"], np.exp(FIT.coef[1:]))
    np.testing.assert_allclose(ratios[["lower 90%", "upper 90%"]], np.exp(FIT.confint(0.9)[1:]))
    assert glm("deaths ~ smoking", datasets.load("doctors"), "poisson", link="sqrt").summary().ratios is None


def test_data_may_be_a_mapping_and_a_response_boolean():
    x = np.arange(8.0)
    fit = glm("y ~ x", {"x": x, "y": np.array([0, 0, 1, 0, 1, 0, 1, 1], dtype=bool)}, "binomial")
    assert fit.nobs == 8 and fit.converged


def test_what_is_done_to_a_table_does_not_reach_the_fit():
    data = datasets.load("orings")
    one, two = (glm("I(distress > 0) ~ temperature", data, "binomial") for _ in range(2))
    coef, cov = one.coef, one.cov
    coef.iloc[0], cov.iloc[0, 0] = 0.0, 0.0
    coef.index.name = cov.index.name = "changed"
    assert one.coef.equals(two.coef) and one.cov.equals(two.cov) and one.cov.columns.name is None
    with pytest.raises(ValueError, match="read-only"):
        one.keep[0] = False


@pytest.mark.parametrize("gap", [0.0, 1e-13, 1e-7, 1e-3, 1.0])
def test_the_columns_are_those_of_X_whatever_the_weights(gap):
    """The regression that a small fit begins with sees X through weights: where it cannot tell, X itself is asked."""
    rng = np.random.default_rng(5)
    X = np.column_stack([np.ones(40), rng.normal(size=(40, 2))])
    X = np.column_stack([X, X[:, 1] - X[:, 2] + gap * rng.normal(size=40)])
    y = rng.poisson(2.0, 40)
    for weights in (None, np.logspace(-6, 6, 40)):
        if gap < 1e-11:
            with pytest.warns(AliasWarning, match="x4"):
                fit = fit_glm(X, y, "poisson", weights=weights)
        else:
            fit = fit_glm(X, y, "poisson", weights=weights)
        np.testing.assert_array_equal(fit.keep, choose_columns(fit.design.rows).keep)
        assert fit.rank == (3 if gap < 1e-11 else 4) and fit.converged


def test_where_rounding_hides_the_way_the_warning_says_which_fault_it_is():
    rng = np.random.default_rng(5)
    X = np.column_stack([np.ones(40), rng.normal(size=(40, 2))])
    X = np.column_stack([X, X[:, 1] - X[:, 2] + 3e-11 * rng.normal(size=40)])
    with pytest.warns(ConvergenceWarning, match=r"leave \de-\d+ of its length. Drop one of the columns"):
        fit_glm(X, rng.poisson(2.0, 40), "poisson", weights=np.logspace(-6, 6, 40))
