"""Word documents: order, tables, tracked changes, properties, and hostile archives."""

import io
import tracemalloc
import zipfile
from datetime import date

import docx
import making
import pytest
from making import paragraph, run

DAY = date(2025, 7, 25)
CREATED = "<dcterms:created>2025-07-25T22:10:00Z</dcterms:created>"


def test_a_document_of_python_docx_is_read_in_order(reading, tmp_path):
    """Headline, paragraphs and tables as they stand; the template's own date is not believed."""
    made = docx.Document()
    made.add_heading("Tallow buys ten tanks", 0)
    made.add_paragraph(making.PARAGRAPHS[0])
    table = made.add_table(2, 2)
    for at, text in enumerate(("Item", "Number", "Tanks", "10")):
        table.cell(at // 2, at % 2).text = text
    made.add_paragraph(making.PARAGRAPHS[1])
    made.save(tmp_path / "made.docx")
    (found,) = reading((tmp_path / "made.docx").read_bytes(), "x.docx")
    assert found.text == f"Tallow buys ten tanks\n\n{making.PARAGRAPHS[0]}\n\nItem\tNumber\nTanks\t10\n\n{making.PARAGRAPHS[1]}"
    assert (found.title, found.published) == ("Tallow buys ten tanks", None)
    assert found.origins == {"title": "docx title style"}


def test_what_was_inserted_counts_and_what_was_deleted_does_not(reading):
    """Tracked changes are read as accepted; content controls, links and text boxes are text; the copy for old versions is not."""
    body = paragraph(
        run("They "),
        "<w:ins>" + run("gladly ") + "</w:ins>",
        "<w:del><w:r><w:delText>never </w:delText></w:r></w:del>",
        "<w:moveFrom>" + run("elsewhere ") + "</w:moveFrom>",
        "<w:sdt><w:sdtContent>" + run("met ") + "</w:sdtContent></w:sdt>",
        "<w:hyperlink>" + run("in Brask") + "</w:hyperlink>",
        "<w:r><w:instrText>HYPERLINK x</w:instrText></w:r>",
        "<w:r><w:noBreakHyphen/><w:t>Nord</w:t><w:tab/><w:t>now</w:t><w:br/><w:t>next line</w:t></w:r>",
        '<mc:AlternateContent xmlns:mc="m"><mc:Choice>'
        + run(" box")
        + "</mc:Choice><mc:Fallback>"
        + run(" box")
        + "</mc:Fallback></mc:AlternateContent>",
    )
    assert reading(making.docx(body), "x.docx")[0].text == "They gladly met in Brask‑Nord\tnow\nnext line box"


@pytest.mark.parametrize("style", ["Title", "Heading1", "Titel", "berschrift1"])
def test_a_title_style_is_the_headline_only_at_the_top(reading, style):
    """The first paragraph with words; a later heading is text."""
    (found,) = reading(making.docx(paragraph(), paragraph(run("A"), run("B"), style=style), paragraph(run("C"), style=style)), "x.docx")
    assert (found.title, found.text) == ("AB", "AB\n\nC")
    (found,) = reading(making.docx(paragraph(run("A")), paragraph(run("B"), style=style)), "x.docx")
    assert (found.title, found.text) == (None, "A\n\nB")


@pytest.mark.parametrize(
    ("core", "name", "published", "origin"),
    [
        (CREATED, "x.docx", DAY, "docx properties, day of creation"),
        (CREATED, "2025-07-01.docx", date(2025, 7, 1), "file name"),
        ("<dcterms:created>2013-12-23T23:15:00Z</dcterms:created>", "x.docx", None, None),
        ("<dcterms:created>soon</dcterms:created>", "x.docx", None, None),
        ("", "x.docx", None, None),
    ],
)
def test_the_day_of_creation_comes_after_the_files_name(reading, core, name, published, origin):
    """Properties are the document's, which may be older or younger than the article."""
    (found,) = reading(making.docx(paragraph(run("They met.")), core=core), name)
    assert (found.published, found.origins.get("published")) == (published, origin)


def test_the_main_part_may_have_another_name(reading):
    """It is looked up, as Word does."""
    assert reading(making.docx(paragraph(run("They met.")), main="word/document2.xml"), "x.docx")[0].text == "They met."


def bomb(claimed=None):
    """A document of 200 MB in 200 kB; `claimed` is what the directory says instead."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(200_000_000))
    data = bytearray(stream.getvalue())
    if claimed is not None:
        at = data.rfind(b"PK\x01\x02")
        data[at + 24 : at + 28] = claimed.to_bytes(4, "little")
    return bytes(data)


def other_zip():
    """A ZIP archive that is no Word document."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.txt", "They met.")
    return stream.getvalue()


ENTITIES = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


def test_a_bomb_is_inflated_no_further_than_the_bound(reading_until_error):
    """200 MB in 200 kB cost the 50 MB that a part may have, once or twice over, whatever size is claimed."""
    data = bomb()
    tracemalloc.start()
    try:
        reading_until_error(data, "x.docx")
        assert tracemalloc.get_traced_memory()[1] < 150_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: b"They met.", "is not readable as a Word document (BadZipFile"),
        (lambda: b"\xd0\xcf\x11\xe0" + bytes(100), "is an old Office document (.doc), or needs a password"),
        (other_zip, "no Word document: it has no part 'word/document.xml'"),
        (bomb, "has a part of more than 50,000,000 bytes, 'word/document.xml'"),
        (lambda: bomb(claimed=100), "is not readable as a Word document"),
        (lambda: making.docx("<w:p>", declaration=""), "is not readable as a Word document: mismatched tag"),
        (lambda: making.docx(paragraph(run("&b;")), declaration=ENTITIES), "declares the XML entity 'a'"),
        (lambda: making.docx(paragraph(run("&a;")), declaration=OUTSIDE), "declares the XML entity 'a'"),
        (making.docx, "has no text"),
        (lambda: making.docx(paragraph(run("They met.")))[:-40], "is not readable as a Word document"),
    ],
)
def test_what_can_not_be_read_is_one_error(reading_until_error, make, said):
    """No archive, another archive, a bomb, entities, too much."""
    good, message = reading_until_error(make(), "x.docx")
    assert not good
    assert said in message
