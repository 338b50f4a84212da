"""Infinite estimates: found where they are, with their signs, and nowhere else; and inference that survives them."""

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from agreement import within

from glmref import AliasWarning, ConvergenceWarning, SeparationWarning, compare, families, fit_glm, glm, links
from glmref.design import from_arrays, from_formula
from glmref.separation import edge_signs, extreme, find, null_space, strict_rows, unit

ORACLE = json.loads((Path(__file__).parent / "oracles" / "separation.json").read_text(encoding="utf-8"))
ENDOMETRIAL = pd.DataFrame(ORACLE["data"]["endometrial"])
GROUPS = pd.DataFrame({"g": list("aaaabbbbcccc"), "x": [0, 1, 2, 5] * 3, "y": [0.0, 0, 0, 0, 1, 2, 3, 0, 2, 1, 1, 0]})


def exact(X, sign):
    """For three integer columns: which rows are separated and the limit of each coefficient, in integers.

    An extreme ray of the cone lies in the planes of two rows, so it is their cross product, up to its sign.
    """
    rows = {tuple(map(int, s * x)) for s, x in zip(sign, X) if s} | {
        tuple(map(int, k * x)) for s, x in zip(sign, X) if not s for k in (1, -1)
    }
    rays = set()
    for a, b in itertools.combinations(rows, 2):
        ray = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
        for g in (ray, tuple(-v for v in ray)):
            if any(g) and all(sum(u * v for u, v in zip(g, row)) >= 0 for row in rows):
                rays.add(g)
    moved = [bool(s) and any(sum(u * int(v) for u, v in zip(g, x)) for g in rays) for s, x in zip(sign, X)]
    signs = [{np.sign(g[j]) for g in rays} - {0} for j in range(3)]
    return np.array(moved), np.array([0 if not s else np.nan if len(s) == 2 else np.inf * s.pop() for s in signs])


def as_array(found, p):
    """The limits of p coefficients called x1 ... xp: 0 where finite."""
    return np.zeros(p) if found is None else found.infinite.reindex([f"x{j + 1}" for j in range(p)], fill_value=0.0).to_numpy()


def test_every_small_design_is_classified_as_in_integers():
    rng, seen = np.random.default_rng(1), set()
    for repeat in range(150):
        n, top = rng.integers(4, 12), rng.integers(1, 6)
        X = np.c_[np.ones(n) if repeat % 3 else rng.integers(-top, top + 1, n), rng.integers(-top, top + 1, (n, 2))].astype(float)
        eta = X @ rng.normal(size=3) * 3
        family, y = [
            ("binomial", (rng.uniform(size=n) < 1 / (1 + np.exp(-eta))) * 1.0),
            ("binomial", rng.binomial(3, 1 / (1 + np.exp(-eta))) / 3),
            ("poisson", rng.poisson(np.exp(np.clip(eta, -9, 2))) * 1.0),
        ][repeat % 3]
        if np.linalg.matrix_rank(X) < 3:
            continue
        sign = edge_signs(y, families.get(family), families.get(family).canonical_link)
        rows, want = exact(X, sign)
        found = find(from_arrays(X * [1e-8, 1, 1e8], y), family)
        assert (found is None) == (not rows.any())
        np.testing.assert_array_equal(as_array(found, 3), want)
        seen.add("none" if found is None else ("all" if found.complete else "some", bool(np.isnan(want).any())))
        if found is not None:
            np.testing.assert_array_equal(found.rows, rows)
            moved = sign * (X * [1e-8, 1, 1e8] @ found.direction)
            assert np.min(moved[rows]) > 0 and np.max(np.abs(moved[~rows]), initial=0) < 1e-9 * np.max(moved)
    assert len(seen) == 5  # none; all or some rows, signs determined or not


