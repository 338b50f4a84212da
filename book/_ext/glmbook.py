"""What this book asks of Sphinx beyond its settings: true chapter numbers, and pages that need no network.

A chapter's number is that of its file's name. Formulas are set by a MathJax of our own. Nothing is loaded from elsewhere,
and a page opened from disk has nothing to complain of.
"""
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

from docutils import nodes
from sphinx.environment.collectors.toctree import TocTreeCollector
from sphinx_external_toc.collectors import TocTreeCollectorWithStyles

NEEDLESS = re.compile(
    r'<link [^>]*rel="preload"[^>]*as="font"[^>]*>\s*'  # an error on a page opened from disk; the style sheet loads the fonts anyway
    r'|<script [^>]*src="[^"]*fontawesome/[^"]*/js/[^"]*"[^>]*></script>\s*'  # 1.5 MB to draw icons that the font draws, too
)


def chapter_number(docname):
    """'book/06_irls' is chapter 6, 'book/appendix_c_checks' is appendix C, 'book/intro' has no number."""
    prefix = re.match(r"(\d\d|appendix_[a-z])_", docname.rpartition("/")[2])
    return None if prefix is None else int(prefix[1]) if prefix[1].isdigit() else prefix[1][-1].upper()


def number_chapters_by_name(app):
    """Sphinx counts chapters in the order of _toc.yml; replace its count by the number or letter in the file's name, if any."""
    count = TocTreeCollector.assign_section_numbers  # that of sphinx-multitoc-numbering

    def renumber(collector, env):
        before = env.toc_secnumbers
        count(collector, env)
        for docname, sections in env.toc_secnumbers.items():
            chapter = chapter_number(docname)
            for anchor, number in sections.items():
                if number:
                    sections[anchor] = chapter and (chapter, *number[1:])
            for node in [env.titles[docname], *env.tocs[docname].findall(nodes.reference)]:
                if node.get("secnumber"):
                    node["secnumber"] = chapter and (chapter, *node["secnumber"][1:])
        return [docname for docname, sections in env.toc_secnumbers.items() if sections != before.get(docname)]

    TocTreeCollectorWithStyles.assign_section_numbers = renumber


def copy_mathjax(app, exception):
    """The formulas' typesetter, from the installed package: the program, its fonts, and what reads formulas aloud."""
    if exception is not None or app.builder.format != "html":
        return
    source = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
    target = Path(app.outdir) / "_static" / "mathjax"
    for part in ("tex-chtml-full.js", "output/chtml/fonts/woff-v2", "a11y", "sre/mathmaps/base.json", "sre/mathmaps/en.json"):
        if (target / part).exists():
            continue
        (target / part).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (source / part).is_dir() else shutil.copy
        copy(source / part, target / part)


def drop_remote_scripts(app, pagename, templatename, context, doctree):
    """The theme's live-code loader names an address elsewhere, on every page; the book has no use for it."""
    def remote(script):
        return "thebe" in f"{getattr(script, 'filename', script)}{getattr(script, 'attributes', '')}".lower()

    context["script_files"][:] = [script for script in context.get("script_files", []) if not remote(script)]


def drop_needless_tags(app, exception):
    """Takes out of each written page what the theme puts there and the book can do without: NEEDLESS."""
    if exception is not None or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        lighter = NEEDLESS.sub("", text)
        if lighter != text:
            page.write_text(lighter, encoding="utf-8")


def setup(app):
    app.connect("builder-inited", number_chapters_by_name, priority=900)
    app.connect("build-finished", copy_mathjax)
    app.connect("build-finished", drop_needless_tags)
    app.connect("html-page-context", drop_remote_scripts, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
