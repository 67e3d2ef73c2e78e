"""What opens a file and is metadata: header lines, header blocks, front matter, headings; everything else is text."""

from datetime import date

import pytest

from extractor.articles.discover import Source
from extractor.articles.read import read

DAY = date(2025, 7, 25)
BODY = "Tallow ministers met in Brask.\n\nNobody signed."


@pytest.fixture
def article(tmp_path):
    """A function that writes a file and reads its one article."""

    def make(text, name="x.txt", **options):
        path = tmp_path / name
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        (found,) = read(Source(id=name, path=path), **options)
        return found

    return make


@pytest.mark.parametrize(
    ("line", "title"),
    [
        (" date 2025-07-25 Talks open in Brask", "Talks open in Brask"),
        ("date 2025-07-25 Talks open in Brask", "Talks open in Brask"),
        ("DATE: 2025-07-25 Talks open in Brask", "Talks open in Brask"),
        ("Date :2025/7/25   Talks  open in Brask ", "Talks open in Brask"),
        ("\n\n \t date 2025-07-25\tTalks open in Brask", "Talks open in Brask"),
        ("date 2025-07-25: Talks open in Brask", "Talks open in Brask"),
        ("date 2025-07-25 — Talks open in Brask", "Talks open in Brask"),
        ("date 2025-07-25T10:00Z Talks open in Brask", "Talks open in Brask"),
        ("date 2025-07-25 12 dead", "12 dead"),
        ("date 2025-07-25 -5 degrees", "-5 degrees"),
        ("date 2025-07-25", None),
        ("date: 2025-07-25 ", None),
    ],
)
def test_a_header_line_is_metadata_and_not_text(article, line, title):
    """`date DAY Headline` gives the date and the headline; the text is headline, blank line, body."""
    found = article(f"{line}\n\n{BODY}\n")
    assert (found.published, found.title) == (DAY, title)
    assert found.text == (f"{title}\n\n{BODY}" if title else BODY)
    assert found.origins["published"].startswith("header")
    assert ("title" in found.origins) == (title is not None)


@pytest.mark.parametrize(
    "line",
    [
        "date 2025-13-45 Talks open",
        "date 2025-02-30 Talks open",
        "date 25-07-2025 Talks open",
        "date 2025-07-256 Talks open",
        "date 2025-07-25-26 Talks open",
        "date 2025-07-25Talks open",
        "update 2025-07-25 Talks open",
        "dates 2025-07-25 Talks open",
        "date of 2025-07-25 Talks open",
        "date 0001-01-01 Talks open",
        "date 9999-12-31 Talks open",
        "The date 2025-07-25 was set",
        "BRASK",
        "Title: Talks open\nAnalyst: A. Person",
        "Title: Talks open\nThe ministers met.",
        "Title: One\nTitle: Two",
        "Date: 07/08/2025\nTitle: Talks open",
        "Source: Brask Post\nURL: see below",
        "Language: the barrier they could not cross",
        "Warning: not for publication",
        "Title: " + "word " * 200,
        "# Talks open",
        "---\ntitle: Talks open\n---",
    ],
)
def test_what_only_looks_like_a_header_stays_text(article, line):
    """An impossible date, an unknown key or a value of the wrong kind leaves every word in the text."""
    found = article(f"{line}\n\n{BODY}\n")
    assert found.text == f"{line}\n\n{BODY}".strip()
    assert (found.published, found.title, found.source, found.language, found.url) == (None, None, None, None, None)


def test_a_header_line_that_carries_the_whole_article_gives_its_date_only(article):
    """What follows the date and is too long for a headline is the body."""
    words = "Tallow ministers met again. " * 40
    found = article(f"date 2025-07-25 {words}\nNobody signed.")
    assert (found.published, found.title) == (DAY, None)
    assert found.text == f"{words.strip()}\nNobody signed."


