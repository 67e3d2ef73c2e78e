"""Saved web pages: the article, what the page says about itself, and nothing else."""

import json
import socket
from datetime import date

import making
import pytest

from extractor.articles import webpage

DAY = date(2025, 7, 25)
TEXT = "Tallow buys ten tanks\n\n" + "\n\n".join(making.PARAGRAPHS)


def test_a_page_gives_the_article_and_what_it_says_about_itself(reading):
    """Navigation, banners, teasers, scripts and the footer go; paragraphs stay apart; the headline stands once."""
    (found,) = reading(making.page(), "x.html")
    assert found.text == TEXT
    assert (found.title, found.published, found.source, found.language) == ("Tallow buys ten tanks", DAY, "Brask Post", "en-GB")
    assert found.url == "https://brask.example/2025/07/25/tanks"
    assert found.origins == {
        "title": "HTML metadata",
        "source": "HTML metadata",
        "url": "HTML metadata",
        "language": "HTML lang",
        "published": "HTML meta article:published_time",
        "encoding": "utf-8",
    }


@pytest.mark.parametrize("name", ["x.html", "x.HTM", "x.xhtml"])
def test_every_suffix_of_html_is_read(reading, name):
    """An XML declaration before the page does not matter."""
    assert reading('<?xml version="1.0" encoding="utf-8"?>\n' + making.page(), name)[0].text == TEXT


def test_structure_becomes_lines(reading):
    """A blank line between blocks, a line for each entry and row, a tab between cells."""
    body = (
        f"<p>{making.PARAGRAPHS[0]}</p><h2>What next</h2><p>First line.<br>Second line of the <b>same</b> paragraph.</p>"
        "<ul><li>Ten tanks</li><li>Two ships</li></ul><blockquote><p>We need an end to the war.</p></blockquote>"
        "<table><tr><th>Item</th><th>Number</th></tr><tr><td>Tanks</td><td>10</td></tr></table>"
        f"<p>{making.PARAGRAPHS[1]}</p>"
    )
    assert reading(making.page(body=body), "x.html")[0].text.split("\n\n")[1:] == [
        making.PARAGRAPHS[0],
        "What next",
        "First line.\nSecond line of the same paragraph.",
        "Ten tanks\nTwo ships",
        "We need an end to the war.",
        "Item\tNumber\nTanks\t10",
        making.PARAGRAPHS[1],
    ]


@pytest.mark.parametrize(
    ("declared", "codec", "named"),
    [
        ("windows-1252", "cp1252", "cp1252 (declared)"),
        ("iso-8859-1", "cp1252", "cp1252 (declared)"),
        ("utf-8", "utf-8-sig", "utf-8 (byte order mark)"),
        ("utf-8", "utf-16", "utf-16-le (byte order mark)"),
        ("koi8-r", "utf-8", "utf-8"),
    ],
)
def test_a_page_is_read_in_the_encoding_it_declares(reading, declared, codec, named):
    """Marks and UTF-8 come before the declaration, a guess after it."""
    (found,) = reading(making.page(charset=declared).encode(codec), "x.html")
    assert (found.text, found.origins["encoding"]) == (TEXT, named)


def ld(*nodes):
    """A script of JSON-LD."""
    return f'<script type="application/ld+json">{json.dumps(nodes[0] if len(nodes) == 1 else nodes)}</script>'


ARTICLE = {"@type": "NewsArticle", "datePublished": "2025-07-25T08:00:00Z"}


@pytest.mark.parametrize(
    ("head", "origin"),
    [
        ('<meta property="article:published_time" content="2025-07-25">', "HTML meta article:published_time"),
        ('<meta name="DC.date" content="25 July 2025"><meta name="date" content="2024-01-01">', "HTML meta dc.date"),
        ('<meta itemprop="datePublished" content="2025-07-25T23:30:00-05:00">', "HTML meta datepublished"),
        ('<meta name="date" content="07/08/2025">' + ld(ARTICLE), "HTML JSON-LD datePublished"),
        (ld({"@graph": [{"@type": "WebPage", "datePublished": "2020-01-01"}, ARTICLE]}), "HTML JSON-LD datePublished"),
        (ld({"@type": "WebPage", "mainEntity": {**ARTICLE, "@type": ["Thing", "ReportageNewsArticle"]}}), "HTML JSON-LD datePublished"),
        ("<script type='application/ld+json'>{broken</script>" + ld(ARTICLE, ARTICLE), "HTML JSON-LD datePublished"),
        (
            '<time datetime="2024-01-01">old</time><time datetime="2025-07-25" itemprop="datePublished">x</time>',
            "HTML time, marked as publication",
        ),
        ('<time datetime="2025-07-25T10:00">x</time><time datetime="2025-07-25">y</time>', "HTML time, the only day on the page"),
        ("", "date in the address"),
        (ld(ARTICLE, {**ARTICLE, "datePublished": "2025-07-01"}), "date in the address"),
        ('<time datetime="2024-01-01">x</time><time datetime="2024-01-02">y</time>', "date in the address"),
        ('<meta name="last-modified" content="2025-08-30"><p>Updated 30 August 2025</p>', "date in the address"),
    ],
)
def test_the_date_is_taken_from_what_means_publication(reading, head, origin):
    """In the documented order; a value that is no date, or could be two, is passed over."""
    (found,) = reading(making.page(head=head), "x.html")
    assert (found.published, found.origins["published"]) == (DAY, origin)


