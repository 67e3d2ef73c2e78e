"""RSS 0.9 to 2.0, RDF and Atom (`.rss`, `.atom`, `.xml`): each item is an article.

In: an open file. Out: a `Draft` for each item, numbered by its place from 1, one item included. Floor: articles.
Before changing it: items before a mistake in the file are given, then the mistake is raised. Names are compared with their prefix, as
written: `media:title` is no title.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from extractor.articles.charset import declared_in_markup
from extractor.articles.dates import parse_date
from extractor.articles.draft import Draft, Raw, Unread, is_blank
from extractor.articles.markup import without_tags
from extractor.articles.xmlevents import Event, events
from extractor.errors import ArticleError

_ROOTS = ("rss", "rdf:RDF", "RDF", "feed", "atom:feed")
_ITEMS = ("item", "entry", "atom:entry")
_CHANNELS = ("channel", "feed", "atom:feed")
_BODIES = ("content:encoded", "content", "atom:content", "description", "summary", "atom:summary")
_DATES = ("pubDate", "published", "atom:published", "dc:date", "issued", "dcterms:issued", "updated", "atom:updated")
_TITLES = ("title", "atom:title", "dc:title")
_LANGUAGES = ("dc:language", "language", "xml:lang")
_LINKS = ("link", "atom:link")

_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,30};)")
_OF_XML = ("amp;", "lt;", "gt;", "quot;", "apos;")
_COMMENT = re.compile(r"\s*\([^()]*\)\s*\Z")


@dataclass(slots=True)
class _Found:
    """The values of an item or a channel, by name; the first of a name that is not empty counts."""

    values: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, value: str) -> None:
        if value.strip():
            self.values.setdefault(name, value.strip())

    def first(self, names: tuple[str, ...]) -> tuple[str, str]:
        """The first of `names` that has a value, and the value; else twice ""."""
        return next(((name, self.values[name]) for name in names if name in self.values), ("", ""))


def read_feed(raw: Raw) -> Iterator[Draft]:
    """The items of a feed; one without a text of its own is its headline.

    Raises:
        ArticleError: It is empty, too large (20 MB) or no feed; or, after all that can be read, the rest of it is broken or some items
            hold nothing.
    """
    text, encoding = raw.text(declared_in_markup)
    # The names of HTML are not known to XML, and used in feeds all the same
    text = _ENTITY.sub(lambda found: found[0] if found[1] in _OF_XML else html.unescape(found[0]), text)
    channel, items, broken = _gathered(text, raw.label)
    unread = Unread(raw.label, "items")
    for number, item in enumerate(items, start=1):
        draft = _draft(item, channel)
        if is_blank(draft.body) and is_blank(draft.title or ""):
            unread.add(number, "it has neither title nor text")
        else:
            yield replace(draft, number=number, origins={**draft.origins, "encoding": encoding})
    if broken:
        raise broken
    unread.raise_if_any(len(items))


def _gathered(text: str, label: str) -> tuple[_Found, list[_Found], ArticleError | None]:
    channel, items = _Found(), list[_Found]()
    reader = _Reader(channel, items)
    try:
        for event in events(text, label, "an RSS or Atom feed"):
            reader.take(event)
            if reader.root not in _ROOTS:
                break
    except ArticleError as error:
        return channel, items, error
    if reader.root in _ROOTS:
        return channel, items, None
    named = ", or name it .html" if reader.root.lower() == "html" else ""
    said = f"it opens with <{reader.root[:60]}>, and <rss>, <feed> or <rdf:RDF> was expected"
    return channel, items, ArticleError(f"{label} is XML, but no feed: {said}. Leave it out{named}.")


class _Reader:
    """Puts each field of a channel or an item in its place, as the events come."""

    def __init__(self, channel: _Found, items: list[_Found]) -> None:
        self.root = ""
        self._channel = channel
        self._items = items
        self._open: list[str] = []
        self._item_depth = 0  # how many elements were open when the item began; 0 outside
        self._field_depth = 0  # likewise for the field whose text is gathered
        self._pieces: list[str] = []

    def take(self, event: Event) -> None:
        if event.kind == "start":
            self._start(event)
        elif event.kind == "end":
            self._end()
        elif self._field_depth:
            inside = len(self._open) > self._field_depth
            self._pieces.append(html.escape(event.name, quote=False) if inside else event.name)

    def _start(self, event: Event) -> None:
        name, depth = event.name, len(self._open)
        self._open.append(name)
        self.root = self.root or name
        owner = self._items[-1] if self._item_depth else self._channel
        if self._field_depth:
            self._pieces.append(f"<{name.rpartition(':')[2]}>")
        elif not self._item_depth and name in _ITEMS:
            self._items.append(_Found())
            self._item_depth = depth + 1
            self._items[-1].add("xml:lang", event.attributes.get("xml:lang", ""))
        elif depth and (self._item_depth == depth or (not self._item_depth and self._open[-2] in _CHANNELS)):
            self._field_depth = depth + 1
            self._pieces = []
            if name in _LINKS and event.attributes.get("rel", "alternate") == "alternate":
                owner.add("link", event.attributes.get("href", ""))
            elif name == "guid" and event.attributes.get("isPermaLink", "true") == "false":
                self._open[-1] = "guid:none"
        if name in ("rss", *_CHANNELS):
            owner.add("xml:lang", event.attributes.get("xml:lang", ""))

    def _end(self) -> None:
        depth, name = len(self._open), self._open.pop()
        if self._field_depth == depth:
            owner = self._items[-1] if self._item_depth else self._channel
            owner.add(name, "".join(self._pieces))
            self._field_depth = 0
        elif self._field_depth:
            self._pieces.append(f"</{name.rpartition(':')[2]}>")
        elif self._item_depth == depth:
            self._item_depth = 0


def _draft(item: _Found, channel: _Found) -> Draft:
    body_name, body = next(((name, words) for name in _BODIES if (words := without_tags(item.values.get(name, "")))), ("", ""))
    title_name, title = item.first(_TITLES)
    date_name, published = item.first(_DATES)
    source_name, source = item.first(("source", "dc:publisher"))
    if not source or "<" in source:  # Atom's has elements of its own
        source_name, source = "channel's title", channel.first(_TITLES)[1]
    language_name, language = item.first(_LANGUAGES)
    if not language:
        language_name, language = channel.first(_LANGUAGES)
    url_name, url = item.first((*_LINKS, "guid"))
    day = _COMMENT.sub("", published)
    metadata: Mapping[str, str] = {
        "title": without_tags(title),
        "date": day if parse_date(day) else published,
        "source": without_tags(source),
        "language": language,
        "url": url,
    }
    names = {"title": title_name, "date": date_name, "source": source_name, "language": language_name, "url": url_name}
    draft = Draft.of(body, metadata, {key: f"feed {name}" for key, name in names.items()})
    return replace(draft, origins={**draft.origins, "text": f"feed {body_name}, tags removed"}) if body_name else draft
