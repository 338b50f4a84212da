"""Links that no author has to make: to chapters that exist, and from the first bold occurrence of a word to the glossary."""
import re

from docutils import nodes
from glmbook import chapter_number
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxRole


def link(kind, target, content):
    """A reference by the names of Sphinx's standard domain ("doc", "term"), resolved where all pages are known."""
    return addnodes.pending_xref("", content, refdomain="std", reftype=kind, reftarget=target, refexplicit=True, refwarn=True)


def chapter_links(env, numbers):
    """'2, 9, A, intro' as nodes: each a link if that page is in the book, else its bare number."""
    pages = {str(chapter_number(page) or page.rpartition("/")[2]): page for page in env.found_docs}
    shown = []
    for number in re.split(r",\s*", numbers.strip()):
        name = nodes.inline("", "introduction" if number == "intro" else number)
        shown += [nodes.Text(", ")] * bool(shown)
        shown.append(link("doc", f"/{pages[number]}", name) if number in pages else name)
    return shown


class Chapter(SphinxRole):
    """{chapter}`2, 9, A, intro`: see chapter_links."""

    def run(self):
        return chapter_links(self.env, self.text), []


def singular(word):
    """'odds ratios' and 'odds ratio' are one word; so are 'families' and 'family'."""
    return re.sub(r"(?<=[^s])s$", "", re.sub(r"ies$", "y", word))


class LinkBoldTerms(SphinxPostTransform):
    """In a chapter, the first bold occurrence of each word of the glossary leads to its definition."""

    default_priority = 5  # before references are resolved

    def run(self):
        if not isinstance(chapter_number(self.env.docname), int):
            return
        words = [name for kind, name in self.env.domains["std"].objects if kind == "term"]
        terms = {singular(form.strip().lower()): name for name in words for form in (name, name.partition("(")[0])}
        for strong in list(self.document.findall(nodes.strong)):
            inside = strong.parent
            while inside is not None and not isinstance(inside, nodes.reference | nodes.title | addnodes.pending_xref):
                inside = inside.parent
            said = " ".join(strong.astext().split()).strip(".,:;").lower()
            term = None if inside is not None else terms.get(singular(said))
            if term is not None:
                terms = {form: name for form, name in terms.items() if name != term}
                strong["classes"].append("term")
                strong.replace_self(link("term", term, strong.deepcopy()))


def setup(app):
    app.add_role("chapter", Chapter())
    app.add_post_transform(LinkBoldTerms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
