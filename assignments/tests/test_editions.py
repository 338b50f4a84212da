"""The editions: made from one source, always the same bytes, the same in the book, in nbgrader's release and in the table of the page."""
import re

import nbformat
import pytest
from course import editions
from course.editions import ROOT

NAMES = editions.assignments()
every_assignment = pytest.mark.parametrize("name", NAMES)


def test_there_are_eight_and_they_cover_chapters_1_to_12():
    assert len(NAMES) >= 8
    assert set(range(1, 13)) <= {chapter for name in NAMES for chapter in editions.facts(name)["chapters"]}


@every_assignment
def test_the_students_edition_in_the_book_is_that_of_the_source(name):
    committed = (editions.STUDENT / f"{name}.ipynb").read_text(encoding="utf-8")
    assert committed == editions.written(editions.student(name)), "out of date: python assignments/manage.py editions"
    assert committed == editions.written(editions.student(name)), "a second time, other bytes"


def test_nothing_stands_in_the_book_that_has_no_source():
    assert sorted(path.stem for path in editions.STUDENT.glob("*.ipynb")) == NAMES


@every_assignment
def test_nbgrader_releases_the_same_cells(course, name):
    released = nbformat.read(course / "release" / name / f"{name}.ipynb", 4)
    ours = editions.student(name)
    assert [(cell.cell_type, cell.source, cell.metadata) for cell in released.cells] == [(cell.cell_type, cell.source, cell.metadata) for cell in ours.cells]


@every_assignment
def test_every_kind_of_work_is_asked_for(name):
    """A function on unseen data, numbers on one's own, mathematics, a figure, and an answer for a person with a scheme."""
    cells = editions.instructor(name).cells
    hidden = "\n".join(code for _, code in editions.hidden_tests(editions.instructor(name)).values())
    for needed in ("student.call(", "own", "equivalent(", "labelled(", "shows("):
        assert needed in hidden, needed
    assert any("=== BEGIN MARK SCHEME ===" in cell.source for cell in cells)
    by_hand = [cell for cell in cells if cell.cell_type == "markdown" and cell.metadata.nbgrader.grade]
    assert by_hand and all("### BEGIN SOLUTION" in cell.source for cell in by_hand)


@every_assignment
def test_every_test_has_a_part_that_helps_and_a_part_that_decides(name):
    for cell, (visible, hidden) in editions.hidden_tests(editions.instructor(name)).items():
        assert "assert" in visible and "with check(" in hidden, cell


@every_assignment
def test_points_in_the_text_are_those_of_the_tests(name):
    cells = editions.instructor(name).cells
    said = sum(int(points) for cell in cells for points in re.findall(r"^## Question .*\((\d+) points", cell.source, re.MULTILINE))
    assert said == editions.facts(name)["points"]
    assert f"There are {said} points" in " ".join(cells[0].source.split())


@every_assignment
def test_plain_markdown_that_any_notebook_shows(name):
    """No role, directive or macro of the book: Jupyter, Colab and feedback pages know none."""
    for cell in editions.student(name).cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"\{[a-z:]+\}`|^:::|^```\{", cell.source, re.MULTILINE), cell.id
            assert not re.search(r"\\(bbeta|bmu|beeta|vx|vy|vz|X|W|T|E|P|var|logit|diag|info)(?![a-zA-Z])", cell.source), cell.id


@every_assignment
def test_the_page_tells_the_truth(name):
    facts = editions.facts(name)
    (row,) = [line for line in (ROOT / "book" / "coursework.md").read_text(encoding="utf-8").splitlines() if f"`coursework/{name}`" in line]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    chapters = f"chapter{'s' * (len(facts['chapters']) > 1)} {' and '.join(map(str, facts['chapters']))}"
    assert cells[1:4] == [facts["teaches"], f"{chapters}, {facts['minutes']} minutes", f"{facts['points']}, of them {facts['by_hand']} by hand"]


@every_assignment
def test_the_manual_has_a_section(name):
    manual = (editions.SOURCES / "MANUAL.md").read_text(encoding="utf-8")
    facts = editions.facts(name)
    assert f"### {name[1]}. {facts['title']} (`{name}`, {facts['minutes']} minutes)" in manual
