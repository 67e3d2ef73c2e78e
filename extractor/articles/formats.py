"""The table of formats: which function reads which suffix.

In: nothing. Out: `FORMATS`. Floor: articles.
Before changing it: a suffix here is read wherever it is found in a folder, and importing this
imports no library that a format needs. `discover` and `read` both look here, which is why the table stands in neither of them.
"""

from collections.abc import Callable, Iterator, Mapping

from extractor.articles.draft import Draft, Raw
from extractor.articles.feed import read_feed
from extractor.articles.jsonfile import read_json, read_jsonl
from extractor.articles.mail import read_eml, read_mbox
from extractor.articles.pdf import read_pdf
from extractor.articles.plain import read_md, read_txt
from extractor.articles.webpage import read_html
from extractor.articles.word import read_docx

Format = Callable[[Raw], Iterator[Draft]]
"""Reads one open file; raises `ArticleError` for what it can not read."""

FORMATS: Mapping[str, Format] = {
    ".txt": read_txt,
    ".md": read_md,
    ".markdown": read_md,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
    ".json": read_json,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".rss": read_feed,
    ".atom": read_feed,
    ".xml": read_feed,
    ".eml": read_eml,
    ".mbox": read_mbox,
}
"""By suffix, in lower case."""

FALLBACK: Format = read_txt
"""For standard input, and for a file that is named outright and has another suffix or none."""

SUPPORTED = ", ".join(sorted(FORMATS))
"""The suffixes, for messages."""
