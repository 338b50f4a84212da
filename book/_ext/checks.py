"""The tables of Appendix C, made anew whenever the book is built: ```{derivations}```, ```{oracles}``` and ```{published}```.

Each directive writes Markdown from what evidence.py finds in the chapters and from the records that the tests own. A link
to a code cell needs no label in the chapter: every cell of a notebook gets one here.
"""
import json
import tomllib
from itertools import groupby
from math import floor, log10
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from evidence import derivations, quoted, reproductions, title
from glmbook import chapter_number
from sphinx.util.docutils import SphinxDirective

ORACLES = {  # files of tests/oracles: what is compared
    "glm": "generalized linear models",
    "high_precision": "the same at forty digits",
    "overdispersed": "negative binomial, quasi and Tweedie models",
    "overdispersed_precise": "the same at forty digits, and Tweedie densities",
    "gee": "generalized estimating equations",
    "gee_statsmodels": "generalized estimating equations",
    "sandwich": "robust covariances",
    "separation": "which coefficients are infinite",
    "mixed": "the mixed model of chapter 12",
    "nist": "certified regressions",
}
NOT_COMPARED = {"jsonlite"}  # it writes the file
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NO_UNIT = ("absolute", "in errors")  # measures that are neither relative nor in standard errors


# ---- links to cells ----

def label_of(page, cell):
    return f"cell-{page}-{cell}".lower()


def label_cells(app, doctree):
    """Let every code cell of a notebook be a target of {ref}."""
    page = app.env.docname
    path = Path(app.env.doc2path(page))
    if path.suffix != ".ipynb":
        return
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for node in doctree.findall(nodes.container):
        if node.get("nb_element") == "cell_code":
            label = label_of(path.stem, cells[node["cell_index"]]["id"])
            node["ids"].append(label)
            app.env.domains["std"].anonlabels[label] = (page, label)


def linked(path, cells):
    return ", ".join(f"{{ref}}`cell {cell.number} <{label_of(path.stem, cell.id)}>`" for cell in cells)


# ---- Markdown ----

def table(head, rows, style=""):
    lines = [" | ".join(cells) for cells in (head, ["---"] * len(head), *rows)]
    marked = [f"| {line} |" for line in lines]
    return [f":::{{container}} {style}", "", *marked, "", ":::", ""] if style else ["", *marked, ""]


def dropdown(heading, lines):
    return [f"::::{{dropdown}} {heading}", *lines, "::::", ""]


def many(count, word):
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def power(x):
    """1e-09 is '10⁻⁹', 2.3e-12 is '2 × 10⁻¹²' (with spaces that do not break), 20 is '20'."""
    if x == 0 or 0.1 <= x < 1000:
        return f"{x:.3g}"
    exponent = floor(log10(x))
    digit = round(x / 10**exponent)
    digit, exponent = (1, exponent + 1) if digit == 10 else (digit, exponent)
    ten = f"10{str(exponent).translate(SUPERSCRIPT)}"
    return ten if digit == 1 else f"{digit}\u00a0×\u00a0{ten}"


def software(stored):
    """Who computed an oracle, from the file itself."""
    versions = stored.get("versions") or {"mpmath": stored["mpmath"]} if "sets" not in stored else {"NIST": "StRD"}
    return ", ".join(f"{name} {version}" for name, version in versions.items() if name not in NOT_COMPARED)


# ---- what the directives say ----

def derivations_lines(notebooks):
    found = {path: derivations(path) for path in notebooks}
    found = {path: cells for path, cells in found.items() if cells}
    cells, held = sum(map(len, found.values())), sum(count for one in found.values() for _, count in one)
    yield from [f"The {many(len(found), 'notebook')} of the book hold {many(cells, 'such cell')} with {many(held, 'assert')} of this kind.", ""]
    for path, rows in found.items():
        number = chapter_number(path.stem)
        where = f"Chapter {number}" if isinstance(number, int) else f"Appendix {number}" if number else title(path)
        lines = []
        for section, group in groupby((cell for cell, _ in rows), key=lambda cell: cell.section):
            parts = [linked(path, [cell]) + "".join(f" {{eq}}`{label}`" for label in cell.equations) for cell in group]
            lines.append(f"- **{section}**: " + "; ".join(parts))
        yield from dropdown(f"{where}: {many(len(rows), 'cell')}, {many(sum(count for _, count in rows), 'assert')}", lines)


