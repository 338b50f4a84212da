"""Draws the first picture of each explorable figure, for pages where no script runs: book/assets/explore/*.svg. Needs Chromium."""
import sys

from chromium import FLAGS, chromium
from notebooks import BOOK

FOLDER = BOOK / "assets" / "explore"
DRAW = """(name) => {
  const { controls, draw, formula } = explore.widgets[name];
  const { svg, text } = draw(Object.fromEntries(controls.map((one) => [one.key, one.value])), formula);
  return `<svg viewBox="0 0 460 280" role="img" aria-label="${text}">${svg}</svg>`;
}"""


def names():
    return sorted(path.stem for path in FOLDER.glob("*.js") if path.stem != "core")


def with_widgets(browser):
    """A page that holds nothing but the widgets' programs."""
    page = browser.new_page()
    for name in ["core", *names()]:
        page.add_script_tag(path=FOLDER / f"{name}.js")
    return page


def main():
    if chromium() is None:
        sys.exit("Chromium draws the figures and is not installed: apt-get install chromium, or set CHROMIUM=/path/to/chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = with_widgets(browser)
        for name in names():
            (FOLDER / f"{name}.svg").write_text(page.evaluate(DRAW, name) + "\n", encoding="utf-8")
            print(f"{name}.svg written")
        browser.close()


if __name__ == "__main__":
    main()
