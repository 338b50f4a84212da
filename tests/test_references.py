"""The bibliography and the glossary: complete, without doubles, and met in the text."""
import re
import unicodedata

import pytest
from notation import key, pages, texts
from notebooks import BOOK, ROOT
from pybtex.database import parse_string

BIBLIOGRAPHY = (BOOK / "references.bib").read_text(encoding="utf-8")
GLOSSARY = (BOOK / "appendix_e_glossary.md").read_text(encoding="utf-8")
SOURCE = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "glmref").rglob("*.py"))}
NAMED = re.compile(r"\b([A-Z][a-z]+(?:[A-Z][a-z]+)?(?:-[A-Z][a-z]+)*)(?:,? (?:and|&) [A-Z]\w+|(?:, [A-Z]\w+)+ (?:and|&) [A-Z]\w+| et al\.)?,? \(?((?:18|19|20)\d\d)\b")
NOT_WORKS = {"BLAS", "Python", "Version"}


def plain(name):
    """'J{\\o}rgensen' and 'Jorgensen' are one."""
    name = re.sub(r"[{}]|\\['\"~`^]", "", name.replace(r"\o", "o").replace("ø", "o"))
    return "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter)).lower()


def entries(text=BIBLIOGRAPHY):
    return parse_string(text, "bibtex").entries


def works(text):
    """Works named in prose, as (first author, year)."""
    return {(plain(name), year) for name, year in NAMED.findall(text) if name not in NOT_WORKS}


def listed(found):
    return {(plain(" ".join([*person.prelast_names, *person.last_names])), entry.fields["year"]) for entry in found.values()
            for person in entry.persons["author"][:1]}


def test_no_entry_stands_twice():
    """Read as text: a parser stops at the second of two equal keys."""
    keys = re.findall(r"^@\w+\{([^,\s]+),", BIBLIOGRAPHY, re.MULTILINE)
    assert sorted({name for name in keys if keys.count(name) > 1}) == [], "equal keys in references.bib: keep one of each"
    dois = [doi.lower() for doi in re.findall(r"doi\s*=\s*\{([^}]+)\}", BIBLIOGRAPHY)]
    assert sorted({doi for doi in dois if dois.count(doi) > 1}) == [], "one work under two keys"


def test_every_entry_says_where_it_was_published():
    assert [name for name, entry in entries().items() if not {"doi", "publisher", "isbn", "url"} & set(entry.fields)] == []


def test_every_entry_is_cited_or_named_in_the_source():
    cited = {name.strip() for path in pages().values() for text in texts(path)
             for group in re.findall(r"\{cite:\w+\}`([^`]+)`", text) for name in re.sub(r"<.*?>", "", group).split(",")}
    named = set().union(*map(works, SOURCE.values())) | works((ROOT / "glmref/data/catalogue.json").read_text(encoding="utf-8"))
    idle = [name for name, entry in entries().items() if name not in cited and not listed({name: entry}) & named]
    assert idle == [], "in references.bib, but cited by no page and named by no docstring"


@pytest.mark.parametrize("path", [path for path in SOURCE if works(SOURCE[path])], ids=lambda path: path.stem)
def test_every_work_named_in_the_source_is_listed(path):
    assert works(SOURCE[path]) - listed(entries()) == set(), "named in a docstring: add it to book/references.bib"


# ---- glossary ----

