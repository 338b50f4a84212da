"""What makes a page comfortable to read and to point at: how long it takes, how to cite it and its sections, what other sites show of
it, a sitemap, a page for addresses that lead nowhere. Formulas are in their place before the text around them is shown."""
import re
from html import escape
from pathlib import Path

from docutils import nodes
from glmbook import chapter_number
from sphinx.transforms.post_transforms import SphinxPostTransform

WORDS_PER_MINUTE, LINES_PER_MINUTE, FORMULAS_PER_MINUTE = 200, 20, 3
NOT_FOUND = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>No such page: {title}</title>
<style>body {{ max-width: 34rem; margin: 15vh auto; padding: 0 1rem; font: 1.1rem/1.6 system-ui, sans-serif; color: #1c2430; background: #fff }}
a {{ color: #0a58ca }} @media (prefers-color-scheme: dark) {{ body {{ color: #e6e9ef; background: #14181e }} a {{ color: #8ab4f8 }} }}</style></head>
<body><main><h1>There is no such page</h1><p>The address you followed leads nowhere in <em>{title}</em>. The page may have moved.</p>
<p><a href="{root}index.html">Begin at the first page</a>, or <a href="{root}search.html">search the book</a>.</p></main></body></html>
"""


class ReadingTime(SphinxPostTransform):
    """Under a chapter's title: how many minutes it takes, and how many exercises it has."""

    default_priority = 900

    def run(self):
        if not isinstance(chapter_number(self.env.docname), int):
            return
        title = next(iter(self.document.findall(nodes.title)))
        title.parent.insert(title.parent.index(title) + 1, nodes.paragraph("", said(self.document), classes=["reading-time"]))


def shown(node):
    """The nodes below that a reader has before them: no solutions, no folded code."""
    for child in node.children:
        if type(child).__name__.startswith("solution") or {"solution", "tag_hide-input", "tag_remove-input"} & set(getattr(child, "attributes", {}).get("classes", ())):
            continue
        yield child
        yield from () if isinstance(child, nodes.literal_block | nodes.math_block) else shown(child)


def said(document):
    """'About 50 minutes to read · 8 exercises'"""
    seen = list(shown(document))
    words = sum(len(node.split()) for node in seen if isinstance(node, nodes.Text))
    lines = sum(node.astext().count("\n") + 1 for node in seen if isinstance(node, nodes.literal_block))
    minutes = words / WORDS_PER_MINUTE + lines / LINES_PER_MINUTE + sum(isinstance(node, nodes.math_block) for node in seen) / FORMULAS_PER_MINUTE
    exercises = sum(type(node).__name__.startswith("exercise_") and "exercise" in node.get("classes", ()) for node in seen)
    return f"About {5 * round(minutes / 5)} minutes to read" + (f" · {exercises} exercises" if exercises else "")


def base(app):
    address = app.config.html_baseurl
    return address.rstrip("/") + "/" if address else ""


def plain(text):
    return " ".join(re.sub(r"<[^>]+>", "", text).split())


def cite(app, pagename, context):
    """How to cite this page and each of its sections, to be copied."""
    book, who, year = app.config.html_title, app.config.author, app.config.copyright
    rows = [(plain(context["title"]), "")]
    rows += [(plain(title), anchor) for anchor, title in re.findall(r'<section id="([^"]+)">\s*(?:<span[^>]*></span>\s*)*<h2>(.*?)<a class="headerlink"', context.get("body", ""), re.DOTALL)]
    def address(anchor):
        place = f"{pagename}.html" + (f"#{anchor}" if anchor else "")
        return f" {base(app)}{place}" if base(app) else ""
    items = "".join(f"<li>{escape(who[:1].upper() + who[1:])} ({escape(year)}). “{escape(title)}”, in <em>{escape(book)}</em>.{escape(address(anchor))}</li>" for title, anchor in rows)
    return f'<details class="cite"><summary>Cite this page or a section of it</summary><ul>{items}</ul></details>'


def describe(body):
    """The first sentences of a page, for a preview."""
    first = next((plain(text) for text in re.findall(r"<p>(.*?)</p>", body, re.DOTALL) if len(plain(text)) > 60), "")
    return first if len(first) < 200 else first[:200].rpartition(" ")[0] + " …"


def complete(app, pagename, templatename, context, doctree):
    if doctree is None:
        return
    root = base(app)
    tags = {"og:type": "article", "og:site_name": app.config.html_title, "og:title": plain(context["title"]), "og:description": describe(context["body"])}
    if root:
        tags |= {"og:url": f"{root}{pagename}.html", "og:image": f"{root}_static/preview.png"}
    shown = "".join(f'<meta property="{name}" content="{escape(text)}">' for name, text in tags.items())
    context["metatags"] = context.get("metatags", "") + shown + f'<meta name="description" content="{escape(tags["og:description"])}">'
    context["body"] += cite(app, pagename, context)
    if any("mathjax" in str(getattr(script, "filename", script)) for script in context.get("script_files", ())):
        app.add_js_file(None, body='document.documentElement.classList.add("setting")', priority=1)


def sitemap(pages, root):
    rows = "".join(f"<url><loc>{escape(root + page)}.html</loc></url>" for page in pages)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</urlset>\n'


def write_files(app, exception):
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    (out / "404.html").write_text(NOT_FOUND.format(title=escape(app.config.html_title), root=base(app)), encoding="utf-8")
    if base(app):
        (out / "sitemap.xml").write_text(sitemap(sorted(app.env.found_docs), base(app)), encoding="utf-8")


def setup(app):
    app.add_post_transform(ReadingTime)
    app.connect("html-page-context", complete, priority=850)
    app.connect("build-finished", write_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
