"""The chapters as notebooks for a reader elsewhere: plain Markdown, with numbers, references and citations as on the pages.

Every number is taken from the built page, so that a notebook cannot disagree with it. The first cell makes `import glmref`
work anywhere: it installs the wheel beside the notebook, or the one on the book's own site (`html.baseurl` in _config.yml), with
the extras that the chapter needs. A cell that needs what is not there, as its tags say, is shown and not run.
`write_notebooks()` puts them, the wheel and a zip of all into _build/html/notebooks.
"""
import re
import shutil
import sys
from functools import cache
from pathlib import Path

import nbformat
import yaml
from bs4 import BeautifulSoup
from pybtex.database import parse_file

from build_book import BUILD
from notation import macros
from notebooks import BOOK, ROOT, chapters, read, write

sys.path.insert(0, str(BOOK / "_ext"))
from citations import surnames  # noqa: E402

HTML = BUILD / "html"
FOLDER = HTML / "notebooks"
ROLE = re.compile(r"\{\{?([a-z][\w:-]*)\}\}?`([^`]+)`")
FENCE = re.compile(r"^(`{3,}|:{3,}|~{3,})(?:\{([\w:-]+)\}(.*))?\s*$")
SETUP = '''# Makes `import glmref` work where this notebook runs.
try:
    import {imports}
except ImportError:
    import glob
    wheel = (glob.glob("glmref-*.whl") or [{address!r}])[0]
    assert wheel, "Put the file {wheel}, which came with this notebook, beside it."
    %pip install --quiet "glmref[{extras}] @ {{wheel if '://' in wheel else __import__('pathlib').Path(wheel).resolve().as_uri()}}"'''

EXTRAS = {"dask": "distributed", "parquet": "pyarrow"}  # what a cell may need: the package behind it
REPOSITORY = frozenset({"repository"})  # what no notebook has that was downloaded
WORDS = {"dask": "Dask", "parquet": "Parquet files", "openblas": "OpenBLAS", "repository": "a file of the book's repository"}
BROWSER = frozenset(WORDS)  # nor one in a browser
SHOWN = "*This cell needs {needs}, so it is shown and not run here.*\n\n```python\n{source}\n```"


# ---- what the pages say ----

