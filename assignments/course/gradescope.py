"""The same marker in a container that marks one submission at a time. `pack` makes the zip to upload; `mark_uploaded` runs inside.

The container gives a folder (AUTOGRADER, else /autograder) with source/, submission/ and submission_metadata.json, and takes
results/results.json: the interface of Gradescope, which other systems share.
"""
import json
import os
import shutil
import sys
import zipfile
from pathlib import Path

from .editions import ROOT, SOURCES

SETUP = """#!/bin/bash
# Once, when the container is made. It needs Python 3.11 or newer: choose Ubuntu 24.04 as the base image.
set -e
apt-get update && apt-get install -y python3 python3-venv
python3 -m venv /opt/grader
/opt/grader/bin/python -m pip install -r /autograder/source/assignments/requirements.txt
chmod 700 /autograder/source
"""
RUN = """#!/bin/bash
# For each submission: as root, so that the submission can run as a user who may read nothing of the course.
export COURSE_SANDBOX=${COURSE_SANDBOX:-user}
"${GRADER:-/opt/grader/bin/python}" -c 'import sys; sys.path.insert(0, sys.argv[1]); from course.gradescope import mark_uploaded; mark_uploaded()' \\
    "${AUTOGRADER:-/autograder}/source/assignments"
"""


def pack(course, assignment, to):
    """Everything that marks this one assignment: package, source, requirements, salt."""
    files = {"setup.sh": SETUP, "run_autograder": RUN, "assignment": assignment, "salt": (Path(course) / "salt").read_text()}
    trees = [*(ROOT / "glmref").rglob("*"), *(SOURCES / "course").glob("*.py"), SOURCES / f"{assignment}.md", SOURCES / "requirements.txt", ROOT / "requirements.txt"]
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.external_attr = (0o755 if name in ("setup.sh", "run_autograder") else 0o600) << 16
            archive.writestr(entry, text)
        for path in sorted(trees):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, path.relative_to(ROOT))


def mark_uploaded():
    """Mark the one notebook under submission/ and write results.json."""
    autograder = Path(os.environ.get("AUTOGRADER", "/autograder"))
    source, results = autograder / "source", autograder / "results"
    assignment = (source / "assignment").read_text().strip()
    results.mkdir(exist_ok=True)
    try:
        result = marked(autograder, source, assignment)
    except SystemExit as refusal:
        result = {"score": 0, "output": f"The marker could not run; tell your teacher. {refusal}"}
    (results / "results.json").write_text(json.dumps({"visibility": "visible", "stdout_visibility": "hidden", **result}, indent=1))


def marked(autograder, source, assignment):
    import nbformat

    from .commands import init, generate
    from .grading import mark_all

    users = json.loads((autograder / "submission_metadata.json").read_text())["users"]
    login = users[0]["email"].partition("@")[0].lower()
    uploads = sorted((autograder / "submission").rglob("*.ipynb"))
    if len(uploads) != 1:
        return {"score": 0, "output": f"Hand in exactly one notebook; there are {len(uploads)}."}
    course = autograder / "source" / "_course"
    shutil.rmtree(course, ignore_errors=True)
    course.mkdir(mode=0o700)
    shutil.copy(source / "salt", course / "salt")

    class Given:
        pass

    given = Given()
    given.course, given.assignment = course, assignment
    init(given)
    generate(given)
    handed = course / "submitted" / login / assignment / f"{assignment}.ipynb"
    handed.parent.mkdir(parents=True)
    shutil.copy(uploads[0], handed)
    if mark_all(course, assignment, processes=1):
        return {"score": 0, "output": "This file could not be marked: is it the notebook of this assignment, saved?"}
    notebook = nbformat.read(course / "autograded" / login / assignment / f"{assignment}.ipynb", 4)
    return {"tests": list(verdicts(notebook))}


def verdicts(notebook):
    """One test a test cell, with the line of each check. Answers for a person to mark are marked in the container's own pages."""
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and marks.get("grade"):
            points = [float(output.data["text/plain"]) for output in cell.outputs if output.output_type == "execute_result"]
            said = "".join(output.text for output in cell.outputs if output.output_type == "stream")
            yield {"name": marks["grade_id"], "score": points[-1] if points else 0, "max_score": marks["points"], "output": said, "visibility": "visible"}


if __name__ == "__main__":
    sys.exit(mark_uploaded())