@pytest.mark.oracle
@pytest.mark.parametrize("case", ORACLE["cases"], ids=lambda case: case["formula"])
def test_the_same_coefficients_are_infinite_as_by_the_programs_of_r(case):
    found = find(from_formula(case["formula"], pd.DataFrame(ORACLE["data"][case["data"]])), "binomial")
    assert (found is not None) == case["separation"]
    got = {} if found is None else found.infinite.map({np.inf: 1, -np.inf: -1}).fillna(0.5).to_dict()
    assert got.keys() == {term for term, value in case["coefficients"].items() if value}
    signs = [got.get(term, 0) for term in case["coefficients"]]
    within(0.0, signs, list(case["coefficients"].values()), "signs of infinite coefficients", "separation",
           f"{case['data']}: {case['formula']}", "exact", 1.0)  # fmt: skip


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog", "loglog", "cauchit"])
def test_endometrial_cancer_neovasculation_predicts_perfectly(link):
    """Heinze & Schemper (2002): all 13 patients with neovasculation (NV) have a high grade, so its effect is +inf.

    What remains is the fit to the others.
    """
    with pytest.warns(SeparationWarning, match=r"13 fitted means .* infinite: NV \(\+inf\)\. "):
        fit = glm("HG ~ NV + PI + EH", ENDOMETRIAL, "binomial", link=link)
    assert fit.separation.infinite.to_dict() == {"NV": np.inf} and not fit.separation.complete
    np.testing.assert_array_equal(fit.separation.rows, ENDOMETRIAL["NV"] == 1)
    others = glm("HG ~ PI + EH", ENDOMETRIAL[ENDOMETRIAL["NV"] == 0], "binomial", link=link)
    names = ["Intercept", "PI", "EH"]
    np.testing.assert_allclose(fit.coef[names], others.coef, rtol=1e-8)
    np.testing.assert_allclose(fit.se[names], others.se, rtol=1e-8)
    assert fit.deviance == pytest.approx(others.deviance, rel=1e-12)
    got, want = fit.confint(method="profile"), others.confint(method="profile")
    np.testing.assert_allclose(got.loc[names], want, rtol=1e-7)
    lower, upper = got.loc["NV"]
    held = glm("HG ~ PI + EH", ENDOMETRIAL, "binomial", link=link, offset=lower * ENDOMETRIAL["NV"])
    assert upper == np.inf and held.deviance - fit.deviance == pytest.approx(1.959963984540054**2, rel=1e-8)
    small = glm("HG ~ PI + EH", ENDOMETRIAL, "binomial", link=link)
    drop = small.deviance - others.deviance
    assert compare(small, fit)["drop"].iloc[1] == pytest.approx(drop, rel=1e-10)
    assert fit.test("NV", "lr").statistic == pytest.approx(drop, rel=1e-10)


def test_endometrial_published_coefficients():
    with pytest.warns(SeparationWarning):
        fit = glm("HG ~ NV + PI + EH", ENDOMETRIAL, "binomial")
    assert fit.coef[["Intercept", "PI", "EH"]].round(2).tolist() == [4.30, -0.04, -2.90]
    assert "Separation. 13 fitted means" in repr(fit) and "NV (+inf)" in fit._repr_html_()


def test_a_level_without_events_is_infinite_and_the_others_are_not():
    with pytest.warns(SeparationWarning, match=r"infinite: g\[a\] \(-inf\)\."):
        fit = glm("y ~ 0 + g + x", GROUPS, "poisson")
    rest = glm("y ~ 0 + g + x", GROUPS[GROUPS["g"] != "a"], "poisson")
    np.testing.assert_allclose(fit.coef[["g[b]", "g[c]", "x"]], rest.coef, rtol=1e-9)
    assert fit.separation.rows.tolist() == [True] * 4 + [False] * 8
    np.testing.assert_allclose(fit.confint(method="profile").loc["x"], rest.confint(method="profile").loc["x"], rtol=1e-7)
    lower, upper = fit.confint(method="profile").loc["g[a]"]
    held = glm("y ~ 0 + I(g == 'b') + I(g == 'c') + x", GROUPS, "poisson", offset=upper * (GROUPS["g"] == "a"))
    assert lower == -np.inf and held.deviance - fit.deviance == pytest.approx(1.959963984540054**2, rel=1e-8)
    with pytest.warns(SeparationWarning, match=r"infinite: Intercept \(-inf\), g\[T\.b\] \(\+inf\), g\[T\.c\] \(\+inf\)\."):
        coded = glm("y ~ g + x", GROUPS, "poisson")
    assert coded.deviance == pytest.approx(rest.deviance, rel=1e-12)
    assert find(from_formula("y ~ g + x", GROUPS), "poisson", "sqrt") is None  # a mean of 0 is at eta = 0: no infinity


