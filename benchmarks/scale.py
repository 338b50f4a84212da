"""One model, three ways, as the rows grow: in memory, from a Parquet file, on a Dask cluster of two workers.

    python benchmarks/scale.py [--rows 100000 1000000 50000000] [--memory 1000] [--threads 2]

A Poisson regression with nine covariates (float64). Each fit runs in a process of its own, and none of its processes may hold
more than `memory` MB of its own data: a fit that would need more ends in a MemoryError, and the table says so. Then the same
rows are fitted in memory without that limit, where the machine has room for them: what a row costs there, and what in a file.
Time runs from the closed file to the covariance. Writes results/scale.csv; chapter 14 draws it.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

ROWS = [100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 20_000_000, 50_000_000]

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--rows", type=int, nargs="+", default=ROWS)
arguments.add_argument("--memory", type=int, default=1000, help="MB that a process may hold")
arguments.add_argument("--threads", type=int, default=2)
arguments.add_argument("--folder", default="", help="keep the files there, and read those that are there")
arguments.add_argument("--fit", nargs=2, metavar=("WAY", "FILE"), help="fit in this process and print what it took")
options = arguments.parse_args()
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "ARROW_NUM_THREADS"):
    os.environ.setdefault(name, str(options.threads))
WORKERS = 2

import numpy as np  # noqa: E402

P = 10
BETA = np.linspace(-0.2, 0.2, P)
NAMES = [f"x{j}" for j in range(1, P)]
FORMULA = "y ~ " + " + ".join(NAMES)
RESULTS = Path(__file__).parent / "results"


def write(path, rows, group=1 << 20):
    """rows drawn and written group by group: never more than one in memory."""
    import pyarrow
    from pyarrow import parquet

    rng, writer = np.random.default_rng(14), None
    for start in range(0, rows, group):
        X = rng.standard_normal((min(group, rows - start), P))
        X[:, 0] = 1.0
        columns = {"y": rng.poisson(np.exp(X @ BETA)).astype(float)} | {name: X[:, j] for j, name in enumerate(NAMES, start=1)}
        table = pyarrow.table(columns)
        writer = writer or parquet.ParquetWriter(path, table.schema, compression="none", use_dictionary=False)
        writer.write_table(table)
    writer.close()


def peak():
    """Most memory that the process held, in MB."""
    status = Path("/proc/self/status")  # getrusage counts what the parent held before this program began
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1024 if sys.platform.startswith("linux") else used / 2**20


def in_memory(path, say):
    """Every row read into one array, one column at a time; the fit's own time beside the whole."""
    from pyarrow import parquet

    from glmref import fit_glm

    X = np.ones((parquet.ParquetFile(path).metadata.num_rows, P))
    for j, name in enumerate(NAMES, start=1):
        X[:, j] = parquet.read_table(path, columns=[name]).column(0).to_numpy()
    y = parquet.read_table(path, columns=["y"]).column(0).to_numpy()
    start = perf_counter()
    fit = fit_glm(X, y, "poisson", threads=options.threads, progress=say)
    fit.cov
    return fit, perf_counter() - start, [peak()]


def from_file(path, say):
    """The file a portion at a time."""
    from glmref import glm

    start = perf_counter()
    fit = glm(FORMULA, path, "poisson", threads=options.threads, progress=say)
    fit.cov
    return fit, perf_counter() - start, [peak()]


def on_cluster(path, say):
    """Row groups summed by two workers, each a process with one thread; without the time to start them."""
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # for whole row groups its others reserve more than they use
    import dask.dataframe
    from distributed import Client, LocalCluster

    from glmref import glm

    with LocalCluster(WORKERS, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", silence_logs=50) as cluster:
        with Client(cluster) as client:
            client.wait_for_workers(WORKERS)
            start = perf_counter()
            fit = glm(FORMULA, dask.dataframe.read_parquet(path, split_row_groups=True), "poisson", progress=say)
            fit.cov
            return fit, perf_counter() - start, [peak(), *client.run(peak).values()]


WAYS = {"memory": in_memory, "file": from_file, "cluster": on_cluster, "memory without limit": in_memory}


def fitted(way, path):
    """What the fit took, or that memory did not suffice."""
    passes = []
    if "limit" not in way:
        limit = options.memory << 20
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    start = perf_counter()
    try:
        fit, in_fit, held = WAYS[way](path, passes.append)
    except MemoryError:
        return {"outcome": "MemoryError"}
    rows, seconds = fit.nobs, perf_counter() - start
    if way == "cluster":
        seconds = in_fit
    return {
        "outcome": "fitted", "seconds": round(seconds, 3), "fit seconds": round(in_fit, 3), "passes": len(passes),
        "memory MB": round(max(held)), "fit ns per row": round(1e9 * in_fit / rows, 1),
        "coefficients": [float(value) for value in fit.coef], "standard errors": [float(value) for value in fit.se],
    }  # fmt: skip


def main():
    written = []
    with tempfile.TemporaryDirectory() as temporary:
        for rows in options.rows:
            path = Path(options.folder or temporary) / f"rows-{rows}.parquet"
            if not path.exists():
                write(path, rows)
            found = {}
            for way in WAYS:
                command = [sys.executable, __file__, "--fit", way, str(path), "--memory", str(options.memory)]
                run = subprocess.run([*command, "--threads", str(options.threads)], capture_output=True, text=True)
                if run.returncode:
                    sys.exit(f"{way}, {rows} rows:\n{run.stderr}")
                found[way] = json.loads(run.stdout.splitlines()[-1])
            fits = [fit for fit in found.values() if fit["outcome"] == "fitted"]
            coefficients = np.array([fit.pop("coefficients") for fit in fits])
            errors = np.array([fit.pop("standard errors") for fit in fits])
            apart = float(np.max(np.abs(coefficients - coefficients[0]) / errors[0]))
            for way, fit in found.items():
                line = {"way": way, "rows": rows, "file MB": round(os.path.getsize(path) / 1e6, 1)} | fit
                written.append(line | ({"apart, standard errors": f"{apart:.1e}"} if fit["outcome"] == "fitted" else {}))
                print(written[-1], flush=True)
            if not options.folder:
                path.unlink()
    columns = list(dict.fromkeys(key for line in written for key in line))
    with open(RESULTS / "scale.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(written)


if __name__ == "__main__":
    print(json.dumps(fitted(*options.fit))) if options.fit else main()
