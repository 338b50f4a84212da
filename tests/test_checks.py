"""Appendix C's records are what the tests see now, and its tables find what stands in the chapters."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from agreement import HERE, RECORD, Comparison, summary, within
from notebooks import BOOK, ROOT
from published import PUBLISHED, reproduces

sys.path.insert(0, str(BOOK / "_ext"))
import checks  # noqa: E402
import evidence  # noqa: E402

FILES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((HERE / "oracles").glob("*.json"))}
STORED = json.loads(RECORD.read_text(encoding="utf-8"))
ROUNDING = 1e-13  # differences below are chance


def number_of_cases(stored):
    return sum(len(stored[key]) for key in ("cases", "sets", "negative_binomial", "tweedie") if key in stored)


# ---- oracles ----

def test_every_stored_case_is_compared():
    assert {name: record["cases"] for name, record in STORED.items()} == {name: number_of_cases(stored) for name, stored in FILES.items()}
    assert set(checks.ORACLES) == set(FILES)


def test_the_record_is_what_the_tests_see(tmp_path):
    """Measured again: the same rows and tolerances; differences of the same order, for their last digits belong to the machine."""
    again = tmp_path / "again.json"
    done = subprocess.run([sys.executable, HERE / "agreement.py", again], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    now = json.loads(again.read_text(encoding="utf-8"))

    def rows(record):
        return [(oracle, *(row[key] for key in ("quantity", "measure", "tolerance", "cases"))) for oracle in record for row in record[oracle]["compared"]]

    def differences(record):
        return [max(row["difference"], ROUNDING) for oracle in record for row in record[oracle]["compared"]]

    remedy = "write the record anew: python tests/agreement.py"
    assert rows(now) == rows(STORED), remedy
    strange = [row for row, new, old in zip(rows(now), differences(now), differences(STORED)) if not 1 / 30 <= new / old <= 30]
    assert strange == [], remedy


def test_a_difference_is_seen_and_measured():
    within(1e-9, [1.0, 0.0], [1.0, 0.0], "x", "none", "equal")
    for got, want in ([1.0, 2e-9], [1.0, 0.0]), ([1.0, float("nan")], [1.0, 0.0]), ([1e-300], [0.0]):
        with pytest.raises(AssertionError, match="differs from none"):
            within(1e-9, got, want, "x", "none", "apart")
    with pytest.raises(AssertionError, match="shape"):
        within(1e-9, [1.0], [1.0, 2.0], "x", "none", "apart")
    seen = [Comparison("one", case, "x", "relative", 1e-9, difference) for case, difference in (("a", 1e-12), ("a", 2.34e-11), ("b", 0.0))]
    row = {"quantity": "x", "measure": "relative", "tolerance": 1e-9, "cases": 2, "difference": 2.3e-11}
    assert summary(seen) == {"one": {"cases": 2, "compared": [row]}}


# ---- published numbers ----

def test_every_published_number_is_reproduced_by_a_test():
    """A test that reproduces an entry that is not there fails by itself."""
    used = set(re.findall(r'reproduces\(\s*"([^"]+)"', (HERE / "test_datasets.py").read_text(encoding="utf-8")))
    assert sorted(set(PUBLISHED) - used) == []
    assert all(set(entry) == {"data", "source", "what", "values"} for entry in PUBLISHED.values())


def test_a_wrong_digit_fails():
    printed = [float(value) for value in PUBLISHED["respiratory"]["values"].split()]
    reproduces("respiratory", printed)
    for wrong in ([*printed[:-1], printed[-1] + 6e-5], printed[:-1], [float("nan"), *printed[1:]]):
        with pytest.raises(AssertionError, match="respiratory"):
            reproduces("respiratory", wrong)


# ---- what is read from the chapters ----

SMALL = [
    ("markdown", "# A chapter"),
    ("code", "import sympy as sp\nfrom glmref import datasets\nassert 1"),
    ("markdown", "## A derivation\n\n$$ a = b $$ (eq:small)\n\nand {eq}`eq:other`"),
    ("code", "x = sp.Symbol('x')\nslope = x.diff(x)\nassert slope == 1\nassert 2 > 1\ndef zero(f):\n    return sp.simplify(f) == 0"),
    ("markdown", "## Another\n\nBy {eq}`eq:small`:\n\n```python\n# no heading\n```"),
    ("code", "assert zero(0)"),
    ("code", "slope = 2\nassert slope == 2"),
    ("code", 'd = datasets.load("cars")\nprinted = [-1.25, 3.5]\nassert list(d.coef.round(2)) == printed'),
]


@pytest.fixture
def chapter(tmp_path):
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    cells = [make[kind](source, id=f"id{place}") for place, (kind, source) in enumerate(SMALL)]
    for number, cell in enumerate(cell for cell in cells if cell.cell_type == "code"):
        cell.execution_count = number + 1
    path = tmp_path / "07_small.ipynb"
    path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)), encoding="utf-8")
    return path


def test_asserts_of_algebra_are_found_and_others_are_not(chapter):
    found = [(cell.id, cell.number, cell.section, cell.equations, count) for cell, count in evidence.derivations(chapter)]
    assert found == [("id3", 2, "A derivation", ("eq:small",), 1), ("id5", 3, "Another", ("eq:small",), 1)]


@pytest.mark.parametrize("values, there", [("-1.25 3.5", True), ("-1.3 3.5", True), ("1.25 3.51", False), ("2", False)])
def test_published_numbers_are_found_where_they_are_asserted(chapter, values, there):
    assert ("x" in evidence.reproductions(chapter, {"x": {"data": "cars", "values": values}})) == there
    assert evidence.reproductions(chapter, {"x": {"data": "crabs", "values": values}}) == {}
    assert [cell.id for cell in evidence.quoted(chapter)] == ["id7"]


def test_what_the_tables_say(chapter):
    text = "\n".join(checks.derivations_lines([chapter]))
    assert "2 such cells with 2 asserts" in text and "Chapter 7: 2 cells, 2 asserts" in text
    assert "- **A derivation**: {ref}`cell 2 <cell-07_small-id3>` {eq}`eq:small`" in text
    entry = {"data": "cars", "source": "ezekiel1930", "what": "a line", "values": "-1.25 3.5"}
    text = "\n".join(checks.published_lines([chapter], {"x": entry}, "@book{ezekiel1930,"))
    assert "| cars | {cite:t}`ezekiel1930`: a line | −1.25 3.5 | {ref}`chapter 7 <cell-07_small-id7>` |" in text
    assert "not yet in this record" not in text
    text = "\n".join(checks.published_lines([chapter], {"x": entry | {"values": "9.75"}}, ""))
    assert "| ezekiel1930: a line | 9.75 | a test only |" in text and "not yet in this record: {ref}`cell 5" in text


@pytest.mark.parametrize("x, said", [(0.0, "0"), (1e-9, "10⁻⁹"), (2.3e-12, "2\u00a0×\u00a010⁻¹²"), (9.7e-12, "10⁻¹¹"), (20, "20"), (1.0, "1")])
def test_powers_of_ten(x, said):
    assert checks.power(x) == said


# ---- the built page ----

def test_the_page_links_to_every_cell_that_it_counts():
    page = ROOT / "_build/html/book/appendix_c_checks.html"
    if not page.exists():
        pytest.skip("the book is not built: make book")
    links = re.findall(r'href="([\w.]+)#(cell-[\w.-]+)"', page.read_text(encoding="utf-8"))
    notebooks = [path for path in BOOK.glob("*.ipynb") if checks.chapter_number(path.stem) and f"{path.stem}.html" in {file for file, _ in links}]
    counted = {(f"{path.stem}.html", checks.label_of(path.stem, cell.id)) for path in notebooks for cell, _ in evidence.derivations(path)}
    assert len(counted) > 100 and counted <= set(links)
    for file, anchor in links:
        assert f'id="{anchor}"' in Path(page.parent / file).read_text(encoding="utf-8"), anchor


def test_the_record_of_published_numbers_reads_alike_everywhere():
    assert tomllib.loads((HERE / "published.toml").read_text(encoding="utf-8")) == PUBLISHED
