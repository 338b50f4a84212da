"""Real nbgrader marks real submissions, good and hostile: each gets exactly the points it should, and nothing leaks or breaks."""
import json

import nbformat
import pytest
from conftest import THOROUGH, kinds, run
from course import editions
from course.gradebook import opened
from expected import HAND, MACHINE, MISTAKES, OWN
from submissions import FINE

NAMES = editions.assignments()
LATER = {"scripter", "forger"}  # handed in by single tests
every_assignment = pytest.mark.parametrize("name", NAMES)


def grade(course, login, name):
    """(points by machine, answers that wait for a person)."""
    with opened(course) as gradebook:
        (notebook,) = gradebook.find_submission(name, login).notebooks
        return sum(each.auto_score or 0 for each in notebook.grades), sum(each.needs_manual_grade for each in notebook.grades)


def marked(course, login, name):
    return nbformat.read(course / "autograded" / login / name / f"{name}.ipynb", 4)


def said(notebook):
    """All that the cells put out."""
    return json.dumps([cell.get("outputs", []) for cell in notebook.cells])


@every_assignment
def test_every_assignment_is_worth_what_it_says(name):
    facts = editions.facts(name)
    assert (facts["points"], facts["by_hand"]) == (MACHINE + HAND, HAND)
    assert 60 <= facts["minutes"] <= 120


@every_assignment
def test_the_instructors_solutions_get_full_marks_and_a_person_reads_the_rest(course, name):
    points, waiting = grade(course, "perfect", name)
    assert points == MACHINE and waiting >= 1
    failures = [output for cell in marked(course, "perfect", name).cells for output in cell.get("outputs", []) if output.output_type == "error"]
    assert failures == []
    assert "test you could see says" not in said(marked(course, "perfect", name))


@every_assignment
def test_a_mistake_costs_its_question_and_no_other(course, name):
    assert grade(course, "partly", name)[0] == MISTAKES[name][3]


@every_assignment
def test_an_empty_submission_gets_nothing_and_waits_for_nobody(course, name):
    assert grade(course, "empty", name) == (0, 0)


@every_assignment
def test_deleted_cells_are_put_back(course, name):
    assert grade(course, "deleted", name) == (MACHINE, 0), "all points by machine; an answer that was deleted waits for nobody"


@every_assignment
def test_a_warning_a_memory_bomb_and_two_exits_cost_only_themselves(course, name):
    assert grade(course, "survivor", name)[0] == MACHINE


@every_assignment
def test_attacks_earn_nothing(course, name):
    assert grade(course, "attacker", name) == (0, 0)
    output = said(marked(course, "attacker", name))
    assert "FOUND []" in output and "SECRETS []" in output and "PATCHED" in output
    assert "WROTE" not in output and "CONNECTED" not in output


@every_assignment
def test_numbers_of_a_neighbour_earn_nothing(course, name):
    assert grade(course, "neighbour", name)[0] == MACHINE - OWN[name]


def test_a_login_that_is_typed_decides_nothing(course):
    assert grade(course, "spoof", THOROUGH)[0] == MACHINE


@pytest.mark.parametrize("kind", FINE)
def test_a_cell_that_misbehaves_costs_only_itself(course, kind):
    assert grade(course, kind, THOROUGH)[0] == MACHINE


@pytest.mark.parametrize("kind, evidence", [("gradebook", "OperationalError"), ("reads", "FOUND []"), ("patches", "PATCHED")])
def test_each_attack_fails_alone_too(course, kind, evidence):
    assert grade(course, kind, THOROUGH) == (0, 0)
    assert evidence in said(marked(course, kind, THOROUGH)) and "WROTE" not in said(marked(course, kind, THOROUGH))


def test_an_endless_loop_costs_its_question(course):
    assert grade(course, "endless", THOROUGH)[0] == MACHINE - 4
    assert "longer than 15 s" in said(marked(course, "endless", THOROUGH))


def test_a_dead_kernel_is_named(course):
    assert "KernelDied" in said(marked(course, "osexit", THOROUGH)) and "KernelDied" in said(marked(course, "stubborn", THOROUGH))
    assert "MemoryError" in said(marked(course, "bomb", THOROUGH))


def test_a_file_that_is_no_notebook_stops_nothing_and_is_named(course, capsys):
    assert run(course, "autograde", THOROUGH, "--processes", 1) == 1
    output = capsys.readouterr().out
    assert "1 to mark" in output, "what has been marked is passed over"
    assert "NOT MARKED  broken: not a notebook" in output


def test_all_kinds_were_marked(course):
    for name in NAMES:
        assert {path.parent.parent.name for path in (course / "autograded").glob(f"*/{name}/*.ipynb")} - LATER == set(kinds(name, course))


def test_a_changed_submission_is_marked_again(course, capsys):
    path = course / "submitted" / "empty" / THOROUGH / f"{THOROUGH}.ipynb"
    before = path.read_bytes()
    try:
        path.write_bytes(before + b"\n")
        assert run(course, "autograde", THOROUGH, "--student", "empty") == 0
        assert "1 to mark" in capsys.readouterr().out
    finally:
        path.write_bytes(before)


def test_what_stands_in_a_submission_as_a_hidden_test_is_never_run(course, tmp_path):
    """A forged test cell: its text comes from a stranger and must not reach the trusted side."""
    forged = nbformat.v4.new_code_cell(f"### BEGIN HIDDEN TESTS\nopen({str(tmp_path / 'forged')!r}, 'w')\nwith check(15, 'x'): pass\n### END HIDDEN TESTS")
    notebook = editions.student(THOROUGH)
    for grade_id in ("step-test", "forged-test"):
        twin = forged.copy()
        twin.id = f"forged-{grade_id}"
        twin.metadata = nbformat.from_dict({"nbgrader": {"grade": True, "grade_id": grade_id, "locked": True, "points": 15, "schema_version": 3,
                                                         "solution": False, "task": False}})
        notebook.cells.insert(2, twin)
    from submissions import save

    save(notebook, course, "forger", THOROUGH)
    assert run(course, "autograde", THOROUGH, "--student", "forger") == 0
    assert grade(course, "forger", THOROUGH)[0] == 0
    assert not (tmp_path / "forged").exists()
