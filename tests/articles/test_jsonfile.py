"""JSON and JSON lines: which objects are articles, which keys count, and what becomes of the rest."""

import json
from datetime import date

import making
import pytest

DAY = date(2025, 7, 25)


def test_an_export_gives_each_record_as_an_article(reading):
    """Numbered by place, each field with the key it came from, tags removed where the text is markup."""
    first, second = reading(making.JSON, "x.json")
    assert first.model_dump() == {
        "id": "x.json#1",
        "text": "Tallow buys ten tanks\n\nThe ministers met in Brask.\n\nNobody signed.",
        "title": "Tallow buys ten tanks",
        "published": DAY,
        "source": "Brask Post",
        "language": "en-GB",
        "url": "https://brask.example/1",
        "origins": {
            "title": "JSON key 'headline'",
            "published": "JSON key 'publishedAt'",
            "source": "JSON key 'source'",
            "url": "JSON key 'url'",
            "language": "JSON key 'lang'",
            "id": "JSON key 'id': '7'",
            "text": "JSON key 'text'",
            "encoding": "utf-8",
        },
    }
    assert (second.id, second.text, second.published) == ("x.json#2", "Ships\n\nTwo ships.\n\nThey sail.", DAY)
    assert second.origins["text"] == "JSON key 'content', tags removed"


RECORDS = [{"text": "One."}, {"text": "Two."}]


@pytest.mark.parametrize(
    ("content", "name", "ids"),
    [
        ({"text": "One."}, "x.json", ["x.json"]),
        ([{"text": "One."}], "x.json", ["x.json#1"]),
        (RECORDS, "x.json", ["x.json#1", "x.json#2"]),
        ({"status": "ok", "articles": RECORDS}, "x.json", ["x.json#1", "x.json#2"]),
        ({"response": {"docs": RECORDS}}, "x.json", ["x.json#1", "x.json#2"]),
        ({"text": "One.", "articles": RECORDS}, "x.json", ["x.json"]),
        ('{"text": "One."}\n\n  \n{"text": "Two."}\n', "x.json", ["x.json#1", "x.json#2"]),
        ('{"text": "One."}\n{"text": "Two."}', "x.jsonl", ["x.jsonl#1", "x.jsonl#2"]),
        ('{"text": "One."}', "x.ndjson", ["x.ndjson#1"]),
        ('\ufeff{"text": "One."}\r\n{"text": "Two."}\r\n', "x.jsonl", ["x.jsonl#1", "x.jsonl#2"]),
        ('[{"text": "One."}, {"text": "Two."}]\n', "x.jsonl", ["x.jsonl#1", "x.jsonl#2"]),
        ('{"text": "One."}\n{"text": "Two."}\n'.encode("utf-16"), "x.jsonl", ["x.jsonl#1", "x.jsonl#2"]),
        ('{"text": "One."}'.encode("utf-16"), "x.jsonl", ["x.jsonl#1"]),
        ('{"text": "One."}'.encode("utf-16"), "x.json", ["x.json"]),
    ],
)
def test_the_shapes_that_hold_articles(reading, content, name, ids):
    """One object is the file's article; whatever could hold several is numbered, be it one."""
    found = reading(content if isinstance(content, (str, bytes)) else json.dumps(content), name)
    assert [article.id for article in found] == ids
    assert [article.text for article in found] == ["One.", "Two."][: len(ids)]


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ({"text": "A"}, "A"),
        ({"Article_Body": "A"}, "A"),
        ({"article-text": "A", "body": "B"}, "A"),
        ({"text": " ", "body": "A"}, "A"),
        ({"maintext": "A", "description": "B"}, "A"),
        ({"content": {"rendered": "<p>A</p><p>B &amp; C</p>"}}, "A\n\nB & C"),
        ({"content_html": "A<br>B"}, "A\nB"),
        ({"body": ["A", "B"]}, "A\n\nB"),
        ({"body": "3 < 4 and 5 > 2 <sic>"}, "3 < 4 and 5 > 2 <sic>"),
        ({"body": "AT&amp;T"}, "AT&amp;T"),
        ({"@type": "NewsArticle", "articleBody": "A"}, "A"),
        ({"text": "A\u0000B\ud83d"}, "A B\ufffd"),
    ],
)
def test_which_key_is_the_text(reading, record, text):
    """The first that holds something; tags go only where they are surely tags."""
    assert reading(json.dumps(record), "x.json")[0].text == text


