"""Saved web pages (`.html`): the article without what surrounds it, and what the page says about itself.

In: an open file. Out: one `Draft`. Floor: articles. Extra: `html` (trafilatura).
Before changing it: nothing here may reach the network, whatever the page refers to. Dates are taken only from places that mean the
article's publication; trafilatura would also guess one from any digits on the page.

A publication date is the first of these that is a date:

1. a `<meta>` of `_DATE_NAMES`, in their order;
2. JSON-LD: `datePublished` of an article, where the page's articles agree;
3. `<time datetime>`: marked as the publication's, or the only day that any of them names;
4. the address: `/2025/07/25/`.
"""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any, NamedTuple

from extractor.articles.charset import declared_in_markup
from extractor.articles.dates import calendar_date, parse_date
from extractor.articles.draft import Draft, Raw
from extractor.articles.extras import guarded, load
from extractor.articles.markup import BREAK, tidy
from extractor.errors import ArticleError

_MAX_ELEMENTS = 30_000  # articles have hundreds, front pages thousands; trafilatura takes 50 to 200 µs for each
_MAX_ATTRIBUTES = 200  # the parser compares each of a tag with all before it: 40,000 take 1.4 s, a million a quarter of an hour

_LONGEST_ATTRIBUTE = 5_000  # characters; addresses and summaries have fewer, and a megabyte of `<!--` takes libxml2 minutes to write out

_DATES_SOUGHT = {"extensive_search": False, "original_date": True, "max_date": "2200-01-01"}

_DATA_URI = re.compile(r"data:[a-zA-Z0-9/+.-]{0,60}[;,][^\"'()<>\s]{200,}")
_LONG_TAG_CHARS = 800  # a shorter one does not have that many
_OPENING_TAG = re.compile(r"<[a-zA-Z](?:[^>=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+')?+)*+")
_QUOTED = re.compile(r"\"[^\"]*+\"|'[^']*+'")
_BETWEEN_ATTRIBUTES = re.compile(r"[\s/]+")
_ELEMENT = re.compile(r"<[a-zA-Z]")
_XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*>")
_DOCTYPE = re.compile(r"\A< ?! ?doctype[^<>]*+>?", re.IGNORECASE)  # trafilatura's search for a slash in it is the square of its length
_SAVED_FROM = re.compile(r"saved from url=\([0-9]+\)(https?://\S+)|Page saved with SingleFile\s+url:\s*(https?://\S+)")
_DATE_IN_ADDRESS = re.compile(r"/([0-9]{4})[/-]([0-9]{1,2})[/-]([0-9]{1,2})(?![0-9])")

_DATE_NAMES = (
    "article:published_time",
    "og:article:published_time",
    "datepublished",
    "dc.date.issued",
    "dcterms.issued",
    "dc.date",
    "dcterms.date",
    "parsely-pub-date",
    "sailthru.date",
    "publication_date",
    "publish-date",
    "publishdate",
    "pubdate",
    "date",
)
_ARTICLE_TYPES = ("Article", "BlogPosting", "Report")  # the ends of schema.org's types: NewsArticle, ReportageNewsArticle, …
_DEEPEST_JSON = 6  # a list, a graph, an object and its main entity

_BLOCKS = frozenset({"p", "head", "list", "quote", "table", "code", "div", "formula"})


class _Dated(NamedTuple):
    value: str
    origin: str


def read_html(raw: Raw) -> Iterator[Draft]:
    """The one article of a saved page.

    Raises:
        ArticleError: It is empty, too large, no HTML, holds no article, or the `html` extra is not installed.
    """
    text, encoding = raw.text(declared_in_markup)
    draft = article_in(text, raw.label)
    yield replace(draft, origins={**draft.origins, "encoding": encoding})


def article_in(text: str, label: str) -> Draft:
    """The article that an HTML page or the HTML part of a mail holds.

    Args:
        text: The page, decoded.
        label: The file, as messages name it.

    Raises:
        ArticleError: It is no HTML, has more than 30,000 elements, holds no article, or the `html` extra is not installed.
    """
    text = _DOCTYPE.sub("<!DOCTYPE html>", _XML_DECLARATION.sub("", _DATA_URI.sub("", text), count=1), count=1)
    elements = sum(1 for _ in _ELEMENT.finditer(text))
    if not elements:
        raise ArticleError(f"{label} is not readable as HTML: it has no tags. If it is plain text, name it .txt.")
    if elements > _MAX_ELEMENTS:
        raise ArticleError(
            f"{label} has {elements:,} HTML elements; the most that one article may have is {_MAX_ELEMENTS:,}. "
            f"Save the article alone, from the reader view of a browser."
        )
    trafilatura = load("trafilatura", extra="html", kind="HTML", label=label)
    with guarded(label, "HTML", "Save it anew, or as text."):
        tree = trafilatura.load_html(_OPENING_TAG.sub(_with_fewer_attributes, text))
        page = None
        if tree is not None:
            _drop_long_attributes(tree)
            dated, language = list(_dates(tree)), tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang")
            about = trafilatura.extract_metadata(_without_footers(tree), date_config=dict(_DATES_SOUGHT))
            page = trafilatura.bare_extraction(tree, url=about.url, include_comments=False)
        body = tidy("".join(_words(page.body))) if page is not None else ""
    if page is None or not body:
        raise ArticleError(
            f"{label} holds no article that can be told from the rest of the page (one that scripts fill in, a login or a front page holds "
            f"none). Save it from a browser once it is loaded, or as text."
        )
    address = _SAVED_FROM.search(text)
    url = about.url or (address and (address[1] or address[2])) or ""
    return _dated(body, about, [*dated, *_date_in(url)], url, language or "")


