"""Plain text (`.txt`) and Markdown (`.md`): the words stay as they are, only what opens the file is read as metadata.

In: an open file. Out: one `Draft`. Floor: articles.
Before changing it: whatever is taken for metadata leaves the article's text, and with it the evidence that facts may quote. So a form
counts only when all of it fits; a first line that merely looks like a headline is text.

What may open a file, tried in this order, leading blank lines apart:

1. `.md` only: front matter, `key: value` lines between two lines `---`.
2. A header block: lines `Title:`, `Date:`, `Source:`, `URL:`, `Language:`, each with a value of its kind, then a blank line. Lines
   `Author:`, `Section:` and the like (`_PASSED_OVER`) may stand between them; any other line makes it no block.
3. A header line: `date 2025-07-25 Headline`.
4. `.md` only, after 1, 2, 3 or none: a heading `# Headline`.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from extractor.articles.dates import NUMERIC_DATE, calendar_date
from extractor.articles.draft import KEYS, VALUE_CHARS, Draft, Raw

_HEADER_LINE = re.compile(rf"\s*date(?:\s*:\s*|\s+){NUMERIC_DATE}\s*[:|\u2013\u2014-]?(?P<headline>(?:\s.*)?)", re.IGNORECASE)

_BLOCK_LINE = re.compile(r"\s*([A-Za-z]+)\s*:(.*)")
_BLOCK_LINES = 24  # each name of KEYS or _PASSED_OVER once
_PASSED_OVER = frozenset(
    {"author", "authors", "byline", "section", "category", "tags", "keywords", "length", "words", "copyright", "id", "page"}
)
"""What exports put beside it: it is no part of the text, and nothing is read from it."""

_FRONT_MATTER_LINES = 200  # a closing line further down closes something else
_FRONT_MATTER_LINE = re.compile(r"(?P<key>[A-Za-z_][\w.-]*)\s*:(?:\s+(?P<value>.*)|\s*)|(?P<other>\s.*|-.*|#.*|)")
_BLOCK_SCALAR = re.compile(r"[|>][+-]?[0-9]?")
_COMMENT = re.compile(r"\s#\s")


def read_txt(raw: Raw) -> Iterator[Draft]:
    """The one article of a plain text file.

    Raises:
        ArticleError: It is empty, too large, or no text.
    """
    text, encoding = raw.text()
    text = strip_blank_lines(text)
    draft = _header_block(text) or _header_line(text) or Draft(text)
    yield replace(draft, origins={**draft.origins, "encoding": encoding})


def read_md(raw: Raw) -> Iterator[Draft]:
    """The one article of a Markdown file; its marks stay in the text, but for those of the headline.

    Raises:
        ArticleError: It is empty, too large, or no text.
    """
    text, encoding = raw.text()
    text = strip_blank_lines(text)
    draft = _with_heading(_front_matter(text) or _header_block(text) or _header_line(text) or Draft(text))
    yield replace(draft, origins={**draft.origins, "encoding": encoding})


def strip_blank_lines(text: str) -> str:
    r"""`text` without blank lines before it and without whitespace after it; the indentation of its first line stays."""
    text = text.rstrip()
    indent = len(text) - len(text.lstrip())
    return text[text.rfind("\n", 0, indent) + 1 :]


def _header_line(text: str) -> Draft | None:
    line, _, rest = text.partition("\n")
    found = _HEADER_LINE.fullmatch(line)
    if found is None or (published := calendar_date(found["year"], found["month"], found["day"])) is None:
        return None
    headline, metadata = found["headline"].strip(), {"date": published.isoformat()}
    if len(headline) > VALUE_CHARS:  # the article itself follows its date on the same line
        return Draft.of(f"{headline}\n{rest}", metadata, "header line")
    return Draft.of(rest, {**metadata, "title": headline}, "header line")


def _header_block(text: str) -> Draft | None:
    lines = text.split("\n", _BLOCK_LINES)
    metadata: dict[str, str] = {}
    for number, line in enumerate(lines):
        if not line.strip():
            draft = Draft.of("\n".join(lines[number:]), metadata, "header block")
            return None if any(value.strip() and getattr(draft, key) is None for key, value in metadata.items()) else draft
        found = _BLOCK_LINE.fullmatch(line)
        name = found[1].lower() if found else ""
        key = KEYS.get(name)
        if found and key and key not in metadata:
            metadata[key] = found[2]
        elif not metadata or name not in _PASSED_OVER:  # a text may open with "Copyright: …"
            return None
    return None


def _front_matter(text: str) -> Draft | None:
    lines = text.split("\n", _FRONT_MATTER_LINES)
    if lines[0].rstrip() != "---":
        return None
    pairs: list[tuple[str, list[str]]] = []
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() in ("---", "..."):
            metadata = {key: _scalar(values) for key, values in reversed(pairs)}
            return Draft.of("\n".join(lines[number + 1 :]), metadata, "front matter") if metadata.keys() & KEYS.keys() else None
        found = _FRONT_MATTER_LINE.fullmatch(line)
        if found is None:
            return None
        if found["key"]:
            pairs.append((found["key"].lower(), [(found["value"] or "").strip()]))
        elif pairs and line[:1].isspace():
            pairs[-1][1].append(line.strip())
    return None


def _scalar(values: list[str]) -> str:
    # A line parser and not YAML: `title: Talks: day two` is an error in YAML and usual in files, and no file can make this one slow
    first = "" if _BLOCK_SCALAR.fullmatch(values[0]) else values[0]
    value = " ".join(part for part in (first, *values[1:]) if part)
    if len(value) > 1 and value[0] == value[-1] == '"':
        try:
            return str(json.loads(value))
        except ValueError:
            return value[1:-1]
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'")
    return _COMMENT.split(value, maxsplit=1)[0]


def _with_heading(draft: Draft) -> Draft:
    body = strip_blank_lines(draft.body)
    line, _, rest = body.partition("\n")
    if not line.startswith(("# ", "#\t")):
        return draft
    headline = line[2:].strip()
    unclosed = headline.rstrip("#")  # `# Headline #` is the same heading, `# F#` is not
    if unclosed.endswith((" ", "\t")):
        headline = unclosed.rstrip()
    if not headline.strip("#") or len(headline) > VALUE_CHARS:
        return draft
    if draft.title is None:
        return replace(draft, body=rest, title=headline, origins={**draft.origins, "title": "heading"})
    # The same headline twice is one; another one is a line of the text
    return replace(draft, body=rest) if headline.split() == draft.title.split() else draft
