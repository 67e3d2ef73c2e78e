"""RSS, RDF and Atom: items to articles, and hostile XML."""

from datetime import date

import making
import pytest

from extractor.articles import xmlevents

DAY = date(2025, 7, 25)


@pytest.mark.parametrize("name", ["x.rss", "x.xml", "x.atom"])
def test_an_rss_feed_gives_its_items(reading, name):
    """The full text before the teaser, tags and references resolved; what the item lacks comes from the channel."""
    first, second = reading(making.RSS, name)
    assert first.id == f"{name}#1"
    assert first.text == "Tallow buys ten tanks\n\nThe ministers met\xa0in Brask.\n\nNobody signed & left."
    assert (first.published, first.source, first.language, first.url) == (DAY, "Brask Post", "en-gb", "https://brask.example/1")
    assert first.origins["published"] == "feed pubDate"
    assert first.origins["source"] == "feed channel's title"
    assert first.origins["text"] == "feed content:encoded, tags removed"
    assert (second.id, second.text, second.url) == (f"{name}#2", "AT&T ’s ships\n\nTwo ships sail.", "https://brask.example/2")
    assert second.published is None


def test_an_atom_feed_gives_its_entries(reading):
    """XHTML inside the content keeps its paragraphs, escaped signs are no tags, `published` goes before `updated`."""
    (found,) = reading(making.ATOM, "x.atom")
    assert found.text == "Panzer & Schiffe\n\nDie Minister <trafen> sich.\n\nNiemand unterschrieb."
    assert (found.published, found.source, found.language) == (DAY, "Brask Post", "de")
    assert (found.id, found.url) == ("x.atom#1", "https://brask.example/3")


ITEM = "<item><title>{0}</title><description>{0} met.</description></item>"


def test_rdf_has_its_items_beside_the_channel(reading):
    """RSS 1.0."""
    feed = f"<rdf:RDF><channel><title>Post</title></channel>{ITEM.format('A')}{ITEM.format('B').replace('</item>', '<dc:date>2025-07-25</dc:date></item>')}</rdf:RDF>"
    assert [(found.title, found.source, found.published) for found in reading(feed, "x.xml")] == [("A", "Post", None), ("B", "Post", DAY)]


@pytest.mark.parametrize(
    ("item", "text", "published"),
    [
        ("<title>A</title>", "A", None),
        ("<description>A</description>", "A", None),
        ("<title>A</title><content:encoded> </content:encoded><description>B</description>", "A\n\nB", None),
        ("<title>A &nbsp;&eacute;</title><description>B</description>", "A é\n\nB", None),
        ("<description>One <b>bold</b> word</description>", "One bold word", None),
        ("<title>A</title><pubDate>soon</pubDate>", "A", None),
        ("<title>A</title><pubDate>Fri, 25 Jul 2025 10:00:00 GMT (x)</pubDate>", "A", DAY),
        ("<title>A</title><dc:date>2025-07-25T23:00:00-05:00</dc:date>", "A", DAY),
        ("<title>A</title><media:title>B</media:title><media:group><title>C</title></media:group>", "A", None),
    ],
)
def test_what_an_item_may_hold(reading, item, text, published):
    """HTML's own names of characters, mixed content, a headline alone, elements of other vocabularies."""
    (found,) = reading(f"<rss><channel><item>{item}</item></channel></rss>", "x.rss")
    assert (found.text, found.published) == (text, published)


def test_a_feed_is_read_in_the_encoding_it_declares(reading):
    """The XML declaration counts where the bytes are not UTF-8."""
    feed = f'<?xml version="1.0" encoding="windows-1251"?><rss><channel>{ITEM.format("Кот")}</channel></rss>'
    (found,) = reading(feed.encode("cp1251"), "x.rss")
    assert (found.title, found.origins["encoding"]) == ("Кот", "cp1251 (declared)")


def test_items_before_a_break_are_given(reading_until_error):
    """A feed that was cut, or that is broken further down, loses nothing before."""
    good, said = reading_until_error(f"<rss><channel>{ITEM.format('A')}{ITEM.format('B')}<item><title>C</item>", "x.rss")
    assert [found.title for found in good[:2]] == ["A", "B"]
    assert "is not readable as an RSS or Atom feed: mismatched tag in line 1" in said


def test_an_item_without_words_is_named(reading_until_error):
    """The others keep their numbers."""
    good, said = reading_until_error(
        f"<rss><channel>{ITEM.format('A')}<item><guid>x</guid></item>{ITEM.format('C')}</channel></rss>", "x.rss"
    )
    assert [found.id for found in good] == ["x.rss#1", "x.rss#3"]
    assert "has 1 of 3 items that can not be read: 2 (it has neither title nor text)" in said


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    ("feed", "said"),
    [
        ("They met.", "is not readable as an RSS or Atom feed"),
        ("<sitemap><url>x</url></sitemap>", "is XML, but no feed: it opens with <sitemap>"),
        ("<html><body>x</body></html>", "or name it .html"),
        ("<rss><channel></channel></rss>", "holds no items"),
        (f'<!DOCTYPE rss [<!ENTITY l0 "ha">{LAUGHS}]><rss><channel>{ITEM.format("&l9;")}</channel></rss>', "declares the XML entity 'l0'"),
        (
            f'<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname">]><rss><channel>{ITEM.format("&x;")}</channel></rss>',
            "declares the XML entity 'x'",
        ),
        ('<!DOCTYPE rss [<!ENTITY % x SYSTEM "http://127.0.0.1:9/">%x;]><rss/>', "declares the XML entity 'x'"),
        ("<rss><channel>" + "<a>" * 100_000, "is not readable as an RSS or Atom feed: no element found"),
    ],
)
def test_what_is_no_feed_or_an_attack_is_one_error(reading_until_error, feed, said):
    """No entity is expanded, nothing is fetched, depth does no harm."""
    good, message = reading_until_error(feed, "x.xml")
    assert not good
    assert said in message


def test_a_doctype_without_entities_is_no_attack(reading):
    """RSS 0.91 has one, and its address is not fetched."""
    doctype = '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://127.0.0.1:9/rss.dtd">'
    assert reading(f"{doctype}<rss><channel>{ITEM.format('A')}</channel></rss>", "x.rss")[0].title == "A"


def test_too_many_elements_are_refused(reading_until_error, monkeypatch):
    """The bound is inclusive, and items before it are given."""
    monkeypatch.setattr(xmlevents, "_MAX_ELEMENTS", 5)
    good, said = reading_until_error(f"<rss><channel>{ITEM.format('A')}<item/></channel></rss>", "x.rss")
    assert [found.title for found in good] == ["A"]
    assert "has more than 5 XML elements, the most" in said
