"""Every wrong input is named: what was expected, what came and where, what to do."""

import numpy as np
import pandas as pd
import pytest

from glmref import AliasWarning, ConvergenceWarning, InputError, SeparationWarning, datasets, families, fit_glm, glm, links

X = np.column_stack([np.ones(6), np.arange(6.0)])
Y = np.array([1.0, 3, 2, 5, 4, 6])
TABLE = pd.DataFrame({"y": Y, "x": X[:, 1], "g": list("aabbcc"), "t": np.arange(1.0, 7)}, index=list("pqrstu"))


def changed(array, at, value):
    array = np.array(array, dtype=float)
    array[at] = value
    return array


ARRAY_CASES = {
    "X with one dimension": (lambda: fit_glm(Y, Y), r"two dimensions.*shape \(6,\).*X\[:, None\]"),
    "y too short": (lambda: fit_glm(X, Y[:5]), r"each of the 6 rows.*shape \(5,\)"),
    "y with two columns": (lambda: fit_glm(X, X), r"each of the 6 rows.*shape \(6, 2\)"),
    "NaN in X": (lambda: fit_glm(changed(X, (2, 1), np.nan), Y), r"1 of 6 rows.*row 2.*missing=\"drop\""),
    "NaN in y": (lambda: fit_glm(X, changed(Y, 4, np.nan)), r"1 of 6 rows.*row 4"),
    "infinite X": (lambda: fit_glm(changed(X, (3, 1), np.inf), Y), r"finite.*inf in row 3, column 'x2'"),
    "infinite y": (lambda: fit_glm(X, changed(Y, 0, -np.inf)), r"finite.*-inf in row 0"),
    "text in X": (lambda: fit_glm([["a"]] * 6, Y), r"X as numbers"),
    "no rows": (lambda: fit_glm(X[:0], Y[:0]), r"0 rows and 2 columns"),
    "no columns": (lambda: fit_glm(X[:, :0], Y), r"6 rows and 0 columns"),
    "negative count": (lambda: fit_glm(X, changed(Y, 3, -2), "poisson"), r"poisson.*y = -2 in row 3"),
    "proportion above 1": (lambda: fit_glm(X, Y, "binomial"), r"from 0 to 1.*y = 3 in row 1 \(5 such rows\)"),
    "gamma zero": (lambda: fit_glm(X, changed(Y, 5, 0), "gamma"), r"gamma.*> 0.*y = 0 in row 5"),
    "inverse Gaussian negative": (lambda: fit_glm(X, changed(Y, 1, -1), "inverse_gaussian"), r"y = -1 in row 1"),
    "unknown family": (lambda: fit_glm(X, Y, "poison"), r"'gaussian', 'binomial', 'poisson'.*'poison'"),
    "unknown link": (lambda: fit_glm(X, Y, link="lgit"), r"'identity', 'log', 'logit'.*'lgit'"),
    "constant response": (lambda: fit_glm(X, np.full(6, 2.0), "poisson"), r"varies.*y = 2 in all 6 rows"),
    "all zeros": (lambda: fit_glm(X, np.zeros(6), "binomial", offset=np.arange(6)), r"y = 0 in all 6 rows"),
    "negative weight": (lambda: fit_glm(X, Y, weights=changed(np.ones(6), 2, -1)), r"weights >= 0.*-1 in row 2"),
    "weights all zero": (lambda: fit_glm(X, Y, weights=np.zeros(6)), r"positive weight"),
    "weights too short": (lambda: fit_glm(X, Y, weights=np.ones(5)), r"weights.*6 rows.*\(5,\)"),
    "offset NaN": (lambda: fit_glm(X, Y, offset=changed(np.ones(6), 1, np.nan)), r"finite.*offset.*nan in row 1"),
    "offset as a name": (lambda: fit_glm(X, Y, offset="t"), r"offset as an array"),
    "names wrong": (lambda: fit_glm(X, Y, names=["a"]), r"2 different names"),
    "dispersion wrong": (lambda: fit_glm(X, Y, dispersion=-1), r"dispersion as a number > 0.*-1"),
    "dispersion unknown": (lambda: fit_glm(X, Y, dispersion="mle"), r'"ml" or None.*mle'),
    "start wrong": (lambda: fit_glm(X, Y, start=[1.0]), r"2 finite numbers"),
    "missing wrong": (lambda: fit_glm(X, Y, missing="skip"), r'"error" or "drop".*skip'),
    "power zero": (lambda: links.Power(0), r"links.Log"),
    "impossible means": (
        lambda: fit_glm(X, Y / 7, "binomial", link="log", offset=np.array([0, 900, 0, 900, 0, 900])),
        r"every mean of the binomial family.*start=",
    ),
    "cumulant not convex": (lambda: families.from_cumulant(lambda t, lib: -(t**2)), r"convex.*b''"),
}

