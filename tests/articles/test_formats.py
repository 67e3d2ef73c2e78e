"""What holds for every format: the order of dates, optional libraries, start-up, and files that were made to break readers."""

import importlib
import importlib.util
import io
import subprocess
import sys
from datetime import date
from pathlib import Path

import making
import pytest

from extractor.articles import formats
from extractor.articles.draft import Raw
from extractor.errors import ArticleError

ROOT = Path(__file__).parent.parent.parent
FILE, NAME, GIVEN = date(2025, 7, 25), date(2025, 7, 1), date(2024, 1, 1)

DATED = {
    ".txt": "date 2025-07-25 Talks\n\nThey met.",
    ".md": "---\ndate: 2025-07-25\n---\nThey met.",
    ".html": making.page(),
    ".json": '{"text": "They met.", "date": "2025-07-25"}',
    ".jsonl": '{"text": "They met.", "date": "2025-07-25"}',
    ".rss": making.RSS,
    ".eml": making.mail(),
    ".mbox": b"From a\n" + making.mail(),
}
CREATED = {
    ".pdf": making.pdf([["They met."]], {"CreationDate": "D:20250725"}),
    ".docx": making.docx(making.paragraph(making.run("They met.")), core="<dcterms:created>2025-07-25T00:00:00Z</dcterms:created>"),
}


@pytest.mark.parametrize("suffix", [*DATED, *CREATED])
def test_the_argument_goes_before_everything(reading, suffix):
    """`--published` is what the user knows better."""
    found = reading({**DATED, **CREATED}[suffix], f"2025-07-01{suffix}", published=GIVEN)[0]
    assert (found.published, found.origins["published"]) == (GIVEN, "--published")


@pytest.mark.parametrize("suffix", DATED)
def test_what_a_file_says_of_its_article_goes_before_its_name(reading, suffix):
    """Header line, front matter, meta, key, pubDate and Date, each with its own origin."""
    found = reading(DATED[suffix], f"2025-07-01{suffix}")[0]
    assert found.published == FILE
    assert found.origins["published"] not in ("file name", "--published")


@pytest.mark.parametrize("suffix", CREATED)
def test_a_files_name_goes_before_the_properties_of_a_document(reading, suffix):
    """A page is printed, and a text typed anew, after it was published."""
    found = reading(CREATED[suffix], f"2025-07-01{suffix}")[0]
    assert (found.published, found.origins["published"]) == (NAME, "file name")
    assert reading(CREATED[suffix], f"x{suffix}")[0].published == FILE


UNDATED = {
    ".txt": "They met.",
    ".html": making.page(head="").replace("/2025/07/25", ""),
    ".pdf": making.pdf([["They met."]]),
    ".docx": making.docx(making.paragraph(making.run("They met."))),
    ".json": '{"text": "They met."}',
    ".rss": "<rss><channel><item><title>A</title></item></channel></rss>",
    ".eml": "Subject: A\n\nThey met.",
}


@pytest.mark.parametrize("suffix", UNDATED)
def test_the_name_goes_before_nothing_and_nothing_is_none(reading, suffix):
    """Never today, never the time of the file."""
    assert reading(UNDATED[suffix], f"2025-07-01{suffix}")[0].published == NAME
    found = reading(UNDATED[suffix], f"x{suffix}")[0]
    assert found.published is None
    assert "published" not in found.origins


@pytest.mark.parametrize(("suffix", "module", "extra"), [(".html", "trafilatura", "html"), (".pdf", "pypdf", "pdf")])
def test_a_missing_library_is_an_error_that_names_its_extra(monkeypatch, suffix, module, extra):
    """Each file says so, and the others are read."""

    def missing(name, *args):
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", missing)
    data = {**DATED, **CREATED}[suffix]
    with pytest.raises(ArticleError) as caught:
        next(formats.FORMATS[suffix](Raw("File 'x'", io.BytesIO(data.encode() if isinstance(data, str) else data))))
    assert str(caught.value) == (
        f"File 'x' can not be read (No module named '{module}'). Reading {extra.upper()} needs the '{extra}' extra: "
        f'pip install "grounded-fact-extractor[{extra}]"'
    )


def test_text_is_read_without_a_library():
    """Importing all formats and reading text, Markdown, JSON, feeds, Word and mail loads no library that only others need."""
    script = (
        "import sys, io; from extractor.articles.formats import FORMATS; from extractor.articles.draft import Raw\n"
        "sys.path.insert(0, 'tests/articles'); import making\n"
        "for suffix, data in {'.txt': 'Málaga’s “café”'.encode(), '.md': b'# A', '.json': making.JSON.encode(), '.rss': making.RSS.encode(),\n"
        "                     '.docx': making.docx(making.paragraph(making.run('x'))), '.eml': making.mail()}.items():\n"
        "    assert list(FORMATS[suffix](Raw('x', io.BytesIO(data))))\n"
        "loaded = {'lxml', 'trafilatura', 'pypdf', 'docx', 'ftfy', 'charset_normalizer', 'htmldate', 'dateparser'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


@pytest.fixture(scope="module")
def fuzz():
    """The script that makes hostile files; 10,000 for each reader are read with `python bench/fuzz_readers.py`."""
    spec = importlib.util.spec_from_file_location("fuzz_readers", ROOT / "bench" / "fuzz_readers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("suffix", [".txt", ".md", ".html", ".pdf", ".docx", ".json", ".jsonl", ".xml", ".eml", ".mbox"])
def test_a_mutated_file_gives_articles_or_one_error(fuzz, tmp_path, suffix):
    """Cut, spliced, overwritten or renamed: no other exception, no hang, no article that can not be stored."""
    found = [fuzz.verdict(fuzz.mutation(suffix, number, seed=2), suffix, tmp_path)[0] for number in range(200)]
    assert set(found) <= set(fuzz.FINE)
    assert len(set(found)) > 1
