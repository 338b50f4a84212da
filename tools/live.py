"""`make live`: Python in the reader's browser, added to the built book. Nothing is loaded from elsewhere when it is read.

Each chapter gets three buttons: Live (the page's own cells become editable and run, book/assets/live), Notebook (JupyterLite) and
Download (tools/reader.py); each assignment gets the second. Live and Notebook use one Pyodide, copied beside the book: from the folder PYODIDE_DIR, or from its official release. Every file is held to
the checksums in live/; glmref and what it needs stand in Pyodide's own lock, so that `import glmref` needs no install line.
"""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from email.parser import Parser
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from build_book import BUILD, build
from notebooks import ROOT, assignments, chapters, read, write
from reader import BROWSER, needs, reader_notebook, write_notebooks

HTML = BUILD / "html"
LITE = HTML / "lite"
STORE = ROOT / ".live"  # downloads, and the Pyodide that was made of them
RELEASE = "https://cdn.jsdelivr.net/pyodide/v0.27.7/full/"
LOCK = "pyodide-lock.json"
KERNEL_EXTENSION = "@jupyterlite/pyodide-kernel-extension"
LAB_EXTENSIONS = [KERNEL_EXTENSION, "jupyterlab-myst"]  # all others of the environment would be bundled, too; one breaks the app
BUTTON = '<{tag} class="btn btn-sm btn-live nav-link pst-navbar-icon" {attributes} title="{title}"><i class="fas {icon}" aria-hidden="true"></i><span class="btn-live-text">{text}</span></{tag}>'


# ---- Pyodide ----

def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def checksums():
    """{name: sha256} of the files of the official release that the book uses."""
    lines = (ROOT / "live" / "pyodide.txt").read_text(encoding="utf-8").splitlines()
    return {name: value for value, name in (line.split() for line in lines if not line.startswith("#"))}


def official_files(folder, source=None, release=RELEASE):
    """Fills folder with the official files: copied from the folder `source`, or fetched from the release. Each is held to its
    checksum. A folder's lock may have been cut down to its packages: what it says of them must agree with the checksums."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, expected in checksums().items():
        path = folder / name
        if path.exists() and digest(path) == expected:
            continue
        if source is not None:
            if not (Path(source) / name).is_file():
                sys.exit(f"PYODIDE_DIR={source} has no {name}: unpack Pyodide 0.27.7 there, or leave PYODIDE_DIR out to fetch it.")
            shutil.copy(Path(source) / name, path)
        else:
            print(f"  fetching {name}", flush=True)
            try:
                urllib.request.urlretrieve(release + name, path)
            except OSError as error:
                sys.exit(f"{release}{name} cannot be fetched ({error}). Unpack Pyodide 0.27.7 elsewhere and name its folder in PYODIDE_DIR.")
        if digest(path) != expected and not (source is not None and name == LOCK and agrees(path)):
            path.unlink()
            sys.exit(f"{name} is not the official file of Pyodide 0.27.7: its sha256 differs from that in live/pyodide.txt. Nothing was built.")


def agrees(lock):
    """Whether a lock names the official files, as far as it goes."""
    known, packages = checksums(), json.loads(lock.read_text(encoding="utf-8"))["packages"]
    return all(package["sha256"] == known.get(package["file_name"]) for package in packages.values())


def wheels(folder):
    """Pure Python wheels: those of live/wheels.txt, and glmref as it is here."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "download", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--platform", "any",
                    "--python-version", "3.12", "--dest", folder, "-r", ROOT / "live" / "wheels.txt"], check=True)
    with TemporaryDirectory() as copy:  # setuptools would leave its folders in the tree
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, copy)
        shutil.copytree(ROOT / "glmref", Path(copy) / "glmref", ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder, copy], check=True)
    return sorted(folder.glob("*.whl"))