def test_a_page_without_a_date_has_none(reading):
    """Digits on the page are no date, and a value that is none is kept as the reason."""
    bare = making.page(head='<meta name="date" content="07/08/2025">').replace("/2025/07/25", "")
    (found,) = reading(bare, "x.html")
    assert found.published is None
    assert found.origins["published"] == "HTML meta date: '07/08/2025' is not a date such as 2025-07-25"
    assert reading(bare, "2025-07-25.html")[0].published == DAY


@pytest.mark.parametrize(
    "comment",
    ["<!-- saved from url=(0030)https://brask.example/x -->", "<!--\n Page saved with SingleFile \n url: https://brask.example/x \n-->"],
)
def test_a_browsers_note_of_the_address_is_used(reading, comment):
    """Where the page does not name its own address."""
    (found,) = reading(
        making.page(head="").replace('<link rel="canonical" href="https://brask.example/2025/07/25/tanks">', comment), "x.html"
    )
    assert found.url == "https://brask.example/x"


def test_nothing_is_fetched(reading, monkeypatch):
    """Whatever a page refers to, no socket is opened."""

    def refuse(*args, **options):
        raise AssertionError(f"a socket was opened: {args}")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    head = '<base href="http://127.0.0.1:9/"><link rel="stylesheet" href="http://127.0.0.1:9/a.css"><script src="http://127.0.0.1:9/a.js"></script>'
    doctype = '<!DOCTYPE html SYSTEM "http://127.0.0.1:9/x.dtd" [<!ENTITY x SYSTEM "http://127.0.0.1:9/y">]>'
    (found,) = reading(
        doctype + making.page(head, body=making.BODY + '<img src="http://127.0.0.1:9/a.png"><iframe src="http://127.0.0.1:9/">'), "x.html"
    )
    assert making.PARAGRAPHS[0] in found.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("They met.", "it has no tags. If it is plain text, name it .txt"),
        ("<html><body><div id=app></div><script>go()</script></body></html>", "holds no article that can be told"),
        ("<p>x" * 30_001, "has 30,001 HTML elements; the most"),
        (b"%PDF-1.7\n", "a PDF document, which is read under the suffix .pdf"),
        (b"", "is empty"),
    ],
)
def test_what_holds_no_article_is_refused_with_the_next_move(reading_until_error, content, said):
    """One clear error each."""
    good, message = reading_until_error(content, "x.html")
    assert not good
    assert said in message


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "opening",
    [
        "<p " + " ".join(f"a{n}" for n in range(200_000)) + ">",
        "<p " + "".join(f"a{n}='1'" for n in range(200_000)) + ">",
        "<p " + "/".join(f"a{n}=1" for n in range(200_000)) + ">",
        '<p x=">" y=\'' + "a b " * 10 + "' " + " ".join(f"a{n}" for n in range(200_000)) + ">",
        '<p title="' + "<!--" * 100_000 + '">',
        '<img src="data:image/png;base64,' + "A" * 5_000_000 + '">',
        "<!--" * 500_000 + "-->",
    ],
)
def test_hostile_tags_cost_no_time(reading, opening):
    """Endless attributes, comments and embedded pictures leave the article as it is."""
    (found,) = reading(making.page(body=f"{making.BODY}{opening}</p>"), "x.html")
    assert making.PARAGRAPHS[0] in found.text


@pytest.mark.timeout(20)
def test_a_hostile_attribute_is_not_written_out(reading):
    """libxml2 takes minutes to write a megabyte of comment openings; on a page without a date, htmldate would have it do so."""
    head = '<meta charset="utf-8' + "<!--" * 200_000 + '">'
    (found,) = reading(making.page(head).replace("/2025/07/25", ""), "x.html")
    assert making.PARAGRAPHS[0] in found.text


@pytest.mark.timeout(10)
def test_a_document_type_of_any_length_costs_no_time(reading):
    """One that never ends took trafilatura the square of its length; the article is read as it was."""
    page = making.page().replace("<!DOCTYPE html>", "<!DOCTYPE ht" + "/Length 99999999" * 40_000, 1)
    assert reading(page, "x.html")[0].text == TEXT
    page = making.page().replace("<!DOCTYPE html>", '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://www.w3.org/x.dtd">', 1)
    assert reading(page, "x.html")[0].text == TEXT


@pytest.mark.timeout(10)
@pytest.mark.parametrize("opening", ["<footer>", "<div class='page-footer'>", "<div id='footer'>"])
def test_footers_in_footers_cost_no_time(reading, opening):
    """Looking for a licence in each of 250 nested ones took ten seconds; the article is read as it was, and the footer left out."""
    page = making.page().replace("<footer>", opening * 250 + "<a href='/x'>A link of the footer</a>" * 8_000, 1)
    (found,) = reading(page, "x.html")
    assert found.text == TEXT


def test_tags_with_few_attributes_are_left_alone():
    """Only what would stall the parser is touched."""
    tag = '<div class="' + "x y " * 400 + '" id=b'
    assert webpage._OPENING_TAG.sub(webpage._with_fewer_attributes, tag) == tag
