"""The bibliography's entries begin with author and year, as the text cites them."""
from collections import Counter
from string import ascii_lowercase

from pybtex.plugin import register_plugin
from pybtex.style.formatting.plain import Style
from pybtex.style.labels import BaseLabelStyle


def surnames(entry):
    """'Liang and Zeger', 'Greenhill et al.', an institution's whole name."""
    names = [" ".join(map(str, [*person.rich_prelast_names, *person.rich_last_names])) for person in entry.persons.get("author", [])]
    return names[0] + " et al." if len(names) > 2 else " and ".join(names)


class AuthorYear(BaseLabelStyle):
    def format_labels(self, entries):
        labels = [f"{surnames(entry)} {entry.fields['year']}" for entry in entries]
        count, seen = Counter(labels), Counter()
        for label in labels:
            seen[label] += 1
            yield label + (ascii_lowercase[seen[label] - 1] if count[label] > 1 else "")


class BookStyle(Style):
    default_label_style = AuthorYear


def setup(app):
    register_plugin("pybtex.style.formatting", "book", BookStyle)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
