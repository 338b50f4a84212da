"""Appendix D: every public name stands on the page, and the example in its docstring runs and prints what it says."""
import dataclasses
import doctest
import inspect
import re
import warnings
from functools import cache, cached_property
from importlib import import_module
from importlib.util import find_spec

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest
from notebooks import BOOK, ROOT, chapters, read

import glmref
from glmref import correlation, families, links, plots

PAGE = (BOOK / "appendix_d_reference.md").read_text(encoding="utf-8")
LISTED = (glmref, families, links, correlation, plots)  # their names are those of __all__
OPEN = ("checking", "datasets", "diagnostics", "envelopes", "information", "partial", "profiles", "sandwich", "smoothing", "symbolic")
LONGEST = 12  # lines of a docstring, without its example
LONG = re.compile(r"\d\.\d{6,}|e-1\d")  # more digits than every machine agrees on, or a zero up to rounding


def names(page=PAGE):
    """The full names on the page, in its order."""
    found = []
    for owner, lines in re.findall(r"^```\{reference\} (\S+)\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        given = [line.partition(":")[0].strip() for line in lines.splitlines() if line.strip()]
        found += [owner if name == "." else f"{owner}.{name}" for name in given]
    return found


def named(name):
    """What the package calls so, and only else a module of that name; None where there is neither."""
    parts = name.split(".")
    thing = import_module(parts[0])
    for k, part in enumerate(parts[1:], start=2):
        if not hasattr(thing, part) and find_spec(".".join(parts[:k])) is None:
            return None
        thing = getattr(thing, part) if hasattr(thing, part) else import_module(".".join(parts[:k]))
    return thing


NAMES = names()
SHOWN = {name: named(name) for name in NAMES}


def prose_and_example(thing):
    text = inspect.cleandoc(thing.__doc__ or "")
    prose, _, example = text.partition(">>> ")
    return prose.rstrip(), example and ">>> " + example


def documents(thing):
    return inspect.isfunction(thing) or isinstance(thing, property | cached_property | classmethod)


def members(cls):
    """The public methods and properties that a class is the first to have, of those on the page."""
    above = [base for base in cls.__mro__[1:] if base in SHOWN.values()]
    own = [base for base in cls.__mro__ if base.__module__.startswith("glmref") and base not in above]
    return [name for base in own for name, value in vars(base).items() if not name.startswith("_") and documents(value)
            and not any(hasattr(base, name) or name in inspect.get_annotations(base) for base in above)]


def public():
    """What must stand on the page: pairs of a full name and the thing."""
    for package in LISTED:
        yield from ((f"{package.__name__}.{name}", getattr(package, name)) for name in package.__all__)
    for module in (import_module(f"glmref.{name}") for name in OPEN):
        yield module.__name__, module
        yield from ((f"{module.__name__}.{name}", value) for name, value in vars(module).items()
                    if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__)
    for path in chapters():
        for cell in read(path).cells:
            if cell.cell_type == "code":
                yield from imported(cell.source)


def imported(source):
    for module, what in re.findall(r"^ *from (glmref[\w.]*) import (\([^)]*\)|[^\n]*)", source, re.MULTILINE):
        for name in re.findall(r"\w+", what):
            yield f"{module}.{name}", named(f"{module}.{name}")


def missing(found, shown=SHOWN):
    """Names that the page lacks. What has no docstring of its own, a constant, must be met in its module's example."""
    for name, thing in found:
        if thing is not None and (inspect.ismodule(thing) or inspect.isclass(thing) or inspect.isroutine(thing)):
            if not any(thing is other for other in shown.values()):
                yield name
        elif not re.search(rf"\b{name.rpartition('.')[2]}\b", prose_and_example(named(name.rpartition(".")[0]))[1]):
            yield name


def test_every_public_name_stands_on_the_page():
    assert sorted(set(missing(public()))) == [], "write its example, and its line in book/appendix_d_reference.md"


def test_every_member_stands_on_the_page():
    absent = [f"{name}.{member}" for name, cls in SHOWN.items() if inspect.isclass(cls)
              for member in members(cls) if f"{name}.{member}" not in SHOWN]
    assert absent == [], "write its example, and its line in book/appendix_d_reference.md"


def test_no_name_stands_twice_or_leads_nowhere():
    assert sorted({name for name in NAMES if NAMES.count(name) > 1}) == []
    assert [name for name, thing in SHOWN.items() if thing is None] == []


@pytest.mark.parametrize("name", NAMES)
def test_docstring_is_short_and_has_an_example(name):
    prose, example = prose_and_example(SHOWN[name])
    assert prose and example, "an example, >>> and what it prints, ends the docstring"
    assert len(re.findall("^>>> ", example, re.MULTILINE)) <= (6 if name == "glmref" else 4)
    assert LONG.findall(example) == [], "round what is printed"
    assert inspect.ismodule(SHOWN[name]) or len(prose.splitlines()) <= LONGEST


@pytest.mark.parametrize("name", [name for name, thing in SHOWN.items() if inspect.isclass(thing)])
def test_every_field_is_named(name):
    cls = SHOWN[name]
    fields = [field.name for field in dataclasses.fields(cls)] if dataclasses.is_dataclass(cls) else getattr(cls, "_fields", ())
    said = prose_and_example(cls)[0]
    assert [field for field in fields if not field.startswith("_") and not re.search(rf"\b{field}\b", said)] == []


def failures(text, names):
    """What doctest complains of, and names afterwards."""
    said, test = [], doctest.DocTestParser().get_doctest(text, names, "example", None, None)
    doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(test, out=said.append, clear_globs=False)
    return "".join(said), test.globs


@cache
def begun():
    return failures(prose_and_example(glmref)[1], {})


@pytest.mark.parametrize("name", NAMES)
def test_example_runs(name):
    """As a reader runs it: after the lines of the package, of its module and of its class."""
    complaints, known = begun()
    known = dict(known)
    parts = name.split(".")
    scopes = [".".join(parts[:k]) for k in range(2, len(parts) + 1)]
    with warnings.catch_warnings(), matplotlib.rc_context():
        for scope in scopes:
            if scope == name or scope in SHOWN:
                found, known = failures(prose_and_example(SHOWN[scope])[1], known)
                complaints += found
    plt.close("all")
    assert not complaints, complaints


def test_the_built_page_has_every_name():
    page = ROOT / "_build/html/book/appendix_d_reference.html"
    if not page.exists():
        pytest.skip("the book is not built: make book")
    there = set(re.findall(r'<dt class="sig[^>]* id="([^"]+)"', page.read_text(encoding="utf-8")))
    assert set(NAMES) - there == set()


# ---- the checks above can fail ----

def test_a_missing_name_is_found():
    lacking = {name: thing for name, thing in SHOWN.items() if name not in ("glmref.glm", "glmref.links")}
    assert {"glmref.glm", "glmref.links"} <= set(missing(public(), lacking))
    assert list(missing([("glmref.links.PALE", None)])) == ["glmref.links.PALE"]


def test_a_wrong_output_is_found():
    assert failures(">>> 1 + 1\n2", {})[0] == "" and "Expected:" in failures(">>> 1 + 1\n3", {})[0]
    assert LONG.search("0.1234567") and LONG.search("[1.2e-16]") and not LONG.search("-0.11560")
