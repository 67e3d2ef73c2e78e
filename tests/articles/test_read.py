"""How a source becomes articles: safe opening, bounds, hostile files, and texts from memory."""

import io
import os
import pickle
import socket
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from extractor.articles import read as read_module
from extractor.articles.discover import Source, discover
from extractor.articles.draft import Draft, Raw
from extractor.articles.formats import FORMATS
from extractor.articles.mojibake import mend
from extractor.articles.plain import read_txt
from extractor.articles.read import read, read_text
from extractor.errors import ArticleError, UsageError
from extractor.fingerprint import fingerprint


def articles(path, **options):
    """All articles of a file."""
    return list(read(Source(id=Path(path).name, path=Path(path)), **options))


def refusal(path):
    """The message with which reading a file fails."""
    with pytest.raises(ArticleError) as caught:
        articles(path)
    return str(caught.value)


def test_blank_lines_around_the_body_go_and_the_rest_stays(tmp_path):
    """Leading blank lines and trailing whitespace are stripped; the first line's indentation and inner blank lines are not."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"\r\n \t\r\n  Indented first.\r\n\r\n\r\nLast.  \r\n\r\n")
    assert articles(path)[0].text == "  Indented first.\n\n\nLast."


def test_an_article_has_its_sources_id_and_no_invented_fields(tmp_path):
    """What a file does not say is None."""
    path = tmp_path / "a.txt"
    path.write_text("BRASK\n\nThey met.")
    (found,) = articles(path)
    assert found.model_dump() == {
        "id": "a.txt",
        "text": "BRASK\n\nThey met.",
        "title": None,
        "published": None,
        "source": None,
        "language": None,
        "url": None,
        "origins": {"encoding": "utf-8"},
    }


@pytest.mark.parametrize("content", [b"", b" \n\t\r\n ", b"\xef\xbb\xbf", b"\xef\xbb\xbf\xe2\x80\x8b\n", b"\xff\xfe", b"date 2025-07-25\n"])
def test_a_file_without_text_is_refused(tmp_path, content):
    """Empty, blank, invisible or header alone: an error that names the file."""
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    said = refusal(path)
    assert repr(str(path)) in said
    assert "empty" in said or "no text" in said


def test_an_unknown_suffix_is_read_as_text_or_refused(tmp_path):
    """A file that was named outright is read when it is text, and refused with its kind when it is not."""
    log, picture = tmp_path / "a.log", tmp_path / "b.png"
    log.write_text("They met.")
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert articles(log)[0].text == "They met."
    assert "it looks like a PNG image" in refusal(picture)


@pytest.mark.timeout(5)
def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path):
    """A pipe that nobody writes to, a socket, a device and a folder are errors at once."""
    os.mkfifo(tmp_path / "pipe.txt")
    assert "is a pipe, not a regular file" in refusal(tmp_path / "pipe.txt")
    assert "is a device" in refusal("/dev/zero")
    assert "is a folder" in refusal(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.txt"))
        assert "is a socket" in refusal(tmp_path / "s.txt")


@pytest.mark.timeout(5)
def test_a_pipe_put_in_a_files_place_while_it_is_opened_does_not_hang(tmp_path, monkeypatch):
    """Opening itself never waits, even when the check before it saw a regular file."""
    os.mkfifo(tmp_path / "pipe.txt")
    kinds = iter([0o100644])
    refuse = read_module._refuse_special
    monkeypatch.setattr(read_module, "_refuse_special", lambda mode, label: refuse(next(kinds, mode), label))
    assert "is a pipe" in refusal(tmp_path / "pipe.txt")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied"), "may not be read (permission denied)"),
        (FileNotFoundError(2, "No such file"), "is gone since it was found"),
        (OSError(5, "Input/output error"), "can not be read: Input/output error"),
    ],
)
def test_a_file_that_can_not_be_opened_is_one_article_error(tmp_path, monkeypatch, error, said):
    """The system's refusal becomes ours, with the path, the reason and the cause kept."""
    path = tmp_path / "a.txt"
    path.write_text("They met.")

    def refuse(*args):
        raise error

    monkeypatch.setattr(read_module.os, "open", refuse)
    with pytest.raises(ArticleError) as caught:
        articles(path)
    assert said in str(caught.value)
    assert repr(str(path)) in str(caught.value)
    assert caught.value.__cause__ is error
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own


def test_a_file_that_vanished_is_an_article_error(tmp_path):
    """A source whose file is gone since discovery is one failed article."""
    assert "is gone since it was found" in refusal(tmp_path / "a.txt")


def test_a_huge_file_is_refused_fast(tmp_path):
    """Fifty megabytes on one line are refused after twenty, in well under a second."""
    path = tmp_path / "huge.txt"
    path.write_bytes(b"x" * 50_000_000)
    start = time.perf_counter()
    said = refusal(path)
    assert time.perf_counter() - start < 1
    assert "more than 20,000,000 bytes" in said


def test_the_size_bound_is_inclusive():
    """Exactly the limit is read, one byte more is not."""
    assert len(Raw("x", io.BytesIO(b"x" * 10)).data(limit_bytes=10)) == 10
    with pytest.raises(ArticleError, match="more than 10 bytes"):
        Raw("x", io.BytesIO(b"x" * 11)).data(limit_bytes=10)


def test_a_large_line_within_bounds_is_read(tmp_path):
    """Five megabytes without a line end are an article."""
    path = tmp_path / "long.txt"
    path.write_bytes(b"word " * 1_000_000)
    assert len(articles(path)[0].text) == 4_999_999


