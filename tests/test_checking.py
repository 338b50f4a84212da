"""The numbers behind the figures that check a fit, each found a second time in another way."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from glmref import InputError, checking, datasets, families, fit_glm, glm, partial

CRABS = datasets.load("crabs")
COUNTS = glm("satellites ~ width + C(color)", CRABS, "poisson")
ANY = glm("I(satellites > 0) ~ width", CRABS, "binomial")
TREES = glm("volume ~ diameter + height", datasets.load("trees"))
BEETLES = glm("I(killed / beetles) ~ log_dose", datasets.load("beetles"), "binomial", weights="beetles")
SPRAYS = glm("insects ~ spray", datasets.load("insectsprays"), "poisson")


# ---- residuals of unit variance


@pytest.mark.parametrize("kind", ["deviance", "pearson", "anscombe"])
@pytest.mark.parametrize("fit", [COUNTS, TREES, BEETLES], ids=["counts", "gaussian", "shares"])
def test_standardized_residuals(fit, kind):
    want = fit.residuals(kind) / np.sqrt(fit.dispersion * (1 - fit.leverage))
    np.testing.assert_allclose(checking.standardized(fit, kind), want, rtol=1e-13)


def test_standardized_gaussian_residuals_are_the_textbook_ones():
    """The internally studentized residual, from the hat matrix written out."""
    X, y = TREES.design.X, TREES.design.y
    H = X @ np.linalg.inv(X.T @ X) @ X.T
    e = y - H @ y
    s2 = e @ e / (len(y) - 3)
    np.testing.assert_allclose(checking.standardized(TREES), e / np.sqrt(s2 * (1 - np.diag(H))), rtol=1e-8)


def test_quantile_residuals_are_left_as_they_are():
    np.testing.assert_array_equal(checking.standardized(COUNTS, "quantile", rng=3), COUNTS.residuals("quantile", rng=3))


def test_rows_of_leverage_one_or_weight_zero_have_none():
    X = np.column_stack([np.ones(6), np.arange(6.0) % 3, [0, 0, 0, 0, 0, 1]])
    fit = fit_glm(X, [1.0, 2, 4, 3, 3, 9], weights=[1, 1, 1, 1, 0, 1])
    np.testing.assert_array_equal(np.isnan(checking.standardized(fit)), [False] * 4 + [True, True])


def test_residuals_that_cannot_be_standardized_are_refused():
    for kind in ("response", "working", "studentized"):
        with pytest.raises(InputError, match="can be standardized"):
            checking.standardized(TREES, kind)
    with pytest.raises(InputError, match="dispersion > 0"):
        checking.standardized(fit_glm(np.eye(2), [1.0, 2.0]))


# ---- rootogram


def test_rootogram_is_the_sum_of_the_laws():
    table = checking.rootogram_table(COUNTS)
    mu, y = COUNTS.fitted, CRABS.satellites.to_numpy()
    k = np.arange(16)
    assert list(table.index) == [*map(str, k), "16+"]
    np.testing.assert_allclose(table["expected"][:-1], stats.poisson(mu[:, None]).pmf(k).sum(axis=0), rtol=1e-12)
    assert table["expected"].iloc[-1] == pytest.approx(stats.poisson(mu).sf(15).sum(), rel=1e-12)
    np.testing.assert_array_equal(table["observed"], [*(np.sum(y == count) for count in k), 0])


@pytest.mark.parametrize("largest", [0, 3, 40])
def test_rootogram_adds_up_wherever_it_is_cut(largest):
    table = checking.rootogram_table(COUNTS, largest)
    assert len(table) == largest + 2
    assert table["observed"].sum() == len(CRABS)
    assert table["expected"].sum() == pytest.approx(len(CRABS), rel=1e-13)


def test_rootogram_leaves_out_rows_of_weight_zero():
    weight = np.r_[np.zeros(23), np.ones(150)]
    got = checking.rootogram_table(glm("satellites ~ width", CRABS, "poisson", weights=weight))
    want = checking.rootogram_table(glm("satellites ~ width", CRABS.iloc[23:], "poisson"))
    pd.testing.assert_frame_equal(got, want)


def test_rootogram_is_for_counts():
    with pytest.raises(InputError, match="counts.*gaussian"):
        checking.rootogram_table(TREES)
    with pytest.raises(InputError, match="whole numbers.*1.5.*row labelled 'b'.*offset"):
        checking.rootogram_table(glm("y ~ 1", pd.DataFrame({"y": [1, 1.5, 3]}, index=list("abc")), "poisson"))
    for wrong in (-1, 2.5, "all"):
        with pytest.raises(InputError, match="max_count"):
            checking.rootogram_table(COUNTS, wrong)


# ---- calibration


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_wilson_is_that_of_statsmodels(level):
    successes, trials = np.array([0, 1, 5, 50, 10]), np.array([10, 10, 10, 99, 10])
    got = checking.wilson(successes / trials, trials, level)
    np.testing.assert_allclose(got, proportion_confint(successes, trials, 1 - level, "wilson"), atol=1e-14)


def test_calibration_groups_by_hand():
    """The same rows sorted and cut by pandas, at the sizes that the table reports."""
    table = checking.calibration_table(ANY)
    data = pd.DataFrame({"mu": np.round(ANY.fitted, 10), "y": ANY.design.y})
    order = data.sort_values("mu").reset_index(drop=True)
    order["group"] = np.repeat(np.arange(1, len(table) + 1), table["rows"])
    low, high = order.groupby("group")["mu"].min(), order.groupby("group")["mu"].max()
    assert np.all(low.to_numpy()[1:] > high.to_numpy()[:-1])  # no probability is in two groups
    np.testing.assert_allclose(table["predicted"], order.groupby("group")["mu"].mean(), rtol=1e-9)
    np.testing.assert_allclose(table["observed"], order.groupby("group")["y"].mean(), rtol=1e-12)
    assert len(table) == 10 and table["rows"].between(14, 21).all() and table["rows"].sum() == 173


def test_groups_are_equal_where_values_differ_and_ties_stay_together():
    values = np.random.default_rng(0).permutation(100) / 7
    np.testing.assert_array_equal(np.bincount(checking.tie_groups(values, np.ones(100), 10)), np.full(10, 10))
    # seven of ten tied: their middle decides, at 0.45 of the weight
    assert list(checking.tie_groups(np.array([1.0, *[2] * 7, 3, 4]), np.ones(10), 2)) == [0] * 8 + [1, 1]
    assert list(checking.tie_groups(np.array([0.1 + 0.2, 0.3, 5]), np.ones(3), 3)) == [0, 0, 1]  # equal but for rounding


def test_calibration_counts_trials():
    table = checking.calibration_table(BEETLES, groups=100)
    beetles = datasets.load("beetles")
    np.testing.assert_array_equal(table["trials"], beetles["beetles"])
    np.testing.assert_allclose(table["observed"], beetles["killed"] / beetles["beetles"])
    np.testing.assert_allclose(table["predicted"], BEETLES.fitted)
    together = checking.calibration_table(BEETLES, groups=1).iloc[0]
    assert together["observed"] == pytest.approx(together["predicted"], rel=1e-9)  # the score of the intercept is zero


def test_calibration_does_not_depend_on_grouping_of_the_data():
    beetles = datasets.load("beetles")
    single = beetles.loc[beetles.index.repeat(beetles["beetles"])]
    killed = np.concatenate([np.arange(n) < k for n, k in zip(beetles["beetles"], beetles["killed"])]).astype(float)
    fit = glm("killed ~ log_dose", single.assign(killed=killed), "binomial")
    columns = ["trials", "predicted", "observed", "lower", "upper"]
    for groups in (3, 8):
        one, two = checking.calibration_table(fit, groups), checking.calibration_table(BEETLES, groups)
        np.testing.assert_allclose(one[columns], two[columns], rtol=1e-9)


def test_overdispersed_shares_have_wider_intervals():
    fit = glm("I(killed / beetles) ~ log_dose", datasets.load("beetles"), "binomial", weights="beetles", dispersion=4.0)
    wide, narrow = checking.calibration_table(fit), checking.calibration_table(BEETLES)
    assert np.all(wide["upper"] - wide["lower"] > 1.3 * (narrow["upper"] - narrow["lower"]))


def test_calibration_is_for_probabilities():
    with pytest.raises(InputError, match="probabilities.*poisson.*rootogram"):
        checking.calibration_table(COUNTS)
    own = families.from_cumulant(lambda theta, lib: lib.log(1 + lib.exp(theta)), dispersion=1)
    assert len(checking.calibration_table(glm("I(satellites > 0) ~ width", CRABS, own))) == 10  # Bernoulli by its variance
    with pytest.raises(InputError, match="groups as a whole number"):
        checking.calibration_table(ANY, groups=0)
    with pytest.raises(InputError, match="level between 0 and 1"):
        checking.calibration_table(ANY, level=95)


# ---- separation


def test_separation_sorts_the_trials():
    trials = checking.separation_trials(ANY)
    assert len(trials.event) == 173 and trials.event.sum() == 111
    assert np.all(np.diff(trials.probability) >= 0)
    assert trials.expected == pytest.approx(111, rel=1e-9)
    singles = [mu for mu, count in zip(*np.unique(np.round(ANY.fitted, 10), return_counts=True)) if count == 1]
    for mu in singles[:20]:
        row = int(np.argmin(np.abs(ANY.fitted - mu)))
        assert trials.event[np.argmin(np.abs(trials.probability - mu))] == ANY.design.y[row]


def test_separation_spreads_events_of_one_probability():
    trials = checking.separation_trials(BEETLES)
    beetles = datasets.load("beetles")
    start = 0
    for n, killed in zip(beetles["beetles"], beetles["killed"]):
        event = trials.event[start : start + n]
        assert event.sum() == killed
        assert np.max(np.abs(np.cumsum(event) - killed / n * np.arange(1, n + 1))) <= 1
        start += n


def test_separation_needs_whole_trials():
    with pytest.raises(InputError, match="whole numbers of trials.*1.25 of 2.5"):
        checking.separation_trials(fit_glm(np.ones((2, 1)), [0.5, 0.2], "binomial", weights=[2.5, 5]))
    with pytest.raises(InputError, match="probabilities"):
        checking.separation_trials(TREES)


# ---- component plus residual


@pytest.mark.parametrize("column", ["diameter", "height"])
def test_partial_residuals_of_least_squares_have_the_coefficient_as_slope(column):
    part = partial.partial_residuals(TREES, column)
    assert stats.linregress(part.x.position, part.residual).slope == pytest.approx(TREES.coef[column], rel=1e-9)
    np.testing.assert_allclose(part.contribution, TREES.coef[column] * datasets.load("trees")[column], rtol=1e-12)


@pytest.mark.parametrize(
    "fit, column", [(COUNTS, "width"), (ANY, "width"), (BEETLES, "log_dose")], ids=["counts", "0-1", "shares"]
)
def test_weighted_partial_residuals_too(fit, column):
    part = partial.partial_residuals(fit, column)
    slope = np.polyfit(part.x.position, part.residual, 1, w=np.sqrt(part.weight))[0]
    assert slope == pytest.approx(fit.coef[column], rel=1e-7)


@pytest.mark.parametrize("formula", ["insects ~ spray", "insects ~ C(spray)", "insects ~ 0 + spray"])
def test_partial_residuals_of_a_factor(formula):
    fit = glm(formula, datasets.load("insectsprays"), "poisson")
    part = partial.partial_residuals(fit, formula.split()[-1])
    spray = datasets.load("insectsprays")["spray"]
    assert part.x.labels == tuple("ABCDEF")
    np.testing.assert_array_equal(part.x.position, spray.cat.codes)
    eta = fit.linear_predictor - (0 if "0 +" in formula else fit.coef["Intercept"])
    np.testing.assert_allclose(part.contribution, eta, atol=1e-12)


def test_terms_of_several_columns_need_their_variable():
    trees = datasets.load("trees")
    fit = glm("volume ~ poly(diameter, 2) + height", trees)
    with pytest.raises(InputError, match=r"against=.*poly\(diameter, 2\)"):
        partial.partial_residuals(fit, "poly(diameter, 2)")
    part = partial.partial_residuals(fit, "poly(diameter, 2)", against=trees["diameter"])
    np.testing.assert_array_equal(part.x.position, trees["diameter"])
    rest = fit.coef["Intercept"] + fit.coef["height"] * trees["height"]
    np.testing.assert_allclose(part.residual, trees["volume"] - rest, rtol=1e-10)
    squares = glm("volume ~ diameter + I(diameter**2) + height", trees)
    pair = partial.partial_residuals(squares, ["diameter", "I(diameter ** 2)"], against=trees["diameter"])
    assert np.ptp(pair.contribution - part.contribution) < 1e-9 * np.ptp(part.contribution)


def test_partial_residuals_refuse_what_they_cannot_show():
    with pytest.raises(InputError, match="column or term of the fit.*'girth'"):
        partial.partial_residuals(TREES, "girth")
    with pytest.raises(InputError, match="each of the 31 rows"):
        partial.partial_residuals(TREES, "height", against=[1.0, 2])
    with pytest.raises(InputError, match="another index"):
        partial.partial_residuals(TREES, "height", against=pd.Series(range(31), index=range(1, 32)))


def test_an_aliased_term_is_refused():
    X = np.column_stack([np.ones(5), np.arange(5.0), 2 * np.arange(5.0)])
    with pytest.warns(match="x3"):
        fit = fit_glm(X, [1.0, 3, 2, 5, 4])
    with pytest.raises(InputError, match="aliased"):
        partial.partial_residuals(fit, "x3")


def test_categories_are_places_on_an_axis():
    assert partial.axis(["b", "a", "b"], 3).labels == ("a", "b")
    np.testing.assert_array_equal(partial.axis(["b", "a", "b"], 3).position, [1, 0, 1])
    assert partial.axis([1, 2, 3], 3).labels is None
    np.testing.assert_array_equal(partial.axis(["b", None, "a"], 3).position, [1, np.nan, 0])
    with pytest.raises(InputError, match="each of the 3 rows"):
        partial.axis([1, 2], 3)


def test_families_of_ones_own_are_judged_by_what_they_are():
    own = families.from_cumulant(lambda theta, lib: lib.exp(theta), dispersion=1)
    fit = glm("insects ~ spray", datasets.load("insectsprays"), own)
    with pytest.raises(InputError, match="counts"):
        checking.rootogram_table(fit)