@cache
def page(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@cache
def bibliography():
    return parse_file(str(BOOK / "references.bib")).entries


@cache
def said():
    """{id on a page: how the book refers to it}: '(1.3)', 'Figure 2.1', 'Theorem 4.2'; first what links say, then boxes' own titles."""
    names = {}
    for path in sorted(HTML.glob("book/*.html")):
        for link in page(path).select("article a.reference[href*='#']"):
            names.setdefault(link["href"].rpartition("#")[2], link.get_text())
        for box in page(path).select("article div.admonition[id] > .admonition-title > .caption-number"):
            names[box.find_parent("div")["id"]] = box.get_text().strip()
        for formula in page(path).select("article div.math[id] > .eqno"):
            names[formula.parent["id"]] = re.search(r"\([\w.]+\)", formula.get_text())[0]
    return names


def identifier(label):
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")


def named(label, else_say=None):
    for spelled in (f"equation-{identifier(label)}", label, identifier(label)):
        if spelled in said():
            return said()[spelled]
    if else_say is None:
        raise LookupError(f"no page says what {label!r} is called: build the book first")
    return else_say


def cited(kind, keys):
    works = []
    for key in keys.split(","):
        entry = bibliography()[key.strip()]
        works.append((surnames(entry), entry.fields["year"]))
    if kind == "cite:t":
        return ", ".join(f"{who} ({year})" for who, year in works)
    return "(" + "; ".join(f"{who}, {year}" for who, year in works) + ")"


def role(match):
    kind, text = match.groups()
    shown, _, target = text.rpartition("<")
    if kind.startswith("cite"):
        return cited(kind, text)
    if kind == "math":
        return f"${text}$"
    if kind == "chapter":
        return re.sub("intro", "introduction", text)
    if target:
        target, shown = (target.rstrip(">"), shown.strip()) if shown else (text, "")
    return shown or named(target)


# ---- Markdown without directives ----

def spelled_out(meaning):
    """In braces, so that an accent takes all of it; operators and superscripts must stay as they are."""
    return meaning + " " if meaning.startswith(("\\operatorname", "^")) else f"{{{meaning}}}"


def expand(text):
    """The book's macros, spelled out."""
    pattern = re.compile(r"\\(%s)(?![a-zA-Z])" % "|".join(sorted(macros(), key=len, reverse=True)))
    formula = re.compile(r"\$\$[^$]+\$\$|\$[^$]+\$|\\begin\{(\w+\*?)\}.+?\\end\{\1\}", re.DOTALL)
    return formula.sub(lambda one: pattern.sub(lambda macro: spelled_out(macros()[macro[1]]), one[0]), text)


def plain(text, where):
    """A Markdown cell's text. where: the chapter, for messages."""
    return "\n".join(blocks(text.split("\n"), where))


def blocks(lines, where):
    at = 0
    while at < len(lines):
        fence = FENCE.match(lines[at])
        if not fence:
            yield line_of_text(lines[at])
            at += 1
            continue
        end = next((k for k in range(at + 1, len(lines)) if re.fullmatch(rf"{re.escape(fence[1])}{fence[1][0]}*\s*", lines[k])), len(lines))
        body = lines[at + 1:end]
        yield from directive(fence[2], fence[3].strip(), body, where) if fence[2] else lines[at:end + 1]
        at = end + 1


def line_of_text(line):
    if re.fullmatch(r"\([\w:-]+\)=\s*", line):
        return ""
    return ROLE.sub(role, re.sub(r"\$\$\s*\(([\w:-]+)\)\s*$", lambda label: rf"\tag{{{named(label[1]).strip('()')}}} $$", line))


def directive(name, argument, body, where):
    options = {}
    while body and (option := re.match(r":([\w-]+):\s*(.*)$", body[0])):
        options[option[1]] = option[2]
        body = body[1:]
    text = list(blocks(body, where))
    if name in ("exercise", "prf:theorem", "prf:definition", "admonition"):
        number = f"{named(options['label'])} " if "label" in options else ""
        title = ROLE.sub(role, argument)
        yield f"**{(number + (f'({title})' if number and title else title)).strip()}**"
        yield from ["", *text]
    elif name == "prf:proof":
        yield from ["*Proof.*", *text, "", "∎"]
    elif name in ("solution", "solution-start"):
        yield f"**Solution of {named(argument).lower()}.**"
        yield from ["", *text]
    elif name == "solution-end":
        yield "*End of the solution.*"
    elif name == "literalinclude":
        yield from ["```python", *included(BOOK / argument, options), "```"]
        if "caption" in options:
            yield from ["", f"*{ROLE.sub(role, options['caption'])}*"]
    elif name == "explore":  # its program is the page's
        yield from ["*On the book's page a figure to move stands here. What it shows:*", "", *text]
    elif name == "container":
        yield from ["", *text, ""]
    else:
        raise LookupError(f"{where}: tools/reader.py does not know the directive {{{name}}}; say there what becomes of it")


def included(path, options):
    """The lines of a literalinclude, chosen by pyobject or lines."""
    from sphinx.pycode import ModuleAnalyzer

    lines = path.read_text(encoding="utf-8").splitlines()
    if "pyobject" in options:
        _, first, last = ModuleAnalyzer.for_file(str(path), "").find_tags()[options["pyobject"]]
        lines = lines[first - 1:last]
    if "lines" in options:
        chosen = []
        for part in options["lines"].split(","):
            first, dash, last = part.strip().partition("-")
            chosen += lines[int(first) - 1:(int(last) if last else len(lines)) if dash else int(first)]
        lines = chosen
    return lines


# ---- notebooks ----

def baseurl():
    address = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["html"].get("baseurl", "")
    return address.rstrip("/") + "/" if address else ""


def needs(cell):
    """What a cell says that it needs: {"dask", "parquet", "openblas", "repository"} or some of them."""
    return {tag.removeprefix("needs-") for tag in cell.metadata.get("tags", []) if tag.startswith("needs-")}


def reader_notebook(path, wheel, lacking=REPOSITORY):
    """The chapter as a reader's notebook, for a place that lacks some of what its cells may need."""
    notebook = read(path)
    address = f"{baseurl()}notebooks/{wheel}" if baseurl() else ""
    extras = sorted((set().union(*map(needs, notebook.cells)) & EXTRAS.keys()) - lacking)
    for cell in notebook.cells:
        missing = sorted(needs(cell) & lacking)
        tags = set(cell.metadata.get("tags", []))
        cell.pop("attachments", None)
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type == "markdown":
            cell.source = expand(plain(cell.source, path.stem))
            continue
        cell.source = ROLE.sub(role, cell.source)
        if missing:
            named = " and ".join(WORDS[need] for need in missing)
            cell.cell_type, cell.source = "markdown", SHOWN.format(needs=named, source=cell.source)
            del cell["outputs"], cell["execution_count"]
            continue
        cell.outputs, cell.execution_count = [], None
        if {"hide-input", "remove-input"} & tags:
            cell.metadata = nbformat.from_dict({"jupyter": {"source_hidden": True}})
    imports = ", ".join([*(EXTRAS[extra] for extra in extras), "glmref"])  # pandas, imported before pyarrow is there, would not see it
    setup = SETUP.format(address=address, wheel=wheel, imports=imports, extras=",".join([*extras, "plots"]))
    notebook.cells.insert(1, nbformat.v4.new_code_cell(setup, id="setup"))
    return notebook


def write_notebooks(wheel):
    """Notebooks, the wheel, and a zip of both; returns the folder."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    shutil.copy(wheel, FOLDER)
    for path in chapters():
        write(reader_notebook(path, Path(wheel).name), FOLDER / path.name)
    shutil.make_archive(str(BUILD / "notebooks"), "zip", FOLDER)
    shutil.move(BUILD / "notebooks.zip", FOLDER / "glm-notebooks.zip")
    return FOLDER
