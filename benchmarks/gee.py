"""Generalized estimating equations: glmref beside statsmodels and R's geepack, on the same data, in one run.

    python benchmarks/gee.py [--repeat 2] [--peers statsmodels,geepack] [--only 0,3] [--scaling] [--slow]

A run of all cases with all peers writes results/gee.csv, the table of the book. One thread. Peers that are not installed are left out; so is geepack for clusters of 500, which take it minutes, without --slow.
Each fit includes its robust covariance; data are made and, for R, read outside the clock; R measures its own time. Fits of the
three are interleaved, and minimum times compared, so that a busy machine disturbs all alike. All iterate to about 1e-6:
statsmodels and geepack by the change of the coefficients (ctol, epsilon), glmref by the length of a step in standard errors (tol 1e-6; the
default, 1e-10, is shown beside it). Every peer's coefficients are compared with glmref's under that peer's convention (apart, in
standard errors). Memory is the most that a fit holds beyond the data, in multiples of X and y.
"""

import os

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"  # before numpy is imported

import argparse
import csv
import json
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import tracemalloc
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from glmref import fit_gee

RESULTS = Path(__file__).parent / "results"
PEERS = ("statsmodels", "geepack")
CASES = [
    ("20,000 of 5, exchangeable, logistic", 20_000, (5, 5), "binomial", "exchangeable"),
    ("2,000 of 20 to 80, exchangeable, Poisson", 2_000, (20, 80), "poisson", "exchangeable"),
    ("20,000 of 5, AR(1), Gaussian", 20_000, (5, 5), "gaussian", "ar1"),
    ("5,000 of 8, unstructured, logistic", 5_000, (8, 8), "binomial", "unstructured"),
    ("200 of 500, exchangeable, Gaussian", 200, (500, 500), "gaussian", "exchangeable"),
]

R_CODE = """
suppressPackageStartupMessages(library(geepack))
arguments <- commandArgs(TRUE)
p <- as.integer(arguments[2])
raw <- readBin(arguments[1], "double", file.info(arguments[1])$size / 8)
data <- matrix(raw, ncol = p + 3)
X <- data[, 1:p]; colnames(X) <- paste0("x", 1:p); y <- data[, p + 1]; id <- data[, p + 2]; waves <- data[, p + 3] + 1
waves <- if (arguments[4] == "exchangeable") NULL else waves
seconds <- system.time({
  start <- glm.fit(X, y, family = get(arguments[3])())
  fit <- geese.fit(X, y, id, waves = waves, b = coef(start), family = get(arguments[3])(), corstr = arguments[4],
                   control = geese.control(epsilon = 1e-6, maxit = 100))
})[["elapsed"]]
cat(sprintf('{"seconds": %.17g, "coef": [%s]}', seconds, paste(sprintf("%.17g", fit$beta), collapse = ", ")))
"""


def draw(K, sizes, family, p=5, seed=0):
    """K clusters with a shared effect, p columns; rows in order of cluster and time."""
    rng = np.random.default_rng(seed)
    m = rng.integers(sizes[0], sizes[1] + 1, K)
    groups, n = np.repeat(np.arange(K), m), int(m.sum())
    waves = np.arange(n) - np.repeat(np.cumsum(m) - m, m)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, p - 1))])
    eta = X @ np.linspace(0.4, -0.4, p) + np.repeat(0.7 * rng.normal(size=K), m)
    y = {
        "binomial": lambda: (rng.uniform(size=n) < 1 / (1 + np.exp(-eta))) * 1.0,
        "poisson": lambda: rng.poisson(np.exp(eta)) * 1.0,
        "gaussian": lambda: eta + rng.normal(size=n),
    }[family]()
    return X, y, groups, waves


def timed(call):
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def run_glmref(data, family, structure, convention="liang_zeger", tol=1e-6):
    X, y, groups, waves = data
    seconds, fit = timed(lambda: fit_gee(X, y, groups, family, correlation=structure, time=waves, convention=convention, tol=tol))
    more, se = timed(lambda: fit.se)
    return seconds + more, fit.coef.to_numpy(), se.to_numpy()


def run_statsmodels(data, family, structure):
    import statsmodels.api as sm

    X, y, groups, waves = data
    structures = {"exchangeable": sm.cov_struct.Exchangeable, "unstructured": sm.cov_struct.Unstructured,
                  "ar1": lambda: sm.cov_struct.Autoregressive(grid=True)}  # fmt: skip
    families = {"binomial": sm.families.Binomial, "poisson": sm.families.Poisson, "gaussian": sm.families.Gaussian}

    def fit():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return sm.GEE(y, X, groups, time=waves, family=families[family](), cov_struct=structures[structure]()).fit()

    seconds, found = timed(fit)
    return seconds, found.params