def test_a_header_block_gives_all_its_fields(article):
    """Known keys alone, then a blank line, are metadata in a text file."""
    found = article(
        f"Title: Talks open: day two\nDate: 25 July 2025\nSource: Brask Post\nURL: https://brask.example/1?a=b\nLanguage: en_GB\n\n{BODY}"
    )
    assert found.text == f"Talks open: day two\n\n{BODY}"
    assert (found.title, found.published, found.source) == ("Talks open: day two", DAY, "Brask Post")
    assert (found.url, found.language) == ("https://brask.example/1?a=b", "en-GB")
    assert set(found.origins.values()) == {"header block", "utf-8"}
    assert set(found.origins) == {"title", "published", "source", "url", "language", "encoding"}


@pytest.mark.parametrize(
    ("front", "title", "published"),
    [
        ("title: Talks open\ndate: 2025-07-25", "Talks open", DAY),
        ("title: Talks open: day two\ndate: 2025-07-25T10:00:00+02:00  # updated", "Talks open: day two", DAY),
        (
            'title: "Talks \\"open\\" \\u2013 day two"\ndate: \'2025-07-25\'',
            "Talks “open” – day two".replace("“", '"').replace("”", '"'),
            DAY,
        ),
        ("title: 'Brask''s day'\ndate: July 25, 2025", "Brask's day", DAY),
        ("title: >-\n  Talks open\n  in Brask\ndate: 2025-07-25", "Talks open in Brask", DAY),
        ("layout: post\ntags:\n  - war\n- peace\n# comment\n\ntitle: Talks open\ndate: 2025-07-25\nauthor: A", "Talks open", DAY),
        ('title: "unclosed \\x"\ndate: 2025-07-25', "unclosed \\x", DAY),
        ("title: Drone #2 lost\ndate: 2025-13-45", "Drone #2 lost", None),
        ("Title: Talks open\ntitle: Other", "Talks open", None),
        ("date: 2025-07-25\ntitle:", None, DAY),
    ],
)
def test_markdown_front_matter_is_metadata(article, front, title, published):
    """`key: value` lines between two rules give fields; unknown keys are passed over."""
    found = article(f"---\n{front}\n---\n\n{BODY}", "x.md")
    assert (found.title, found.published) == (title, published)
    assert found.text == (f"{title}\n\n{BODY}" if title else BODY)


def test_a_date_that_is_none_leaves_the_reason(article):
    """Front matter's unreadable date is not lost: origins say what stood there; a date in the file's name still counts."""
    text = f"---\ntitle: A\ndate: 2025-13-45\nlanguage: Tallowese tongue\nurl: nowhere\n---\n{BODY}"
    found = article(text, "x.md")
    assert found.origins["published"] == "front matter: '2025-13-45' is not a date such as 2025-07-25"
    assert "not a language tag" in found.origins["language"]
    assert "not a web address" in found.origins["url"]
    found = article(text, "2025-07-25.md")
    assert (found.published, found.origins["published"]) == (DAY, "file name")


@pytest.mark.parametrize(
    "text",
    [
        "---\nNobody signed.\n---\n\nMore.",
        "---\nNote: the ministers met\n---\n\nMore.",
        "---\ntitle: never closed\n\nMore.",
        "---\n---\n\nMore.",
        "--- \n- a list\n---\n\nMore.",
        "---\ntitle: A\nand prose\n---\n\nMore.",
        "text\n---\ntitle: A\n---",
        "#No space",
        "## Second level",
        "#\n\nMore.",
        "# " + "word " * 200,
        "# #####",
    ],
)
def test_markdown_that_only_looks_like_front_matter_or_heading_stays_text(article, text):
    """Rules, lists and prose between rules are text."""
    found = article(text, "x.md")
    assert found.text == text.strip()
    assert found.title is None


