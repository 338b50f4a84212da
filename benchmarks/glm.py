"""glmref beside its peers on generalized linear models, in one process, interleaved: time, memory, and what was reached.

    python benchmarks/glm.py [--threads 1] [--rounds 12] [--only NAME] [--without R,statsmodels]

A run of all cases with all peers writes results/glm-1-threads.csv (or as many), the table of the book, and all figures beside it.
Each peer fits the same float64 arrays without a penalty and, where it has one, computes the covariance of the estimates.
Their tolerances are set so that each arrives within 1e-10 of the least deviance, relative to it; the excess is in the table.
The bound is what no method based on X'WX can undercut by much: four times one product X'X and one exponential a row.
"""

import argparse
import csv
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--threads", type=int, default=1)
arguments.add_argument("--rounds", type=int, default=12)
arguments.add_argument("--only", default="")
arguments.add_argument("--without", default="")
options = arguments.parse_args()
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(options.threads)

import warnings  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from meter import race  # noqa: E402

import glmref  # noqa: E402

RESULTS = Path(__file__).parent / "results"
CASES = {  # name: family, link, rows, columns
    "Poisson 1,000,000 × 20": ("poisson", "log", 1_000_000, 20),
    "logistic 1,000,000 × 20": ("binomial", "logit", 1_000_000, 20),
    "Gamma, log link 1,000,000 × 20": ("gamma", "log", 1_000_000, 20),
    "logistic 200,000 × 100": ("binomial", "logit", 200_000, 100),
    "Poisson 100,000 × 500": ("poisson", "log", 100_000, 500),
    "Poisson 100 × 5": ("poisson", "log", 100, 5),
    "Poisson 100 × 5, from pandas": ("poisson", "log", 100, 5),
}