@settings(max_examples=2000, deadline=None)
@given(data=st.binary(max_size=200), suffix=st.sampled_from([".txt", ".md"]))
@example(data=b"---\n---", suffix=".md")
@example(data=b"\xff\xfe\x00\xd8", suffix=".txt")
@example(data=b"\xff\xfe\x00\x00", suffix=".txt")
def test_any_bytes_give_an_article_or_one_article_error(data, suffix):
    """Whatever a file holds, it is text that can be stored and sent, or one error of ours."""
    try:
        (draft,) = FORMATS[suffix](Raw("File 'x'", io.BytesIO(data)))
        found = read_module._article(draft, "x", "File 'x'", None, None)
    except ArticleError as error:
        assert str(error).startswith("File 'x' ")  # noqa: PT017 - either way is right
    else:
        assert found.text.strip()
        assert found.text.encode("utf-8")
        assert "\r" not in found.text
        assert "\x00" not in found.text
        if found.title is not None:
            assert found.text.startswith(found.title)


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1))
def test_text_without_a_header_is_the_file_stripped(text):
    """Nothing between the first and the last word changes on the way from a UTF-8 file."""
    text = mend(f"Tallow: {text} end").text
    (draft,) = read_txt(Raw("x", io.BytesIO(text.encode())))
    assert read_module._article(draft, "x", "x", None, None).text == text


def test_standard_input_is_read_as_text(monkeypatch):
    """`-` reads bytes by the rules of text files; its id comes from the text."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"date 2025-07-25 A\r\n\r\nB \x93so\x94")))
    (source,) = discover(["-"])
    (found,) = read(source)
    assert (found.id, found.published, found.text) == (f"stdin-{fingerprint(found.text)[3:15]}", date(2025, 7, 25), "A\n\nB “so”")


def test_two_texts_of_standard_input_are_two_articles(monkeypatch):
    """A second text does not take the first one's place; the same text is the same article."""
    ids = []
    for text in ("They met.", "They parted.", "They met."):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        ids.append(next(read(Source(id="stdin", path=None))).id)
    assert ids[0] == ids[2] != ids[1]


def test_standard_input_that_is_text_only_closed_or_empty(monkeypatch):
    """A text stream in stdin's place is read; a closed or an empty one is an article error."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("They met."))
    assert next(read(Source(id="stdin", path=None))).text == "They met."
    for stream in (None, io.StringIO("")):
        monkeypatch.setattr(sys, "stdin", stream)
        with pytest.raises(ArticleError, match="Standard input is"):
            next(read(Source(id="stdin", path=None)))


def test_a_format_with_several_articles_numbers_them_and_keeps_the_good_ones(tmp_path, monkeypatch):
    """Ids get `#n`, and what was read before a format's error stands."""

    def several(raw):
        for number, body in enumerate(raw.text().text.split("|"), start=1):
            yield Draft(body, title=f"T{number}\r\n", number=number)
        raise ArticleError(f"{raw.label}: entry 3 is broken.")

    monkeypatch.setitem(read_module.FORMATS, ".many", several)
    path = tmp_path / "2025-07-25.many"
    path.write_text("one|two")
    stream = read(Source(id="d/x.many", path=path))
    assert [(found.id, found.text, found.published) for found in (next(stream), next(stream))] == [
        ("d/x.many#1", "T1\n\none", date(2025, 7, 25)),
        ("d/x.many#2", "T2\n\ntwo", date(2025, 7, 25)),
    ]
    with pytest.raises(ArticleError, match="entry 3"):
        next(stream)


def test_a_text_in_memory_is_kept_as_it_is():
    """No header is looked for and no line end changed: the caller's offsets hold."""
    text = " date 2025-07-25 Talks\r\n\r\nThey met.\x0b "
    found = read_text(text, id="a")
    assert (found.text, found.title, found.published, found.origins) == (text, None, None, {})


def test_a_text_in_memory_with_fields_says_they_were_given():
    """Given fields are kept with the origin `argument`; a title opens the text, once."""
    found = read_text(
        "They met.", id="a", title=" Talks\nopen ", published=date(2025, 7, 25), source="Brask Post", language="en", url="https://b.example"
    )
    assert found.text == "Talks open\n\nThey met."
    assert found.title == "Talks open"
    assert found.origins == dict.fromkeys(["title", "published", "source", "language", "url"], "argument")
    assert read_text("Talks open\nThey met.", id="a", title="Talks open").text == "Talks open\nThey met."


def test_a_date_with_a_time_is_its_day(tmp_path):
    """A datetime, which is a date to Python, gives its day and no error."""
    moment = datetime(2025, 7, 25, 23, 30, tzinfo=UTC)
    assert read_text("They met.", id="a", published=moment).published == date(2025, 7, 25)


def test_a_lone_surrogate_in_memory_is_replaced_one_for_one():
    """What no request could carry becomes U+FFFD, offsets hold, and origins say so."""
    found = read_text("They \ud83d met.", id="a")
    assert found.text == "They \ufffd met."
    assert "surrogates" in found.origins["text"]


@pytest.mark.parametrize("text", ["", " \n", "\ufeff"])
def test_an_empty_text_in_memory_is_refused(text):
    """Nothing to ask about is an error of that article."""
    with pytest.raises(ArticleError, match="Article 'a' has no text"):
        read_text(text, id="a")


def test_a_text_in_memory_has_the_same_bound():
    """More than twenty million code points are refused."""
    with pytest.raises(ArticleError, match="20,000,001 characters"):
        read_text("x" * 20_000_001, id="a")


@pytest.mark.parametrize("name", ["", " ", "\ud800"])
def test_an_id_must_be_writable(name):
    """An empty id, or one that is no Unicode text, is the caller's mistake."""
    with pytest.raises(UsageError, match="is empty or not Unicode text"):
        read_text("They met.", id=name)
