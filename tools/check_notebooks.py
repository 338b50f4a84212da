"""The notebook guard: what nbval does not ask of a chapter. nbval passes a cell that was never run, and looks at no picture.

`python tools/check_notebooks.py [06 ...]` prints one line per fault and exits with 1 if there are any.
"""
import platform
import re
import sys

from nbformat.validator import iter_validate

from notebooks import KERNEL, LANGUAGE, ROOT, chapters, read

LEAST_WORDS = 20  # characters of an alternative text or a caption
ABSOLUTE_PATH = re.compile(r"(?<![\w.:/~-])/(?:home|Users|root|tmp|usr|opt|mnt|srv|var)/\w|\b[A-Za-z]:\\\\?(?:Users|Windows|Temp)\b")
IMG_WITHOUT_ALT = re.compile(r"<img\b(?![^>]*\balt\s*=\s*[\"'][^\"'\s])", re.IGNORECASE)
SKIPS_NBVAL = re.compile(r"^\s*#\s*(NBVAL_\w+|PYTEST_VALIDATE_IGNORE_OUTPUT)", re.MULTILINE)


def faults(notebook):
    """Every fault of one notebook, as sentences."""
    found = []
    if notebook.metadata != {"kernelspec": KERNEL, "language_info": LANGUAGE}:
        found.append("metadata not in normal form (make run writes it so)")
    ids = [cell.get("id") for cell in notebook.cells]
    found += [f"cell id {twin!r} is used more than once" for twin in sorted({i for i in ids if ids.count(i) > 1}, key=str)]
    found += [f"not a valid notebook: {error.message[:200]}" for error in iter_validate(notebook)]

    expected_count = 1
    for index, cell in enumerate(notebook.cells):
        complaints = list(faults_of_place(cell))
        if cell.cell_type == "code":
            if cell.source.strip():
                if cell.execution_count is None:
                    complaints.append("was not run")
                elif cell.execution_count != expected_count:
                    complaints.append(f"was run as number {cell.execution_count}, not {expected_count}: run the chapter from the top")
                expected_count += 1
            complaints += faults_of_code(cell)
        found += [f"cell {index} ({cell.get('id')}): {complaint}" for complaint in complaints]
    return found


def faults_of_code(cell):
    tags = cell.metadata.get("tags", [])
    if any(tag.startswith("nbval-") for tag in tags) or SKIPS_NBVAL.search(cell.source):
        yield "asks nbval to look away"
    if "execution" in cell.metadata:
        yield "has timing metadata"
    for output in cell.outputs:
        data = output.get("data", {})
        if output.output_type == "stream" and output.name == "stderr":
            yield f"wrote to stderr: {output.text.strip()[:120]!r}"
        if output.output_type == "error" and "raises-exception" not in tags:
            yield f"ended in {output.ename} without the tag raises-exception"
        if "image/svg+xml" in data:
            yield "has an SVG, whose bytes differ between machines: draw a PNG"
        if "image/png" in data:
            figure = cell.metadata.get("mystnb", {})
            if len(figure.get("image", {}).get("alt", "").strip()) < LEAST_WORDS:
                yield "draws a figure without an alternative text (mystnb.image.alt)"
            if len(figure.get("figure", {}).get("caption", "").strip()) < LEAST_WORDS:
                yield "draws a figure without a caption (mystnb.figure.caption)"
        if IMG_WITHOUT_ALT.search("".join(data.get("text/html", ""))):
            yield "shows an <img> without an alternative text"


def faults_of_place(cell):
    """Traces of the machine that a chapter was written on."""
    texts = [cell.source]
    for output in cell.get("outputs", []):
        texts += [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", [])]
        texts += [text for kind, text in output.get("data", {}).items() if kind.startswith("text/")]
    host = platform.node()
    for text in texts:
        text = re.sub(r"data:[\w/+-]+;base64,[A-Za-z0-9+/=]+", "", text)
        path = ABSOLUTE_PATH.search(text)
        if path or str(ROOT) in text:
            yield f"holds an absolute path: {path[0] if path else ROOT!s}..."
        if len(host) > 6 and host in text:
            yield "holds this machine's name"


def main():
    total = 0
    for path in [path for name in sys.argv[1:] for path in chapters(name)] or chapters():
        for fault in faults(read(path)):
            total += 1
            print(f"{path.relative_to(ROOT)}: {fault}")
    print(f"{total} faults" if total else "The notebooks are in order.")
    sys.exit(bool(total))


if __name__ == "__main__":
    main()