def data(family, n, p):
    """X (n x p, the first column 1) and y with linear predictors of standard deviation 1/2."""
    rng = np.random.default_rng(2026)
    X = rng.standard_normal((n, p))
    X[:, 0] = 1.0
    eta = X @ rng.standard_normal(p) * (0.5 / np.sqrt(p))
    if family == "poisson":
        return X, rng.poisson(np.exp(eta)).astype(float)
    if family == "binomial":
        return X, (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    return X, rng.gamma(2.0, np.exp(eta) / 2.0)


def with_glmref(family, link, X, y):
    def run():
        fit = glmref.fit_glm(X, y, family, link=link, threads=options.threads)
        fit.cov
        return fit.coef.to_numpy()

    return run


def with_statsmodels(family, link, X, y):
    import statsmodels.api as sm

    made = {
        "poisson": lambda: sm.families.Poisson(),
        "binomial": lambda: sm.families.Binomial(),
        "gamma": lambda: sm.families.Gamma(link=sm.families.links.Log()),
    }[family]

    def run():
        result = sm.GLM(y, X, family=made()).fit()
        result.cov_params()
        return result.params

    return run


def with_glum(family, link, X, y):
    from glum import GeneralizedLinearRegressor

    def run():
        model = GeneralizedLinearRegressor(family=family, link=link, alpha=0, fit_intercept=False, gradient_tol=1e-5)
        model.fit(X, y)
        model.covariance_matrix(X=X, y=y, robust=False, expected_information=True)
        return model.coef_

    return run


def with_sklearn(family, link, X, y):
    from sklearn.linear_model import GammaRegressor, LogisticRegression, PoissonRegressor

    def run():
        shared = {"solver": "newton-cholesky", "fit_intercept": False, "tol": 1e-5}
        if family == "binomial":
            return LogisticRegression(C=np.inf, **shared).fit(X, y).coef_[0]
        return {"poisson": PoissonRegressor, "gamma": GammaRegressor}[family](alpha=0, **shared).fit(X, y).coef_

    return run


class Timed(np.ndarray):
    """Coefficients that another process found in `seconds`."""


def with_R(family, link, X, y):
    """R's glm.fit and the inverse of its R'R; its own clock, without reading the data."""
    called = {"poisson": "poisson()", "binomial": "binomial()", "gamma": 'Gamma("log")'}[family]
    n, p = X.shape
    folder = tempfile.TemporaryDirectory()
    np.asfortranarray(X).ravel(order="F").tofile(f"{folder.name}/X")
    y.tofile(f"{folder.name}/y")
    script = f"""
    X <- matrix(readBin("{folder.name}/X", "double", {n * p}), {n}); y <- readBin("{folder.name}/y", "double", {n})
    repeats <- {200 if n < 1000 else 1}
    time <- system.time(for (k in seq_len(repeats)) {{
      fit <- glm.fit(X, y, family = {called}, intercept = FALSE); cov <- chol2inv(fit$qr$qr) }})[["elapsed"]] / repeats
    writeBin(c(time, unname(coef(fit))), "{folder.name}/out")
    """

    def run():
        subprocess.run(["Rscript", "-e", script], check=True, capture_output=True)
        out = np.fromfile(f"{folder.name}/out")
        coef = out[1:].view(Timed)
        coef.seconds = out[0]
        return coef

    run.folder = folder
    return run


PEERS = {"glmref": with_glmref, "glum": with_glum, "scikit-learn": with_sklearn, "statsmodels": with_statsmodels, "R": with_R}


def bound(X, y):
    """Four times X'X and one exponential per row, the fastest of a few (seconds)."""
    gram, out = np.empty((X.shape[1], X.shape[1])), np.empty_like(y)

    def run():
        np.dot(X.T, X, out=gram)
        np.exp(y, out=out)

    return run


def measure(name):
    """The rows of one case: one per peer."""
    family, link, n, p = CASES[name]
    X, y = data(family, n, p)
    tables = name.endswith("from pandas")
    given = (pd.DataFrame(X, columns=[f"x{j}" for j in range(p)]), pd.Series(y)) if tables else (X, y)
    skipped = set(filter(None, options.without.split(",")))
    peers = {"bound / 4": bound(X, y * 0.1)}
    for peer, make in PEERS.items():
        if peer not in skipped and not (peer == "R" and (n * p > 2.5e7 or tables)):
            try:
                peers[peer] = make(family, link, *given)
            except ImportError as error:
                print(f"  {peer} left out: {error}", file=sys.stderr)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = race(peers, *((options.rounds, 1) if n > 1000 else (20, 50)))
    floor = 4 * results.pop("bound / 4").seconds
    family, link = glmref.families.get(family), glmref.links.get(link)
    deviance = {peer: float(np.sum(family.deviance(y, X @ np.asarray(r.value), link))) for peer, r in results.items()}
    least, ours = min(deviance.values()), results["glmref"].seconds
    for peer, result in results.items():
        yield {
            "case": name,
            "threads": options.threads,
            "peer": peer,
            "seconds": f"{result.seconds:.3g}",
            "times glmref": f"{result.seconds / ours:.2f}",
            "times bound": f"{result.seconds / floor:.2f}" if n > 1000 else "",
            "extra MB": "" if peer == "R" else f"{max(result.megabytes, 0):.0f}",
            "excess deviance": f"{max(deviance[peer] - least, 0) / least:.0e}",
        }


def machine():
    """Processor, cores and versions, as lines."""
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    yield f"{cpu}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    for package in ("numpy", "scipy", "statsmodels", "glum", "scikit-learn"):
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            continue
    if shutil.which("Rscript"):
        yield subprocess.run(["Rscript", "-e", "cat(R.version.string)"], capture_output=True, text=True).stdout


def summary(name, rows):
    """One line for a case: the time and memory of glmref, and how many times longer its peers take."""
    by_peer = {row["peer"]: row for row in rows if row["case"] == name}
    line = {"model, rows × columns": name, "glmref, seconds": by_peer["glmref"]["seconds"]}
    line |= {peer: by_peer[peer]["times glmref"] if peer in by_peer else "" for peer in PEERS if peer != "glmref"}
    return line | {"glmref / bound": by_peer["glmref"]["times bound"], "extra MB": by_peer["glmref"]["extra MB"]}


def write(file, rows):
    with open(RESULTS / file, "w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main():
    rows = []
    for name in CASES:
        if options.only in name:
            for row in measure(name):
                rows.append(row)
                print("  ".join(f"{key} {value}" for key, value in row.items() if value), flush=True)
    if not options.only and not options.without:
        write(f"glm-{options.threads}-threads-all.csv", rows)
        write(f"glm-{options.threads}-threads.csv", [summary(name, rows) for name in CASES])
        (RESULTS / "machine.txt").write_text("\n".join(machine()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
