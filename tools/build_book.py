"""Builds the book into _build/html, warnings as errors, and prints the file to open. `--fresh` forgets earlier builds."""
import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
STAMP = BUILD / "configured-by"
CONFIGURATION = ["_config.yml", "_toc.yml", "requirements.txt", "book/_ext/*.py", "book/assets/*", "book/appendix_e_glossary.md"]


def configuration():
    """What all pages depend on but Sphinx does not watch: when it changes, the book is built anew."""
    files = [file for pattern in CONFIGURATION for file in sorted(ROOT.glob(pattern)) if file.is_file()]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def build(fresh=False):
    """True if every page was built without a warning. A failed build leaves nothing: a second try would hide its warnings."""
    if fresh or not STAMP.exists() or STAMP.read_text() != configuration():
        shutil.rmtree(BUILD, ignore_errors=True)
    print("Building the book ...", flush=True)
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", ".", "-W", "-n", "--keep-going"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as sphinx:
        said = [progress(line) for line in sphinx.stdout]
    if sphinx.returncode:
        complaints = [line for line in said if re.search(r"WARNING|ERROR|CRITICAL|Error:", line)]
        print("\n".join(complaints or said[-40:]))
        print("The book was not built: every warning counts as an error. Mend what stands above and run make again.", flush=True)
        shutil.rmtree(BUILD, ignore_errors=True)
        return False
    STAMP.write_text(configuration())
    return True


def progress(line):
    """Show which page is being read or written; return the line without colours."""
    line = re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip()
    page = re.match(r"(reading|writing) \w+\.\.\. \[ *(\d+)%\] (\S+)", line)
    if page:
        print(f"  {page[1]} {page[3]} ({page[2]} %)", flush=True)
    return line


if __name__ == "__main__":
    if not build(fresh="--fresh" in sys.argv[1:]):
        sys.exit(1)
    print(f"Built. Open this file in a browser:\n  {BUILD / 'html' / 'index.html'}")
