"""What Appendix C can say without being told: which cells assert a derivation, and which chapters assert a published number.

Read from the notebooks as they are; nothing is run.
"""
import ast
import json
import re
from decimal import Decimal
from typing import NamedTuple

ALGEBRA = ("sympy", "glmref.symbolic")


class Cell(NamedTuple):
    """A code cell with an assert, and where it stands."""
    id: str
    number: int  # In [number]
    section: str
    equations: tuple  # labels shown in the text since the code before; if none is, those named there
    tree: ast.Module


def asserts(node):
    return [one for one in ast.walk(node) if isinstance(one, ast.Assert)]


def asserting_cells(path):
    """The cells of a notebook that assert, in order."""
    section, shown, named, found = "", [], [], []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code":
            text = re.sub(r"^(`{3,}|~{3,})(?!\{admonition|\{prf|\{note).*?^\1\s*$", "", source, flags=re.DOTALL | re.MULTILINE)
            section = (re.findall(r"^#{1,3} +(.+)$", text, re.MULTILINE) or [section])[-1]
            shown += re.findall(r"\$\$ *\((eq:[\w-]+)\)", source)
            named += re.findall(r"\{eq\}`([\w:-]+)`", source)
            continue
        tree = ast.parse(re.sub(r"^[%!].*$", "", source, flags=re.MULTILINE))
        if asserts(tree):
            found.append(Cell(cell["id"], cell["execution_count"], section, tuple(dict.fromkeys(shown or named)), tree))
        shown, named = [], []
    return found


def title(path):
    first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
    return re.search(r"^# +(.+)$", first, re.MULTILINE)[1]


# ---- derivations ----

def names(node):
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def imported(tree):
    """The names by which sympy, or glmref's module that derives with it, is known after this cell."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.asname or alias.name for alias in node.names if alias.name.startswith(ALGEBRA))
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if f"{node.module}.{alias.name}".startswith(ALGEBRA):
                    yield alias.asname or alias.name


def bindings(tree):
    """(what is bound, from what) of every assignment, loop and function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield names(target), names(node.value)
        elif isinstance(node, ast.For | ast.comprehension):
            yield names(node.target), names(node.iter)
        elif isinstance(node, ast.FunctionDef):
            yield {node.name}, names(node)


def derivations(path):
    """[(cell, asserts that hold an expression made by sympy)] of a notebook. What sympy made is followed inside a cell,
    its functions through the chapter."""
    known, found = set(), []
    for source in ("".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"):
        known |= set(imported(ast.parse(re.sub(r"^[%!].*$", "", source, flags=re.MULTILINE))))
    for cell in asserting_cells(path):
        here, before = set(known), None
        while here != before:
            before = set(here)
            for bound, source in bindings(cell.tree):
                here |= bound if source & here else set()
        known |= {node.name for node in ast.walk(cell.tree) if isinstance(node, ast.FunctionDef) and node.name in here}
        count = sum(bool(names(one) & here) for one in asserts(cell.tree))
        if count:
            found.append((cell, count))
    return found


# ---- published numbers ----

def constants(tree):
    """The numbers written in a cell, without their signs."""
    return {abs(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, int | float)}


def written(values, numbers):
    """Whether each printed value is among the numbers, to its last digit. Small counts alone say nothing."""
    printed = [Decimal(value) for value in values.split()]
    if not any(value.as_tuple().exponent < 0 or abs(value) >= 1000 for value in printed):
        return False
    return all(any(abs(number - abs(float(value))) <= 0.5000001 * 10.0 ** value.as_tuple().exponent for number in numbers) for value in printed)


def reproductions(path, published):
    """{entry of published.toml: the cells of this notebook that assert all its numbers}, for the data that it loads."""
    cells, source = asserting_cells(path), path.read_text(encoding="utf-8")
    numbers = {cell.id: constants(cell.tree) for cell in cells}
    found = {name: [cell for cell in cells if written(entry["values"], numbers[cell.id])]
             for name, entry in published.items() if f'load(\\"{entry["data"]}\\")' in source}
    return {name: where for name, where in found.items() if where}


def quoted(path):
    """Cells that assert numbers which they call printed or published."""
    for cell in asserting_cells(path):
        for node in ast.walk(cell.tree):
            if isinstance(node, ast.Assign) and any(re.match(r"printed|published", name) for name in names(node.targets[0])):
                if len([value for value in constants(node.value) if isinstance(value, float)]) > 1:
                    yield cell
                    break