@pytest.mark.parametrize("time", [1e-4, 2.0, 3e4])
def test_one_group_without_events_has_the_exact_upper_end(time):
    """n rows of 0: the deviance at rate mu is 2 n mu, so the profile ends at mu = quantile^2 / (2 n)."""
    with pytest.warns(SeparationWarning):
        fit = glm("y ~ 0 + g", GROUPS.assign(t=time), "poisson", offset="log(t)")
    lower, upper = fit.confint(method="profile").loc["g[a]"]
    assert lower == -np.inf and upper == pytest.approx(np.log(1.959963984540054**2 / (2 * 4 * time)), rel=1e-10)


def test_weights_offsets_aliased_and_unused_rows():
    table = GROUPS.assign(
        x2=2 * GROUPS["x"] + 1, w=np.r_[np.ones(11), 0], z=np.r_[np.zeros(11), 40.0], y2=GROUPS["y"].clip(0, 2) / 2
    )
    with pytest.warns(AliasWarning), pytest.warns(SeparationWarning, match=r"infinite: Intercept"):
        fit = glm("y ~ x + x2 + g", table, "poisson", weights="w", offset="log(1 + x)")
    assert fit.separation.infinite.to_dict() == {"Intercept": -np.inf, "g[T.b]": np.inf, "g[T.c]": np.inf}
    assert np.isnan(fit.coef["x2"]) and fit.separation.direction[2] == 0
    # a row that would forbid the separation counts only with its weight
    table.loc[0, ["y", "w"]] = 5, 0
    assert find(from_formula("y ~ 0 + g", table, weights="w"), "poisson").rows.tolist() == [False] + [True] * 3 + [False] * 8
    assert find(from_formula("y ~ 0 + g", table), "poisson") is None
    # grouped: 0 of 2 separates, 1 of 2 does not
    found = find(from_formula("y2 ~ 0 + g", table, weights=np.full(12, 2.0)))
    assert found.infinite.to_dict() == {"g[a]": -np.inf}


def test_signs_that_the_data_do_not_determine():
    """A cut between 1 and 2 on either axis: either coefficient may even be negative, but not both."""
    X, y = np.c_[[1, 1, 2, 2.0], [1, 1, 2, 2]] - 1.5 + np.c_[np.zeros(4), [0, 0.01, 0, 0.01]], [0, 0, 1, 1]
    found = find(from_arrays(X, y, names=["a", "b"]))
    assert found.infinite.isna().all() and "a (sign undetermined)" in str(found)
    with pytest.warns(SeparationWarning):
        fit = fit_glm(X, y, "binomial", names=["a", "b"])
    interval = fit.confint(method="profile")
    assert (interval["lower"] == -np.inf).all() and (interval["upper"] == np.inf).all()


@pytest.mark.parametrize("pair", [("poisson", "log"), ("gaussian", "log"), ("poisson", "inverse")], ids=str)
def test_families_and_links_that_reach_the_edge_only_at_infinity(pair):
    found = find(from_formula("y ~ 0 + g", GROUPS), *pair)
    assert found.infinite.to_dict() == {"g[a]": np.inf if pair[1] == "inverse" else -np.inf}


@pytest.mark.parametrize(
    "pair", [("poisson", "identity"), ("poisson", "sqrt"), ("gaussian", "identity"), ("binomial", "identity")]
)
def test_an_edge_at_a_finite_eta_never_separates(pair):
    assert not edge_signs(np.array([0.0, 0.5, 1.0]), families.get(pair[0]), links.get(pair[1])).any()
    log = edge_signs(np.array([0.0, 0.5, 1.0]), families.Binomial(), links.Log())
    assert log.tolist() == [-1, 0, 0]  # a risk of 1 is at eta = 0


