"""The notebooks to download, where nothing but Python and Jupyter's kernel is installed: their first cell brings the rest."""
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from notebooks import ROOT, chapters, read
from reader import FOLDER, expand, needs, plain

from conftest import HTML

RAW = re.compile(r"\{[a-z][a-z:-]*\}`[^`]*`|^(?:`{3,}|:{3,})\{", re.MULTILINE)
every_chapter = pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem)


def only_kernel(folder):
    """An environment that holds ipykernel and what that needs, in the versions of requirements.txt."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = Path(folder) / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", ROOT / "requirements.txt", "ipykernel", "setuptools"], check=True)
    return python


@pytest.fixture(scope="session")
def bare(tmp_path_factory):
    """The bare environment's kernel, as a folder that Jupyter finds kernels in."""
    folder = tmp_path_factory.mktemp("bare")
    python = only_kernel(folder / "venv")
    kernel = folder / "jupyter" / "kernels" / "bare"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text('{"argv": ["%s", "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": "bare", "language": "python"}' % python)
    has_glmref = subprocess.run([python, "-c", "import glmref"], capture_output=True, cwd=folder)
    assert b"ModuleNotFoundError" in has_glmref.stderr
    return folder


@every_chapter
def test_nothing_is_left_to_resolve(path):
    """No role or directive of MyST, no macro of the book, and the same cells in the same order."""
    there = read(FOLDER / path.name)
    said = "\n\n".join(cell.source for cell in there.cells if cell.cell_type == "markdown")
    assert RAW.findall(said) == []
    assert [cell.id for cell in there.cells if cell.id != "setup"] == [cell.id for cell in read(path).cells]
    assert there.cells[1].id == "setup"
    code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert sum(cell.cell_type == "code" for cell in there.cells) == 1 + sum("repository" not in needs(cell) for cell in code)


def test_all_notebooks_run_where_only_their_first_cell_installs(bare, tmp_path, monkeypatch):
    """In a folder that holds what the zip holds, one after the other in one environment: the first installs, later ones what they need beyond."""
    with zipfile.ZipFile(FOLDER / "glm-notebooks.zip") as archive:
        archive.extractall(tmp_path)
    monkeypatch.setenv("JUPYTER_PATH", str(bare / "jupyter"))
    monkeypatch.setenv("PIP_CONSTRAINT", str(ROOT / "requirements.txt"))
    for path in sorted(tmp_path.glob("*.ipynb")):
        notebook = nbformat.read(path, 4)
        NotebookClient(notebook, kernel_name="bare", timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
        complaints = [output.text for cell in notebook.cells for output in cell.get("outputs", []) if output.get("name") == "stderr"]
        assert complaints == [], path.stem


def test_download_button(context, site):
    page = context.new_page()
    page.goto(f"{site}/book/06_irls.html")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_bytes() == (HTML / "notebooks" / "06_irls.ipynb").read_bytes()
    assert context.elsewhere == [] and context.errors == []


def test_plain_markdown():
    """What it makes of a theorem with a reference and a macro."""
    text = plain("```{prf:theorem} Grouped and ungrouped\n:label: thm-comp-group\nSee {cite:t}`nelder1972`.\n```", "01")
    assert re.fullmatch(r"\*\*Theorem \d+\.\d+ \(Grouped and ungrouped\)\*\*\n\nSee Nelder and Wedderburn \(1972\)\.", text), text
    assert expand(r"$\hat\bbeta$ and $\X\T$") == r"$\hat{\boldsymbol{\beta}}$ and ${\mathbf{X}}^{\mathsf{T}} $"
    with pytest.raises(LookupError, match="no page says"):
        plain("{numref}`fig-that-is-not-there`", "01")
