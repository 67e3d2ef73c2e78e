"""PDF documents: lines to paragraphs, running lines, broken words, properties, and what is refused."""

import zlib
from datetime import date

import making
import pypdf
import pytest

from extractor.articles import pdf
from extractor.articles.pages import join_pages
from extractor.evidence.ground import Ground

DAY = date(2025, 7, 25)
LONG = "The ministers of Tallow met in Brask on Friday and agreed to buy"


def test_a_pdf_gives_its_text_as_paragraphs(reading):
    """Lines are joined, running lines and page numbers go, the properties' title opens the text once; origins say what was done."""
    pages = [
        [
            "Brask Post, 25 July 2025",
            "Tallow buys ten tanks",
            LONG,
            "ten tanks for “$10-30 billion” – soon.",
            "Nobody signed.",
            "Page 1 of 2",
        ],
        ["Brask Post, 25 July 2025", "Deliveries begin before the end of August, the ministry said in a", "statement.", "Page 2 of 2"],
    ]
    info = {"Title": "Tallow buys ten tanks", "CreationDate": "D:20250725101112+02'00'", "Producer": "LibreOffice 24.2"}
    (found,) = reading(making.pdf(pages, info), "x.pdf")
    assert found.text == (
        f"Tallow buys ten tanks\n\n{LONG} ten tanks for “$10-30 billion” – soon.\n\nNobody signed.\n\n"
        "Deliveries begin before the end of August, the ministry said in a statement."
    )
    assert (found.title, found.published) == ("Tallow buys ten tanks", DAY)
    assert found.origins == {
        "text": "PDF text layer, 2 pages, 4 running lines removed",
        "title": "PDF properties, and the first words",
        "published": "PDF properties, day of creation",
    }


@pytest.mark.parametrize(
    ("title", "title_origin"),
    [
        ("Microsoft Word - draft7.doc", "PDF properties: the text does not open with 'Microsoft Word - draft7.doc'"),
        ("They me", "PDF properties: the text does not open with 'They me'"),
        ("x" * 501, None),
        ("", None),
    ],
)
def test_a_title_that_does_not_open_the_text_is_not_the_headline(reading, title, title_origin):
    """Properties are often those of a template; words that are not on the page are never put into the text."""
    (found,) = reading(making.pdf([["They met in Brask."]], {"Title": title}), "x.pdf")
    assert (found.title, found.text, found.origins.get("title")) == (None, "They met in Brask.", title_origin)


@pytest.mark.parametrize(
    ("info", "name", "published", "origin"),
    [
        ({"CreationDate": "D:20250725"}, "x.pdf", DAY, "PDF properties, day of creation"),
        ({"CreationDate": "D:20250801"}, "2025-07-25.pdf", DAY, "file name"),
        (
            {"CreationDate": "D:20250801", "Producer": "Skia/PDF m126"},
            "x.pdf",
            None,
            "PDF properties: 2025-08-01 is the day when 'Skia' printed it",
        ),
        ({"CreationDate": "D:20251332"}, "x.pdf", None, None),
        ({"CreationDate": "yesterday"}, "x.pdf", None, None),
        ({}, "x.pdf", None, None),
    ],
)
def test_the_day_of_creation_counts_last_and_never_when_a_browser_printed_it(reading, info, name, published, origin):
    """A page that is printed was published before that."""
    (found,) = reading(making.pdf([["They met."]], info), name)
    assert (found.published, found.origins.get("published")) == (published, origin)


@pytest.mark.parametrize(
    ("lines", "text", "mended"),
    [
        (["inter-", "national talks. The international law"], "international talks. The international law", 1),
        (["a long-", "term plan. The long-term aim, not longterm"], "a long-term plan. The long-term aim, not longterm", 0),
        (["unheard-", "of things"], "unheard-\u00adof things", 0),
        (["unheard-", "of things, unheard-of"], "unheard-of things, unheard-of", 0),
        (["ten F-", "16 jets, F16"], "ten F-16 jets, F16", 0),
        (["the Anglo-", "Saxon, AngloSaxon"], "the Anglo-Saxon, AngloSaxon", 0),
        (["from 10-", "12 tanks, 1012"], "from 10-12 tanks, 1012", 0),
        (["soft inter\u00ad", "national"], "soft international", 1),
        (["a dash –", "and more"], "a dash – and more", 0),
        (["Brask–", "Tallow line"], "Brask–Tallow line", 0),
        (["one -", "two"], "one - two", 0),
        (["-", "two"], "- two", 0),
    ],
)
def test_a_hyphen_goes_only_where_the_document_has_the_word_without_it(lines, text, mended):
    """Everything else is joined as it stands: no word is made up; a soft hyphen marks where the document does not tell."""
    found = join_pages([["x" * 20, *lines]])
    assert (found.text.removeprefix("x" * 20).strip(), found.mended_words) == (text, mended)


