"""Python in the reader's browser: every chapter runs in it, and the page's own buttons start it. `make test-online` builds it first."""
import json
import re
import shutil
import subprocess

import live
import pytest
from notebooks import ROOT, assignments, chapters, read

from conftest import HTML

PRESSED = ["03_canonical_links", "10_gee"]
SECONDS = 540
every_chapter = pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem)


@every_chapter
def test_chapter_runs_in_the_browsers_python(path):
    """Under Node, by the program that runs the page's cells; no error, no warning. Cells that need Dask, Parquet files or the repository are left out."""
    node = shutil.which("node") or pytest.fail("Node is not installed: apt-get install nodejs")
    command = [node, ROOT / "tests" / "run_in_pyodide.mjs", HTML, path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert done.stdout, done.stderr[-2000:]
    ran = json.loads(done.stdout.splitlines()[-1])
    assert ran["failed"] == [], "\n\n".join(f"cell {one['cell']}:\n{one['source']}\n\n{one['said']}" for one in ran["failed"])
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert ran["cells"] == len(cells)
    assert ran["left_out"] == sum(any(tag.startswith("needs-") for tag in cell.metadata.get("tags", [])) for cell in cells)
    drawn = sum("image/png" in output.get("data", {}) for cell in cells for output in cell.outputs)
    assert ran["left_out"] or ran["kinds"].get("png", 0) == drawn


@pytest.mark.parametrize("path", assignments(), ids=lambda path: path.stem)
def test_an_assignment_lacks_nothing_in_the_browsers_python(path):
    """The student's edition under Node: all that is given runs, up to the first answer; nothing later fails for want of a package."""
    node = shutil.which("node") or pytest.fail("Node is not installed: apt-get install nodejs")
    done = subprocess.run([node, ROOT / "tests" / "run_in_pyodide.mjs", HTML, path], capture_output=True, text=True, timeout=SECONDS)
    failed = json.loads(done.stdout.splitlines()[-1])["failed"]
    code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    to_answer = next(cell.id for cell in code if cell.metadata.get("nbgrader", {}).get("solution"))
    order = [cell.id for cell in code]
    assert order.index(failed[0]["cell"]) >= order.index(to_answer) > 2 and "NotImplementedError" in failed[0]["said"]
    assert not [one["said"] for one in failed if re.search(r"ModuleNotFoundError|ImportError|FileNotFoundError", one["said"])]


def seconds(count):
    return count * 1000


@pytest.mark.parametrize("name", PRESSED)
def test_live_cells(context, site, name):
    """Live, Run all: every cell runs, figures keep their captions; then an edit, an error, a restart."""
    page = context.new_page()
    page.goto(f"{site}/book/{name}.html")
    page.get_by_role("button", name="Live").click()
    state = page.locator(".live-bar")
    page.wait_for_selector('.live-bar[data-state="ready"]', timeout=seconds(120))
    captions = page.locator("article figcaption").all_inner_texts()
    page.get_by_role("button", name="Run all").click()
    page.wait_for_function("[...document.querySelectorAll('div.cell')].every(cell => cell.dataset.live === 'ran')"
                           " || document.querySelector('div.cell[data-live=failed]')", timeout=seconds(SECONDS))
    assert page.locator('div.cell[data-live="failed"]').all_inner_texts() == []
    assert page.locator("article figcaption").all_inner_texts() == captions
    code = [cell for cell in read(ROOT / "book" / f"{name}.ipynb").cells if cell.cell_type == "code"]
    drawn = sum("image/png" in output.get("data", {}) for cell in code for output in cell.outputs)
    assert page.locator("article .cell_output img:not(.glmref-frames img)").count() == drawn
    page.wait_for_function("!document.querySelector('article .cell_output .math:not(:has(mjx-container))')", timeout=seconds(30))
    assert page.locator("article .cell_output table").count() > 0

    cell = page.locator("div.cell:not(.tag_hide-input):has(.live-run)").first
    cell.locator("pre[contenteditable]").click()
    page.keyboard.press("Control+A")
    page.keyboard.type("print('edited', 6 * 7)\n1 / 0")
    page.keyboard.press("Shift+Enter")
    page.wait_for_selector('.live-bar[data-state="error"]', timeout=seconds(30))
    shown = cell.locator(".cell_output").inner_text()
    assert "edited 42" in shown and "ZeroDivisionError" in shown and 'line 2' in shown

    page.get_by_role("button", name="Restart").click()
    page.wait_for_function("document.querySelector('.live-bar').dataset.state === 'ready'", timeout=seconds(120))
    assert "ready" in state.inner_text()
    assert context.elsewhere == [] and context.errors == []


def test_live_leaves_out_what_a_browser_lacks(context, site):
    """A cell that needs Dask, Parquet files or the repository says so and keeps what was printed."""
    lacking = [(path.stem, cell.id) for path in chapters() for cell in read(path).cells
               if any(tag.startswith("needs-") for tag in cell.metadata.get("tags", [])) and "remove-input" not in cell.metadata.tags]
    name = lacking[0][0]
    page = context.new_page()
    page.goto(f"{site}/book/{name}.html")
    page.get_by_role("button", name="Live").click()
    page.wait_for_selector('.live-bar[data-state="ready"]', timeout=seconds(120))
    ran = page.evaluate("(name) => fetch(`../_static/live/cells/${name}.json`).then(answer => answer.json())", name)
    assert [cell["id"] for cell in ran if cell["needs"]][0] == lacking[0][1]
    cell = page.locator(f"#cell-{name}-{lacking[0][1]}".lower())
    page.get_by_role("button", name="Run all").click()
    page.wait_for_function("(id) => ['left-out', 'failed'].includes(document.getElementById(id).dataset.live) || document.querySelector('div.cell[data-live=failed]')",
                           arg=f"cell-{name}-{lacking[0][1]}".lower(), timeout=seconds(SECONDS))
    assert cell.get_attribute("data-live") == "left-out" and page.locator('div.cell[data-live="failed"]').count() == 0


@pytest.mark.parametrize("name", PRESSED[:1])
def test_open_as_notebook(context, site, name):
    """Notebook, Run All Cells in JupyterLite: the chapter runs to its end, with no install line."""
    page = context.new_page()
    page.goto(f"{site}/book/{name}.html")
    page.get_by_role("link", name="Notebook").click()
    code = [cell for cell in read(ROOT / "book" / f"{name}.ipynb").cells if cell.cell_type == "code"]
    ready = "document.querySelectorAll('.jp-Notebook .jp-CodeCell').length > {cells} && document.querySelector('.jp-NotebookKernelStatus').innerText === ''"
    ready += " && document.querySelector('.jp-Notebook-ExecutionIndicator').dataset.status === 'idle'"
    page.wait_for_function(ready.format(cells=len(code)), timeout=seconds(120))  # before, a busy machine forgets what it is asked
    page.locator('.lm-MenuBar-itemLabel:text-is("Run")').click()
    page.locator('.lm-Menu-itemLabel:text-is("Run All Cells")').click()
    prompt = f"[{len(code)}]:"
    prompts = "[...document.querySelectorAll('.jp-InputArea-prompt')].map(one => one.innerText.trim())"
    page.wait_for_function(f"{prompts}.includes('{prompt}') || document.querySelector('.jp-OutputArea-output[data-mime-type*=error], .jp-OutputArea-output[data-mime-type*=stderr]')",
                           timeout=seconds(SECONDS))
    assert page.locator(".jp-OutputArea-output[data-mime-type*=error]").all_inner_texts() == []
    assert context.elsewhere == []


def test_open_an_assignment(context, site):
    """Notebook, on the page of an assignment."""
    page = context.new_page()
    page.goto(f"{site}/book/coursework/a5_irls.html")
    page.get_by_role("link", name="Notebook").click()
    page.wait_for_selector('.jp-Notebook h1:has-text("Assignment 5")', timeout=seconds(120))
    assert context.elsewhere == []


def test_live_says_what_it_needs_when_opened_from_disk(context):
    page = context.new_page()
    page.goto((HTML / "book" / f"{PRESSED[0]}.html").as_uri())
    page.get_by_role("button", name="Live").click()
    assert "http.server" in page.locator(".live-bar").inner_text()
    assert context.errors == []


# ---- what it is made of ----

def test_pyodide_is_the_official_one():
    """Each file that the site serves is a file of the release, a wheel of live/wheels.txt, or glmref; the lock agrees."""
    folder, official = HTML / "lite" / "static" / "pyodide", live.checksums()
    pinned = (ROOT / "live" / "wheels.txt").read_text(encoding="utf-8")
    lock = json.loads((folder / live.LOCK).read_text(encoding="utf-8"))
    for name, package in lock["packages"].items():
        found = live.digest(folder / package["file_name"])
        assert found == package["sha256"], name
        assert name == "glmref" or official.get(package["file_name"]) == found or found in pinned, name
    for name in official.keys() - {live.LOCK}:
        assert live.digest(folder / name) == official[name]
    assert {"glmref", "formulaic", "sympy", "comm"} <= lock["packages"].keys()


def test_a_damaged_release_is_refused(tmp_path, monkeypatch):
    """Fetched or copied: a file whose checksum differs stops the build."""
    source, name = tmp_path / "release", "six-1.16.0-py2.py3-none-any.whl"
    source.mkdir()
    monkeypatch.setattr(live, "checksums", lambda: {name: live.digest(HTML / "lite" / "static" / "pyodide" / name)})
    shutil.copy(HTML / "lite" / "static" / "pyodide" / name, source)
    live.official_files(tmp_path / "copied", source)
    live.official_files(tmp_path / "fetched", None, source.as_uri() + "/")
    assert (tmp_path / "copied" / name).read_bytes() == (tmp_path / "fetched" / name).read_bytes()
    (source / name).write_bytes(b"damaged")
    for again in ({"source": source}, {"release": source.as_uri() + "/"}):
        with pytest.raises(SystemExit, match=re.escape(f"{name} is not the official file")):
            live.official_files(tmp_path / "again", **again)
        assert not (tmp_path / "again" / name).exists()
