"""Small pieces of HTML to text: what feeds, JSON exports and the like carry inside their fields. Whole pages are `webpage`'s.

In: a string. Out: its words, a blank line between paragraphs. Floor: articles.
Before changing it: it takes time in proportion to the text, whatever the text is: no pattern here may look past the next `<` more than
once. (The standard library's HTMLParser was quadratic on unclosed comments until 2025: https://github.com/python/cpython/issues/135462.)
"""

import html
import re
from collections.abc import Iterator

_TAG = re.compile(r"""<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9:-]*)(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>|<[/!?A-Za-z][^<>]*+>""")
_SURE_TAG = re.compile(
    r"</(?:p|div|a|span|strong|em|b|i|u|li|ul|ol|td|tr|table|h[1-6]|blockquote|figure|section|article)\s*>|<br\s*/?>|<p(?:\s+[a-z-]+\s*=[^<>]*)?>",
    re.IGNORECASE,
)

_HIDDEN = ("script", "style", "template", "iframe", "object", "svg")
_REGION = re.compile(rf"<!--|<!\[CDATA\[|<(?P<name>{'|'.join(_HIDDEN)})(?![A-Za-z0-9:-])[^<>]*+>", re.IGNORECASE)
_ENDS = {name: re.compile(rf"</{name}[^<>]*+>", re.IGNORECASE) for name in _HIDDEN}
_PARAGRAPHS = (
    "address", "article", "aside", "blockquote", "center", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "nav", "ol", "p", "pre", "section", "table", "title",
    "ul",
)  # fmt: skip

_SPACES = re.compile(r"[ \n\r\f\v]+")
_AROUND_TAB = re.compile(r" ?\t ?")
_BLANK_LINES = re.compile(r"\n{3,}")

BREAK = "\x00"
"""Stands for a line break of the markup while those of its source become spaces; decoded text has no zero characters."""

_EDGES: dict[tuple[str, bool | None], str] = {
    **{(name, None): BREAK * 2 for name in _PARAGRAPHS},
    **{(name, False): BREAK for name in ("br", "caption", "li", "tr")},
    **{(name, False): "\t" for name in ("td", "th")},
}
"""What a tag is in the text, by its name and whether it closes (None: either way)."""


def is_markup(text: str) -> bool:
    """Whether `text` has tags that nobody writes in prose: `<p>`, `<br>` or the closing tag of a common element."""
    return "<" in text and _SURE_TAG.search(text) is not None


def without_tags(text: str) -> str:
    """The words of a piece of HTML: tags, comments, scripts and styles removed, character references resolved.

    Paragraphs are separated by a blank line, lines of lists and tables by a line break, cells by a tab. A `<` that opens no tag stays.
    """
    shown = "".join(_shown(text)) if _REGION.search(text) else text
    return tidy(html.unescape(_TAG.sub(_edge, shown)))


def _edge(tag: re.Match[str]) -> str:
    name, closes = (tag["name"] or "").lower(), bool(tag["close"])
    return _EDGES.get((name, closes)) or _EDGES.get((name, None), "")


def _shown(text: str) -> Iterator[str]:
    """The parts of `text` outside comments and elements that hide what is in them; what opens such a region and never ends it hides all."""
    at = 0
    while opening := _REGION.search(text, at):
        yield text[at : opening.start()]
        if name := opening["name"]:
            ending = None if opening[0].endswith("/>") else _ENDS[name.lower()].search(text, opening.end())
            at = opening.end() if opening[0].endswith("/>") else ending.end() if ending else len(text)
        else:
            closing = "-->" if opening[0] == "<!--" else "]]>"
            end = text.find(closing, opening.end())
            if closing == "]]>":
                yield text[opening.end() : end if end >= 0 else len(text)]
            at = end + len(closing) if end >= 0 else len(text)
    yield text[at:]


def tidy(text: str) -> str:
    """Words out of markup as articles have them: line breaks only where `BREAK` stands, at most one blank line, single spaces."""
    text = _AROUND_TAB.sub("\t", _SPACES.sub(" ", text)).replace(BREAK, "\n")
    return _BLANK_LINES.sub("\n\n", "\n".join(line.strip() for line in text.split("\n"))).strip()
