"""Where other software is silent, crashes or guesses: each case once went wrong, here or elsewhere."""

import pickle
from decimal import Decimal

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from glmref import AliasWarning, BoundaryWarning, ConvergenceWarning, InputError, SeparationWarning, datasets, families, fit_glm, glm, links
from glmref.blocks import BLOCK_ROWS
from glmref.irls import Solution, fisher_scoring
from glmref.least_squares import Gram
from glmref.numerics import log_minus_digamma

SPRAYS, CLOTTING = datasets.load("insectsprays"), datasets.load("clotting")
TABLE = pd.DataFrame({"y": [1.0, 2, 4, 3, 6], "x": np.arange(5.0), "w": [1.0, 2, 3, 4, 5]})


def test_levels_that_no_row_has_are_no_levels():
    without_c = glm("insects ~ spray", SPRAYS[SPRAYS["spray"] != "C"], "poisson")
    assert "spray[T.C]" not in without_c.coef and without_c.coef.notna().all()
    with pytest.raises(InputError, match="'spray' to be one of 'A', 'B', 'D'"):
        without_c.predict(pd.DataFrame({"spray": ["C"]}))
    without_a = glm("insects ~ spray", SPRAYS[SPRAYS["spray"] != "A"], "poisson")
    assert without_a.coef.index[1] == "spray[T.C]"


def test_prediction_intervals_end_at_the_limit_of_the_range():
    fit = glm("time ~ log(concentration)", CLOTTING, "gamma")
    got = fit.predict(pd.DataFrame({"concentration": [2.9]}), interval=0.95).iloc[0]
    assert got["upper"] == np.inf and 0 < got["lower"] < got["mean"]
    linear = fit.predict(pd.DataFrame({"concentration": [2.9]}), kind="linear", interval=0.95).iloc[0]
    assert linear["lower"] < 0 and got["lower"] == pytest.approx(1 / linear["upper"])
    for link in ("identity", "sqrt"):
        fit = fit_glm(np.c_[np.ones(5), np.arange(5.0)], [1.0, 2, 5, 7, 12], "poisson", link=link)
        near = -fit.coef.iloc[0] / fit.coef.iloc[1] + 0.05
        got = fit.predict([[1.0, near]], interval=0.95).iloc[0]
        assert got["lower"] == 0 and got["mean"] < got["upper"]


def test_impossible_means_of_new_rows_are_named():
    fit = glm("time ~ log(concentration)", CLOTTING, "gamma")
    with pytest.raises(InputError, match=r"-0\.012.* in row 1"):
        fit.predict(pd.DataFrame({"concentration": [50, 1.5]}))
    assert fit.predict(pd.DataFrame({"concentration": [1.5]}), kind="linear")[0] < 0


def test_an_aliased_fit_predicts_only_what_it_determines():
    with pytest.warns(AliasWarning):
        fit = fit_glm(np.c_[np.ones(5), TABLE["x"], 2 * TABLE["x"]], TABLE["y"])
    np.testing.assert_allclose(fit.predict([[1, 2, 4.0]]), fit.fitted[2:3])
    with pytest.raises(InputError, match="row 0, for which the fit determines no prediction"):
        fit.predict([[1, 2, 9.0]])


def test_separation_is_not_claimed_for_regular_data_and_a_bad_start_is_not_called_an_answer():
    x = np.linspace(-40, 40, 200)
    y = (np.random.default_rng(2).uniform(size=200) < 1 / (1 + np.exp(-0.7 * x))) * 1.0
    fit = fit_glm(np.c_[np.ones(200), x], y, "binomial")  # a warning would be an error here
    assert fit.fitted.max() > 1 - 1e-9 and fit.converged
    with pytest.warns(ConvergenceWarning, match="no information"):
        assert not fit_glm(np.c_[np.ones(200), x], y, "binomial", start=[-900, 0]).converged


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog", "cauchit"])
def test_separation_is_claimed_under_every_link(link):
    x = np.arange(10.0)
    with pytest.warns(SeparationWarning):
        fit_glm(np.c_[np.ones(10), x], x > 4.5, "binomial", link=link)


