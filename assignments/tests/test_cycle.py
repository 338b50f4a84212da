"""The steps around marking: roster, collecting, feedback, marks by hand in a real browser, grades, a container, refusals."""
import csv
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import nbformat
import pytest
from conftest import THOROUGH, run
from course import collecting, editions, sandbox
from course.gradebook import opened
from course.marking import NoAnswer, Sheet, equivalent, expression
from course.repair import disarmed
from course.roster import key_of, read_salt
from expected import HAND, MACHINE
from submissions import save, solved

from glmref import coursework

ANSWER = "meaning"  # the cell of every assignment that a person marks
BY_HAND = "warning"  # whose answer is marked here; those of the others keep waiting


# ---- roster and keys ----

def test_each_student_gets_a_key_that_works_and_is_no_one_elses(course):
    with open(course / "keys.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["key"] for row in rows}) == len(rows) > 10
    for row in rows[:5]:
        assert row["key"] == key_of(row["login"], read_salt(course))
        coursework.data(THOROUGH, row["login"], row["key"])
    assert oct((course / "keys.csv").stat().st_mode)[-3:] == oct((course / "salt").stat().st_mode)[-3:] == "600"


def test_another_salt_makes_other_keys():
    assert key_of("ada", "one") != key_of("ada", "two")


@pytest.mark.parametrize("text, complaint", [("name\nada\n", "column 'login'"), ("login\nada\nADA\n", "stands there twice"), ("login\n../ada\n", "is no login"),
                                             ("", "column 'login'"), ("login\na b\n", "is no login")])
def test_a_roster_that_cannot_be_used_is_refused(course, tmp_path, text, complaint):
    (tmp_path / "roster.csv").write_text(text)
    assert complaint in run(course, "roster", tmp_path / "roster.csv")


def test_a_course_that_is_not_there_is_named(tmp_path):
    assert "make one with 'init'" in run(tmp_path / "none", "autograde", THOROUGH)


# ---- collecting ----

@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """A course of three students."""
    folder = tmp_path_factory.mktemp("three") / "course"
    assert run(folder, "init") is None
    roster = folder / "roster.csv"
    roster.write_text("login,first,last,email,lms_id\nada,Ada,Lovelace,ada@example.org,501\nbob,Bob,Ross,,502\ncy,Ada,Young,,\n")
    assert run(folder, "roster", roster) is None
    return folder


@pytest.fixture
def small(three):
    """The same, with nothing handed in."""
    shutil.rmtree(three / "submitted", ignore_errors=True)
    return three


def zipped(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, json.dumps({"from": name}))
    return path


@pytest.mark.parametrize("names, owner", [
    (["lovelaceada_501_9001_hw.ipynb"], "ada"), (["lovelaceada_LATE_501_9001_hw.ipynb"], "ada"), (["Bob Ross_4711_assignsubmission_file/hw.ipynb"], "bob"),
    (["cy/whatever.ipynb"], "cy"), (["deep/folder/cy.ipynb"], "cy"), (["lovelaceada_501_9001_hw.ipynb", "lovelaceada_501_9002_hw-1.ipynb"], "ada"),
])
def test_the_owner_of_an_upload_is_found(small, tmp_path, names, owner):
    taken, unknown = collecting.from_zip(small, THOROUGH, zipped(tmp_path / "x.zip", *names))
    assert (taken, unknown) == ([owner], [])
    assert json.loads((small / "submitted" / owner / THOROUGH / f"{THOROUGH}.ipynb").read_text())["from"] == names[-1]


def test_an_upload_without_a_certain_owner_is_named_and_nothing_is_written_outside(small, tmp_path, capsys):
    path = zipped(tmp_path / "x.zip", "ada/ok.ipynb", "someone_999_1_hw.ipynb", "../../escape.ipynb", "notes.txt")
    assert run(small, "collect", THOROUGH, "--zip", path) == 1
    output = capsys.readouterr().out
    assert "1 submissions collected" in output and "someone_999_1_hw.ipynb" in output and "escape.ipynb" in output
    assert sorted(path.name for path in (small / "submitted").iterdir()) == ["ada"]


# ---- feedback ----

def test_feedback_says_what_was_right_and_shows_no_test_scheme_or_solution(course):
    assert run(course, "feedback", THOROUGH) is None
    page = re.sub(r"\s+", " ", (course / "feedback" / "partly" / THOROUGH / f"{THOROUGH}.html").read_text(encoding="utf-8"))
    assert "a step from another point" in page and "the weights must follow the current guess" in page
    for cell in editions.instructor(THOROUGH).cells:
        _, hidden = editions.split(cell.source)
        for line in [*hidden.splitlines(), *re.findall(r"=== BEGIN MARK SCHEME ===\n(.*?)=== END", cell.source, re.DOTALL)]:
            if len(line) > 30 and "check(" not in line:
                assert re.sub(r"\s+", " ", line.strip())[:40] not in page, line
    assert "BEGIN HIDDEN" not in page and "MARK SCHEME" not in page and read_salt(course) not in page


def test_a_script_in_an_answer_does_not_reach_the_page(course):
    notebook = solved(THOROUGH)
    next(cell for cell in notebook.cells if cell.id == ANSWER).source = "fine <script>window.taken = 1</script><img src=x onerror='window.taken = 2'>"
    notebook.cells.append(nbformat.v4.new_code_cell("from IPython.display import HTML\nHTML('<script>window.taken = 3</script>')"))
    save(notebook, course, "scripter", THOROUGH)
    assert run(course, "autograde", THOROUGH, "--student", "scripter") == 0
    assert run(course, "feedback", THOROUGH) is None
    page = (course / "feedback" / "scripter" / THOROUGH / f"{THOROUGH}.html").read_text(encoding="utf-8")
    assert "<script>window.taken" not in page and not re.search(r"<img[^>]*onerror", page)


@pytest.mark.parametrize("text", ["<script>x</script>", "<img src=x onerror=x>", "[a](javascript:x)", r"[a](javascript\:x)", "[a](&#106;avascript:x)", "<javascript:x>", "</td>", "<!-- x"])
def test_text_that_a_browser_would_obey_becomes_text(text):
    from nbconvert.filters.markdown_mistune import markdown2html_mistune

    made = markdown2html_mistune(disarmed(text))
    assert not re.search(r"<(script|img|a |!--|/td)|javascript:", made), made


@pytest.mark.parametrize("text", ["$a<1$ and $b > 2$", r"$$\begin{aligned} a & b \\ c & d \end{aligned}$$", "> said", "a < b", "**bold**, `x < y`"])
def test_mathematics_is_left_alone(text):
    assert disarmed(text) == text


# ---- marks by hand, in nbgrader's own pages, to the exported grades ----

def chromium():
    named = os.environ.get("CHROMIUM")
    return named if named and os.path.exists(named) else next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture
def formgrader(course):
    """nbgrader's pages, served from the course."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"JUPYTER_TOKEN": "only-for-this-test", "JUPYTER_CONFIG_DIR": str(course / "jupyter"), "JUPYTER_RUNTIME_DIR": str(course / "runtime")}
    server = subprocess.Popen([sys.executable, str(editions.SOURCES / "manage.py"), "--course", str(course), "formgrader", "--port", str(port)], env=environment,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=5)
                break
            except OSError:
                time.sleep(1)
        yield f"http://127.0.0.1:{port}/formgrader", "?token=only-for-this-test"
    finally:
        os.killpg(server.pid, 9)
        server.wait()


def test_a_mark_given_by_hand_in_a_browser_reaches_the_grades(course, formgrader, tmp_path):
    if chromium() is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Chromium is not installed: apt-get install chromium, or set CHROMIUM=/path/to/chromium")
    from playwright.sync_api import sync_playwright

    with opened(course) as gradebook:
        submission = gradebook.find_submission(THOROUGH, BY_HAND).notebooks[0].id
    address, token = formgrader
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        page = browser.new_page()
        page.goto(f"{address}/manage_assignments{token}")
        page.wait_for_selector(f"text={THOROUGH}", timeout=60_000)
        page.goto(f"{address}/submissions/{submission}")
        box = page.locator("input.score[id]").last
        box.wait_for(timeout=60_000)
        assert "roughly doubles" in page.content(), "the mark scheme stands beside the answer"
        with page.expect_response(lambda response: "/api/grade/" in response.url and response.request.method == "PUT"):
            box.fill("4")
            box.dispatch_event("change")
        page.screenshot(path=str(tmp_path / "formgrader.png"), full_page=True)
        if os.environ.get("COURSE_SCREENSHOT"):
            shutil.copy(tmp_path / "formgrader.png", os.environ["COURSE_SCREENSHOT"])
        browser.close()
    assert run(course, "export", "--to", tmp_path / "grades.csv") is None
    assert run(course, "export", "--format", "canvas", "--to", tmp_path / "canvas.csv") is None
    with open(tmp_path / "grades.csv", newline="") as file:
        rows = {row["login"]: row for row in csv.DictReader(file)}
    assert (float(rows[BY_HAND][THOROUGH]), rows[BY_HAND][f"{THOROUGH}/open"]) == (MACHINE + 4, "no")
    assert (float(rows["spoof"][THOROUGH]), rows["spoof"][f"{THOROUGH}/open"]) == (MACHINE, "yes")
    assert float(rows["empty"][THOROUGH]) == 0 and float(rows[BY_HAND][f"{THOROUGH}/max"]) == MACHINE + HAND
    assert rows["broken"][THOROUGH] == "" or float(rows["broken"][THOROUGH]) == 0
    with open(tmp_path / "canvas.csv", newline="") as file:
        table = list(csv.reader(file))
    assert table[0][:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"] and table[1][0].strip() == "Points Possible"
    (line,) = [row for row in table if row[3] == BY_HAND]
    assert line[0] == f"{BY_HAND.title()}, Ada" and float(line[table[0].index(THOROUGH)]) == MACHINE + 4


# ---- a container that marks one submission ----

def uploaded(course, tmp_path, notebooks, login="perfect"):
    """results.json of a container to which these notebooks were handed in."""
    home = tmp_path / "autograder"
    (home / "source").mkdir(parents=True)
    (home / "submission").mkdir()
    assert run(course, "gradescope", THOROUGH, "--to", tmp_path / "marker.zip") is None
    with zipfile.ZipFile(tmp_path / "marker.zip") as archive:
        archive.extractall(home / "source")
    (home / "submission_metadata.json").write_text(json.dumps({"users": [{"email": f"{login}@example.org"}]}))
    for number, notebook in enumerate(notebooks):
        (home / "submission" / f"upload {number}.ipynb").write_text(nbformat.writes(notebook))
    environment = os.environ | {"AUTOGRADER": str(home), "GRADER": sys.executable, "COURSE_SANDBOX": "bwrap"}
    subprocess.run(["bash", home / "source" / "run_autograder"], env=environment, check=True, capture_output=True)
    return json.loads((home / "results" / "results.json").read_text())


def test_a_container_gives_the_same_points(course, tmp_path):
    results = uploaded(course, tmp_path, [solved(THOROUGH)])
    assert sum(test["score"] for test in results["tests"]) == sum(test["max_score"] for test in results["tests"]) == MACHINE
    assert all("1 of 1" in test["output"] or "2 of 2" in test["output"] for test in results["tests"])
    assert "BEGIN HIDDEN" not in json.dumps(results) and results["stdout_visibility"] == "hidden"


def test_a_container_wants_exactly_one_notebook(course, tmp_path):
    assert "exactly one notebook" in uploaded(course, tmp_path, [])["output"]


# ---- refusals and readers of strangers' text ----

def test_without_a_sandbox_nothing_is_run(course, monkeypatch, tmp_path):
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    for path, reason in ((str(tmp_path), "No permissions to create new namespace"), ("", "bwrap is not installed")):
        monkeypatch.setenv("PATH", path)
        sandbox.kind.cache_clear()
        try:
            with pytest.raises(SystemExit) as refusal:
                sandbox.kind()
        finally:
            sandbox.kind.cache_clear()
        assert reason in str(refusal.value) and "COURSE_SANDBOX=user" in str(refusal.value)


def test_the_container_way_refuses_where_it_cannot_protect(monkeypatch, tmp_path):
    """Not root, or a Python that the other user may not run: said before anything is run."""
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    shutil.copy(sys.executable, hidden / "python")
    monkeypatch.setenv("COURSE_SANDBOX", "user")
    monkeypatch.setattr(sandbox.sys, "executable", str(hidden / "python"))
    sandbox.kind.cache_clear()
    try:
        with pytest.raises(SystemExit, match="needs root|nobody cannot run"):
            sandbox.kind()
    finally:
        sandbox.kind.cache_clear()


@pytest.mark.parametrize("text", ["__import__('os').system('true')", "x.__class__", "9**9**9", "lambda: 1", "open('/etc/passwd')", "(" * 5000, "x" * 5000 + "*", "exp(x, evaluate=False)",
                                  "+".join(["x"] * 500), "unknown + x", "'a'*10**9"])
def test_an_expression_is_read_without_running_it(text):
    import sympy as sp

    with pytest.raises(NoAnswer):
        expression(text, {"x": sp.Symbol("x")})


def test_equivalence_is_mathematical():
    import sympy as sp

    x = sp.Symbol("x")
    assert equivalent(expression("exp(x)/(1 + exp(x))**2", {"x": x}), 1 / (1 + sp.exp(-x)) * 1 / (1 + sp.exp(x)))
    assert equivalent(sp.sin(x) ** 2 + sp.cos(x) ** 2, sp.Integer(1))
    assert not equivalent(x + sp.Rational(1, 10**12), x)
    assert not equivalent(sp.zoo * x, x) and not equivalent(sp.nan * x, x)


def test_a_check_that_cannot_use_an_answer_gives_no_points_and_goes_on():
    sheet = Sheet()
    with sheet.check(1, "first"):
        raise ZeroDivisionError
    with sheet.check(2, "second"):
        pass
    assert (sheet.points, sheet.possible) == (2, 3) and "0 of 1: first" in sheet.lines[0]


def test_the_sandbox_has_no_network_no_course_and_little_memory():
    kernel = sandbox.Kernel()
    try:
        outputs = kernel.run("import os\nprint(sorted(os.listdir('/opt/course')), os.path.exists('/etc/shadow'), os.getuid())\nx = bytearray(10**11)", 60)
    finally:
        kernel.close()
    assert outputs[0].text == f"['answers.py', 'glmref'] False {sandbox.NOBODY}\n"
    assert outputs[1].ename == "MemoryError"
    assert not Path(kernel.room).exists()
