"""The chapters are in order, and the checks that say so can fail."""
import io
import subprocess
import sys

import jupytext
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from check_notebooks import faults
from notebooks import ROOT, chapters, normalize, read, write
from PIL import Image
from pictures import with_palette
from run_chapter import ChapterFailed, execute
from text import keep

CHAPTER = '''# A small chapter

```{code-cell}
1.25 + 1
```

```{code-cell}
from IPython.display import HTML, Markdown
Markdown(f"The odds fall by **{0.79:.2f}** a degree.")
```

```{code-cell}
HTML(f"<p>deviance {16.5:.1f}</p><img alt='one dot' src='data:image/png;base64,AAAA'>")
```

```{code-cell}
print("slope", 3)
```
'''


@pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem)
def test_chapter_is_in_order(path):
    assert faults(read(path)) == []


@pytest.fixture(scope="module")
def small_chapter(tmp_path_factory):
    path = tmp_path_factory.mktemp("book") / "small.ipynb"
    notebook = jupytext.reads(CHAPTER, fmt="md:myst")
    execute(notebook, folder=path.parent)
    write(notebook, path)
    return path


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def failures_of_nbval(path):
    """Indices of the code cells that nbval rejects, run as `make test` runs it."""
    from prove import COMPARE

    done = subprocess.run([sys.executable, "-m", "pytest", *COMPARE, str(path), "-rA", "-p", "no:cacheprovider", "-c", "pyproject.toml"],
                          cwd=ROOT, capture_output=True, text=True)
    verdicts = [line for line in done.stdout.splitlines() if line.startswith(("PASSED ", "FAILED "))]
    assert len(verdicts) == 4, done.stdout
    return sorted(int(line.partition("::Cell ")[2].split()[0]) for line in verdicts if line.startswith("FAILED"))


def test_executed_chapter_passes(small_chapter):
    assert faults(read(small_chapter)) == []
    assert failures_of_nbval(small_chapter) == []


def test_planted_numbers_fail(small_chapter):
    notebook = read(small_chapter)
    number, sentence, html, printed = code_cells(notebook)
    number.outputs[0].data["text/plain"] = "2.26"
    sentence.outputs[0].data["text/markdown"] = sentence.outputs[0].data["text/markdown"].replace("0.79", "0.78")
    html.outputs[0].data["text/html"] = html.outputs[0].data["text/html"].replace("16.5", "16.4")
    printed.outputs[0].text = "slope 4\n"
    planted = small_chapter.with_name("planted.ipynb")
    write(notebook, planted)
    assert failures_of_nbval(planted) == [0, 1, 2, 3]


def test_a_picture_inside_html_may_differ(small_chapter):
    notebook = read(small_chapter)
    html = code_cells(notebook)[2].outputs[0].data
    html["text/html"] = html["text/html"].replace("AAAA", "BBBB")
    other = small_chapter.with_name("other_picture.ipynb")
    write(notebook, other)
    assert failures_of_nbval(other) == []


def strip(cell):
    cell.outputs, cell.execution_count = [], None


def swap_order(cell):
    cell.execution_count = 7


def write_to_stderr(cell):
    cell.outputs = [nbformat.v4.new_output("stream", name="stderr", text="Warning: overflow")]


def draw_unlabelled(cell):
    cell.outputs[0]["data"]["image/png"] = "AAAA"


def draw_svg(cell):
    cell.outputs[0]["data"]["image/svg+xml"] = "<svg/>"


def show_img_without_alt(cell):
    cell.outputs[0]["data"]["text/html"] = '<img src="data:image/png;base64,AAAA">'


def fail(cell):
    cell.outputs = [nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])]


def name_a_folder(cell):
    cell.outputs[0]["data"]["text/plain"] = "'/home/ada/book/data.csv'"


def time_it(cell):
    cell.metadata["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00Z"}


def look_away(cell):
    cell.metadata["tags"] = ["nbval-skip"]


@pytest.mark.parametrize("spoil, complaint", [
    (strip, "was not run"), (swap_order, "run the chapter from the top"), (write_to_stderr, "stderr"),
    (draw_unlabelled, "without an alternative text"), (draw_unlabelled, "without a caption"), (draw_svg, "SVG"),
    (show_img_without_alt, "<img>"), (fail, "ended in ValueError"), (name_a_folder, "absolute path"),
    (time_it, "timing"), (look_away, "look away"),
])
def test_guard_can_fail(small_chapter, spoil, complaint):
    notebook = read(small_chapter)
    spoil(code_cells(notebook)[0])
    assert any(complaint in fault for fault in faults(notebook)), faults(notebook)


def test_guard_sees_a_repeated_id(small_chapter):
    notebook = read(small_chapter)
    notebook.cells[2].id = notebook.cells[1].id
    assert any("more than once" in fault for fault in faults(notebook))


def test_running_twice_gives_the_same_bytes(small_chapter):
    before = small_chapter.read_bytes()
    notebook = read(small_chapter)
    execute(notebook, folder=small_chapter.parent)
    again = small_chapter.with_name("again.ipynb")
    write(notebook, again)
    assert again.read_bytes() == before


def test_a_failing_cell_is_named():
    notebook = jupytext.reads("```{code-cell}\nx = 1\n```\n\n```{code-cell}\nx / 0\n```\n", fmt="md:myst")
    with pytest.raises(ChapterFailed, match=r"(?s)cell 1 .*ZeroDivisionError: division by zero.*x / 0"):
        execute(notebook, folder=ROOT)


def test_editing_text_keeps_ids_and_outputs(small_chapter):
    old = read(small_chapter)
    text = jupytext.writes(read(small_chapter), fmt="md:myst")
    new = jupytext.reads(text.replace("A small chapter", "A renamed chapter").replace('"slope", 3', '"slope", 4'), fmt="md:myst")
    normalize(new)
    assert keep(old.cells, new.cells) == len(old.cells) - 2
    assert [cell.id for cell in new.cells] == [cell.id for cell in old.cells]
    *kept, edited = code_cells(new)
    assert all(cell.outputs and cell.execution_count for cell in kept)
    assert not edited.outputs and edited.execution_count is None


def test_pictures_are_stored_with_a_palette():
    figure, ax = plt.subplots(figsize=(4, 3))
    ax.plot(np.sin(np.linspace(0, 6, 200)))
    file = io.BytesIO()
    figure.savefig(file, format="png")
    plt.close(figure)
    whole = file.getvalue()
    small = with_palette(whole)
    assert Image.open(io.BytesIO(small)).mode == "P" and len(small) < 0.6 * len(whole)
    assert with_palette(small) == small  # writing twice changes nothing
    seen = [np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=int) for png in (whole, small)]
    assert np.mean(np.abs(seen[0] - seen[1]).max(axis=2) > 8) < 0.01


def test_a_picture_that_the_page_shines_through_is_left_alone():
    file = io.BytesIO()
    Image.new("RGBA", (40, 40), (0, 90, 180, 0)).save(file, "PNG")
    assert with_palette(file.getvalue()) == file.getvalue()
