"""The lines of printed pages to paragraphs: running headers, footers and page numbers out, broken words and lines joined.

In: the lines of each page. Out: the text, and what was done to it. Floor: articles. Pure functions: no file, no library.
Before changing it: what is taken out is no longer evidence, and a word joined wrongly is a word that nobody wrote. So a line goes only
when it stands at the same edge of other pages, too, and a hyphen goes only when the document itself has the word without it. Where it
has neither the one nor the other, a soft hyphen is put behind the hyphen: grounding then takes the word with and without (`unmarked`).
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

_EDGE_LINES = 3  # headers and footers have at most so many lines
_RUNNING_CHARS = 120  # longer lines are text
_RUNNING_SHARE = 0.4  # of pages: left and right pages may have headers of their own

_NUMBERED = (
    re.compile(r"(?P<before>[^0-9]*)(?P<number>[0-9]{1,4})(?P<after>(?:[^0-9].*)?)"),
    re.compile(r"(?P<before>(?:.*[^0-9])?)(?P<number>[0-9]{1,4})(?P<after>[^0-9]*)"),
)
"""A line by its first and by its last number, either of which may be the page's."""

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_BROKEN_START = re.compile(r"([^\W\d_]+(?:-[^\W\d_]+)*)[-\u2010]\Z")
_BROKEN_END = re.compile(r"\A([^\W\d_]+)")
_ENDS_SENTENCE = re.compile(r"[.!?…:][\"'”’»)\]]*\Z")
_BULLET = re.compile(r"(?:[•‣▪●◦*–—-]|[0-9]{1,2}[.)])\s")
_JOINING = ("-", "\u2010", "\u2011", "–", "—", "/")  # nothing stands between them and the next word
_SHORT = 0.8  # of a full line: the last line of a paragraph is nearly always shorter
_HEADING = 0.6  # likewise for a line that ends no sentence


class Joined(NamedTuple):
    """A document's text."""

    text: str
    """Paragraphs, a blank line between them."""
    running_lines: int
    """Lines that were taken out as headers, footers and page numbers."""
    mended_words: int
    """Hyphens that were taken out at the end of a line."""


def join_pages(pages: Sequence[Sequence[str]]) -> Joined:
    """The text of a document, given the lines of its pages."""
    stripped = [[" ".join(line.split()) for line in page] for page in pages]
    pages_kept = _without_running([_without_blank_edges(page) for page in stripped])
    running = sum(map(bool, (line for page in stripped for line in page))) - sum(map(bool, (line for page in pages_kept for line in page)))
    kept = [_without_blank_edges(page) for page in pages_kept]
    words = Counter(word.casefold() for page in kept for line in page for word in _WORD.findall(line.rstrip("-\u00ad")))
    width = _full_width([line for page in kept for line in page])
    paragraphs: list[list[str]] = []
    last, mended = "", 0
    for line in (line for page in kept for line in page):
        if not line:
            last = ""
            continue
        if not last or _starts_paragraph(last, line, width):
            paragraphs.append([line])
        else:
            joint = _joint(last, line, words)
            mended += len(joint) < len(last)
            paragraphs[-1][-1] = joint
            paragraphs[-1].append(line)
        last = line
    return Joined("\n\n".join("".join(paragraph) for paragraph in paragraphs), running, mended)


def _without_running(pages: list[list[str]]) -> list[list[str]]:
    """The pages without outer lines that stand in the same place of other pages: as they are, or with a number that counts up."""
    enough = max(2, _RUNNING_SHARE * len(pages))
    running: list[set[int]] = [set() for _ in pages]
    for depth in range(_EDGE_LINES):
        for from_top in (True, False):
            places = [(page, depth if from_top else len(lines) - 1 - depth) for page, lines in enumerate(pages) if len(lines) > depth]
            keys = {(page, line): _keys(pages[page][line], page) for page, line in places}
            counts = Counter(key for found in keys.values() for key in found)
            for (page, line), found in keys.items():
                if any(counts[key] >= enough for key in found):
                    running[page].add(line)
    return [[line for at, line in enumerate(lines) if at not in running[page]] for page, lines in enumerate(pages)]


def _keys(line: str, page: int) -> set[tuple[str, str, int]]:
    """What a line shares with its like on other pages; the number is that of the first page, were it counted from here."""
    if not line or len(line) > _RUNNING_CHARS:
        return set()
    found = (form.fullmatch(line) for form in _NUMBERED)
    return {(line, "", -1)} | {(match["before"], match["after"], int(match["number"]) - page) for match in found if match}


def _without_blank_edges(page: list[str]) -> list[str]:
    first = next((number for number, line in enumerate(page) if line), len(page))
    last = next((number for number in range(len(page), first, -1) if page[number - 1]), first)
    return page[first:last]


def _full_width(lines: list[str]) -> int:
    lengths = sorted(len(line) for line in lines if line)
    return lengths[len(lengths) * 3 // 4] if lengths else 0


def _starts_paragraph(last: str, line: str, width: int) -> bool:
    if _BULLET.match(line):
        return not last.endswith(("-", "–"))
    if _ENDS_SENTENCE.search(last):
        return len(last) < _SHORT * width
    return len(last) < _HEADING * width and line[:1].isupper() and not last.endswith((",", ";", "-", "–", "—"))


def _joint(last: str, line: str, words: Counter[str]) -> str:
    """`last` as it stands before `line` in the running text: with a space, or as it is after a hyphen, or without its hyphen."""
    if last.endswith("\u00ad"):
        return last[:-1]
    if len(last) == 1 or last[-2].isspace() or not last.endswith(_JOINING):
        return f"{last} "
    start, end = _BROKEN_START.search(last), _BROKEN_END.match(line)
    if start and end and end[1][:1].islower():
        whole, hyphenated = f"{start[1]}{end[1]}".casefold(), f"{start[1]}-{end[1]}".casefold()
        if words[hyphenated]:
            return last
        return last[:-1] if words[whole] else f"{last}\u00ad"
    return last
