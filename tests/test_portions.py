"""Rows in portions: a Parquet file or a Dask collection gives the fit of the rows in memory, or a clear error."""

import os
import re
import signal
import sys
import threading
import time

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from glmref import GLMWarning, InputError, SeparationWarning, blocks, compare, families, fit_glm, gee, glm

dd = pytest.importorskip("dask.dataframe")
da = pytest.importorskip("dask.array")
pq = pytest.importorskip("pyarrow.parquet")
pa = pytest.importorskip("pyarrow")

N = 2500
RNG = np.random.default_rng(9)
x, z, level = RNG.normal(size=N), RNG.uniform(1, 2, N), RNG.choice(list("abcd"), N)
grade = RNG.choice(["low", "mid", "high"], N)
time_at_risk, whole = RNG.uniform(0.5, 2, N), RNG.integers(1, 4, N)
mu = time_at_risk * np.exp(0.3 * x - 0.2 * (level == "b") + 0.1 * whole)
TABLE = pd.DataFrame(
    {
        "x": x, "z": z, "level": level, "grade": pd.Categorical(grade, ["low", "mid", "high"]), "whole": whole, "t": time_at_risk,
        "site": RNG.integers(0, 60, N), "w": RNG.uniform(0.5, 2, N), "f": RNG.integers(0, 3, N),
        "count": RNG.poisson(mu), "yes": RNG.uniform(size=N) < expit(x), "share": RNG.binomial(5, expit(x / 2)) / 5,
        "amount": RNG.gamma(2.0, mu / 2), "wait": RNG.wald(mu, 2.0), "dispersed": RNG.poisson(mu * RNG.gamma(1.0, size=N)),
        "rain": families.Tweedie(1.5).draw(mu, 1.0, 1.0, RNG), "any": RNG.normal(mu),
    }
)  # fmt: skip
CASES = {
    "gaussian": ("any ~ x + level", {"weights": "w"}),
    "binomial": ("yes ~ x * level", {}),
    "poisson": ("count ~ x + C(whole) + np.log(z) + grade", {"offset": "np.log(t)"}),
    "gamma": ("amount ~ x + grade", {"link": "log"}),
    "inverse_gaussian": ("wait ~ x", {"link": "log"}),
    "negative_binomial": ("dispersed ~ x + level", {}),
    "tweedie": ("rain ~ x", {}),
    "quasibinomial": ("share ~ x + grade", {"weights": "w"}),
    "quasipoisson": ("count ~ x", {"frequency_weights": "f"}),
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    TABLE.to_parquet(path, row_group_size=700)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    for k, part in enumerate(np.array_split(np.arange(N), 3)):
        TABLE.iloc[part].to_parquet(folder / f"part-{k}.parquet")
    return folder


@pytest.fixture(scope="module")
def sources(path, folder):
    return {
        "file": str(path),
        "small portions": blocks.Parquet(path, rows=333),
        "one portion": blocks.Parquet(path, rows=10 * N),
        "folder": folder,
        "list": sorted(folder.glob("*.parquet")),
        "dask": dd.from_pandas(TABLE, npartitions=5),
    }


def same(streamed, memory, rtol=1e-9):
    """Coefficients to 1e-10 of a standard error or of themselves; the rest to the digits that a covariance keeps."""
    apart = np.abs(streamed.coef - memory.coef)
    assert np.max(np.minimum(apart / memory.se, apart / np.abs(memory.coef))) < 1e-10
    np.testing.assert_allclose(streamed.cov, memory.cov, rtol=rtol, atol=rtol * memory.se.min() ** 2)
    for name in ("deviance", "null_deviance", "pearson_chi2", "dispersion"):
        assert getattr(streamed, name) == pytest.approx(getattr(memory, name), rel=1e-9), name
    assert (streamed.nobs, streamed.df_resid, list(streamed.coef.index)) == (memory.nobs, memory.df_resid, list(memory.coef.index))


@pytest.mark.parametrize("source", ["file", "small portions", "one portion", "folder", "list", "dask"])
@pytest.mark.parametrize("family", CASES)
def test_the_fit_is_that_of_the_rows_in_memory(family, source, sources):
    if source in ("one portion", "list") and family != "poisson":
        pytest.skip("said once")
    formula, keywords = CASES[family]
    family = families.Tweedie(1.5) if family == "tweedie" else family
    for tol, rtol in ((1e-13, 1e-9), (1e-10, 1e-8)):  # the rule of stopping may leave 1e-9 of a covariance, in either fit
        same(*(glm(formula, data, family, tol=tol, **keywords) for data in (sources[source], TABLE)), rtol)


@pytest.mark.parametrize("source", ["small portions", "dask"])
def test_inference_is_that_of_the_rows_in_memory(source, sources):
    formula, keywords = CASES["poisson"]
    streamed, memory = (glm(formula, data, "poisson", **keywords) for data in (sources[source], TABLE))
    for kind in ("HC0", "HC1", "HC2", "HC3", "observed"):
        np.testing.assert_allclose(streamed.covariance(kind), memory.covariance(kind), rtol=1e-8, atol=1e-12, err_msg=kind)
    np.testing.assert_allclose(
        streamed.covariance("cluster", groups="site"), memory.covariance("cluster", groups=TABLE["site"]), rtol=1e-8, atol=1e-12
    )
    assert streamed.loglik == pytest.approx(memory.loglik, rel=1e-11)
    assert streamed.aic == pytest.approx(memory.aic, rel=1e-11)
    for method in ("wald", "score", "lr"):
        assert streamed.test("x", method=method).statistic == pytest.approx(memory.test("x", method=method).statistic, rel=1e-7)
    np.testing.assert_allclose(streamed.predict(TABLE.head(20)), memory.predict(TABLE.head(20)), rtol=1e-9)
    for fit in (streamed, memory):
        assert "2500" in str(fit.summary())
    small = [glm("count ~ x + C(whole)", data, "poisson", **keywords) for data in (sources[source], TABLE)]
    table, expected = compare(small[0], streamed), compare(small[1], memory)
    np.testing.assert_allclose(table.select_dtypes("number").to_numpy(float), expected.select_dtypes("number").to_numpy(float), rtol=1e-7)
    np.testing.assert_allclose(small[0].confint(method="profile"), small[1].confint(method="profile"), rtol=1e-6)


def test_dispersion_of_a_gamma_family(sources):
    streamed, memory = (glm("amount ~ x", data, "gamma", link="log", dispersion="ml") for data in (sources["file"], TABLE))
    assert streamed.dispersion == pytest.approx(memory.dispersion, rel=1e-10)
    assert streamed.loglik == pytest.approx(memory.loglik, rel=1e-11)
    weighted = glm("amount ~ x", sources["file"], "gamma", link="log", weights="w")
    with pytest.raises(InputError, match=r"rows in memory for the log-likelihood.*compare\(small, large\)"):
        weighted.loglik


def test_a_column_that_some_level_never_meets(sources):
    """A level that only some portions have; and one that no row has."""
    table = TABLE.assign(level=np.where(np.arange(N) < 40, "rare", level), grade=TABLE["grade"].cat.add_categories("never"))
    same(glm("count ~ x + level + grade", dd.from_pandas(table, npartitions=6), "poisson"), glm("count ~ x + level + grade", table, "poisson"))


@pytest.mark.parametrize("chunks", [N, 400, (3, 1000, 1497)])
def test_dask_arrays(chunks):
    X = np.column_stack([np.ones(N), x, z])
    lazy = da.from_array(X, chunks=(chunks, 2))
    y = da.from_array(TABLE["count"].to_numpy(float), chunks=700)
    offset = da.from_array(np.log(time_at_risk), chunks=N)
    memory = fit_glm(X, TABLE["count"], "poisson", offset=np.log(time_at_risk), names=["one", "x", "z"])
    same(fit_glm(lazy, y, "poisson", offset=offset, names=["one", "x", "z"]), memory)


def test_columns_of_a_file(tmp_path):
    path = tmp_path / "columns.parquet"
    TABLE[["x", "z", "t", "count"]].to_parquet(path)
    same(fit_glm(path, "count", "poisson", offset="t"), fit_glm(TABLE[["x", "z"]], TABLE["count"], "poisson", offset=TABLE["t"]))
    same(fit_glm(path, "count", "poisson", names=["z"]), fit_glm(TABLE[["z"]], TABLE["count"], "poisson"))


def test_missing_values(tmp_path):
    table = TABLE.assign(x=TABLE["x"].mask(np.arange(N) % 97 == 5))
    path = tmp_path / "holes.parquet"
    table.to_parquet(path, row_group_size=500)
    with pytest.raises(InputError, match=r"row 5.*row group 0 of .*holes.parquet"):
        glm("count ~ x", path, "poisson")
    same(glm("count ~ x", path, "poisson", missing="drop"), glm("count ~ x", table, "poisson", missing="drop"))


def test_aliased_and_separated_columns(sources):
    data = dd.from_pandas(TABLE.assign(twice=2 * TABLE["x"], far=(TABLE["x"] > 0) & TABLE["yes"]), npartitions=3)
    with pytest.warns(GLMWarning, match="twice"):
        fit = glm("count ~ x + twice", data, "poisson")
    assert np.isnan(fit.coef["twice"]) and fit.rank == 2
    with pytest.warns(SeparationWarning, match="far"):
        glm("yes ~ far", data, "binomial")


# ---- what a user gets wrong ----


def test_what_does_not_fit_in_a_formula(sources):
    with pytest.raises(InputError, match="columns of .*: x, z.*'absent'"):
        glm("count ~ absent", sources["file"], "poisson")
    for formula in ("count ~ center(x)", "count ~ I(x - x.mean())", "count ~ x + x.cumsum()", "I(count / count.sum()) ~ x"):
        with pytest.raises(InputError, match="which depends on all rows"):
            glm(formula, sources["file"], "poisson")
    with pytest.raises(InputError, match="which depends on all rows"):
        glm("count ~ x", sources["file"], "poisson", offset="I(x - x.mean())")
    with pytest.raises(InputError, match="as the name of a column or an expression"):
        glm("count ~ x", sources["file"], "poisson", weights=TABLE["w"])
    with pytest.raises(InputError, match="'nothing.parquet', which is not there|nothing.parquet, which is not there"):
        glm("count ~ x", "nothing.parquet", "poisson")
    with pytest.raises(InputError, match="y as Dask arrays|as Dask arrays"):
        fit_glm(da.ones((5, 2)), np.ones(5))


def test_an_impossible_response_is_named(tmp_path, sources):
    table = TABLE.assign(count=TABLE["count"].where(np.arange(N) != 1900, -1))
    path = tmp_path / "negative.parquet"
    table.to_parquet(path, row_group_size=700)
    with pytest.raises(InputError, match=r"-1.*1900.*row group 2 of|1900.*-1.*row group 2 of"):
        glm("count ~ x", path, "poisson")
    with pytest.raises(InputError, match="partition"):
        glm("count ~ x", dd.from_pandas(table, npartitions=4), "poisson")


def test_what_has_a_number_for_each_row_is_refused(sources):
    fit = glm("count ~ x", sources["file"], "poisson")
    for ask in (lambda: fit.fitted, lambda: fit.residuals("pearson"), lambda: fit.leverage, lambda: fit.cooks_distance):
        with pytest.raises(InputError, match="rows in memory"):
            ask()


def test_a_truncated_file(path, tmp_path):
    whole = path.read_bytes()
    for name, content in (("cut.parquet", whole[: len(whole) // 2]), ("empty.parquet", b""), ("text.parquet", b"x,y\n1,2\n")):
        broken = tmp_path / name
        broken.write_bytes(content)
        with pytest.raises(InputError, match=rf"a whole Parquet file.*{name}.*Nothing was fitted"):
            glm("count ~ x", broken, "poisson")


def test_a_file_damaged_in_the_middle(path, tmp_path):
    """The end of the file, which says where all is, is whole: the damage is met when the portion is read."""
    content, at = bytearray(path.read_bytes()), pq.ParquetFile(path).metadata.row_group(2).column(0)
    start = at.dictionary_page_offset or at.data_page_offset
    content[start : start + at.total_compressed_size] = bytes(at.total_compressed_size)
    broken = tmp_path / "damaged.parquet"
    broken.write_bytes(content)
    with pytest.raises(InputError, match="row group 2 of .*damaged.parquet, which cannot be read"):
        glm("count ~ x", broken, "poisson")


def test_a_type_that_changes(tmp_path):
    TABLE[["x", "count"]].iloc[:100].to_parquet(tmp_path / "a.parquet")
    TABLE[["x", "count"]].iloc[100:].astype({"x": str}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(InputError, match=r"in .*b.parquet the columns of .*a.parquet.*got x as (large_)?string"):
        glm("count ~ x", tmp_path, "poisson")


def test_a_column_that_one_file_lacks(tmp_path):
    TABLE[["x", "count"]].iloc[:100].to_parquet(tmp_path / "a.parquet")
    TABLE[["count"]].iloc[100:].to_parquet(tmp_path / "b.parquet")
    with pytest.raises(InputError, match="got no x"):
        glm("count ~ x", tmp_path, "poisson")


@pytest.mark.parametrize("absent, data, message", [("pyarrow", "rows.parquet", r"glmref\[parquet\]")])
def test_without_the_libraries(absent, data, message, monkeypatch):
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(InputError, match=message):
        glm("count ~ x", data, "poisson")


def test_the_package_imports_neither():
    import subprocess

    code = "import sys, glmref; print([name for name in ('pyarrow.parquet', 'dask', 'distributed') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


# ---- while it runs ----


def test_progress(sources, capfd):
    lines = []
    fit = glm("count ~ x", sources["small portions"], "poisson", progress=lines.append)
    assert re.fullmatch(r"survey: 2500 rows, [\d.e+]+ rows/s", lines[0])
    assert all(re.fullmatch(r"pass \d+: deviance [\d.]+, [\d.e+]+ rows/s", line) for line in lines[1:]) and len(lines) >= 2
    assert float(lines[-1].split()[3].rstrip(",")) == pytest.approx(fit.deviance, rel=1e-6)
    glm("count ~ x", sources["small portions"], "poisson")
    assert capfd.readouterr().err == ""
    glm("count ~ x", TABLE, "poisson", progress=True)
    assert capfd.readouterr().err.startswith("pass 1: deviance")


def test_portions_are_read_by_one_thread_ahead(sources):
    """Whoever sums is not the one that reads; and no thread is left behind."""
    before = threading.active_count()
    readers = set()
    source = sources["small portions"]
    inner = source._portions

    def watched(columns, few):
        for portion in inner(columns, few):
            readers.add(threading.get_ident())
            yield portion

    object.__setattr__(source, "_portions", watched)
    try:
        assert source.sum_portions(lambda portion: len(portion.table), ["x"]) == N
    finally:
        object.__delattr__(source, "_portions")
    assert threading.get_ident() not in readers and threading.active_count() == before


class Counted(blocks.Parquet):
    """A file that counts how often all of it is read."""

    def portions(self, columns, few=None):
        self.__dict__["passes"] = self.__dict__.get("passes", 0) + (few is None)
        return super().portions(columns, few)


@pytest.mark.parametrize("order", ["by chance", "by the response"])
@pytest.mark.parametrize("family", ["poisson", "binomial"])
def test_a_large_file_is_read_twice(family, order, tmp_path, monkeypatch):
    """Once with the survey, at the estimate of a few portions; once where the surrogate leads. Were the rows sorted, so that the
    few portions tell little, it may take more."""
    monkeypatch.setattr("glmref.start.LARGE", 1)
    monkeypatch.setattr("glmref.streaming.rows.SAMPLE_NUMBERS", 320_000)
    rng = np.random.default_rng(5)
    X = np.column_stack([np.ones(120_000), rng.normal(size=(120_000, 3))])
    eta = X @ [0.2, 0.3, -0.2, 0.1]
    y = rng.poisson(np.exp(eta)) if family == "poisson" else rng.random(len(eta)) < expit(eta)
    table = pd.DataFrame(X[:, 1:], columns=["a", "b", "c"]).assign(y=y.astype(float))
    table = table if order == "by chance" else table.sort_values("y")
    table.to_parquet(tmp_path / "rows.parquet", row_group_size=10_000)
    source = Counted(tmp_path / "rows.parquet", rows=2000)
    streamed = glm("y ~ a + b + c", source, family)
    assert source.passes == 2 if order == "by chance" else 2 <= source.passes <= 4
    same(streamed, glm("y ~ a + b + c", table, family), rtol=1e-8)


def test_a_level_in_a_short_row_group_has_its_standard_error(tmp_path, monkeypatch):
    """Portions of unlike length: each sampled row stands for those that it was taken from."""
    monkeypatch.setattr("glmref.start.LARGE", 1)
    monkeypatch.setattr("glmref.streaming.rows.SAMPLE_NUMBERS", 12_000)
    for seed in (1, 55):
        rng = np.random.default_rng(seed)
        rare = np.repeat([0.0, 1.0], [200_000, 400])
        x = rng.normal(size=len(rare))
        table = pd.DataFrame({"y": (rng.random(len(rare)) < expit(-1 + 0.3 * x - 3 * rare)) * 1.0, "x": x, "rare": rare})
        pq.write_table(pa.Table.from_pandas(table[rare == 0]), tmp_path / "a.parquet", row_group_size=20_000)
        pq.write_table(pa.Table.from_pandas(table[rare == 1]), tmp_path / "b.parquet")
        streamed = glm("y ~ x + rare", [tmp_path / "a.parquet", tmp_path / "b.parquet"], "binomial")
        exact = glm("y ~ x + rare", table, "binomial", tol=1e-14)
        assert np.max(np.abs(streamed.coef - exact.coef) / exact.se) < 1e-9
        np.testing.assert_allclose(streamed.se, exact.se, rtol=1e-8)


@pytest.mark.parametrize("kind", ["weights", "frequency_weights"])
def test_a_portion_without_weight_takes_no_part(kind, tmp_path):
    table = TABLE.assign(k=np.where(np.arange(N) // 500 == 2, 0, TABLE["f"] + 1))
    table.to_parquet(tmp_path / "rows.parquet", row_group_size=500)
    frame = dd.from_pandas(table, npartitions=5)
    for source in (tmp_path / "rows.parquet", frame):
        same(glm("count ~ x", source, "poisson", **{kind: "k"}), glm("count ~ x", table, "poisson", **{kind: "k"}))
    clusters = {"groups": "site", "family": "poisson", "weights": "k"}
    table = table.sort_values("site").assign(k=lambda t: np.where(np.arange(N) // 500 == 2, 0.0, 1.0))
    table.to_parquet(tmp_path / "sorted.parquet", row_group_size=500)
    streamed, memory = (gee("count ~ x", source, **clusters) for source in (tmp_path / "sorted.parquet", table))
    np.testing.assert_allclose(streamed.coef, memory.coef, rtol=1e-9)
    np.testing.assert_allclose(streamed.cov, memory.cov, rtol=1e-7)
    table.assign(k=0).to_parquet(tmp_path / "none.parquet", row_group_size=500)
    with pytest.raises(InputError, match="at least one row that takes part"):
        glm("count ~ x", tmp_path / "none.parquet", "poisson", **{kind: "k"})


def test_a_file_listed_twice_is_read_twice(path):
    once, twice = glm("count ~ x", path, "poisson"), glm("count ~ x", [path, path], "poisson")
    assert (twice.nobs, blocks.Parquet([path, path]).nrows) == (2 * N, 2 * N)
    np.testing.assert_allclose(twice.se * np.sqrt(2), once.se, rtol=1e-8)


def test_separation_is_said_where_the_rounds_began_near(tmp_path):
    """With a start of the user's, and with a parameter of the family that is estimated."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"x": rng.normal(size=900), "never": np.repeat([0.0, 1.0], [800, 100])})
    table["count"] = rng.poisson(rng.gamma(1.0, np.exp(0.2 * table.x))) * (1 - table.never)
    table["yes"] = (rng.random(900) < 0.5) * (1 - table.never)
    table.to_parquet(tmp_path / "rows.parquet", row_group_size=300)
    with pytest.warns(SeparationWarning, match="never"):
        glm("count ~ x + never", tmp_path / "rows.parquet", "negative_binomial")
    with pytest.warns(SeparationWarning, match="never"):
        glm("yes ~ x + never", tmp_path / "rows.parquet", "binomial", start=[0.0, 0.0, -30.0])


def test_few_portions_are_spread_over_the_file(path):
    source = blocks.Parquet(path, rows=100)
    tables = [portion.table for portion in source.portions(["count"], few=2)]
    assert [(table.index[0], len(table)) for table in tables] == [(0, 100), (1400, 100)]
    np.testing.assert_array_equal(tables[1]["count"], TABLE["count"][1400:1500])
    frame = dd.from_pandas(TABLE, npartitions=5)
    starts = blocks.Dask(frame).sum_portions(lambda portion: [int(portion.table.index[0])], ["x"], few=2)
    assert starts == [0, 1000]


@pytest.mark.parametrize("threads", [2, 5])
def test_portions_summed_at_once_change_nothing_but_rounding(path, threads):
    """Their sums are added in the order of the file, whichever is ready first; no more are under way than threads."""
    source, under_way, most = blocks.Parquet(path, rows=300), set(), []

    def first(portion):
        start = portion.table.index[0]
        under_way.add(start)
        most.append(len(under_way))
        time.sleep(0.03 + 0.02 * (start % 700 == 0))
        under_way.discard(start)
        return [start]

    found = source.sum_portions(first, ["x"], threads=threads)
    assert found == sorted(found) and len(found) == 11 and 1 < max(most) <= threads
    assert source.sum_portions(lambda portion: None, ["x"], threads=threads) is None
    one, more = (glm("count ~ x + level", source, "poisson", threads=count) for count in (1, threads))
    np.testing.assert_allclose(more.coef, one.coef, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(more.se, one.se, rtol=1e-12)
    with pytest.raises(InputError, match="a portion that is refused"):
        source.sum_portions(refuse, ["x"], threads=threads)


def refuse(portion):
    raise InputError(expected="no portion", got="a portion that is refused", remedy="None.")


class Remembers:
    """Counts its calls."""

    def __init__(self):
        self.calls = []

    def __call__(self, portion):
        self.calls.append(portion.where)
        return len(self.calls)


def test_each_task_runs_a_function_of_its_own():
    """One that several tasks share may change while a worker sends it to another: the message is then lost, and the fit waits."""
    function = Remembers()
    assert blocks.Dask(dd.from_pandas(TABLE, npartitions=6)).sum_portions(function, ["x"]) == 6
    assert function.calls == []


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    import dask

    with dask.config.set({"distributed.worker.memory.terminate": False, "distributed.comm.timeouts.connect": "20s"}):
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1", silence_logs=50
        ) as cluster, distributed.Client(cluster) as client:
            yield client


def test_workers_of_a_cluster(cluster):
    formula, keywords = CASES["poisson"]
    same(glm(formula, dd.from_pandas(TABLE, npartitions=6), "poisson", **keywords), glm(formula, TABLE, "poisson", **keywords))
    with pytest.raises(InputError, match="partition"):
        glm("count ~ x", dd.from_pandas(TABLE.assign(count=-1.0), npartitions=3), "poisson")


def test_a_worker_that_is_killed(cluster):
    """Killed after the first round; what it held is computed again by another, and the fit ends as if nothing had happened."""
    formula, keywords = CASES["poisson"]
    data, rounds, killed = dd.from_pandas(TABLE, npartitions=6), [], []

    def kill(line):
        rounds.append(line)
        if len(rounds) == 1:
            victim = min(worker["id"] for worker in cluster.scheduler_info()["workers"].values())
            pids = cluster.run(os.getpid)
            killed.append(next(iter(pids.values())))
            os.kill(killed[0], signal.SIGKILL)
            assert victim is not None

    fit = glm(formula, data, "poisson", progress=kill, **keywords)
    assert len(rounds) > 1 and killed
    same(fit, glm(formula, TABLE, "poisson", **keywords))


def dying(table, marker):
    """The table; but the first process that asks for it while there is no marker dies."""
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return table
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_dies_while_it_sums(cluster, tmp_path):
    """In the middle of a pass: the partition that killed it is summed by another, and the pass goes on."""
    import dask

    parts = [dask.delayed(TABLE.iloc[rows]) for rows in np.array_split(np.arange(N), 4)]
    parts[2] = dask.delayed(dying, pure=False)(TABLE.iloc[np.array_split(np.arange(N), 4)[2]], tmp_path / "died")
    fit = glm("count ~ x + level", dd.from_delayed(parts, meta=TABLE.iloc[:0]), "poisson")
    assert (tmp_path / "died").exists()
    same(fit, glm("count ~ x + level", TABLE, "poisson"))
