"""`make test`: everything that proves the project, in order, with one verdict at the end.

The book is built anew with warnings as errors; the tests run; every chapter is executed again and its outputs compared,
twice: the second time with other floating-point kernels, so that no printed digit depends on the processor.
"""
import os
import platform
import re
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from build_book import build
from notebooks import ROOT, chapters

PYTEST = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider"]
COURSEWORK = ROOT / "assignments" / "tests"  # marks in parallel by itself
TESTS = ["--dist", "worksteal", "tests", "--ignore=tests/online"]  # those need more than the book: make test-online
COMPARE = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", "tests/sanitize.cfg", "--nbval-cell-timeout", "300"]
CHAPTERS = ["--dist", "loadfile", *COMPARE]  # one kernel per chapter


def stages():
    """What is proved, the arguments of pytest, and the environment."""
    notebooks = [str(path.relative_to(ROOT)) for path in chapters()]
    yield "tests: identities, laws, oracles, notebook guard, built pages", TESTS, {}
    if COURSEWORK.is_dir() and (os.environ.get("CI") or find_spec("nbgrader")):
        yield "coursework: real nbgrader marks submissions of every kind", ["-n", "0", str(COURSEWORK.relative_to(ROOT))], {}
    else:
        print("The coursework is not proved: its grader is not installed (make course), or its folder is kept elsewhere.")
    yield "every chapter, executed again and compared", CHAPTERS + notebooks, {}
    if platform.machine() in ("x86_64", "AMD64"):
        yield "every chapter once more, with the kernels of another processor", CHAPTERS + notebooks, {"OPENBLAS_CORETYPE": "Nehalem"}


def run_pytest(arguments, environment, report):
    """(passed, failed, skipped) of one pytest run. pytest's 'no tests' is a failure here."""
    code = subprocess.run([*PYTEST, f"--junitxml={report}", *arguments], cwd=ROOT, env=os.environ | environment).returncode
    if not report.exists():
        return 0, 1, 0
    suite = ElementTree.parse(report).getroot().find("testsuite")
    total, errors, failures, skipped = (int(suite.get(key)) for key in ("tests", "errors", "failures", "skipped"))
    failed = errors + failures
    return total - failed - skipped, max(failed, int(code != 0)), skipped


def main():
    began, totals, broken = time.perf_counter(), [0, 0, 0], []

    def heading(text):
        print(f"\n== {text} ({time.perf_counter() - began:.0f} s)", flush=True)

    heading("the book, built anew, warnings as errors")
    if build(fresh=True):
        totals[0] += 1
        print("Built.")
    else:
        totals[1] += 1
        broken.append("the book's build")
    with TemporaryDirectory() as folder:
        for number, (what, arguments, environment) in enumerate(stages()):
            heading(what)
            counts = run_pytest(arguments, environment, Path(folder) / f"{number}.xml")
            totals = [total + count for total, count in zip(totals, counts)]
            broken += [what] if counts[1] else []
    passed, failed, skipped = totals
    verdict = "NOT PROVED: look above at " + "; ".join(broken) if broken else "Proved: the book, the package and the pages are in order"
    print(f"\n{verdict}. {time.perf_counter() - began:.0f} s.")
    print(f"Total: {passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