def test_no_false_alarm_where_the_estimate_is_finite():
    rng = np.random.default_rng(4)
    x = np.r_[-30.0, -20, np.linspace(-1, 1, 200), 20, 30]
    y = (rng.uniform(size=204) < 1 / (1 + np.exp(-3 * x))) * 1.0
    steep = fit_glm(np.c_[np.ones(204), x], y, "binomial")  # a warning would be an error
    assert steep.fitted.min() < 1e-20 and steep.separation is None
    rare = fit_glm(np.c_[np.ones(4), [0, 0, 1, 1]], [1e-10, 3e-10, 1.0, 2], "poisson")
    assert rare.separation is None
    X = np.vander(np.linspace(-9, -3, 82), 11, increasing=True)  # condition number 1e15
    assert find(from_arrays(X, (rng.uniform(size=82) < 0.5) * 1.0)) is None
    huge = np.c_[np.ones(6), [1, 2, 3, 4, 5, 1e12]]
    assert find(from_arrays(huge, [1, 0, 1, 0, 1, 1])) is None
    assert find(from_arrays(huge, [0, 0, 1, 1, 1, 1])).infinite.to_dict() == {"x1": -np.inf, "x2": np.inf}


def test_a_fit_cut_short_still_says_it():
    with pytest.warns(ConvergenceWarning), pytest.warns(SeparationWarning, match="NV"):
        glm("HG ~ NV + PI + EH", ENDOMETRIAL, "binomial", max_iter=4)


def test_many_rows():
    """The programs see only rows that bind: 50,000 rows of 12 columns in a second or so."""
    rng = np.random.default_rng(6)
    X = np.c_[np.ones(50_000), rng.normal(size=(50_000, 11))]
    X[:, 3] = rng.uniform(size=50_000) < 0.01
    y = (rng.uniform(size=50_000) < 1 / (1 + np.exp(-X @ rng.normal(size=12)))) | (X[:, 3] > 0)
    found = find(from_arrays(X, y * 1.0))
    assert found.infinite.to_dict() == {"x4": np.inf} and np.array_equal(found.rows, X[:, 3] > 0)
    X[:, 3] = rng.normal(size=50_000)
    assert find(from_arrays(X, y * 1.0)) is None


def test_pieces():
    Z = unit(np.array([[1.0, 0], [0, 2], [0, 0], [1, 1]]))
    moved, g = strict_rows(Z)
    assert moved.tolist() == [True, True, False, True] and np.all(g > 0)
    assert not strict_rows(np.vstack([Z, -Z]))[0].any()
    np.testing.assert_allclose(extreme(np.array([1.0, -1]), Z), [1, 0], atol=1e-12)
    assert null_space(np.zeros((0, 3))).shape == (3, 3) and null_space(np.eye(3)).shape == (3, 0)
    np.testing.assert_allclose(np.abs(null_space(np.array([[1.0, 0], [1, 0], [1, 0]]))), [[0], [1]], atol=1e-15)


@pytest.mark.parametrize(
    "family, n", [(families.NegativeBinomial(), 400), (families.NegativeBinomial(), 10_000), (families.Tweedie(), 400)], ids=str
)
def test_separation_is_named_where_a_parameter_of_the_family_was_estimated(family, n):
    """The last rounds begin at the estimate for another value of the parameter, and are therefore few."""
    rng = np.random.default_rng(n)
    level, x = np.arange(n) % 20 == 3, rng.normal(size=n)
    X, mu = np.column_stack([np.ones(n), x, level]).astype(float), np.exp(1 + 0.3 * x)
    y = np.where(level, 0.0, family.__class__(0.5 if family.shape_name == "alpha" else 1.5).draw(mu, 1.0, 1.0, rng))
    with pytest.warns(SeparationWarning):
        fitted = fit_glm(X, y, family)
    assert fitted.separation.infinite.to_dict() == {"x3": -np.inf}
    rest = fit_glm(X[~level, :2], y[~level], family)
    assert fitted.deviance == pytest.approx(rest.deviance, rel=1e-6)
    assert fitted.family.shape == pytest.approx(rest.family.shape, rel=1e-6)
    assert fitted.loglik == pytest.approx(rest.loglik, rel=1e-9)


def test_the_summary_shows_no_number_of_an_infinite_estimate():
    x = np.arange(1.0, 7.0)
    with pytest.warns(SeparationWarning):
        fit = fit_glm(np.c_[np.ones(6), x], x > 3, "binomial", names=["one", "x"])
    summary = fit.summary()
    assert summary.table["estimate"].tolist() == [-np.inf, np.inf]
    assert summary.table.drop(columns="estimate").isna().all(axis=None)
    assert summary.ratios["odds ratio"].tolist() == [0.0, np.inf] and "inf" in str(summary)