@pytest.mark.parametrize(
    ("opening", "title", "text"),
    [
        ("# Talks open", "Talks open", f"Talks open\n\n{BODY}"),
        ("\n# Talks open ##", "Talks open", f"Talks open\n\n{BODY}"),
        ("# About F#", "About F#", f"About F#\n\n{BODY}"),
        ("#\tTalks open", "Talks open", f"Talks open\n\n{BODY}"),
        ("---\ntitle: Talks open\n---\n# Talks open", "Talks open", f"Talks open\n\n{BODY}"),
        ("---\ntitle: Talks open\n---\n# Day two", "Talks open", f"Talks open\n\n# Day two\n\n{BODY}"),
        ("---\ndate: 2025-07-25\n---\n# Day two", "Day two", f"Day two\n\n{BODY}"),
        ("date 2025-07-25\n\n# Day two", "Day two", f"Day two\n\n{BODY}"),
        ("Title: Talks open\n", "Talks open", f"Talks open\n\n{BODY}"),
    ],
)
def test_a_markdown_heading_is_the_headline(article, opening, title, text):
    """A first-level heading in front becomes the headline without its mark, once."""
    found = article(f"{opening}\n\n{BODY}\n", "x.md")
    assert (found.title, found.text) == (title, text)


def test_a_headline_that_already_opens_the_body_is_not_doubled(article):
    """Where the body repeats the headline as its first line, the text has it once."""
    assert article("date 2025-07-25 Talks open\n\nTalks open\n\nThey met.").text == "Talks open\n\nThey met."
    assert article("date 2025-07-25 Talks open\n\nTalks open today.").text == "Talks open\n\nTalks open today."


def test_a_headline_alone_is_an_article(article):
    """A header with a headline and nothing else gives the headline as text."""
    assert article("date 2025-07-25 Talks open\n").text == "Talks open"


@pytest.mark.parametrize(
    ("text", "name", "option", "expected"),
    [
        ("date 2025-07-25 A\n\nB", "2024-01-01.txt", date(2023, 3, 3), (date(2023, 3, 3), "--published")),
        ("date 2025-07-25 A\n\nB", "2024-01-01.txt", None, (DAY, "header line")),
        ("Date: 2025-07-25\n\nB", "2024-01-01.txt", None, (DAY, "header block")),
        ("---\ndate: 2025-07-25\n---\nB", "2024-01-01.md", None, (DAY, "front matter")),
        ("B", "2025-07-25.txt", None, (DAY, "file name")),
        ("date 2025-13-45 A\n\nB", "20250725_a.txt", None, (DAY, "file name")),
        ("B", "x.txt", None, (None, None)),
    ],
)
def test_the_nearest_word_on_the_publication_date_holds(article, text, name, option, expected):
    """The option over the file's own words, those over its name; else None, never today."""
    found = article(text, name, published=option)
    assert (found.published, found.origins.get("published")) == expected


@pytest.mark.parametrize("filler", [" ", "\t", "#", "-", "a", ":", "\n", " #"])
@pytest.mark.parametrize("start", ["# ", "---\n", "date ", "date 2025-07-25", "Title", "---\ntitle: "])
@pytest.mark.timeout(5)
def test_no_opening_makes_reading_slow(article, start, filler):
    """A million repeated characters after any opening are read in linear time."""
    for name in ("x.md", "x.txt"):
        assert article(f"{start}{filler * 1_000_000}x", name).text


def test_lines_of_an_export_beside_the_metadata_are_passed_over(article):
    """An author, a section or a copyright line is no part of the text; without title or date before it, it is the text's own."""
    found = article(f"Title: Talks open\nAuthor: A. Person\nPublication: Brask Post\nDate: 25 July 2025\nLength: 300 words\n\n{BODY}\n")
    assert (found.title, found.source, str(found.published)) == ("Talks open", "Brask Post", "2025-07-25")
    assert found.text == f"Talks open\n\n{BODY}".strip()
    assert article(f"Author: A. Person\n\n{BODY}\n").text == f"Author: A. Person\n\n{BODY}".strip()