@pytest.mark.parametrize(
    ("value", "published"),
    [
        ("2025-07-25", DAY),
        ("2025-07-25T23:30:00.123456-05:00", DAY),
        ("2025-07-25 10:00:00", DAY),
        ("Fri, 25 Jul 2025 10:00:00 +0000 (UTC)", DAY),
        ("July 25, 2025", DAY),
        ("20250725", DAY),
        ("20250725T101500Z", DAY),
        (20250725, DAY),
        (1753437600, DAY),
        ("1753437600", DAY),
        (1753437600.5, DAY),
        (1753437600000, DAY),
        ({"value": "2025-07-25"}, DAY),
        ("07/08/2025", None),
        (99, None),
        (1e300, None),
        (True, None),
        (None, None),
        ([], None),
        ({"$date": 1}, None),
        ("9" * 20, None),
    ],
)
def test_dates_in_all_the_forms_of_exports(reading, value, published):
    """ISO, RFC 2822, compact digits, seconds or milliseconds since 1970; never one of two possible days."""
    assert reading(json.dumps({"text": "A", "date": value}), "x.json")[0].published == published


def test_a_key_that_is_not_the_publications_is_no_date(reading):
    """When a record was made or changed says nothing about the article."""
    record = {"text": "A", "created_at": "2025-07-25", "updated": "2025-07-25", "crawled": "2025-07-25"}
    assert reading(json.dumps(record), "x.json")[0].published is None


def test_a_value_that_can_not_be_used_leaves_its_reason(reading):
    """Nothing is dropped in silence."""
    (found,) = reading(json.dumps({"text": "A", "date": "soon", "url": "nowhere", "language": "the common tongue"}), "x.json")
    assert found.origins["published"] == "JSON key 'date': 'soon' is not a date such as 2025-07-25"
    assert "not a web address" in found.origins["url"]
    assert "not a language tag" in found.origins["language"]


def test_a_bad_record_does_not_lose_its_neighbours(reading_until_error):
    """Good ones first, under their own numbers; then one error that names the bad ones."""
    good, said = reading_until_error(
        '{"text": "One."}\nrubbish\n[1]\n{"title": "no text"}\n\xff\n{"text": "Six."}'.encode("latin-1"), "x.jsonl"
    )
    assert [(article.id, article.text) for article in good] == [("x.jsonl#1", "One."), ("x.jsonl#6", "Six.")]
    assert "has 4 of 6 records that can not be read: 2 (Expecting value" in said
    assert "3 (it is a JSON number, not an object)" in said
    assert "4 (it has no text under 'text', 'body', 'content' or the like (its keys: 'title'))" in said
    assert said.endswith("The others were read.")


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ("They met.", "x.json", "is not JSON (Expecting value: line 1 column 1 (char 0)). Mend it, or name it .txt"),
        ('{"text": "cut', "x.json", "is not JSON (Unterminated string"),
        ('{"name": "settings"}', "x.json", "holds no article: it has no text under"),
        ("3", "x.json", "holds no article: it is a JSON number"),
        ("[]", "x.json", "holds no records"),
        ("[" * 100_000, "x.json", "is not JSON (it is nested too deeply)"),
        ('{"a":' * 100_000, "x.json", "is not JSON (it is nested too deeply)"),
        ("[" + "0," * 200_000 + "0]", "x.json", "has 200,001 records; the most that is read is 200,000. Write one object a line"),
        ("9" * 5_000, "x.json", "is not JSON (Exceeds the limit"),
        (b"", "x.json", "is empty"),
        (b"", "x.jsonl", "is empty"),
        ("\n\n", "x.jsonl", "holds no records"),
        ("They met.\nNobody signed.", "x.jsonl", "has no records that can be read: 1 (Expecting value"),
        ("[" * 100_000, "x.jsonl", "1 (it is nested too deeply)"),
        (b'{"text": "' + b"x" * 20_000_000 + b'"}', "x.jsonl", "1 (more than 20,000,000 bytes)"),
        ('{"text": "A"}\n'.encode("utf-16") * 700_000, "x.jsonl", "bytes of UTF-16"),
    ],
)
def test_what_holds_no_article_is_one_error(reading_until_error, content, name, said):
    """No JSON, no article, too deep, too long."""
    good, message = reading_until_error(content, name)
    assert not good
    assert said in message