@pytest.mark.parametrize("link", ["log", "identity", "sqrt", links.Power(2)], ids=str)
def test_a_best_fit_at_the_edge_of_the_link_is_named(link):
    """Bliss's beetles: all die at the top dose, and a mean of 1 is reached at a finite eta."""
    with pytest.warns(BoundaryWarning, match="1 fitted mean lies at the edge"):
        fit = glm("I(killed / beetles) ~ log_dose", datasets.load("beetles"), "binomial", weights="beetles", link=link)
    assert fit.fitted[-1] > 1 - 1e-9


def test_a_stall_far_from_the_optimum_is_not_convergence():
    walls = iter([Gram(np.eye(1), np.array([1.0]), 5.0)])
    solution = fisher_scoring(lambda beta, kind: next(walls, None), np.zeros(1))
    assert solution.ended == "stalled" and not solution.converged
    assert isinstance(solution, Solution)


@pytest.mark.parametrize("scale", [1e-100, 1e-10, 1e10, 1e100])
@pytest.mark.parametrize("pair", [("gaussian", "log"), ("gamma", "log"), ("inverse_gaussian", "log"), ("gaussian", "identity")])
def test_the_unit_of_the_response_does_not_matter(pair, scale):
    rng = np.random.default_rng(0)
    X = np.c_[np.ones(30), np.linspace(0, 2, 30)]
    y = np.exp(0.3 * X[:, 1]) * (1 + 0.1 * rng.uniform(-1, 1, 30))
    one, two = fit_glm(X, y, pair[0], link=pair[1]), fit_glm(X, y * scale, pair[0], link=pair[1])
    factor = scale if pair[1] == "identity" else 1.0
    assert two.coef.iloc[1] / factor == pytest.approx(one.coef.iloc[1], rel=1e-9)
    assert two.se.iloc[1] / factor == pytest.approx(one.se.iloc[1], rel=1e-9)


def test_aliasing_is_a_property_of_the_columns_not_of_the_means():
    y = np.r_[np.array([1, 1.2, 0.9, 1.1]) * 1e-4, np.array([1, 1.3, 0.8, 1.2]) * 1e5]
    fit = fit_glm(np.c_[np.ones(8), np.arange(8) > 3], y, "inverse_gaussian", link="log")
    assert fit.rank == 2 and fit.fitted[-1] == pytest.approx(y[4:].mean(), rel=1e-9)


def test_nothing_is_read_by_position_that_has_a_label():
    with pytest.raises(InputError, match="another index"):
        glm("y ~ x", TABLE, weights=TABLE["w"][::-1])
    with pytest.raises(InputError, match="another index"):
        fit_glm(TABLE[["x"]], TABLE["y"][::-1])
    fit = fit_glm(TABLE[["x", "w"]], TABLE["y"])
    np.testing.assert_allclose(fit.predict(TABLE[["w", "x"]]), fit.fitted)
    with pytest.raises(InputError, match="without w"):
        fit.predict(TABLE[["x"]])
    poisson = glm("y ~ x", TABLE, "poisson")
    np.testing.assert_allclose(glm("y ~ x", TABLE, "poisson", start=pd.Series({"x": 0.1, "Intercept": 1.0})).coef, poisson.coef)


