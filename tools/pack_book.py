"""`make zip`: the built pages, to read from disk without a network, as _build/glm-book.zip. Python in the browser stays out:
it is ten times as large as the rest, and a browser does not start it from disk."""
import re
import sys
import zipfile

from build_book import BUILD, build

HTML = BUILD / "html"
ZIP = BUILD / "glm-book.zip"
LEFT_OUT = ("lite/", "notebooks/", "_static/live/", ".buildinfo", "objects.inv")
BUTTONS = re.compile(r"<!--live-->.*?<!--/live-->", re.DOTALL)


def main():
    if not build():
        sys.exit(1)
    with zipfile.ZipFile(ZIP, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(HTML.rglob("*")):
            name = path.relative_to(HTML).as_posix()
            if path.is_dir() or name.startswith(LEFT_OUT):
                continue
            if path.suffix == ".html":
                archive.writestr(f"glm-book/{name}", BUTTONS.sub("", path.read_text(encoding="utf-8")))
            else:
                archive.write(path, f"glm-book/{name}")
    print(f"Packed {len(archive.namelist())} files, {ZIP.stat().st_size / 1e6:.1f} MB; unpack it and open glm-book/index.html:\n  {ZIP}")


if __name__ == "__main__":
    main()