def glossary(text=GLOSSARY):
    """Its words: [(word, definition)]."""
    inside = re.search(r"^```\{glossary\}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[1]
    return re.findall(r"^(\S[^\n]*)\n((?:[ ]{2,}[^\n]*\n?)+)", inside, re.MULTILINE)


WORDS = glossary()


def order(word):
    return re.sub(r"[^a-z0-9 ]", "", word.lower())


def chapter_of(definition):
    named = re.findall(r"\{chapter\}`([^`]+)`", definition)
    return [int(word) if word.isdigit() else word for part in named for word in re.split(r",\s*", part)]


def met(word, said):
    """Whether a chapter says the word, or its abbreviation, in the singular or the plural."""
    forms = {form.strip().lower() for form in re.split(r"[()]", word)} - {""}
    stems = [re.escape(re.sub(r"y$", "", form)) for form in forms]
    return any(re.search(rf"\b{stem.replace('-', '[- –]').replace(chr(92) + '[', '[')}", said) for stem in stems)


def test_glossary_is_sorted_and_has_no_doubles():
    words = [order(word) for word, _ in WORDS]
    assert len(words) > 100 and words == sorted(set(words))


def test_every_word_names_its_chapter():
    assert [word for word, definition in WORDS if not chapter_of(definition)] == []
    assert {chapter for _, definition in WORDS for chapter in chapter_of(definition)} <= {"intro", *range(1, 15)}


def test_every_definition_is_short():
    assert [word for word, definition in WORDS if not 25 <= len(definition) <= 420 or not re.search(r"Chapter \{", definition)] == []


def test_every_word_is_met_in_its_chapter():
    said = {page: " ".join(texts(path)).lower().replace("’", "'") for page, path in pages().items() if page == "intro" or isinstance(page, int)}
    said = {page: " ".join(text.split()) for page, text in said.items()}
    strange = [f"{word}: chapter {chapter} does not say it" for word, definition in WORDS for chapter in chapter_of(definition)
               if chapter in said and not met(word, said[chapter])]
    assert not strange, "\n".join(strange)


def test_links_between_words_lead_somewhere():
    targets = re.findall(r"\{term\}`(?:[^`<]*<)?([^`>]+)>?`", GLOSSARY)
    assert len(targets) > 30 and set(targets) - {word for word, _ in WORDS} == set()


def test_bold_words_of_a_chapter_lead_to_the_glossary():
    """The built page of chapter 2, where the transform of book/_ext/crosslinks.py has been at work."""
    from bs4 import BeautifulSoup

    page = ROOT / "_build/html/book/02_exponential_family.html"
    if not page.exists():
        pytest.skip("the book is not built: make book")
    links = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").select("article a:has(> strong.term)")
    linked = [link.get_text().lower() for link in links]
    assert {"base", "cumulant function", "unit deviance"} <= set(linked) and len(linked) == len(set(linked)) > 15
    assert all("appendix_e_glossary.html#term-" in link["href"] for link in links)


# ---- the checks above can fail ----

@pytest.mark.parametrize("text, found", [
    ("as Cleveland (1979) did", {("cleveland", "1979")}), ("(Dunn & Smyth 1996)", {("dunn", "1996")}), ("Greenhill, Ward and Sacks 2011", {("greenhill", "2011")}),
    ("Munoz et al. (1992), A", {("munoz", "1992")}), ("Steck 1971; Noe 1972", {("steck", "1971"), ("noe", "1972")}), ("Mancl and DeRouen (2001)", {("mancl", "2001")}),
    ("MacKinnon and White (1985)", {("mackinnon", "1985")}), ("in 1000 rows of 2000", set()),
])
def test_works_named_in_prose_are_found(text, found):
    assert works(text) == found


def test_a_word_that_a_chapter_lacks_is_found():
    assert met("working weights", "the working weights") and met("QR factorization", "a qr factorization") and met("link", "two links")
    assert met("Akaike's information criterion (AIC)", "its aic") and not met("sandwich", "bread and meat")


def test_names_agree_however_they_are_spelled():
    bib = r"@book{a, author={J{\o}rgensen, Bent}, year={1987}} @book{b, author={No{\'e}, Marc}, year={1972}} @book{c, author={Mu{\~n}oz, A}, year={1992}}"
    assert listed(entries(bib)) == {("jorgensen", "1987"), ("noe", "1972"), ("munoz", "1992")}
    assert key("06_irls") == 6