def test_hidden_missing_large_and_exact_numbers_are_read_right():
    with pytest.raises(InputError, match="1 of 5 rows"):
        fit_glm(np.c_[np.ones(5), np.arange(5.0)], np.ma.array([1, 2, 3, 4, 999.0], mask=[0, 0, 0, 0, 1]))
    with pytest.raises(InputError, match="complex"):
        fit_glm(np.c_[np.ones(5), np.arange(5) * 1j], TABLE["y"])
    years = TABLE.assign(year=np.arange(2000, 2005))
    slope = glm("y ~ I(year ** 6)", years).coef.iloc[1]
    assert slope == pytest.approx(glm("y ~ I(year ** 6)", years.astype(float)).coef.iloc[1]) and slope > 0
    exact = glm("y ~ x", TABLE.assign(x=[Decimal(i) for i in range(5)]))
    np.testing.assert_allclose(exact.coef, glm("y ~ x", TABLE).coef)
    assert glm("y ~ C(year)", years.assign(year=[1, 1, 2, 2, 3])).coef.index[1] == "C(year)[T.2]"


def test_terms_with_a_state_keep_it_for_new_rows():
    for formula in ("y ~ center(x)", "y ~ bs(x, df=3)", "y ~ poly(x, 2)"):
        fit = glm(formula, TABLE)
        np.testing.assert_allclose(fit.predict(TABLE.iloc[1:3]), fit.fitted[1:3])
    fit = glm("y ~ x", TABLE, "poisson", offset="center(w)")
    np.testing.assert_allclose(fit.predict(TABLE.iloc[:2]), fit.fitted[:2])
    with pytest.raises(InputError, match="1 of 5 rows"):
        glm("y ~ center(x)", TABLE.assign(x=[1, 2, np.nan, 3, 4]))


def test_an_offset_given_to_predict_takes_the_place_of_the_fits():
    plain = glm("y ~ x", TABLE, "poisson", offset="log(w)")
    eta = plain.predict(kind="linear") - np.log(TABLE["w"])
    np.testing.assert_allclose(plain.predict(offset=np.ones(5), kind="linear"), eta + 1)
    np.testing.assert_allclose(plain.predict(TABLE, offset=np.ones(5), kind="linear"), eta + 1)


def test_dropping_rows_keeps_the_others_labels_weights_and_offsets():
    table = TABLE.set_index(pd.Index([40, 30, 20, 10, 0])).assign(x=[0, np.nan, 2, 3, 4.0])
    fit = glm("y ~ x", table, "poisson", weights=np.arange(1.0, 6), offset=pd.Series(np.arange(5.0), table.index), missing="drop")
    assert fit.design.index.tolist() == [40, 20, 10, 0] and fit.design.dropped == 1
    assert fit.design.weight.tolist() == [1, 3, 4, 5] and fit.design.offset.tolist() == [0, 2, 3, 4]
    assert "1 rows with missing values dropped" in repr(fit)


def test_ambiguous_and_unusable_tables_are_refused():
    for call, message in [
        (lambda: glm("y ~ x", pd.concat([TABLE, TABLE[["x"]]], axis=1)), "one column of each name"),
        (lambda: glm("y ~ x + g", TABLE.assign(g="a")), "at least two levels"),
        (lambda: glm("y ~ d", TABLE.assign(d=pd.date_range("2020", periods=5))), "days since"),
        (lambda: glm("y ~ x | w", TABLE), "right-hand side"),
        (lambda: glm("y ~ x + offset(w)", TABLE), r"goes in offset="),
        (lambda: glm("cbind(y, w) ~ x", TABLE), r"weights=trials"),
        (lambda: glm("y ~ x", TABLE, weights=""), "weights as a column"),
        (lambda: glm("y ~ x", TABLE, offset="log("), "offset as a column"),
        (lambda: glm("y ~ x", TABLE, step=3), "start, max_iter, tol, threads or progress; got step"),
        (lambda: glm("y ~ x", TABLE, max_iter=2.5), "whole number"),
        (lambda: glm("y ~ x", TABLE, tol=-1), "between 0 and 1"),
        (lambda: glm("y ~ x", TABLE, dispersion=True), "dispersion as a number"),
        (lambda: glm("y ~ x", TABLE, families.Family), "a family"),
        (lambda: glm("y ~ x", TABLE, link=links.Link), "a link"),
        (lambda: glm("y ~ x", TABLE, "poisson", link="identity", start=[-9.0, 0.1]), "Leave start out"),
        (lambda: fit_glm(np.zeros((5, 2)), TABLE["y"]), "not zero"),
        (lambda: fit_glm(TABLE[["x"]].to_numpy(), TABLE["y"], names="a"), "list of strings"),
        (lambda: glm("y ~ log(x)", TABLE.set_index(pd.MultiIndex.from_product([["a"], range(5)]))), r"row 0 \(labelled"),
    ]:
        with pytest.raises(InputError, match=message):
            call()


