"""What every tool knows about the chapters: where they are, how they are read and written, and their one normal form.

In normal form a notebook's bytes depend on its sources and outputs alone: running it twice changes nothing, and an
edited paragraph is one changed line.
"""
import hashlib
import re
import sys
from pathlib import Path

import nbformat

from pictures import shrink

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python", "pygments_lexer": "ipython3"}


def chapters(number=None):
    """The notebooks of the book, or those whose file name starts with this number ('06') or name ('intro')."""
    found = sorted(BOOK.glob("*.ipynb"))
    if number is None:
        return found
    chosen = [path for path in found if path.stem == number or path.stem.split("_")[0] == number.zfill(2)]
    if not chosen:
        sys.exit(f"No chapter {number} in book/. There are: {', '.join(path.stem for path in found) or 'none yet'}.")
    return chosen


def assignments():
    """The students' editions of the coursework."""
    return sorted((BOOK / "coursework").glob("*.ipynb"))


def read(path):
    return nbformat.v4.reads(path.read_text(encoding="utf-8"))  # as it is: nbformat.read would repair it silently


def write(notebook, path):
    normalize(notebook)
    nbformat.validate(notebook)
    path.write_text(nbformat.writes(notebook).rstrip("\n") + "\n", encoding="utf-8", newline="\n")


def normalize(notebook):
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    taken = set()
    for cell in notebook.cells:
        cell.source = cell.source.strip("\n")
        cell.metadata.pop("execution", None)
        cell.id = stable_id(cell, taken)
        if cell.cell_type == "code":
            cell.outputs = merge_streams(cell.outputs)
            shrink(cell)


def stable_id(cell, taken):
    """The cell's own id when it is valid and free, otherwise one derived from what the cell says."""
    own = cell.get("id", "")
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", own) or own in taken:
        own = derived = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        twin = 1
        while own in taken:
            twin += 1
            own = f"{derived}-{twin}"
    taken.add(own)
    return own


def merge_streams(outputs):
    """Text that a kernel happened to send in several pieces becomes one piece."""
    merged = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged
