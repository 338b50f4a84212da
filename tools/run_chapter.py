"""Re-executes chapters and writes them back: all, or those named (06, intro). Running twice gives the same bytes.

A chapter that fails is left as it was.
"""
import argparse
import os
import sys
import time

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from notebooks import BOOK, chapters, normalize, read, write

SECONDS_PER_CELL = 300


class ChapterFailed(Exception):
    pass


def execute(notebook, folder=BOOK, report=lambda done, of: None):
    """Runs every code cell in a new kernel whose working directory is `folder`."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    normalize(notebook)
    code = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    at = [None]

    def starts(cell, cell_index):
        at[0] = cell_index
        if cell_index in code:
            report(code.index(cell_index) + 1, len(code))

    client = NotebookClient(
        notebook, timeout=SECONDS_PER_CELL, kernel_name="python3", record_timing=False, store_widget_state=False,
        resources={"metadata": {"path": str(folder)}}, on_cell_start=starts, extra_arguments=["--log-level=ERROR"],
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as failure:
        raise ChapterFailed(explain(failure, notebook.cells[at[0]], at[0])) from None


def explain(failure, cell, index):
    error = f"{failure.ename}: {failure.evalue}" if isinstance(failure, CellExecutionError) else str(failure).strip()
    source = "\n".join("    " + line for line in cell.source.splitlines()[:15])
    return f"cell {index} (counting from 0, text included) failed: {error[:600]}\n{source}"


def run(path):
    notebook, began, tty = read(path), time.perf_counter(), sys.stdout.isatty()

    def report(done, of):
        if tty:
            print(f"\r{path.stem}: cell {done} of {of}", end="", flush=True)

    if not tty:
        print(f"{path.stem} ...", flush=True)
    execute(notebook, report=report)
    before = path.read_bytes()
    write(notebook, path)
    verdict = "unchanged" if path.read_bytes() == before else "written"
    print(f"{chr(13) if tty else ''}{path.stem}: {verdict}, {time.perf_counter() - began:.0f} s        ", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapter", nargs="*", help="number or name; all when absent")
    names = parser.parse_args().chapter
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    failed = 0
    for path in [path for name in names for path in chapters(name)] or chapters():
        try:
            run(path)
        except ChapterFailed as failure:
            failed += 1
            print(f"\n{path.stem}: {failure}\n{path.stem} is left as it was.", file=sys.stderr)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