def lock_entry(wheel, python):
    """What Pyodide's lock says of a wheel: by which imports it is wanted, and what it needs."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = Parser().parsestr(archive.read(next(name for name in names if name.endswith(".dist-info/METADATA"))).decode())
    there = {"sys_platform": "emscripten", "platform_system": "Emscripten", "platform_machine": "wasm32", "os_name": "posix",
             "python_version": python.rpartition(".")[0], "python_full_version": python, "extra": "plots"}
    needs = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    return {
        "name": canonicalize_name(metadata["Name"]), "version": metadata["Version"], "file_name": wheel.name, "install_dir": "site",
        "package_type": "package", "sha256": digest(wheel), "unvendored_tests": False,
        "imports": sorted({name.split("/")[0].removesuffix(".py") for name in names if name.endswith(".py")}),
        "depends": [canonicalize_name(need.name) for need in needs if need.marker is None or need.marker.evaluate(there)],
    }


def make_pyodide():
    """The folder of a Pyodide that knows glmref, and its lock."""
    store = STORE / "pyodide-0.27.7"
    official_files(store, os.environ.get("PYODIDE_DIR") or None)
    made = STORE / "pyodide"
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(store, made, copy_function=os.link)
    (STORE / "wheels").mkdir(exist_ok=True)
    for old in (STORE / "wheels").glob("glmref-*.whl"):
        old.unlink()
    lock = json.loads((store / LOCK).read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if package["file_name"] in checksums()}
    for wheel in wheels(STORE / "wheels"):
        shutil.copy(wheel, made / wheel.name)
        entry = lock_entry(wheel, lock["info"]["python"])
        packages[entry["name"]] = entry
    known = {canonicalize_name(name) for name in packages}
    for package in packages.values():
        package["depends"] = [name for name in package["depends"] if canonicalize_name(name) in known]
    (made / LOCK).unlink()
    (made / LOCK).write_text(json.dumps(lock | {"packages": packages}), encoding="utf-8")
    return made, packages


# ---- JupyterLite ----

def make_lite(pyodide):
    """The reader's notebooks, and the assignments, in JupyterLite, at lite/ beside the pages."""
    with TemporaryDirectory() as stage:
        contents, settings = Path(stage) / "contents", Path(stage) / "lite"
        contents.mkdir()
        (settings / "static").mkdir(parents=True)
        shutil.copytree(pyodide, settings / "static" / "pyodide")
        wheel = next(pyodide.glob("glmref-*.whl")).name
        for path in chapters():
            write(reader_notebook(path, wheel, lacking=BROWSER), contents / path.name)
        for path in assignments():
            shutil.copy(path, contents)
        (settings / "jupyter-lite.json").write_text(json.dumps({"jupyter-lite-schema-version": 0, "jupyter-config-data": {
            "appName": "Generalized Linear Models, computed",
            "litePluginSettings": {f"{KERNEL_EXTENSION}:kernel": {"disablePyPIFallback": True}},
        }}))
        extensions = Path(sys.prefix) / "share" / "jupyter" / "labextensions"
        (settings / "config.json").write_text(json.dumps({"LiteBuildConfig": {
            "no_sourcemaps": True, "no_unused_shared_packages": True, "apps": ["notebooks"], "ignore_sys_prefix": ["federated_extensions"],
            "federated_extensions": [str(extensions / name) for name in LAB_EXTENSIONS],
        }}))
        shutil.rmtree(LITE, ignore_errors=True)
        command = [sys.executable, "-m", "jupyter", "lite", "build", "--force", "--config", settings / "config.json", "--lite-dir", settings,
                   "--contents", contents, "--output-dir", LITE]
        done = subprocess.run(command, cwd=stage, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"JupyterLite was not built:\n{(done.stdout + done.stderr)[-3000:]}")
    config = json.loads((LITE / "jupyter-lite.json").read_text(encoding="utf-8"))["jupyter-config-data"]
    kernel = config["litePluginSettings"][f"{KERNEL_EXTENSION}:kernel"]
    if kernel.get("pyodideUrl") != "./static/pyodide/pyodide.js" or kernel.get("disablePyPIFallback") is not True:
        sys.exit(f"JupyterLite would load Python from elsewhere: {kernel}. Remove {LITE} and run make live again.")


# ---- the pages ----

def up(path):
    """From a page to the root of the site."""
    return "../" * len(path.relative_to(HTML).parent.parts)


def open_button(path):
    return BUTTON.format(tag="a", attributes=f'href="{up(path)}lite/notebooks/index.html?path={path.stem}.ipynb"', icon="fa-play",
                         title="Open this page as a notebook in your browser", text="Notebook")


def buttons(path):
    """Of a chapter's page."""
    live = BUTTON.format(tag="button", attributes='type="button" data-live', title="Run and edit the cells on this page", icon="fa-bolt", text="Live")
    script = f'<script defer src="{up(path)}_static/live/live.js" data-root="{up(path)}" data-notebook="{path.stem}"></script>'
    download = BUTTON.format(tag="a", attributes=f'href="{up(path)}notebooks/{path.stem}.ipynb" download', icon="fa-download",
                             title="Download this chapter as a notebook", text="Download")
    return live + open_button(path) + download + script


def cells(path):
    """What the page's cells run: code as it stands in the chapter, by the id that leads to the place on the page."""
    code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    return [{"id": cell.id, "source": cell.source, "mayFail": "raises-exception" in cell.metadata.get("tags", []),
             "needs": sorted(needs(cell))} for cell in code]


def put(markup, path):
    """Buttons into the head of a page, in place of those that it has already."""
    text = re.sub(r"<!--live-->.*?<!--/live-->", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    text, found = re.subn(r'(<div class="article-header-buttons">)', lambda match: f"{match[1]}<!--live-->{markup}<!--/live-->", text, count=1)
    if not found:
        sys.exit(f"{path} has no place for buttons: the theme's markup has changed, see BUTTON in tools/live.py.")
    path.write_text(text, encoding="utf-8")


def add_buttons():
    """Put them on each page that is a notebook."""
    for notebook in chapters():
        target = HTML / "_static" / "live" / "cells" / f"{notebook.stem}.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(cells(notebook)), encoding="utf-8")
        for path in HTML.rglob(f"{notebook.stem}.html"):
            put(buttons(path), path)
    for notebook in assignments():
        path = HTML / "book" / "coursework" / f"{notebook.stem}.html"
        put(open_button(path), path)


def main():
    if not build():
        sys.exit(1)
    print("Putting Python beside it ...", flush=True)
    pyodide, packages = make_pyodide()
    print(f"  Pyodide with {len(packages)} packages; now JupyterLite", flush=True)
    write_notebooks(next(pyodide.glob("glmref-*.whl")))
    make_lite(pyodide)
    add_buttons()
    size = sum(path.stat().st_size for path in LITE.rglob("*") if path.is_file()) / 1e6
    print(f"Live: {len(chapters())} chapters and {len(assignments())} assignments, {size:.0f} MB. Browsers run no programs from disk, so serve the folder:\n  make serve")


if __name__ == "__main__":
    main()
