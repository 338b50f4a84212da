"""Tests and intervals against each other, against closed forms, and against their definitions."""

import numpy as np
import pytest
from scipy import stats

from glmref import InputError, compare, datasets, fit_glm, glm

DOCTORS = datasets.load("doctors")
LARGE = glm("deaths ~ smoking + age", DOCTORS, "poisson", offset="log(person_years)")
SMALL = glm("deaths ~ age", DOCTORS, "poisson", offset="log(person_years)")
CLOTTING = glm("time ~ log(concentration) + lot", datasets.load("clotting"), "gamma")


def test_wald_test_of_one_coefficient_is_its_squared_ratio():
    z = LARGE.coef["smoking[T.smoker]"] / LARGE.se["smoking[T.smoker]"]
    for words in ("smoking", "smoking[T.smoker]", "`smoking[T.smoker]` = 0", ["smoking"], np.eye(6)[1]):
        result = LARGE.test(words)
        assert result.statistic == pytest.approx(z**2, rel=1e-12) and result.df == 1 and result.df_denominator is None
        assert result.p_value == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-10)


def test_wald_test_of_a_term_is_the_quadratic_form():
    names = [name for name in LARGE.design.names if name.startswith("age")]
    b, C = LARGE.coef[names], LARGE.cov.loc[names, names]
    assert LARGE.test("age").statistic == pytest.approx(b @ np.linalg.solve(C, b), rel=1e-10)


def test_likelihood_ratio_is_the_drop_in_deviance():
    drop = SMALL.deviance - LARGE.deviance
    assert LARGE.test("smoking", "lr").statistic == pytest.approx(drop, rel=1e-9)
    table = compare(SMALL, LARGE)
    assert table["drop"].iloc[1] == pytest.approx(drop) and table["df"].iloc[1] == 1
    assert table["P"].iloc[1] == pytest.approx(stats.chi2(1).sf(drop))


def test_score_test_of_a_proportion_is_pearsons_chi_squared():
    """Two groups of Bernoulli trials: the score test of no difference is the 2 x 2 table's chi-squared."""
    table = np.array([[12, 28], [25, 15]])
    share, trials = table[:, 0] / table.sum(1), table.sum(1)
    fit = fit_glm(np.array([[1.0, 0], [1, 1]]), share, "binomial", weights=trials, names=["one", "group"])
    want = stats.chi2_contingency(table, correction=False)
    got = fit.test("group", "score")
    assert got.statistic == pytest.approx(want.statistic, rel=1e-9) and got.p_value == pytest.approx(want.pvalue, rel=1e-9)


def test_the_three_tests_coincide_for_least_squares():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(30, 4)), rng.normal(size=30)
    fit = fit_glm(X, y)
    wald, lr = fit.test(["x2", "x3 = x4"]), fit.test(["x2", "x3 = x4"], "lr")
    score = fit.test(["x2", "x3 = x4"], "score")
    assert wald.df == 2 and wald.df_denominator == 26
    assert lr.statistic == pytest.approx(wald.statistic, rel=1e-9) == score.statistic
    small = fit_glm(np.column_stack([X[:, 0], X[:, 2] + X[:, 3]]), y)
    f = (small.deviance - fit.deviance) / 2 / (fit.deviance / 26)
    assert wald.statistic == pytest.approx(f, rel=1e-10) and wald.p_value == pytest.approx(stats.f(2, 26).sf(f), rel=1e-9)


def test_a_hypothesis_may_name_any_value():
    at = LARGE.coef["smoking[T.smoker]"]
    for method in ("wald", "score", "lr"):
        assert LARGE.test(f"`smoking[T.smoker]` = {at:.17g}", method).statistic < 1e-12
    assert LARGE.test(np.eye(6), "lr").statistic > 1e5  # all coefficients 0: nothing left to fit


@pytest.mark.parametrize("fit", [LARGE, CLOTTING], ids=["poisson", "gamma"])
def test_profile_interval_ends_where_the_deviance_has_risen_enough(fit):
    interval = fit.confint(0.9, method="profile")
    rise = stats.norm.ppf(0.95) ** 2 if fit is LARGE else fit.dispersion * stats.t(fit.df_resid).ppf(0.95) ** 2
    for j, name in enumerate(fit.coef.index):
        for end in ("lower", "upper"):
            value = interval.loc[name, end]
            others = np.delete(fit.design.X, j, axis=1)
            offset = fit.design.offset + fit.design.X[:, j] * value
            held = fit_glm(others, fit.design.y, fit.family, link=fit.link, offset=offset, start=np.delete(fit.coef.to_numpy(), j))
            assert held.deviance - fit.deviance == pytest.approx(rise, rel=1e-7)
    assert (interval["lower"] < fit.coef).all() and (fit.coef < interval["upper"]).all()


def test_unusable_hypotheses_and_comparisons_are_named():
    for call, message in [
        (lambda: LARGE.test("smokin"), r"about Intercept, .*'smokin'"),
        (lambda: LARGE.test("smoking", "bayes"), r'"wald", "score" or "lr"'),
        (lambda: LARGE.test(np.ones((1, 3))), r"6 columns"),
        (lambda: LARGE.test(["smoking", "smoking"]), r"rank 1"),
        (lambda: LARGE.confint(method="exact"), r'"wald" or "profile"'),
        (lambda: compare(LARGE), r"two fits"),
        (lambda: compare(LARGE, SMALL), r"larger model after a smaller.*the smaller model first"),
        (lambda: compare(SMALL, SMALL), r"Models of equal size are not nested: compare them by their aic"),
        (lambda: compare(SMALL, CLOTTING), r"one family"),
        (lambda: compare(glm("deaths ~ smoking", DOCTORS, "poisson"), SMALL), r"same offset"),
        (lambda: compare(glm("deaths ~ person_years", DOCTORS, "poisson", offset="log(person_years)"), SMALL), r"nested"),
    ]:
        with pytest.raises(InputError, match=message):
            call()


SHUTTLE = glm("I(damaged / rings) ~ temperature", datasets.load("orings"), "binomial", weights="rings")


def test_a_hypothesis_may_end_in_a_negative_number():
    for text in ("temperature = -0.3", "temperature=-0.3", "temperature + 0.3 = 0", "2 * temperature = - 0.6"):
        assert SHUTTLE.test(text).statistic == pytest.approx(((SHUTTLE.coef["temperature"] + 0.3) / SHUTTLE.se["temperature"]) ** 2)
