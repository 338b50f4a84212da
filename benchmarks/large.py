"""A fit from a Parquet file larger than the memory the process may use, beside the same arithmetic on rows in memory.

    python benchmarks/large.py [--rows 50000000] [--memory 1000] [--threads 2]

The file (y and nine covariates, float64) is written portion by portion. The fit then runs in a process of its own, and the
peak of its resident memory is asked of the system; the peer, `fit_glm` on the first 1/25 of the rows in memory, runs in the
same process after it, so that both meet the same machine. Per row and pass: the file's time over that of memory.
Writes results/large.csv.
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

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--rows", type=int, default=50_000_000)
arguments.add_argument("--memory", type=int, default=1000, help="MB that the process may hold")
arguments.add_argument("--threads", type=int, default=1)
arguments.add_argument("--file", default="", help="write to this path, and keep it, or read it if it is there")
arguments.add_argument("--fit", action="store_true", help="fit the file in this process and print what it took")
options = arguments.parse_args()
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "ARROW_NUM_THREADS"):
    os.environ.setdefault(name, str(options.threads))

import numpy as np  # noqa: E402

P = 10
BETA = np.linspace(-0.2, 0.2, P)
FORMULA = "y ~ " + " + ".join(f"x{j}" for j in range(1, P))
RESULTS = Path(__file__).parent / "results"


def draw(rng, n):
    X = rng.standard_normal((n, P))
    X[:, 0] = 1.0
    return X, rng.poisson(np.exp(X @ BETA)).astype(float)


def write(path, rows, group=1 << 20):
    """rows drawn and written group by group: never more than one in memory."""
    import pyarrow
    from pyarrow import parquet

    names, rng, writer = [f"x{j}" for j in range(1, P)], np.random.default_rng(14), None
    for start in range(0, rows, group):
        X, y = draw(rng, min(group, rows - start))
        table = pyarrow.table({"y": y} | {name: X[:, j] for j, name in enumerate(names, start=1)})
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


def fit(path, rows):
    """What the fit of the file took, and after it that of a part in memory."""
    from glmref import fit_glm, glm

    before = peak()
    start = perf_counter()
    large = glm(FORMULA, path, "poisson", threads=options.threads)
    large.cov
    seconds, held = perf_counter() - start, peak()
    X, y = draw(np.random.default_rng(14), rows // 25)
    start = perf_counter()
    small = fit_glm(X, y, "poisson", threads=options.threads)
    small.cov
    in_memory = perf_counter() - start
    return {
        "rows": rows, "file MB": round(os.path.getsize(path) / 1e6), "memory MB": round(held), "before MB": round(before),
        "seconds": round(seconds, 1), "rounds": len(large.trace), "ns per row": round(1e9 * seconds / rows),
        "in memory, ns per row": round(1e9 * in_memory / len(y)), "rounds in memory": len(small.trace),
        "furthest coefficient, standard errors": float(np.max(np.abs(large.coef.to_numpy() - BETA) / large.se.to_numpy())),
    }  # fmt: skip


if options.fit:
    print(json.dumps(fit(options.file, options.rows)))
    sys.exit()

with tempfile.TemporaryDirectory() as folder:
    path = options.file or f"{folder}/rows.parquet"
    if not Path(path).exists():
        write(path, options.rows)
    command = [sys.executable, __file__, "--fit", "--file", path, "--rows", str(options.rows), "--threads", str(options.threads)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found["ratio"] = round(found["ns per row"] / found["in memory, ns per row"], 2)
    for what, value in found.items():
        print(f"{what:40} {value}")
    with open(RESULTS / "large.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([found.keys(), found.values()])
    if found["memory MB"] > options.memory:
        sys.exit(f"The process held {found['memory MB']} MB, more than {options.memory}.")
