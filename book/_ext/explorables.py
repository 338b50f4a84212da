"""Figures that a reader moves, without Python: the directive

    ```{explore} tilt
    The caption: a finding.
    ```

The page loads book/assets/explore/core.js and the widget's own few lines. Where no script runs, the widget's first picture stands
there, drawn beforehand by tools/static_figures.py.
"""
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class Explore(SphinxDirective):
    """See the module."""

    required_arguments = 1
    has_content = True

    def run(self):
        name = self.arguments[0]
        still = Path(self.env.srcdir) / "book" / "assets" / "explore" / f"{name}.svg"
        if not still.is_file():
            raise self.error(f"there is no figure {name!r} to explore: book/assets/explore holds {', '.join(sorted(path.stem for path in still.parent.glob('*.svg')))}")
        self.env.note_dependency(str(still))
        self.env.metadata[self.env.docname].setdefault("explorables", "")
        self.env.metadata[self.env.docname]["explorables"] += f" {name}"
        before = f'<figure class="explore" data-explore="{escape(name)}" id="explore-{escape(name)}"><div class="explore-stage">{still.read_text(encoding="utf-8")}</div><figcaption>'
        caption = nodes.container(classes=["explore-caption"])
        self.state.nested_parse(self.content, self.content_offset, caption)
        return [nodes.raw("", before, format="html"), caption, nodes.raw("", "</figcaption></figure>", format="html")]


def load_widgets(app, pagename, templatename, context, doctree):
    """Only on a page that has one, and only those it has."""
    names = app.env.metadata.get(pagename, {}).get("explorables", "").split()
    for name in ["core", *names] if names else []:
        app.add_js_file(f"explore/{name}.js", loading_method="defer")


def setup(app):
    app.add_directive("explore", Explore)
    app.connect("html-page-context", load_widgets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
