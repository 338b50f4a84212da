"""Estimating equations for clusters that come in portions: the fit of the rows in memory, or a clear error."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from glmref import FewClustersWarning, InputError, blocks, correlation, fit_gee, gee

dd = pytest.importorskip("dask.dataframe")
da = pytest.importorskip("dask.array")
pytest.importorskip("pyarrow")

K = 240
RNG = np.random.default_rng(14)
sizes = RNG.integers(1, 6, K)
child = np.repeat(np.arange(K), sizes)
wave = np.concatenate([np.sort(RNG.choice(5, m, replace=False)) for m in sizes]).astype(float)
shared = RNG.normal(size=K)[child]
x, group = RNG.normal(size=len(child)), RNG.choice(list("abc"), K)[child]
t = RNG.uniform(0.5, 2, len(child))
TABLE = pd.DataFrame(
    {
        "child": child, "wave": wave, "x": x, "group": group, "t": t, "w": RNG.integers(1, 4, len(child)).astype(float),
        "yes": (RNG.uniform(size=len(child)) < expit(0.5 * x + shared)) * 1.0,
        "count": RNG.poisson(t * np.exp(0.3 * x + 0.5 * shared)), "any": RNG.normal(x + shared),
    }
)  # fmt: skip
CASES = {
    "independence": ("yes ~ x + group", "binomial", {}),
    "exchangeable": ("yes ~ x + group", "binomial", {"correlation": "exchangeable"}),
    "exchangeable, geepack": ("count ~ x", "poisson", {"correlation": "exchangeable", "convention": "geepack", "offset": "np.log(t)"}),
    "ar1": ("any ~ x * group", "gaussian", {"correlation": "ar1"}),
    "ar1, geepack": ("any ~ x", "gaussian", {"correlation": "ar1", "convention": "geepack"}),
    "unstructured": ("yes ~ x", "binomial", {"correlation": "unstructured"}),
    "m-dependent": ("any ~ x", "gaussian", {"correlation": correlation.MDependent(2)}),
    "held": ("any ~ x", "gaussian", {"correlation": correlation.Exchangeable(alpha=0.3)}),
    "weights": ("count ~ x + group", "poisson", {"correlation": "exchangeable", "weights": "w", "offset": "np.log(t)"}),
}
KINDS = ("model", "robust", "mancl_derouen", "kauermann_carroll", "fay_graubard")


def whole(parts):
    """A Dask DataFrame whose partitions end between children."""
    cuts = [0, *(child.searchsorted(K * k // parts) for k in range(1, parts)), len(TABLE)]
    return dd.concat([dd.from_pandas(TABLE.iloc[a:b], npartitions=1) for a, b in zip(cuts, cuts[1:], strict=False)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files and row groups that end in the middle of a child."""
    folder = tmp_path_factory.mktemp("children")
    for k, part in enumerate(np.array_split(np.arange(len(TABLE)), 3)):
        TABLE.iloc[part].to_parquet(folder / f"part-{k}.parquet", row_group_size=100)
    return folder


