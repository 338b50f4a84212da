"""The dictionary's lines for glmref, R and statsmodels run as printed and agree, and its numbers are those that the programs print."""
import json
import re
import shutil
import subprocess
import warnings

import numpy as np
import pytest
from notebooks import BOOK, read

import glmref
from glmref import datasets

NOTEBOOK = read(BOOK / "dictionary.ipynb")
ASK = next(cell.source for cell in NOTEBOOK.cells if "(dictionary-ask)=" in cell.source)
FITS = ["fit", "rates", "weighted", "repeated", "dead", "days", "quasi", "wheeze", "panel"]  # names that all three programs give


def lines(program):
    """The statements in the rows of one program, in order."""
    rows = re.findall(rf"^\| {program} \| (.*) \|$", ASK, re.MULTILINE)
    return [code for row in rows for code in re.findall(r"`([^`]+)`", row) if "=" in code.split("(")[0] or "<-" in code]


def tables():
    clotting = datasets.load("clotting")
    clot = clotting[clotting["lot"] == "one"].drop(columns="lot")
    clot = clot.assign(w=np.arange(1.0, 10.0), f=np.arange(1, 10) % 3 + 1)
    return {"clot": clot, **{name: datasets.load(name) for name in ("insurance", "beetles", "quine", "ohio")}}


def printed():
    """The numbers of the page's first table: what stands in its first column, and the value."""
    text = next(output.data["text/markdown"] for cell in NOTEBOOK.cells for output in cell.get("outputs", [])
                if "who prints it" in output.get("data", {}).get("text/markdown", ""))
    return {shown: value for shown, value in re.findall(r"^\| (.+?) \| ([-\d.]+) \|", text, re.MULTILINE)}


def agrees(value, exact):
    return abs(float(value) - exact) <= 0.51 * 10.0 ** -len(value.partition(".")[2])


@pytest.fixture(scope="module")
def ours():
    names = {"np": np, "glm": glmref.glm, "gee": glmref.gee, **tables()}
    for line in lines("glmref"):
        exec(line, names)
    return names


@pytest.fixture(scope="module")
def statsmodels_said():
    smf, sm = pytest.importorskip("statsmodels.formula.api"), pytest.importorskip("statsmodels.api")
    names = {"np": np, "smf": smf, "sm": sm, **tables()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for line in lines("statsmodels"):
            exec(line, names)
        names["clot_fit"] = smf.glm("time ~ np.log(concentration)", names["clot"], family=sm.families.Gamma()).fit()
    return names


@pytest.fixture(scope="module")
def r_said(tmp_path_factory):
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed")
    folder = tmp_path_factory.mktemp("r")
    script = ["for (package in c('MASS', 'sandwich', 'geepack', 'jsonlite')) if (!requireNamespace(package, quietly = TRUE)) quit(status = 7)"]
    for name, table in tables().items():
        table.to_csv(folder / f"{name}.csv", index=False)
        script.append(f"{name} <- read.csv('{name}.csv')")
        for column in table.select_dtypes("category"):
            levels = ", ".join(f"'{level}'" for level in table[column].cat.categories)
            script.append(f"{name}${column} <- factor({name}${column}, levels = c({levels}))")
    script += lines("R")
    script += ["one <- glm(time ~ log(concentration), Gamma, clot)", "said <- summary(one)",
               f"fits <- list({', '.join(f'{name} = unname(coef({name}))' for name in FITS)})",
               "fits$one <- c(deviance(one), said$dispersion, as.numeric(logLik(one)), AIC(one), one$null.deviance)",
               "fits$robust <- sqrt(unname(diag(robust))); fits$clustered <- sqrt(unname(diag(clustered)))",
               "fits$ends <- unname(as.vector(ends)); fits$theta <- days$theta; fits$lr <- lr$Deviance[2]; fits$slope <- slope$Rao[2]",
               "fits$resid <- unname(resid)", "cat(jsonlite::toJSON(fits, digits = 15))"]
    (folder / "lines.R").write_text("\n".join(script), encoding="utf-8")
    done = subprocess.run(["Rscript", "lines.R"], cwd=folder, capture_output=True, text=True)
    if done.returncode == 7:
        pytest.skip("R lacks MASS, sandwich, geepack or jsonlite")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout[done.stdout.index("{"):])


def test_every_section_has_all_five():
    for section in re.split(r"^### ", ASK, flags=re.MULTILINE)[1:]:
        assert re.findall(r"^\| (\w+) \| ", section.split("\nThe other")[0], re.MULTILINE) == ["program", "glmref", "R", "statsmodels", "SAS", "Stata"]


@pytest.mark.parametrize("name", FITS)
def test_statsmodels_agrees(ours, statsmodels_said, name):
    theirs = np.asarray(statsmodels_said[name].params)[: len(ours[name].coef)]
    np.testing.assert_allclose(ours[name].coef, theirs, rtol=2e-3 if name == "days" else 1e-4)


def test_statsmodels_covariances_agree(ours, statsmodels_said):
    for name in ("robust", "clustered"):
        np.testing.assert_allclose(ours[name], statsmodels_said[name], rtol=1e-5)


def test_numbers_are_those_of_statsmodels(statsmodels_said):
    theirs, shown = statsmodels_said["clot_fit"], printed()
    assert agrees(shown["$D$"], theirs.deviance) and agrees(shown[r"$\hat\phi$, Pearson's"], theirs.scale)
    assert agrees(shown[r"$\ell$ at Pearson's $\hat\phi$"], theirs.llf)
    assert agrees(shown["AIC of statsmodels' $\\ell$, $p$ parameters"], theirs.aic) and agrees(shown["null deviance"], theirs.null_deviance)


@pytest.mark.parametrize("name", FITS)
def test_r_agrees(ours, r_said, name):
    np.testing.assert_allclose(ours[name].coef, r_said[name], rtol=1e-3 if name == "panel" else 1e-5)  # geepack: other moments


def test_r_covariances_tests_and_intervals_agree(ours, r_said):
    for name in ("robust", "clustered"):
        np.testing.assert_allclose(np.sqrt(np.diag(ours[name])), r_said[name], rtol=1e-5)
    np.testing.assert_allclose(1 / ours["days"].alpha, r_said["theta"], rtol=1e-4)
    np.testing.assert_allclose(ours["ends"].to_numpy().T.ravel(), r_said["ends"], rtol=1e-3)
    np.testing.assert_allclose([ours["lr"].statistic, ours["slope"].statistic], [r_said["lr"][0], r_said["slope"][0]], rtol=1e-5)
    np.testing.assert_allclose(ours["resid"], r_said["resid"], atol=1e-4)  # R stops a little early


def test_numbers_are_those_of_r(r_said):
    shown, (deviance, dispersion, loglik, aic, null) = printed(), r_said["one"]
    assert agrees(shown["$D$"], deviance) and agrees(shown[r"$\hat\phi$, Pearson's"], dispersion) and agrees(shown[r"$\ell$ at $\phi = D/n$"], loglik)
    assert agrees(shown["AIC of R's $\\ell$, $p + 1$ parameters"], aic) and agrees(shown["null deviance"], null)


def test_a_wrong_digit_is_seen():
    assert agrees("0.0024", 0.00244) and not agrees("0.0025", 0.00244)