TABLE_CASES = {
    "unknown column": (lambda: glm("y ~ z", TABLE), r"columns of the table: y, x, g, t .*got 'z'"),
    "unknown offset": (lambda: glm("y ~ x", TABLE, offset="log(exposure)"), r"got 'exposure'"),
    "no response": (lambda: glm("x", TABLE), r"response"),
    "broken formula": (lambda: glm("y ~ x +", TABLE), r"formula such as"),
    "unknown function": (lambda: glm("y ~ nosuch(x)", TABLE), r"known function.*'nosuch'"),
    "text response": (lambda: glm("g ~ x", TABLE), r"one numeric response.*I\(y == 'yes'\)"),
    "missing values": (
        lambda: glm("y ~ x", TABLE.assign(x=changed(X[:, 1], [1, 4], np.nan))),
        r"2 of 6 rows with one in 'y', 'x': row 1 \(labelled 'q'\), row 4 \(labelled 't'\).*missing=\"drop\"",
    ),
    "log of zero": (lambda: glm("y ~ log(x)", TABLE), r"finite.*-inf in row 0 \(labelled 'p'\), column 'log\(x\)'"),
    "domain with label": (lambda: glm("y ~ x", TABLE.assign(y=changed(Y, 1, -1)), "poisson"), r"row 1 \(labelled 'q'\)"),
    "data not a table": (lambda: glm("y ~ x", 3), r"DataFrame.*fit_glm"),
    "two offsets": (lambda: glm("y ~ x", TABLE, offset="x + t"), r"offset as one column.*\{a \+ b\}"),
    "no rows": (lambda: glm("y ~ x", TABLE.iloc[:0]), r"0 rows"),
}


@pytest.mark.parametrize("case", [*ARRAY_CASES, *TABLE_CASES])
def test_wrong_input_is_named(case):
    call, message = {**ARRAY_CASES, **TABLE_CASES}[case]
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert caught.value.expected and caught.value.got and caught.value.remedy


FIT = glm("y ~ x + g", TABLE)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (TABLE.assign(g="z"), r"'g' to be one of 'a', 'b', 'c'.*got 'z' in row 0"),
        (TABLE.drop(columns="x"), r"got 'x'"),
        (TABLE.assign(x=np.nan), r"6 of 6 rows"),
    ],
)
def test_predict_names_what_new_data_lack(data, message):
    with pytest.raises(InputError, match=message):
        FIT.predict(data)


def test_predict_refuses_unknown_kinds_levels_and_forgotten_offsets():
    with pytest.raises(InputError, match='"mean" or "linear"'):
        FIT.predict(kind="response")
    with pytest.raises(InputError, match="between 0 and 1"):
        FIT.predict(interval=95)
    fitted = fit_glm(X, Y, "poisson", offset=np.ones(6))
    with pytest.raises(InputError, match="offset for the new rows"):
        fitted.predict(X)
    assert fitted.predict(X, offset=np.ones(6)) == pytest.approx(fitted.fitted)
    with pytest.raises(InputError, match="2 columns"):
        fitted.predict(X[:, :1])
    with pytest.raises(InputError, match="kind of residual"):
        fitted.residuals("studentised")


def test_missing_rows_can_be_dropped_and_are_then_absent_everywhere():
    table = TABLE.assign(x=changed(X[:, 1], [1, 4], np.nan))
    dropped = glm("y ~ x", table, weights=np.arange(1.0, 7), missing="drop")
    kept = glm("y ~ x", table.dropna(), weights=np.array([1.0, 3, 4, 6]))
    np.testing.assert_array_equal(dropped.coef, kept.coef)
    assert dropped.nobs == 4


def test_aliased_columns_are_named_and_not_estimated():
    with pytest.warns(AliasWarning, match="double.*linear combination"):
        fitted = fit_glm(np.column_stack([X, 2 * X[:, 1], X[:, 1] ** 2]), Y, names=["one", "x", "double", "square"])
    assert np.isnan(fitted.coef["double"]) and np.isnan(fitted.se["double"])
    assert fitted.rank == 3 and fitted.df_resid == 3
    without = fit_glm(np.column_stack([X, X[:, 1] ** 2]), Y)
    np.testing.assert_allclose(fitted.coef.dropna(), without.coef, rtol=1e-10, atol=1e-14)
    assert "Aliased" in repr(fitted)


def test_more_columns_than_rows():
    with pytest.warns(AliasWarning):
        fitted = fit_glm(np.random.default_rng(0).normal(size=(4, 7)), Y[:4])
    assert fitted.rank == 4 and fitted.deviance < 1e-20 and fitted.coef.isna().sum() == 3


def test_separation_and_non_convergence_are_said():
    with pytest.warns(SeparationWarning, match="6 fitted means"):
        fit_glm(X, (X[:, 1] > 2.5) * 1.0, "binomial")
    with pytest.warns(ConvergenceWarning, match="2 rounds.*fit.trace"):
        fit_glm(X, Y, "gamma", link="log", max_iter=2)


def test_a_fit_without_a_likelihood_says_why():
    family = families.from_cumulant(lambda theta, lib: lib.exp(theta), dispersion=1)
    fitted = fit_glm(X, Y, family)
    with pytest.raises(InputError, match=r"c\(y, phi\)"):
        fitted.loglik  # noqa: B018
    assert "none" in repr(fitted)


def test_every_data_set_and_name_is_listed_when_one_is_unknown():
    with pytest.raises(InputError, match="orings"):
        datasets.load("o_rings")


@pytest.mark.filterwarnings("error")
def test_infinities_of_both_signs_are_named_like_any_other():
    """Their sum is NaN, and warns where numpy is asked to; so does a sum that overflows."""
    for column in ([np.inf, -np.inf, 1, 2], [1e308, 1e308, np.inf, 2]):
        with pytest.raises(InputError, match="finite numbers in X"):
            fit_glm(np.c_[np.ones(4), column], [1.0, 2, 3, 5])