@pytest.fixture(scope="module")
def sources(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("one") / "children.parquet"
    TABLE.to_parquet(path, row_group_size=300)
    return {"file": path, "small portions": blocks.Parquet(path, rows=90), "folder": folder, "dask": whole(4)}


def same(streamed, memory):
    """Coefficients to 1e-9 of a standard error; the rest to the digits that its rounds leave."""
    assert np.max(np.abs(streamed.coef - memory.coef) / memory.se) < 1e-9
    np.testing.assert_allclose(streamed.alpha, memory.alpha, rtol=1e-8)
    assert streamed.dispersion == pytest.approx(memory.dispersion, rel=1e-10)
    assert (streamed.nobs, streamed.nclusters, list(streamed.coef.index)) == (memory.nobs, memory.nclusters, list(memory.coef.index))
    np.testing.assert_allclose(streamed.cov, memory.cov, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize(
    "case, source",
    [(case, "file") for case in CASES]
    + [(case, source) for case in ("exchangeable", "unstructured") for source in ("small portions", "folder", "dask")],
)
def test_the_fit_is_that_of_the_rows_in_memory(case, source, sources):
    formula, family, keywords = CASES[case]
    streamed, memory = (gee(formula, data, "child", family, time="wave", **keywords) for data in (sources[source], TABLE))
    same(streamed, memory)


@pytest.mark.parametrize("case, source", [("exchangeable", "dask"), ("unstructured", "small portions"), ("weights", "file")])
def test_inference_is_that_of_the_rows_in_memory(case, source, sources):
    formula, family, keywords = CASES[case]
    streamed, memory = (gee(formula, data, "child", family, time="wave", **keywords) for data in (sources[source], TABLE))
    for kind in KINDS:
        np.testing.assert_allclose(streamed.covariance(kind), memory.covariance(kind), rtol=1e-7, atol=1e-12, err_msg=kind)
    for method in ("wald", "score"):
        assert streamed.test("x", method=method).statistic == pytest.approx(memory.test("x", method=method).statistic, rel=1e-6)
    assert streamed.qic == pytest.approx(memory.qic, rel=1e-9)
    np.testing.assert_allclose(streamed.working_correlation(), memory.working_correlation(), rtol=1e-7)
    np.testing.assert_allclose(streamed.predict(TABLE.head(9)), memory.predict(TABLE.head(9)), rtol=1e-9)
    assert str(streamed.summary()).split("estimated as")[1] == str(memory.summary()).split("estimated as")[1]


def test_labels_of_text(tmp_path):
    table = TABLE.assign(child="child " + TABLE.child.map("{:04d}".format))
    table.to_parquet(tmp_path / "named.parquet", row_group_size=100)
    keywords = {"groups": "child", "time": "wave", "correlation": "exchangeable"}
    same(gee("any ~ x", tmp_path / "named.parquet", **keywords), gee("any ~ x", table, **keywords))


def test_columns_of_a_file_and_dask_arrays(sources):
    X = np.column_stack([np.ones(len(TABLE)), x])
    memory = fit_gee(X, TABLE["any"], TABLE["child"], correlation="ar1", time=TABLE["wave"], names=["one", "x"])
    cut = (tuple(np.diff([0, *(child.searchsorted(K * k // 4) for k in range(1, 4)), len(TABLE)])),)
    lazy = {name: da.from_array(TABLE[name].to_numpy(), chunks=cut) for name in ("any", "child", "wave")}
    same(
        fit_gee(da.from_array(X, chunks=(cut[0], 2)), lazy["any"], lazy["child"], correlation="ar1", time=lazy["wave"], names=["one", "x"]),
        memory,
    )
    by_name = fit_gee(sources["file"], "any", "child", correlation="exchangeable", time="wave", names=["x", "t"])
    same(by_name, fit_gee(TABLE[["x", "t"]], TABLE["any"], TABLE["child"], correlation="exchangeable", time=TABLE["wave"]))


def test_missing_values_are_dropped_with_their_time(tmp_path):
    table = TABLE.assign(x=TABLE["x"].mask(np.arange(len(TABLE)) % 17 == 3))
    table.to_parquet(tmp_path / "holes.parquet", row_group_size=100)
    keywords = {"groups": "child", "time": "wave", "correlation": "unstructured"}
    with pytest.raises(InputError, match="row group 0 of .*holes.parquet"):
        gee("any ~ x", tmp_path / "holes.parquet", **keywords)
    streamed, memory = (gee("any ~ x", data, missing="drop", **keywords) for data in (tmp_path / "holes.parquet", table))
    same(streamed, memory)


# ---- clusters kept whole, or an error that says how to sort ----


def test_scattered_clusters_of_a_file(tmp_path):
    TABLE.sort_values("wave").to_parquet(tmp_path / "by_wave.parquet")
    with pytest.raises(InputError, match=r"all rows of a cluster together.*sort_values\('child'\)"):
        gee("any ~ x", tmp_path / "by_wave.parquet", "child", time="wave")
    scattered = int((TABLE.sort_values("wave").groupby("child").size() > 1).sum())
    assert scattered > 100


def test_one_child_twice_is_named(tmp_path):
    """The last row repeated at the front: a single cluster in two places."""
    last = int(TABLE.child.iloc[-1])
    pd.concat([TABLE.iloc[[-1]].assign(wave=9.0), TABLE]).to_parquet(tmp_path / "twice.parquet", row_group_size=100)
    with pytest.raises(InputError, match=rf"cluster {last} in several places \(1 such"):
        gee("any ~ x", blocks.Parquet(tmp_path / "twice.parquet", rows=50), "child", time="wave")


def test_partitions_that_cut_a_cluster():
    cut = dd.from_pandas(TABLE, npartitions=7, sort=False)
    with pytest.raises(InputError, match=r"set_index\('child'\).reset_index\(\).persist\(\) in Dask"):
        gee("any ~ x", cut, "child", time="wave")
    mended = cut.set_index("child").reset_index()  # what the error says
    same(gee("any ~ x", mended, "child", time="wave"), gee("any ~ x", TABLE, "child", time="wave"))


def test_what_does_not_fit(sources, tmp_path):
    file = sources["file"]
    for keywords, message in [
        ({"groups": TABLE["child"]}, "groups as the name of a column"),
        ({"groups": "child", "time": TABLE["wave"]}, "time as the name of a column"),
        ({"groups": "class"}, "'class'"),
        ({"groups": "child", "convention": "statsmodels"}, "liang_zeger.*geepack"),
    ]:
        with pytest.raises(InputError, match=message):
            gee("any ~ x", file, **keywords)
    TABLE.assign(child=1, wave=np.arange(len(TABLE))).to_parquet(tmp_path / "single.parquet")
    with pytest.raises(InputError, match="at least two clusters"):
        gee("any ~ x", tmp_path / "single.parquet", "child", time="wave")
    TABLE.assign(wave=TABLE["wave"].where(TABLE.index != 300)).to_parquet(tmp_path / "late.parquet", row_group_size=100)
    with pytest.raises(InputError, match=r"finite numbers in time.*row group \d of .*late.parquet"):
        gee("any ~ x", tmp_path / "late.parquet", "child", time="wave")


def test_a_label_that_is_missing(tmp_path):
    TABLE.assign(child=TABLE["child"].astype(float).where(TABLE.index != 300)).to_parquet(tmp_path / "nobody.parquet")
    with pytest.raises(InputError, match="cluster for every row|missing"):
        gee("any ~ x", tmp_path / "nobody.parquet", "child", time="wave")


def test_a_damaged_file_leaves_nothing_behind(sources, tmp_path):
    content = sources["file"].read_bytes()
    (tmp_path / "cut.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="a whole Parquet file.*cut.parquet.*Nothing was fitted"):
        gee("any ~ x", tmp_path / "cut.parquet", "child", time="wave")
    assert [path.name for path in tmp_path.iterdir()] == ["cut.parquet"]


def test_what_has_a_number_for_each_row_is_refused(sources):
    fit = gee("any ~ x", sources["file"], "child", time="wave", correlation="exchangeable")
    asks = {
        "residuals": lambda: fit.residuals("pearson"), "fitted": lambda: fit.fitted, "sizes": lambda: fit.cluster_sizes,
        "jackknife": lambda: fit.covariance("jackknife"), "matrix": lambda: fit.working_correlation(cluster=3),
    }  # fmt: skip
    for ask in asks.values():
        with pytest.raises(InputError, match="rows in memory"):
            ask()


def test_as_few_clusters_as_coefficients_are_told_of(tmp_path):
    few = TABLE[TABLE.child < 4]
    assert len(few) > 5
    few.to_parquet(tmp_path / "few.parquet")
    with pytest.warns(FewClustersWarning, match="4 clusters for 4 coefficients"):
        gee("any ~ x + t + I(x * t)", tmp_path / "few.parquet", "child", time="wave")


def test_progress(sources, capfd):
    lines = []
    fit = gee("any ~ x", sources["small portions"], "child", time="wave", correlation="exchangeable", progress=lines.append)
    rounds = [line for line in lines if line.startswith("round")]
    assert len(rounds) >= 2 and all(re.fullmatch(r"round \d+: dispersion [\d.]+, [\d.e+]+ rows/s", line) for line in rounds)
    assert float(rounds[-1].split()[3].rstrip(",")) == pytest.approx(fit.dispersion, rel=1e-8)
    gee("any ~ x", sources["small portions"], "child", time="wave")
    assert capfd.readouterr().err == ""