def oracles_lines(record, folder):
    stored = {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in record}
    order = [name for name in ORACLES if name in record]
    largest = {name: max(row["difference"] for row in record[name]["compared"] if not row["measure"].startswith(NO_UNIT)) for name in order}
    yield from [f"The tests compare {many(sum(one['cases'] for one in record.values()), 'stored case')}.", ""]
    yield from table(
        ["Compared with", "Cases", "Differs at most by"],
        [[f"{software(stored[name])}: {ORACLES[name]}", str(record[name]["cases"]), power(largest[name])] for name in order],
    )
    for name in order:
        lines = [f"- **{row['quantity']}**, {row['measure']}: {power(row['difference'])}; tolerance {power(row['tolerance'])}, {many(row['cases'], 'case')}"
                 for row in record[name]["compared"]]
        yield from dropdown(f"{name}: {ORACLES[name]}, {many(record[name]['cases'], 'case')}", lines)


def published_lines(notebooks, published, bibliography):
    where, seen = {name: [] for name in published}, set()
    for path in notebooks:
        number = chapter_number(path.stem)
        for name, cells in reproductions(path, published).items():
            where[name] += [f"{{ref}}`chapter {number} <{label_of(path.stem, cells[0].id)}>`"] if isinstance(number, int) else []
            seen |= {cell.id for cell in cells}
    total = sum(len(entry["values"].split()) for entry in published.values())
    yield from [f"The record holds {many(total, 'printed number')} in {len(published)} groups.", ""]
    rows = []
    for name, entry in sorted(published.items(), key=lambda item: item[1]["data"]):
        source = f"{{cite:t}}`{entry['source']}`" if f"{{{entry['source']}," in bibliography else entry["source"]
        numbers = entry["values"].split()
        shown = " ".join(numbers[:4]).replace("-", "−") + (" …" if len(numbers) > 4 else "")
        rows.append([entry["data"], f"{source}: {entry['what']}", shown, ", ".join(where[name]) or "a test only"])
    yield from table(["Data", "Published", "Numbers", "Asserted in"], rows, "stack plain")
    new = [linked(path, [cell]) for path in notebooks for cell in quoted(path) if cell.id not in seen]
    if new:
        yield from ["Asserted by a chapter, and not yet in this record: " + ", ".join(new) + ".", ""]


# ---- the directives ----

class Generated(SphinxDirective):
    """Markdown made from the notebooks of the book and from records; the page is read again when one of them changes."""

    def notebooks(self):
        """Those with a number or a letter, chapters first."""
        paths = [Path(self.env.doc2path(page)) for page in self.env.found_docs]
        numbered = [path for path in paths if path.suffix == ".ipynb" and chapter_number(path.stem)]
        return self.watch(*sorted(numbered, key=lambda path: (path.stem.startswith("appendix"), path.stem)))

    def watch(self, *paths):
        for path in paths:
            self.env.note_dependency(str(path))
        return list(paths)

    def at_root(self, name):
        return self.watch(Path(self.env.srcdir) / name)[0]

    def run(self):
        parent = nodes.container()
        self.state.nested_parse(StringList(list(self.lines()), source=self.env.docname), self.content_offset, parent)
        return parent.children


class Derivations(Generated):
    def lines(self):
        return derivations_lines(self.notebooks())


class Oracles(Generated):
    def lines(self):
        record = json.loads(self.at_root("tests/agreement.json").read_text(encoding="utf-8"))
        self.watch(*(self.at_root("tests/oracles") / f"{name}.json" for name in record))
        return oracles_lines(record, self.at_root("tests/oracles"))


class Published(Generated):
    def lines(self):
        published = tomllib.loads(self.at_root("tests/published.toml").read_text(encoding="utf-8"))
        return published_lines(self.notebooks(), published, self.at_root("book/references.bib").read_text(encoding="utf-8"))


def setup(app):
    app.add_directive("derivations", Derivations)
    app.add_directive("oracles", Oracles)
    app.add_directive("published", Published)
    app.connect("doctree-read", label_cells)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
