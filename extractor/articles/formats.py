"""The table of formats: which function reads which suffix.

In: nothing. Out: `FORMATS`. Floor: articles.
Before changing it: a suffix here is read wherever it is found in a folder. `discover` and `read` both look here, which is why the table
stands in neither of them.
"""

from collections.abc import Callable, Iterator, Mapping

from extractor.articles.draft import Draft, Raw
from extractor.articles.plain import read_md, read_txt

Format = Callable[[Raw], Iterator[Draft]]
"""Reads one open file; raises `ArticleError` for what it can not read."""

FORMATS: Mapping[str, Format] = {
    ".txt": read_txt,
    ".md": read_md,
    ".markdown": read_md,
}
"""By suffix, in lower case."""

FALLBACK: Format = read_txt
"""For standard input, and for a file that is named outright and has another suffix or none."""

SUPPORTED = ", ".join(sorted(FORMATS))
"""The suffixes, for messages."""
