"""Every wrong input is named: what was expected, what came and where, what to do."""

import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
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
    "cumulant with a dent": (lambda: families.from_cumulant(lambda t, lib: t**2 / 2 + 2 * lib.exp(-20 * (t - 2.5) ** 2)), r"convex.*= -"),
    "cumulant by numpy": (lambda: families.from_cumulant(lambda t, lib: np.exp(t)), r"lib.exp.*TypeError"),
    "cumulant with a corner": (lambda: families.from_cumulant(lambda t, lib: abs(t)), r"smooth.*Abs"),
    "cumulant not real": (lambda: families.from_cumulant(lambda t, lib: -lib.log(-t)), r"b\(theta\) real.*parameter_interval"),
    "cumulant that ends": (lambda: families.from_cumulant(lambda t, lib: -lib.log(lib.cos(t))), r"parameter_interval"),
    "interval reversed": (lambda: families.from_cumulant(lambda t, lib: lib.exp(t), parameter_interval=(3, 1)), r"smaller first.*\(3, 1\)"),
    "dispersion of a cumulant": (lambda: families.from_cumulant(lambda t, lib: lib.exp(t), dispersion=-1), r"number > 0.*-1"),
    "dates as y": (lambda: fit_glm(X, pd.Series(pd.date_range("2020", periods=6))), r"y as numbers.*dates"),
    "durations in X": (lambda: fit_glm(np.arange(12).reshape(6, 2).astype("timedelta64[D]"), Y), r"X as numbers.*durations"),
    "huge integers": (lambda: fit_glm(X, [10**400] * 6), r"y as numbers.*too large"),
    "progress wrong": (lambda: fit_glm(X, Y, progress="loud"), r"progress as True.*loud"),
    "max_iter a truth value": (lambda: fit_glm(X, Y, max_iter=True), r"max_iter as a whole number.*True"),
    "missing an array": (lambda: fit_glm(X, Y, missing=np.array(["a", "b"])), r'"error" or "drop"'),
    "groups a number": (lambda: fit_glm(X, Y).covariance("cluster", groups=3), r"groups with a label for each of the 6 rows; got 3"),
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
    "durations": (lambda: glm("y ~ x", TABLE.assign(x=pd.to_timedelta(TABLE["x"], "D"))), r"categories in 'x'.*timedelta"),
    "a level left out": (lambda: glm("y ~ C(g, levels=['a', 'b'])", TABLE), r"only levels that the factor has.*'c'"),
    "Python in a call": (lambda: glm("y ~ I(x x)", TABLE), r"formula such as.*invalid syntax"),
    "Python in an offset": (lambda: glm("y ~ x", TABLE, offset="np.log(t t)"), r"offset as a column or an expression"),
    "a bar in weights": (lambda: glm("y ~ x", TABLE, weights="t | x"), r"weights as a column or an expression"),
    "a bar on the left": (lambda: glm("y | t ~ x", TABLE), r"one response"),
    "groups of other rows": (
        lambda: glm("y ~ x", TABLE).covariance("cluster", groups=TABLE["g"][::-1]),
        r"groups with the row labels of the data.*another index",
    ),
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


def test_predict_refuses_terms_that_take_their_numbers_from_all_rows():
    own = glm("y ~ I(x - x.mean())", TABLE)
    with pytest.raises(InputError, match=r"I\(x - x.mean\(\)\), which takes its numbers from all rows.*center\(x\)"):
        own.predict(TABLE[:2])
    for formula in ("y ~ center(x)", "y ~ bs(t, df=4)", "y ~ poly(t, 2) + g"):
        stored = glm(formula, TABLE)
        np.testing.assert_allclose(stored.predict(TABLE[1:4]), stored.fitted[1:4], rtol=1e-12)


def test_an_offset_of_new_rows_may_name_a_column_of_theirs():
    fitted = glm("y ~ x", TABLE, "poisson", offset="np.log(t)", weights="np.where((t > 1) | (x > 2), 2, 1)")
    new = TABLE.assign(days=2 * TABLE["t"], log_days=np.log(2 * TABLE["t"]))
    np.testing.assert_allclose(fitted.predict(new, offset="np.log(days)"), 2 * fitted.fitted)
    np.testing.assert_allclose(fitted.predict(new, offset="log_days"), 2 * fitted.fitted)


@pytest.mark.parametrize("kind", [bool, "boolean"])
def test_truth_values_are_counted_in_sums(kind):
    two = pd.DataFrame({"y": np.sqrt(np.arange(20.0)), "a": [True, True, False, False] * 5, "b": [True, False] * 10})
    own, numbers = (glm("y ~ I(a + b)", two.astype({"a": each, "b": each})) for each in (kind, int))
    np.testing.assert_allclose(own.coef, numbers.coef, rtol=1e-12)
    np.testing.assert_allclose(own.predict(two[:3]), own.fitted[:3], rtol=1e-12)
    both = glm("y ~ I(a & b)", two)
    np.testing.assert_allclose(both.coef, glm("y ~ I(a * b)", two).coef, rtol=1e-12)


def test_short_integers_do_not_overflow_beside_a_factor_made_of_them():
    table = pd.DataFrame({"u": np.tile(np.arange(10, 25), 4), "y": np.arange(60.0) % 7})
    for formula in ("y ~ C(u > 17) + I(u * u)", "y ~ C(u) + I(u * u):C(u)"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AliasWarning)
            short, long = (glm(formula, table.astype({"u": kind})) for kind in ("uint8", "int64"))
        np.testing.assert_allclose(short.fitted, long.fitted, rtol=1e-10)


@pytest.mark.parametrize("kind", ["string", "dictionary"])
def test_text_in_the_types_of_arrow_is_a_factor(kind):
    types = {"string": pa.string(), "dictionary": pa.dictionary(pa.int32(), pa.string())}
    text = TABLE.astype({"g": pd.ArrowDtype(types[kind])})
    pd.testing.assert_series_equal(glm("y ~ g", text).coef, glm("y ~ g", TABLE).coef)


def test_columns_numbered_by_pandas_are_found_again():
    fitted = fit_glm(pd.DataFrame(X), Y)
    np.testing.assert_array_equal(fitted.predict(pd.DataFrame(X[::-1])), fitted.fitted[::-1])


def test_the_labels_of_the_rows_are_the_fits_own():
    table = pd.DataFrame(X, index=list("pqrstu"))
    fitted = fit_glm(table, Y)
    table.index.name = "mine"
    fitted.dfbetas.index.name = "theirs"
    assert fitted.dfbetas.index.name is None and table.index.name == "mine"


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
