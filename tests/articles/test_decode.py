"""How bytes become text: encodings, control characters, and what is refused as no text."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.articles.decode import clean_text, decode
from extractor.errors import ArticleError

CURLY = "“We need an end to the war,” she said – €5m for Málaga’s café."
CYRILLIC = "Переговоры в Стамбуле начались в среду, сообщил министр."


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (CURLY.encode(), CURLY, "utf-8"),
        (CYRILLIC.encode(), CYRILLIC, "utf-8"),
        (codecs.BOM_UTF8 + CURLY.encode(), CURLY, "utf-8 (byte order mark)"),
        (CURLY.encode("utf-16"), CURLY, "utf-16-le (byte order mark)"),
        (codecs.BOM_UTF16_BE + CURLY.encode("utf-16-be"), CURLY, "utf-16-be (byte order mark)"),
        (CURLY.encode("utf-32"), CURLY, "utf-32-le (byte order mark)"),
        (codecs.BOM_UTF32_BE + CURLY.encode("utf-32-be"), CURLY, "utf-32-be (byte order mark)"),
        (CURLY.encode("utf-16-le"), CURLY, "utf-16-le (guessed)"),
        (CURLY.encode("utf-16-be"), CURLY, "utf-16-be (guessed)"),
        (CYRILLIC.encode("utf-16-le"), CYRILLIC, "utf-16-le (guessed)"),
        (CURLY.encode("cp1252"), CURLY, "cp1252 (guessed)"),
        ("Støre møtte Gahr på Ærø, déjà vu.".encode("latin-1"), "Støre møtte Gahr på Ærø, déjà vu.", "cp1252 (guessed)"),
        (codecs.BOM_UTF8 + b"caf\xe9", "café", "cp1252 (guessed)"),
        ("€5 m".encode("cp1252"), "€5 m", "cp1252 (guessed)"),
        (b"caf\xe9", "café", "cp1252 (guessed)"),
        ("naïve – café “good” 9".encode() + b"\x92", "naïve – café “good” 9\ufffd", "utf-8 (broken in 1 places, each now U+FFFD)"),
        ("He said “yes”".encode()[:-1], "He said “yes\ufffd", "utf-8 (broken in 1 places, each now U+FFFD)"),
        ("He said yes”".encode()[:-1], "He said yes\ufffd", "utf-8 (broken in 1 places, each now U+FFFD)"),
        ("a \ufffd b".encode(), "a \ufffd b", "utf-8"),
    ],
)
def test_encodings_are_read_and_named(data, text, encoding):
    """Marks first, then UTF-16 by its zeros, UTF-8, and Western text; the guess is named."""
    assert decode(data, "File 'x'") == (text, encoding)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (CYRILLIC.encode("cp1251"), "nor plausible as Western"),
        (CYRILLIC.encode("koi8-r"), "nor plausible as Western"),
        ("Οι συνομιλίες άρχισαν".encode("cp1253"), "nor plausible as Western"),
        ("会谈在伊斯坦布尔开始".encode("gbk"), "nor plausible as Western"),
        ("The firm (南京机械) said on Friday it had sold ten drones.".encode("gbk"), "nor plausible as Western"),
        ("協議は水曜日に始まった。".encode("shift-jis"), "nor plausible as Western"),
        ("Wojsko kupiło dużo wyrzutni; żołnierze ćwiczą na poligonie, mówił że już".encode("cp1250"), "nor plausible as Western"),
        ("12 да 34 не 56 но 78".encode("cp1251"), "nor plausible as Western"),
        ("Broken here: ".encode("utf-16-le") + b"\x00\xd8", "zero bytes"),
        (b"%PDF-1.7\n...", "a PDF document"),
        (b"PK\x03\x04\x14\x00", "a ZIP archive"),
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"\xff\xd8\xff\xe0", "a JPEG image"),
        (b"Some\x00bytes here", "zero bytes"),
        (b"caf\xe9\x00bytes", "zero bytes"),
        (b"\x01\x02\x03words", "3 of its 8 characters are control characters"),
        (CURLY.encode("utf-16")[:-1], r"opens with the byte order mark of utf-16-le, but breaks that encoding at byte"),
        (CURLY.encode("utf-32-le"), "zero bytes"),
    ],
)
def test_what_is_no_sure_text_is_refused_with_what_it_looks_like(data, said):
    """A wrong guess would change names in silence, so an unsure encoding is an error that says how to go on."""
    with pytest.raises(ArticleError, match=said) as caught:
        decode(data, "File 'x'")
    assert str(caught.value).startswith("File 'x' is not readable as text: ")
    assert "Convert it to UTF-8" in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\r\r\nb", "a\n\nb"),
        ("page\fpage\vline", "page\npage\nline"),
        ("tab\tstays", "tab\tstays"),
        ("a\x00b\x1bc\x7fd", "a b c d"),
        ("don\x92t \x93so\x94\x81", "don’t “so” "),
        ("lone \ud83d surrogate", "lone \ufffd surrogate"),
        ("“curly” e\u0301 ﬁ \u00a0\u200b\u2028\ufeff", "“curly” e\u0301 ﬁ \u00a0\u200b\u2028\ufeff"),
    ],
)
def test_only_line_ends_and_control_characters_are_touched(raw, clean):
    """Line ends become one kind, control characters a space or what they stand for; quotes, accents and odd spaces stay."""
    assert clean_text(raw) == clean


@given(st.text(st.characters(codec=None)))
def test_cleaning_twice_is_cleaning_once(text):
    """Clean text is a fixed point, and can be sent and stored as UTF-8."""
    clean = clean_text(text)
    assert clean_text(clean) is clean
    assert clean.encode("utf-8").decode("utf-8") == clean


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])).filter(lambda text: text and not text.startswith("\ufeff")))
def test_utf8_text_comes_back_as_it_was(text):
    """Text without control characters is returned unchanged, whatever it is made of."""
    if not text.startswith(("%PDF-", "{\\rtf")):
        assert decode(text.encode(), "x").text == text