def test_text_in_every_pandas_dress_is_a_factor():
    for dtype in (object, "string", "category"):
        g = pd.Series(list("aabba")).astype(dtype)
        fit = glm("y ~ g", TABLE.assign(g=g))
        assert fit.predict(pd.DataFrame({"g": pd.Series(["b"]).astype(dtype)}))[0] == pytest.approx(3.5)
    odd = glm("y ~ `a.b`", TABLE.rename(columns={"x": "a.b"}))
    np.testing.assert_allclose(odd.coef, glm("y ~ x", TABLE).coef)


def test_a_quasi_fit_has_no_likelihood_and_a_perfect_one_no_bound():
    quasi = glm("y ~ x", TABLE, "poisson", dispersion="pearson")
    with pytest.raises(InputError, match="quasi-likelihood"):
        quasi.aic  # noqa: B018
    assert "none" in repr(quasi) and np.isfinite(quasi.se).all()
    perfect = fit_glm(np.eye(3), [1, 2, 3.0])
    assert perfect.loglik == np.inf and perfect.aic == -np.inf
    assert "NaN" in repr(fit_glm(np.eye(3), [1, 2, 3.0], "gamma"))


def test_gamma_dispersion_of_a_nearly_perfect_fit():
    k = np.array([0.01, 1, 15.9, 16.1, 1e3, 1e12])
    with mp.workdps(40):
        want = [float(mp.log(mp.mpf(z)) - mp.digamma(mp.mpf(z))) for z in k]
    np.testing.assert_allclose(log_minus_digamma(k), want, rtol=1e-13)
    # for small phi, phi is the mean deviance up to a relative phi/6
    assert families.Gamma().ml_dispersion(6e-17, np.ones(6)) == pytest.approx(1e-17, rel=1e-6)


def test_tails_of_asymmetric_links_do_not_make_nan():
    eta, y = np.array([-720.0, -705, 705, 720]), np.array([0.0, 1, 1, 0])
    for link in (links.CLogLog(), links.LogLog()):
        weight, _ = families.Binomial().working(y, eta, link)
        assert not np.isnan(weight).any()
    assert np.all(links.CLogLog().complement(np.array([3.0, 5.0])) > 0)  # 1 - mu would be 0
    with pytest.warns(SeparationWarning):
        assert np.isfinite(fit_glm([[1, 0.0], [1, 1.9], [1, 0.1], [1, -0.6]], [0, 1, 1, 0], "binomial", link="cloglog").coef).all()


def test_the_last_step_stays_among_possible_means():
    with pytest.warns(BoundaryWarning):
        fit = fit_glm(np.c_[np.ones(3), [1, 0.3, 1.7], [0.6, -0.2, 2.2]], [1, 2, 0], "poisson", link="identity")
    assert fit.deviance < 1e-10


def test_a_constant_response_with_exposure_is_a_rate():
    time = np.array([0.5, 2.0, 4.0, 1.5])
    fit = fit_glm(np.ones((4, 1)), np.ones(4), "poisson", offset=np.log(time))
    assert np.exp(fit.coef.iloc[0]) == pytest.approx(4 / time.sum())


def test_a_constant_start_allows_for_the_offset():
    """The regression on g(y) fails here; the constant mean must be sought for eta with its offset."""
    offset = np.array([-30.0, 5.0, 40.0, 80.0])
    fit = fit_glm(np.c_[np.ones(4), [0, 1, 2, 3.5]], [1.0, 9, 2, 30], "poisson", link="identity", offset=offset)
    assert (fit.fitted > 0).all()


