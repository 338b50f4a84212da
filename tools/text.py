"""A chapter as text (MyST Markdown), and back: `text.py to-text 06`, edit _text/06_irls.md, `text.py to-notebook 06`.

On the way back, cells whose text did not change keep their id, and code cells their outputs. A text without a notebook
becomes a new chapter. Run it afterwards: make run CHAPTER=06.
"""
import argparse
import sys
from difflib import SequenceMatcher

import jupytext

from notebooks import BOOK, ROOT, chapters, normalize, read, write

TEXT = ROOT / "_text"


def to_text(number):
    TEXT.mkdir(exist_ok=True)
    for path in chapters(number):
        text = TEXT / f"{path.stem}.md"
        notebook = read(path)
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)
        text.write_text(jupytext.writes(notebook, fmt="md:myst"), encoding="utf-8")
        print(f"{text.relative_to(ROOT)} written; edit it, then: make untext CHAPTER={number or path.stem}")


def to_notebook(number):
    texts = [path for path in sorted(TEXT.glob("*.md"))
             if number is None or path.stem == number or path.stem.split("_")[0] == number.zfill(2)]
    if not texts:
        sys.exit(f"No text of chapter {number or ''} in _text/: write one there (say _text/09_clustered_data.md), or: make text CHAPTER=09")
    for text in texts:
        path = BOOK / f"{text.stem}.ipynb"
        new = jupytext.reads(text.read_text(encoding="utf-8"), fmt="md:myst")
        normalize(new)
        kept = keep(read(path).cells, new.cells) if path.exists() else 0
        write(new, path)
        print(f"{path.relative_to(ROOT)} written: {len(new.cells)} cells, {kept} unchanged. Now: make run CHAPTER={text.stem.split('_')[0]}")


def keep(old, new):
    """Give ids and outputs of old cells to the new cells that say the same; edited cells keep their id only."""
    def say(cells):
        return [(cell.cell_type, cell.source) for cell in cells]

    for cell in new:
        cell.id = ""
    unchanged = 0
    for change, i, i_end, j, j_end in SequenceMatcher(None, say(old), say(new), autojunk=False).get_opcodes():
        if change == "equal" or (change == "replace" and i_end - i == j_end - j):
            for before, after in zip(old[i:i_end], new[j:j_end]):
                if before.cell_type == after.cell_type:
                    after.id = before.get("id", "")
                if change == "equal" and before.cell_type == "code":
                    after.outputs, after.execution_count = before.outputs, before.execution_count
            unchanged += (i_end - i) * (change == "equal")
    return unchanged


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("direction", choices=["to-text", "to-notebook"])
    parser.add_argument("chapter", nargs="?", help="number or name; all when absent")
    asked = parser.parse_args()
    {"to-text": to_text, "to-notebook": to_notebook}[asked.direction](asked.chapter)


if __name__ == "__main__":
    main()