def run_geepack(path, p, family, structure):
    said = subprocess.run(["Rscript", "-e", R_CODE, str(path), str(p), family, structure], capture_output=True, text=True)
    if said.returncode:
        raise RuntimeError(said.stderr)
    answer = json.loads(said.stdout)
    return answer["seconds"], np.array(answer["coef"])


def available(names):
    """Which peers can run here."""
    found = []
    if "statsmodels" in names:
        try:
            import statsmodels.api  # noqa: F401

            found.append("statsmodels")
        except ImportError:
            pass
    if "geepack" in names and shutil.which("Rscript"):
        if subprocess.run(["Rscript", "-e", "library(geepack)"], capture_output=True).returncode == 0:
            found.append("geepack")
    return found


def peak(call):
    """Bytes that a call holds at most, beyond what was held before."""
    tracemalloc.start()
    call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def one_case(name, K, sizes, family, structure, peers, repeat):
    """The row of one case: seconds of glmref, at tol 1e-6 and 1e-10; how many times longer each peer takes; how far apart the
    coefficients are, in standard errors; and the memory that a fit takes, as a multiple of the data."""
    data = draw(K, sizes, family)
    X, y, groups, waves = data
    times = {peer: [] for peer in ("glmref", "at 1e-10", *peers)}
    coefs = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data"
        np.column_stack([X, y, groups, waves]).ravel("F").tofile(path)
        for _ in range(repeat):
            for _ in range(3):
                times["glmref"].append(run_glmref(data, family, structure)[0])
                times["at 1e-10"].append(run_glmref(data, family, structure, tol=1e-10)[0])
            if "statsmodels" in peers:
                seconds, coefs["statsmodels"] = run_statsmodels(data, family, structure)
                times["statsmodels"].append(seconds)
            if "geepack" in peers:
                seconds, coefs["geepack"] = run_geepack(path, X.shape[1], family, structure)
                times["geepack"].append(seconds)
    best = {peer: min(values) for peer, values in times.items()}
    worst = 0.0
    for peer, coef in coefs.items():
        _, ours, se = run_glmref(data, family, structure, peer)
        worst = max(worst, np.max(np.abs(coef - ours) / se))
    memory = peak(lambda: run_glmref(data, family, structure)) / (X.nbytes + y.nbytes)
    return {
        "clusters, correlation, family": name,
        "glmref, seconds": f"{best['glmref']:.3g}",
        "at 1e-10": f"{best['at 1e-10']:.3g}",
        **{peer: f"{best[peer] / best['glmref']:.0f}" if peer in best else "" for peer in PEERS},
        "apart, s.e.": f"{worst:.0e}" if coefs else "",
        "memory / data": f"{memory:.1f}",
    }


def scaling():
    """Time and memory against the number of clusters."""
    for K in (5_000, 20_000, 80_000, 320_000):
        data = draw(K, (5, 5), "binomial")
        seconds = min(run_glmref(data, "binomial", "exchangeable")[0] for _ in range(3))
        memory = peak(lambda: run_glmref(data, "binomial", "exchangeable"))
        print(f"{K:8d} clusters of 5: {1e3 * seconds:8.1f} ms, {1e6 * seconds / K:6.2f} us and {memory / K:6.0f} bytes a cluster")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--only", default=",".join(map(str, range(len(CASES)))))
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--slow", action="store_true")
    options = parser.parse_args()
    peers = available(options.peers.split(","))
    print(f"Python {platform.python_version()}, numpy {np.__version__}, one thread; minimum of {options.repeat} rounds")
    rows = []
    for index in map(int, options.only.split(",")):
        quick = options.slow or CASES[index][2][1] <= 100
        rows.append(one_case(*CASES[index], [peer for peer in peers if quick or peer != "geepack"], options.repeat))
        print("  ".join(f"{key} {value}" for key, value in rows[-1].items() if value), flush=True)
    if len(rows) == len(CASES) and set(peers) == set(PEERS):
        with open(RESULTS / "gee.csv", "w", newline="", encoding="utf-8") as opened:
            writer = csv.DictWriter(opened, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    if options.scaling:
        scaling()
    print(f"peak resident memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
