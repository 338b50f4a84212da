"""`make pdf`: the whole book on paper, _build/glm-book.pdf. Headless Chromium prints each page; then they are one document.

The document has an outline of chapters and sections, page numbers that run through, and links between chapters that lead to the
place meant: Chromium names only places that its own page links to, so each page first gets a link to every place that another asks for.
"""
import re
import sys
from io import BytesIO
from urllib.parse import unquote, urldefrag

import yaml
from bs4 import BeautifulSoup
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, Fit, NameObject, NullObject, NumberObject, TextStringObject

from build_book import BUILD, build
from chromium import FLAGS, chromium
from notebooks import ROOT

HTML = BUILD / "html"
PDF = BUILD / "glm-book.pdf"
PAPER = {"format": "A4", "print_background": True, "scale": 0.8,
         "margin": {"top": "18mm", "bottom": "20mm", "left": "16mm", "right": "16mm"}}
SETTLED = "() => window.MathJax ? window.MathJax.startup.promise.then(() => true) : true"
PREPARE = """(wanted) => {
  document.documentElement.dataset.theme = "light";
  document.querySelectorAll("details").forEach((one) => { one.open = true; });
  document.querySelectorAll(".dropdown.toggle-hidden button.toggle-button").forEach((one) => one.click());
  const links = document.createElement("div");
  links.style = "font-size: 1px; line-height: 1px; color: transparent";
  for (const id of wanted) if (document.getElementById(id)) {
    const link = document.createElement("a");
    link.href = "#" + id; link.textContent = "."; link.style.color = "transparent";
    links.append(link);
  }
  document.querySelector("article").append(links);
}"""


def pages():
    """The pages of _toc.yml, in its order."""
    def files(node):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
            yield from [value] if key in ("root", "file") else files(value)

    return list(files(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))))


def headings(page):
    """The chapter's heading and its sections': (id of the place, title), numbers included."""
    article = BeautifulSoup((HTML / f"{page}.html").read_text(encoding="utf-8"), "html.parser").find("article")
    for heading in article.find_all(["h1", "h2"]):
        section = heading.find_parent("section")
        for link in heading.select("a.headerlink"):
            link.decompose()
        yield section["id"], " ".join(heading.get_text().split())


def wanted_places(names):
    """{page: ids that the outline or other pages lead to}."""
    wanted = {name: {place for place, _ in headings(name)} for name in names}
    for name in names:
        here = HTML / f"{name}.html"
        for link in BeautifulSoup(here.read_text(encoding="utf-8"), "html.parser").select("article a[href*='.html#']"):
            target, place = urldefrag(link["href"])
            target = (here.parent / unquote(target)).resolve()
            if target.is_relative_to(HTML) and (found := str(target.relative_to(HTML))[:-5]) in wanted:
                wanted[found].add(unquote(place))
    return wanted


def print_pages(names):
    """{page: its PDF}, and the numbers of all pages on an otherwise empty sheet each."""
    from playwright.sync_api import sync_playwright

    printed, wanted = {}, wanted_places(names)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for name in names:
            print(f"  printing {name}", flush=True)
            page = browser.new_page(viewport={"width": 900, "height": 1200}, color_scheme="light")
            page.goto((HTML / f"{name}.html").as_uri())
            page.evaluate(SETTLED)
            page.evaluate(PREPARE, sorted(wanted[name]))
            printed[name] = PdfReader(BytesIO(page.pdf(**PAPER)))
            page.close()
        count = sum(len(one.pages) for one in printed.values())
        page = browser.new_page()
        sheets = "".join('<div style="break-after: page; height: 1px"></div>' for _ in range(count - 1))
        page.set_content(f"<html><body style='margin: 0'>{sheets}<div>&nbsp;</div></body></html>")
        footer = '<div style="font-size: 9px; width: 100%; text-align: center; font-family: sans-serif"><span class="pageNumber"></span></div>'
        numbers = PdfReader(BytesIO(page.pdf(**PAPER, display_header_footer=True, header_template="<span></span>", footer_template=footer)))
        browser.close()
    if len(numbers.pages) != count:
        sys.exit(f"{count} pages to number, but {len(numbers.pages)} numbers: see print_pages in tools/print_book.py.")
    return printed, numbers


def places(reader):
    """{name of a place: (page in this PDF, left, top)}."""
    found = {}
    for name, place in reader.named_destinations.items():
        found[unquote(name.lstrip("/"))] = (reader.get_destination_page_number(place), place.left, place.top)
    return found


def bind(printed, numbers):
    """One document: pages numbered, an outline, links between chapters turned inwards. Returns it and links that led nowhere."""
    book, first, known, lost = PdfWriter(), {}, {}, []
    for name, reader in printed.items():
        first[name] = len(book.pages)
        known[name] = places(reader)
        for page in reader.pages:
            book.add_page(page).merge_page(numbers.pages[len(book.pages) - 1])

    def goto(name, place):
        sheet, left, top = known[name].get(place, (0, 0, 842)) if place else (0, 0, 842)
        return book.pages[first[name] + sheet], left, top

    for name, reader in printed.items():
        parts = list(headings(name))
        for k, (place, title) in enumerate(parts):
            page, left, top = goto(name, place)
            entry = book.add_outline_item(title=title, page_number=page.indirect_reference, parent=None if k == 0 else chapter, fit=Fit.xyz(left, top, None))
            chapter = entry if k == 0 else chapter
    for name in printed:
        for k in range(first[name], first[name] + len(printed[name].pages)):
            for link in book.pages[k].get("/Annots") or ():
                link = link.get_object()
                action = (link.get("/A") or DictionaryObject()).get_object()
                if "/Dest" in link:  # inside the chapter: by name, which other chapters have, too
                    target, place = name, unquote(str(link["/Dest"]).lstrip("/"))
                elif str(action.get("/URI", "")).startswith("file:"):
                    address, place = urldefrag(unquote(str(action["/URI"])))
                    target = re.sub(r"\.html$", "", address.partition(f"{HTML}/")[2])
                else:
                    continue
                if target.startswith("_downloads/"):  # a file to take away: on paper its name is all there is
                    link.pop("/A", None)
                    continue
                if target not in known or (place and place not in known[target]):
                    lost.append((name, f"{target}#{place}"))
                if target in known:
                    page, left, top = goto(target, place)
                    link.pop("/A", None)
                    link[NameObject("/Dest")] = ArrayObject([page.indirect_reference, NameObject("/XYZ"), *map(number, (left, top)), NullObject()])
    book.add_metadata({"/Title": "Generalized Linear Models, computed", "/Author": "the glmref authors"})
    book.root_object[NameObject("/Lang")] = TextStringObject("en")
    book.page_mode = "/UseOutlines"
    return book, lost


def number(value):
    return NumberObject(round(float(value))) if value is not None else NullObject()


def main():
    if chromium() is None:
        sys.exit("Chromium prints the book and is not installed: apt-get install chromium, or set CHROMIUM=/path/to/chromium")
    if not build():
        sys.exit(1)
    book, lost = bind(*print_pages(pages()))
    if lost:
        sys.exit("The book was not printed: these links lead nowhere on paper:\n" + "\n".join(f"  {name}: {link}" for name, link in sorted(set(lost))))
    book.compress_identical_objects()
    for page in book.pages:  # stamping the number unpacked it
        page.compress_content_streams()
    with PDF.open("wb") as file:
        book.write(file)
    print(f"Printed {len(book.pages)} pages, {PDF.stat().st_size / 1e6:.1f} MB:\n  {PDF}")


if __name__ == "__main__":
    main()
