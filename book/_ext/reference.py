"""The directive of Appendix D: a name's signature, docstring and example, read from the package as it is.

    ```{reference} glmref.GLMFit
    .: 1
    coef: 1, 7
    ```

shows the class itself and its attribute, each with links to its chapters. Docstrings are plain text: paragraphs, indented
lines that stand as they are, `>>>` examples, names between backticks; a line that begins with a parameter begins anew.
"""
import inspect
import re
from functools import cached_property
from importlib import import_module

from crosslinks import chapter_links
from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

INLINE = re.compile(r'`([^`]+)`|("[\w .=*-]+")')


def entries(owner, lines):
    """(full name, chapters) of each line "name: chapters"; "." is the owner itself."""
    for line in lines:
        if line.strip():
            name, _, chapters = line.partition(":")
            yield owner if name.strip() == "." else f"{owner}.{name.strip()}", chapters.strip()


def named(name):
    """The thing of that full name: what the package calls so, and only else a module of that name."""
    parts = name.split(".")
    thing = import_module(parts[0])
    for k, part in enumerate(parts[1:], start=2):
        if not hasattr(thing, part):
            import_module(".".join(parts[:k]))
        thing = getattr(thing, part)
    return thing


def docstring(thing):
    return inspect.cleandoc(thing.__doc__ or "")


def kind(thing, owner):
    """What Sphinx calls it."""
    if inspect.ismodule(thing):
        return "module"
    if inspect.isclass(thing):
        return "exception" if issubclass(thing, BaseException) else "class"
    if isinstance(thing, property | cached_property):
        return "property"
    return "method" if inspect.isclass(owner) else "function"


def parameters(thing):
    """The parameters as they are written, without types and without self; None where there are none to speak of."""
    if not callable(thing) or (inspect.isclass(thing) and issubclass(thing, Warning)):
        return None
    found = list(inspect.signature(thing).parameters.values())
    shown, starred = [], False
    for p in found:
        if p.name == "self":
            continue
        if p.kind is p.KEYWORD_ONLY and not starred:
            shown.append("*")
        starred = starred or p.kind in (p.KEYWORD_ONLY, p.VAR_POSITIONAL)
        default = "" if p.default is p.empty else "=" + re.sub(r"^'(.*)'$", r'"\1"', repr(p.default))
        shown.append({p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "") + p.name + default)
    return shown or (None if inspect.isclass(thing) else [])


def words(thing):
    """The names that may begin a line of its docstring: parameters, and what a class has."""
    named = {re.split("=", shown)[0].strip("*") for shown in parameters(thing) or ()} | {"control"}
    return named | set(dir(thing)) | set(getattr(thing, "__annotations__", ())) if inspect.isclass(thing) else named


def described(text, begins):
    """The nodes of a docstring. begins: words with which a line of its own begins."""
    for part in re.split(r"\n[ \t]*\n", text):
        lines = part.split("\n")
        if part.startswith(">>> "):
            yield nodes.literal_block(part, part, language="pycon")
        elif all(line.startswith("    ") for line in lines):
            part = inspect.cleandoc("\n" + part)
            yield nodes.literal_block(part, part, language="text")
        else:
            yield from paragraphs(lines, begins)


def paragraphs(lines, begins):
    """Lines joined, but for those that begin with a parameter, or several: "offset, weights: ..."."""
    said = []
    for line in lines:
        head = re.match(r"(\w+(?:, \w+)*)(?: \w)?: ", line)
        if not said or (head and set(head[1].split(", ")) <= begins):
            said.append((head and head[1], line[head.end(1):] if head and set(head[1].split(", ")) <= begins else line))
        else:
            said[-1] = said[-1][0], f"{said[-1][1].rstrip()} {line.strip()}"
    for head, text in said:
        paragraph = nodes.paragraph(support_smartquotes=False)
        if head and not text.startswith(head):
            paragraph += nodes.literal(head, head)
        at = 0
        for code in INLINE.finditer(text):
            paragraph += nodes.Text(text[at:code.start()])
            paragraph += nodes.literal("", code[1] or code[2])
            at = code.end()
        paragraph += nodes.Text(text[at:])
        yield paragraph


class Reference(SphinxDirective):
    """See the module."""

    required_arguments = 1
    has_content = True

    def run(self):
        return [node for name, chapters in entries(self.arguments[0], self.content) for node in self.entry(name, chapters)]

    def entry(self, name, chapters):
        thing, (prefix, _, last) = named(name), name.rpartition(".")
        owner = named(prefix) if prefix else None
        source = next(each for each in (thing, owner) if inspect.ismodule(each) or inspect.isclass(each) or inspect.isfunction(each))
        self.env.note_dependency(inspect.getsourcefile(source))
        what = kind(thing, owner)
        signature = addnodes.desc_signature(ids=[name], fullname=name)
        if what in ("class", "exception", "property", "module"):
            signature += addnodes.desc_annotation(what, "", nodes.Text(what + " "))
        if prefix and prefix != "glmref":
            before = prefix.rpartition(".")[2] + "."
            signature += addnodes.desc_addname(before, before)
        signature += addnodes.desc_name(last, last)
        shown = parameters(thing)
        if shown is not None:
            listed = addnodes.desc_parameterlist()
            listed += [addnodes.desc_parameter("", "", nodes.Text(each)) for each in shown]
            signature += listed
        content = addnodes.desc_content("", *described(docstring(thing), words(thing)))
        if chapters:
            prose = [node for node in content if isinstance(node, nodes.paragraph)][-1]
            prose += nodes.Text(" See the " if chapters == "intro" else " Chapters " if "," in chapters else " Chapter ")
            prose += chapter_links(self.env, chapters)
            prose += nodes.Text(".")
        self.env.get_domain("py").note_object(name, what, name, location=signature)
        return [addnodes.desc("", signature, content, domain="py", objtype=what, desctype=what, no_index=True, classes=["py", what])]


def setup(app):
    app.add_directive("reference", Reference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