@pytest.mark.parametrize("quote", ["the gov-ernment said", "the government said", "the gov\u00adernment said"])
def test_a_word_broken_at_a_lines_end_is_found_with_its_hyphen_and_without(quote):
    """Where the document does not tell whether the hyphen is the word's own, a model may quote either."""
    text = join_pages([["x" * 20, "the gov-", "ernment said"]]).text
    (place,) = Ground(text).find(quote)
    assert place.of(text) == "the gov-\u00adernment said"
    assert Ground(text).find("the goverment said") == []


@pytest.mark.parametrize(
    ("pages", "text", "running"),
    [
        ([["Post", "One.", "1"], ["Post", "Two.", "2"], ["Post", "Three.", "3"]], "One.\n\nTwo.\n\nThree.", 6),
        ([["Post 1", "One."], ["2 Post", "Two."], ["Post 3", "Three."], ["4 Post", "Four."]], "One.\n\nTwo.\n\nThree.\n\nFour.", 4),
        ([["One.", "– 7 –"], ["Two.", "– 8 –"]], "One.\n\nTwo.", 2),
        ([["One.", "", "A", "p. 1/2"], ["Two.", "", "B", "p. 2/2"]], "One.\n\nA\n\nTwo.\n\nB", 2),
        ([["One.", "42"]], "One.\n\n42", 0),
        ([["10 tanks"], ["25 tanks"], ["31 tanks"]], "10 tanks\n\n25 tanks\n\n31 tanks", 0),
        ([["They met.", "In 2024"], ["They left.", "In 2022"]], "They met.\n\nIn 2024\n\nThey left.\n\nIn 2022", 0),
        ([["", "Post", "One."], ["Post", "", "Two."]], "One.\n\nTwo.", 2),
        ([["x" * 121, "One."], ["x" * 121, "Two."]], f"{'x' * 121}\n\nOne.\n\n{'x' * 121}\n\nTwo.", 0),
        ([], "", 0),
        ([[], [""]], "", 0),
    ],
)
def test_running_lines_go_only_when_other_pages_have_them_in_the_same_place(pages, text, running):
    """The same words, or the same with a number that counts with the pages; figures of the text stay."""
    found = join_pages([[*page] for page in pages])
    assert found.running_lines == running
    assert found.text.replace("\n\n", " ").split() == text.replace("\n\n", " ").split()


def test_paragraphs_end_where_a_line_is_short_or_a_list_begins():
    """A full line goes on, a short one that ends a sentence does not, nor does a short one before a capital."""
    found = join_pages([["What happened", LONG, LONG, "ten tanks.", LONG, LONG, "• ten tanks", "• two ships"]])
    assert found.text.split("\n\n") == ["What happened", f"{LONG} {LONG} ten tanks.", f"{LONG} {LONG}", "• ten tanks", "• two ships"]


def locked(folder, user):
    """A PDF that opens with a password."""
    (folder / "open.pdf").write_bytes(making.pdf([["They met."]]))
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(folder / "open.pdf"))
    writer.encrypt(user, "owner", algorithm="RC4-128")
    writer.write(folder / "locked.pdf")
    return (folder / "locked.pdf").read_bytes()


def test_a_document_that_only_forbids_printing_is_read(reading, tmp_path):
    """The empty password opens it, as viewers do without a word."""
    assert reading(locked(tmp_path, ""), "x.pdf")[0].text == "They met."


def test_a_password_is_asked_for(reading_until_error, tmp_path):
    """What needs one can not be read, and the error says how to go on."""
    _, said = reading_until_error(locked(tmp_path, "secret"), "x.pdf")
    assert "needs a password. Save it without one (qpdf --decrypt" in said


@pytest.mark.parametrize(("limit", "value"), [("_MAX_OPERATIONS", 20), ("_SECONDS", -1.0)])
def test_what_draws_without_end_is_stopped(reading_until_error, monkeypatch, limit, value):
    """By the number of operations, which is the same everywhere, and at the last by the clock."""
    monkeypatch.setattr(pdf, limit, value)
    _, said = reading_until_error(making.pdf([["They met."] * 20]), "x.pdf")
    assert "takes too long to read: more than" in said


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"They met.", "is no PDF document: it does not open with '%PDF-'"),
        (b"%PDF-1.7\nrubbish", "is not readable as a PDF document"),
        (making.pdf([[], []]), "has no text, only pictures of it, on 2 pages. Run it through OCR"),
        (making.pdf([["They met."]])[:200], "is not readable as a PDF document"),
        (making.pdf([["a"]] * 2_001), "has 2,001 pages; the most"),
        (making.pdf([["a"]], stream=zlib.compress(bytes(30_000_000))), "is not readable as a PDF document (LimitReachedError"),
        (making.pdf([["a"]], stream=zlib.compress(b"BT (a) Tj ET " * 80_000)), "is not readable as a PDF document (LimitReachedError"),
        (b"%PDF-1.7\n" + b"1 0 obj\n<<>>\nendobj\n" * 150_001, "PDF objects; the most that one article may have is 150,000"),
    ],
)
def test_what_can_not_be_read_is_one_error(reading_until_error, data, said):
    """No PDF, a broken one, pictures of text, a bomb."""
    good, message = reading_until_error(data, "x.pdf")
    assert not good
    assert said in message
