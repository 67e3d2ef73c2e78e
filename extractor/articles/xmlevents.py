"""XML as a flow of events, safe from hostile files: what feeds and Word files are read by.

In: text or bytes. Out: `Event`s. Floor: articles.
Before changing it: no entity is ever declared or fetched (a few hundred bytes of them can stand for gigabytes, or for another file of the
disk), nothing recurses, and no tree is built: depth and size cost nothing but time, and that is bounded.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple
from xml.parsers import expat

from extractor.errors import ArticleError

_CHUNK = 65_536  # characters or bytes between two looks at what was found
_MAX_ELEMENTS = 400_000  # a novel in Word has 200,000; each takes 5 to 10 µs


class Event(NamedTuple):
    """One thing that happens in an XML file."""

    kind: Literal["start", "end", "text"]
    """What it is."""
    name: str
    """The element's name with its prefix, as written; of text, the text."""
    attributes: dict[str, str]
    """Of a start; else empty."""


def events(data: str | bytes, label: str, kind: str) -> Iterator[Event]:
    """The events of one document, in order; those before a mistake are given before the error.

    Args:
        data: The document; a string is taken as it is, whatever encoding it declares.
        label: The file, as messages name it.
        kind: What it is, such as `an RSS or Atom feed`.

    Raises:
        ArticleError: It is not well-formed, declares entities, or has more than 400,000 elements.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    found: list[Event] = []
    elements = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal elements
        elements += 1
        if elements > _MAX_ELEMENTS:
            raise ArticleError(f"{label} has more than {_MAX_ELEMENTS:,} XML elements, the most that one file may have. Split it.")
        found.append(Event("start", name, attributes))

    def declared(name: str, *_: object) -> None:
        raise ArticleError(f"{label} declares the XML entity {name!r}, which articles need not and attacks do. Remove its DOCTYPE.")

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: found.append(Event("end", name, {}))
    parser.CharacterDataHandler = lambda text: found.append(Event("text", text, {}))
    parser.EntityDeclHandler = declared
    try:
        for at in range(0, len(data), _CHUNK):
            parser.Parse(data[at : at + _CHUNK], False)
            yield from found
            found.clear()
        parser.Parse(data[:0], True)
    except ArticleError:
        yield from found
        raise
    except expat.ExpatError as error:
        yield from found
        raise ArticleError(
            f"{label} is not readable as {kind}: {expat.ErrorString(error.code)} in line {error.lineno}. Mend it, or save it anew."
        ) from error
    yield from found