def test_lines_are_read_one_by_one(tmp_path, reading):
    """A file far larger than one article may be is a stream of articles; a line that is too long is skipped, and said."""
    line = json.dumps({"text": "x" * 1_000_000}) + "\n"
    assert len(reading(line * 25, "x.jsonl")) == 25


SERVICES = {
    "GDELT": (
        {
            "articles": [
                {"url": "https://b.example/1", "title": "T", "seendate": "20250725T081500Z", "domain": "b.example", "text": "They met."}
            ]
        },
        ("T", "b.example", "https://b.example/1"),
    ),
    "the Guardian": (
        {
            "response": {
                "results": [
                    {
                        "webPublicationDate": "2025-07-25T08:00:00Z",
                        "webTitle": "T",
                        "webUrl": "https://b.example/1",
                        "fields": {"headline": "T", "bodyText": "They met."},
                    }
                ]
            }
        },
        ("T", None, "https://b.example/1"),
    ),
    "Event Registry": (
        {"articles": {"results": [{"date": "2025-07-25", "title": "T", "body": "They met.", "source": {"uri": "b", "title": "Post"}}]}},
        ("T", "Post", None),
    ),
    "news-please": (
        {"date_publish": "2025-07-25 08:00:00", "maintext": "They met.", "source_domain": "b.example", "title": "T", "text": None},
        ("T", "b.example", None),
    ),
    "Nexis, its interface": (
        {
            "value": [
                {
                    "Title": "T",
                    "Date": "2025-07-25T00:00:00Z",
                    "Source": {"Name": "Post"},
                    "Document": {"Content": "<entry><content><p>They met.</p></content></entry>"},
                }
            ]
        },
        ("T", "Post", None),
    ),
    "Nexis, its columns": (
        [{"HEADLINE": "T", "BODY": "They met.", "DATE": "July 25, 2025 Friday", "PUBLICATION": "Post", "LOAD-DATE": "July 26, 2025"}],
        ("T", "Post", None),
    ),
    "Elasticsearch": (
        {"hits": {"hits": [{"_index": "news", "_id": "1", "_source": {"title": "T", "body": "They met.", "date": "25.07.2025"}}]}},
        ("T", None, None),
    ),
    "Firecrawl": (
        {
            "success": True,
            "data": {
                "markdown": "They met.",
                "metadata": {"title": "T", "publishedTime": "2025-07-25", "sourceURL": "https://b.example/1"},
            },
        },
        ("T", None, "https://b.example/1"),
    ),
    "a crawler": (
        {"published_date": "25/07/2025", "page_title": "T", "text": "They met.", "hostname": "b.example"},
        ("T", "b.example", None),
    ),
}


@pytest.mark.parametrize(("content", "expected"), SERVICES.values(), ids=SERVICES.keys())
def test_what_services_give_is_read_with_its_metadata(reading, content, expected):
    """Each names and nests its keys in its own way."""
    (found,) = reading(json.dumps(content), "x.json")
    assert found.text == "T\n\nThey met."
    assert found.published == DAY
    assert (found.title, found.source, found.url) == expected


def test_a_text_that_the_service_cut_says_so_and_a_removed_one_is_no_article(reading_until_error):
    """NewsAPI's free plan gives 200 characters of a text, and placeholders for what was taken back."""
    records = [
        {"title": "T", "content": "They met in Bra… [+2310 chars]", "publishedAt": "1970-01-01T00:00:00Z"},
        {"title": "[Removed]", "content": "[Removed]", "publishedAt": "1970-01-01T00:00:00Z"},
    ]
    (found,), said = reading_until_error(json.dumps({"articles": records}), "x.json")
    assert found.text == "T\n\nThey met in Bra…"
    assert found.origins["text"] == "JSON key 'content', cut by the service: [+2310 chars]"
    assert found.published is None
    assert "is not a date" in found.origins["published"]
    assert "took it back" in said
