"""What is done to a submission before it runs: lost cells come back, and text that a browser would obey becomes text."""
import copy
import re
from pathlib import Path

import nbformat
from nbgrader.preprocessors import NbGraderPreprocessor

PICTURES = ("image/png", "image/jpeg")


class PutBack(NbGraderPreprocessor):
    """A cell of the release that the submission lost stands again behind its old neighbour. (nbgrader's own way knows tests only, and
    fails where a text stands before one.) A student's code is not put back: an empty answer could hide one written elsewhere."""

    def preprocess(self, notebook, resources):
        about = resources["nbgrader"]
        course = Path(about["db_url"].removeprefix("sqlite:///").partition("?")[0]).parent
        path = course / "release" / about["assignment"] / f"{about['assignment']}.ipynb"
        released = nbformat.v4.reads(path.read_text(encoding="utf-8")).cells
        names = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in released} - {None}
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") not in names:
                cell.metadata.pop("nbgrader", None)   # a test or an answer that the course never set: an ordinary cell
        own = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells]
        at = 0
        for cell in released:
            marks = cell.metadata.get("nbgrader", {})
            name = marks.get("grade_id")
            if name in own:
                at = own.index(name) + 1
            elif name and not (marks["solution"] and cell.cell_type == "code"):
                notebook.cells.insert(at, copy.deepcopy(cell))
                own.insert(at, name)
                at += 1
        return notebook, resources


class Disarm(NbGraderPreprocessor):
    """No tag, no script and no entity in what a student wrote: markers and students read it in a browser. Formulas stay as they are."""

    def preprocess_cell(self, cell, resources, index):
        if cell.cell_type != "code" and not cell.metadata.get("nbgrader", {}).get("locked"):
            cell.source = disarmed(cell.source)
            if cell.cell_type == "raw":
                cell.metadata.pop("format", None)
                cell.metadata.pop("raw_mimetype", None)
            if "attachments" in cell:
                cell.attachments = {name: {kind: data for kind, data in files.items() if kind in PICTURES} for name, files in cell.attachments.items()}
        return cell, resources


def disarmed(text):
    text = re.sub(r"<(?=[a-zA-Z/!?])", "< ", text)               # "< b" is no tag, and still less than
    text = re.sub(r"&(?=#?\w+;)", "& ", text)
    return re.sub(r"(?i)(java|vb)script[\s\\]*:", r"\1script ", text)
