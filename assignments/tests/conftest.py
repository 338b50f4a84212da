"""One course for all tests: every assignment, every kind of submission, marked once by the real command, in parallel."""
import os
import sys

import pytest
from course import editions
from course.commands import main
from course.roster import key_of, read_salt
from expected import MISTAKES
from submissions import FINE, GRADEBOOK, PATCHES, READS, replaced, save, solved, typed, with_cells, without_tests

THOROUGH = "a5_irls"  # each hostile cell in a submission of its own; in the other assignments they come together
CELL_SECONDS = "15"
SALT = "0123456789abcdef" * 2  # the same data in every run: by chance a neighbour's number may agree to four digits


def run(course, *arguments):
    """A command's exit status."""
    with pytest.raises(SystemExit) as end:
        main(["--course", str(course), *map(str, arguments)])
    return end.value.code


def kinds(name, course):
    """{login: notebook} of one assignment."""
    perfect, empty, salt = solved(name), editions.student(name), read_salt(course)
    attacks = {"gradebook": GRADEBOOK.format(course=str(course)), "patches": PATCHES,
               "reads": READS.format(prefix=sys.prefix, base=sys.base_prefix)}
    neighbour = ("perfect", key_of("perfect", salt))
    made = {
        "perfect": perfect,
        "partly": typed(replaced(perfect, *MISTAKES[name][:3]), *neighbour, tagged=True),  # another login, which decides nothing
        "empty": empty,
        "deleted": without_tests(perfect),
        "survivor": with_cells(perfect, *(FINE[kind] for kind in ("warning", "bomb", "sysexit", "osexit"))),
        "attacker": with_cells(empty, *attacks.values()),
        "neighbour": typed(perfect, *neighbour, tagged=False),
    }
    if name == THOROUGH:
        made |= {kind: with_cells(perfect, cell) for kind, cell in FINE.items()}
        made["spoof"] = typed(perfect, *neighbour, tagged=True)
        made |= {kind: with_cells(empty, cell) for kind, cell in attacks.items()}
        made["endless"] = replaced(perfect, "weights", None, "while True:\n    pass")
    return made


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    """The folder of a course in which everything has been handed in and marked."""
    folder = tmp_path_factory.mktemp("glm") / "course"
    assert run(folder, "init") is None
    (folder / "salt").write_text(SALT)
    os.environ["COURSE_CELL_SECONDS"] = CELL_SECONDS
    logins = set()
    for name in editions.assignments():
        assert run(folder, "generate", name) is None
        for login, notebook in kinds(name, folder).items():
            save(notebook, folder, login, name)
            logins.add(login)
    broken = folder / "submitted" / "broken" / THOROUGH / f"{THOROUGH}.ipynb"
    broken.parent.mkdir(parents=True)
    broken.write_text("this is no notebook")
    roster = folder / "roster.csv"
    roster.write_text("login,first,last,email,lms_id\n" + "".join(f"{login},Ada,{login.title()},{login}@example.org,{100 + k}\n" for k, login in enumerate(sorted(logins | {"broken"}))))
    assert run(folder, "roster", roster) is None
    for name in editions.assignments():
        assert run(folder, "autograde", name, "--processes", os.cpu_count()) == int(name == THOROUGH)  # 1: 'broken' is named
    return folder
