"""From one text to two notebooks. The source of an assignment is MyST Markdown (assignments/a5_irls.md), read by jupytext.

A code cell with a solution is the student's to write; a code cell with points is a test; a Markdown cell with points is an answer
that a person marks; all else is locked. Names of cells stand in their metadata: `cell: step`, `+++ {"cell": "meaning", "points": 4}`.
The student's edition is made by nbgrader's own preprocessors, so that it is what nbgrader releases.
"""
import re
from pathlib import Path

import jupytext
import nbformat
from nbconvert.exporters.exporter import ResourcesDict

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parent
ROOT = SOURCES.parent
STUDENT = ROOT / "book" / "coursework"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python", "pygments_lexer": "ipython3"}
STUB = "# your code goes here\nraise NotImplementedError"
BEGIN, END = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
LOGIN = "login"  # the tag of the cell that names the student
INSTALL = """try:
    import glmref
except ImportError:  # in Colab and the like: upload the package's file, glmref-...-py3-none-any.whl, beside this notebook first
    import glob
    get_ipython().run_line_magic("pip", "install --quiet " + " ".join(glob.glob("glmref-*.whl") or ["glmref"]))"""


def assignments():
    """The names of all assignments, in order."""
    return sorted(path.stem for path in SOURCES.glob("a[0-9]*_*.md"))


def facts(name):
    """title, chapters, minutes and points of an assignment."""
    read = jupytext.read(SOURCES / f"{name}.md", fmt="md:myst")
    points = [cell.metadata.get("points", 0) for cell in read.cells]
    by_hand = [cell.metadata.get("points", 0) for cell in read.cells if cell.cell_type == "markdown"]
    return {**{key: read.metadata[key] for key in ("title", "chapters", "minutes", "teaches")}, "points": sum(points), "by_hand": sum(by_hand)}


def instructor(name):
    """The instructor's edition: solutions, hidden tests and mark schemes in place."""
    read = jupytext.read(SOURCES / f"{name}.md", fmt="md:myst")
    cells, taken = [], {"install"}
    for number, cell in enumerate(read.cells):
        points, tags = cell.metadata.get("points"), cell.metadata.get("tags", [])
        own = cell.metadata.get("cell") or f"{'text' if cell.cell_type == 'markdown' else 'given'}-{number:02d}"
        if own in taken:
            raise ValueError(f"{name}: two cells are called {own!r}: give each a name of its own")
        taken.add(own)
        solution = "### BEGIN SOLUTION" in cell.source
        if cell.cell_type == "code" and points and solution:
            raise ValueError(f"{name}: cell {own!r} is a solution and a test at once: split it")
        if cell.cell_type == "markdown" and points and not solution:
            raise ValueError(f"{name}: answer {own!r} has points and no model answer: add ### BEGIN SOLUTION")
        if own == "setup":
            cells.append(nbformat.v4.new_code_cell(INSTALL, id="install", metadata={"nbgrader": {"grade": False, "grade_id": "install", "locked": True,
                                                                                                 "schema_version": 3, "solution": False, "task": False}}))
        new = nbformat.v4.new_code_cell(cell.source) if cell.cell_type == "code" else nbformat.v4.new_markdown_cell(cell.source)
        new.id = own
        if LOGIN in tags:
            new.metadata = nbformat.from_dict({"tags": [LOGIN]})
        else:
            marks = {"grade": bool(points), "grade_id": own, "locked": not solution, "schema_version": 3, "solution": solution, "task": False}
            new.metadata = nbformat.from_dict({"nbgrader": marks | ({"points": points} if points else {})})
        cells.append(new)
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL, "language_info": LANGUAGE})


def student(name):
    """The student's edition, by nbgrader's own preprocessors in nbgrader's order."""
    from nbgrader.preprocessors import (CheckCellMetadata, ClearHiddenTests, ClearMarkScheme, ClearOutput, ClearSolutions, ComputeChecksums,
                                        LockCells)
    from traitlets.config import Config

    from .settings import shared

    notebook, resources, config = instructor(name), ResourcesDict(), shared(Config())
    for step in (LockCells, ClearSolutions, ClearOutput, CheckCellMetadata, ComputeChecksums, ClearHiddenTests, ClearMarkScheme, ComputeChecksums,
                 CheckCellMetadata):
        notebook, resources = step(config=config).preprocess(notebook, resources)
    return notebook


def written(notebook):
    """Bytes that depend on the notebook alone."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def hidden_tests(notebook):
    """{name of a test cell: (the code a submission may see, the code it may not)}."""
    return {cell.metadata.nbgrader.grade_id: split(cell.source) for cell in notebook.cells
            if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")}


def split(source):
    found = re.search(rf"^{BEGIN}\n(.*?)^{END}$", source, re.DOTALL | re.MULTILINE)
    return (source, "") if found is None else (source[: found.start()] + source[found.end() :], found[1])


def write_students(folder=STUDENT):
    """Write every student's edition; return the names of those that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for name in assignments():
        path, text = folder / f"{name}.ipynb", written(student(name))
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            changed.append(name)
    return changed