def test_several_blocks_of_the_default_size_are_one_table():
    n = 2 * BLOCK_ROWS + 17
    rng = np.random.default_rng(5)
    X = np.c_[np.ones(n), rng.normal(size=(n, 2))]
    y = rng.poisson(np.exp(0.1 + X[:, 1] * 0.2)).astype(float)
    fit = fit_glm(X, y, "poisson")
    mu = np.exp(X @ fit.coef.to_numpy())
    assert np.max(np.abs(X.T @ (y - mu))) < 1e-6
    np.testing.assert_allclose(fit.cov, np.linalg.inv((X.T * mu) @ X), rtol=1e-10)


def test_every_number_of_the_printed_table():
    fit = glm("time ~ log(concentration)", CLOTTING, "gamma", link="log")
    table = fit.summary(0.9).table
    t = fit.coef / fit.se
    np.testing.assert_allclose(table["t"], t)
    np.testing.assert_allclose(table["P(>|t|)"], 2 * stats.t(fit.df_resid).sf(np.abs(t)))
    np.testing.assert_allclose(table["lower 90%"], fit.coef - stats.t(fit.df_resid).ppf(0.95) * fit.se)
    assert fit.summary().ratios["mean ratio"].tolist() == pytest.approx([np.exp(fit.coef.iloc[1])])  # none of the intercept
    normal = glm("y ~ x", TABLE, "poisson").summary(0.999).table
    np.testing.assert_allclose(normal["P(>|z|)"], 2 * stats.norm.sf(np.abs(normal["z"])))
    assert "upper 99.9%" in normal


def test_a_fit_can_be_kept_and_its_data_cannot_be_changed_through_it():
    fit = glm("y ~ x", TABLE, "poisson")
    again = pickle.loads(pickle.dumps(fit))
    np.testing.assert_array_equal(again.coef, fit.coef)
    np.testing.assert_allclose(again.predict(TABLE), fit.fitted)
    for array in (fit.design.X, fit.design.y, fit.fitted):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    taken = fit.coef
    taken["x"] = 99
    assert fit.coef["x"] != 99


def test_a_link_of_ones_own_needs_three_methods():
    class Half(links.Link):
        name, image = "half", links.UNIT

        def link(self, mu):
            return 2 * links.Logit().link(mu)

        def inverse(self, eta):
            return links.Logit().inverse(np.asarray(eta) / 2)

        def derivative(self, eta):
            return links.Logit().derivative(np.asarray(eta) / 2) / 2

    orings = datasets.load("orings")
    one, two = (glm("distress ~ temperature", orings, "binomial", link=link) for link in ("logit", Half()))
    np.testing.assert_allclose(two.coef, 2 * one.coef, rtol=1e-9)
    with pytest.raises(InputError, match="write second_derivative"):
        Half().second_derivative(0.0)


@pytest.mark.parametrize("seed", [24, 30, 35, 41, 42])
def test_tiny_times_do_not_send_an_inverse_gaussian_fit_to_infinity(seed):
    """A few responses of 1e-6: where every mean is infinite the deviance is level, and rounds that begin at y ended there."""
    rng = np.random.default_rng(seed)
    x, group = rng.normal(size=300), rng.random(300) < 0.3
    y = rng.wald(np.exp(0.3 * x - 0.2 + 0.5 * group), 2.0)
    y[np.flatnonzero(group)[::8]] = 1e-6
    X = np.c_[np.ones(300), x, group]
    fit = fit_glm(X, y, "inverse_gaussian", link="log")
    score = X.T @ ((y - fit.fitted) / fit.fitted**2)
    assert fit.converged and np.abs(fit.coef).max() < 3 and np.max(np.abs(score)) < 1e-5