def _dated(body: str, about: Any, dated: list[_Dated], url: str, language: str) -> Draft:
    best = next((found for found in dated if parse_date(found.value)), dated[0] if dated else _Dated("", ""))
    metadata = {"title": about.title or "", "source": about.sitename or "", "url": url, "language": language, "date": best.value}
    origins = dict.fromkeys(metadata, "HTML metadata") | {"language": "HTML lang", "date": best.origin}
    return Draft.of(body, metadata, origins)


def _with_fewer_attributes(found: re.Match[str]) -> str:
    tag = found[0]
    if len(tag) < _LONG_TAG_CHARS:
        return tag
    name, *attributes = _BETWEEN_ATTRIBUTES.split(_QUOTED.sub(" ", tag))
    return tag if len(attributes) <= _MAX_ATTRIBUTES else name


def _drop_long_attributes(tree: Any) -> None:
    for element in tree.iter():
        for name, value in element.attrib.items():
            if len(value) > _LONGEST_ATTRIBUTE:
                del element.attrib[name]


def _without_footers(tree: Any) -> Any:
    """A copy of the page without its footers' marks: trafilatura looks in them for a license, for 13 s where 250 are nested."""
    page = deepcopy(tree)
    for element in page.iter("footer", "div"):
        if element.tag == "footer" or "footer" in f"{element.get('class')} {element.get('id')}":
            element.tag = "section"
    return page


def _words(element: Any) -> Iterator[str]:
    """The text of trafilatura's tree with `BREAK`s; comments and the like, whose tag is no string, have none."""
    stack: list[tuple[Any, bool]] = [(element, False)]  # no recursion: a page is as deep as it likes
    while stack:
        node, done = stack.pop()
        tag = node.tag if isinstance(node.tag, str) else ""
        edge = BREAK * 2 if tag in _BLOCKS else BREAK if tag in ("item", "row", "lb") else ""
        if done:
            after = "\t" if tag == "cell" else edge if tag in _BLOCKS else ""
            yield after + (node.tail or "" if node is not element else "")
        else:
            yield edge + ((node.text or "") if tag else "")
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node))


def _dates(tree: Any) -> Iterator[_Dated]:
    named: dict[str, str] = {}
    for meta in tree.iter("meta"):
        for attribute in ("property", "name", "itemprop"):
            if name := (meta.get(attribute) or "").lower():
                named.setdefault(name, meta.get("content") or "")
    yield from (_Dated(named[name], f"HTML meta {name}") for name in _DATE_NAMES if named.get(name))
    if len(days := set(_json_ld_dates(tree))) == 1:
        yield _Dated(days.pop(), "HTML JSON-LD datePublished")
    times = [(time.get("datetime"), time) for time in tree.iter("time") if time.get("datetime")]
    for value, time in times:
        if time.get("pubdate") is not None or (time.get("itemprop") or "").lower() == "datepublished":
            yield _Dated(value, "HTML time, marked as publication")
    if len({parse_date(value) for value, _ in times}) == 1:
        yield _Dated(times[0][0], "HTML time, the only day on the page")


def _json_ld_dates(tree: Any) -> Iterator[str]:
    for script in tree.iter("script"):
        if (script.get("type") or "").strip().lower() == "application/ld+json":
            try:
                yield from _published_in(json.loads(script.text or "", strict=False), _DEEPEST_JSON)
            except (ValueError, RecursionError):
                continue


def _published_in(value: Any, depth: int) -> Iterator[str]:
    if depth and isinstance(value, list):
        for item in value:
            yield from _published_in(item, depth - 1)
    elif depth and isinstance(value, dict):
        kinds = value.get("@type")
        published = value.get("datePublished")
        if isinstance(published, str) and any(
            str(kind).endswith(_ARTICLE_TYPES) for kind in (kinds if isinstance(kinds, list) else [kinds])
        ):
            yield published.strip()
        for key in ("@graph", "mainEntity"):
            yield from _published_in(value.get(key), depth - 1)


def _date_in(url: str) -> Iterator[_Dated]:
    for found in _DATE_IN_ADDRESS.finditer(url):
        if day := calendar_date(*found.groups()):
            yield _Dated(day.isoformat(), "date in the address")
