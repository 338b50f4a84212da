"""Tests and intervals against each other, against closed forms, and against their definitions."""

import pickle

import numpy as np
import pytest
from scipy import stats

from glmref import ConvergenceWarning, InputError, compare, datasets, families, fit_glm, glm

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


@pytest.mark.parametrize("hypothesis", ["", "x1 = 0 = 1", {"x1": 0}, ["x1", 3], [["x1"]], np.zeros((0, 2)), [np.nan, 1.0]])
def test_what_is_no_hypothesis_is_named(hypothesis):
    fit = fit_glm(np.c_[np.ones(6), np.arange(6.0)], np.array([1.0, 3, 2, 5, 4, 6]))
    with pytest.raises(InputError, match="a hypothesis such as|a matrix of finite numbers"):
        fit.test(hypothesis)
    with pytest.raises(InputError, match="wald"):
        fit.test("x1", method=["wald"])


PERFECT = fit_glm(np.c_[np.ones(6), [0, 0, 0, 1, 1, 1.0]], np.array([3, 3, 3, 5, 5, 5.0]))
SATURATED = fit_glm(np.array([[1, 0, 0], [1, 1, 0], [1, 1, 2.0]]), np.array([0.2, 0.5, 0.7]))


def test_what_is_no_fit_or_seed_is_named():
    given = fit_glm(PERFECT.design.X, PERFECT.design.y, dispersion=0.5)
    with pytest.raises(InputError, match="fits by glm.*got 3"):
        compare(given, 3)
    with pytest.raises(InputError, match="rng as a seed.*-1"):
        given.residuals("quantile", rng=-1)


@pytest.mark.parametrize(("fit", "message"), [(PERFECT, "leaves nothing over"), (SATURATED, "as many coefficients as rows")])
def test_without_a_dispersion_there_are_no_tests(fit, message):
    smaller = fit_glm(np.ones((fit.nobs, 1)), fit.design.y)
    for ask in (
        lambda: fit.test("x2"),
        lambda: fit.test("x2", method="lr"),
        lambda: fit.confint(method="profile"),
        lambda: compare(smaller, fit),
        lambda: fit.residuals("quantile"),
    ):
        with pytest.raises(InputError, match=f"dispersion > 0.*{message}"):
            ask()
    given = fit_glm(fit.design.X, fit.design.y, dispersion=0.5)
    assert given.test("x2").statistic == pytest.approx((given.coef["x2"] / given.se["x2"]) ** 2)


def test_a_profile_that_levels_off_has_no_end():
    """As x2 grows, each of the last three means an inverse Gaussian's deviance can rise by the sum of 1 / y, and no more."""
    y = np.array([1.0, 2, 3, 1.5, 2, 9, 4])
    fit = fit_glm(np.c_[np.ones(7), [0, 0, 0, 0, 1, 1, 1]], y, "inverse_gaussian", link="log")
    assert fit.confint(method="profile").loc["x2", "upper"] == np.inf
    limit = (np.sum(1 / y[4:]) - fit.family.unit_deviance(y[4:], fit.fitted[4:]).sum()) / fit.dispersion
    for far in (600, 800, 1e5):
        assert fit.test(f"x2 = {far}", "lr").statistic == pytest.approx(limit, rel=1e-9)


TWO_OPTIMA = np.array(
    [[1, .67, 0, 1.75], [1, .14, 1, .92], [1, -1.57, 1, 1.09], [1, .41, 1, 1.06], [1, .55, 0, .29], [1, .78, 1, .63], [1, 1.11, 0, .61],
     [1, -.08, 0, 2.22], [1, -.41, 1, 1.43], [1, 1.28, 1, .29], [1, 2, 0, .54], [1, .49, 0, 1.43], [1, -.13, 1, .16]]
)  # fmt: skip


def test_the_fit_under_a_hypothesis_takes_the_better_of_two_optima():
    y = np.array([8.634, 39.274, 7.045, 12.88, 0.591, 2.55, 20.15, 4.848, 9.513, 1.733, 5.21, 1.375, 13.423])
    large, small = (fit_glm(X, y, "inverse_gaussian", link="log") for X in (TWO_OPTIMA, TWO_OPTIMA[:, [0, 2]]))
    drop = compare(small, large)["statistic"].iloc[1]
    assert large.test(["x2", "x4"], "lr").statistic == pytest.approx(drop, rel=1e-9)


def test_a_smaller_model_that_fits_better_is_said():
    X = np.array([[1, -1.49, 1, 1.83], [1, -2.05, 1, 2.03], [1, -.23, 0, .12], [1, -2.19, 1, .88], [1, .45, 1, .28], [1, -.4, 0, .34],
                  [1, -1.14, 0, .75], [1, .47, 1, 1.32]])  # fmt: skip
    y = np.array([0.395, 0.363, 0.604, 0.349, 0.47, 0.225, 4.432, 4.158])
    large, small = (fit_glm(part, y, "inverse_gaussian", link="identity") for part in (X, X[:, :3]))
    assert large.deviance > small.deviance  # a local optimum: that is what the warning is about
    with pytest.warns(ConvergenceWarning, match="a smaller model fits better.*start="):
        compare(small, large)
    with pytest.warns(ConvergenceWarning, match="a smaller model fits better"):
        large.test("x4", "lr")
    again = fit_glm(X, y, "inverse_gaussian", link="identity", start=np.r_[small.coef, 0])
    assert again.deviance < small.deviance and compare(small, again)["drop"].iloc[1] > 0


def test_models_nested_on_the_rows_that_count_are_compared():
    x = np.arange(8.0)
    X = np.c_[np.ones(8), x, x**2]
    other = X[:, :2].copy()
    other[3, 1] = 99.0
    weights = np.where(np.arange(8) == 3, 0.0, 1.0)
    y = np.array([1.0, 2, 2, 5, 4, 7, 6, 9])
    small, large = (fit_glm(part, y, weights=weights) for part in (other, X))
    assert compare(small, large)["df"].iloc[1] == 1


def test_a_cumulants_fit_is_pickled():
    fit = fit_glm(TWO_OPTIMA[:, :2], np.arange(13.0) % 4, families.from_cumulant(_exponential, dispersion=1))
    again = pickle.loads(pickle.dumps(fit))
    assert again.link == again.family.canonical_link
    np.testing.assert_array_equal(again.confint(method="profile"), fit.confint(method="profile"))


def _exponential(theta, lib):
    return lib.exp(theta)
