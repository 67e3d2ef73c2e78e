"""How bytes become text: encodings, control characters, and what is refused as no text."""

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.articles.charset import declared_in_markup, known
from extractor.articles.decode import clean_text, decode
from extractor.articles.mojibake import mend
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
        ("Переговоры начались".encode("cp1251"), "nor surely in any other encoding"),
        ("Переговоры начались".encode("koi8-r"), "nor surely in any other encoding"),
        ("Οι συνομιλίες".encode("cp1253"), "nor plausible as Western"),
        ("会谈开始".encode("gbk"), "nor plausible as Western"),
        ("The firm (南京机械) said on Friday it had sold ten drones.".encode("gbk"), "nor plausible as Western"),
        ("協議が始まる".encode("shift-jis"), "nor plausible as Western"),
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


SENTENCES = {
    "ru": "Переговоры в Стамбуле начались в среду, сообщил министр. Стороны обсудили обмен пленными и поставку десяти танков до конца августа.",
    "uk": "Переговори у Стамбулі розпочалися в середу, повідомив міністр. Сторони обговорили обмін полоненими, її країна готова.",
    "el": "Οι συνομιλίες άρχισαν στην Κωνσταντινούπολη την Τετάρτη, δήλωσε ο υπουργός Άμυνας για τα άρματα.",
    "zh": "会谈在伊斯坦布尔开始，部长说，双方讨论了交换战俘和交付十辆坦克的问题。",
    "zh-TW": "會談在伊斯坦堡開始，部長說，雙方討論了交換戰俘和交付十輛坦克的問題。",
    "ja": "協議は水曜日に始まった。大臣は八月末までに戦車十両を引き渡すと述べた。",
    "ko": "회담은 수요일에 시작되었다. 장관은 8월 말까지 전차 열 대를 인도할 것이라고 말했다.",
    "ar": "بدأت المحادثات يوم الأربعاء في إسطنبول، وقال الوزير إن الطرفين ناقشا تبادل الأسرى",
    "he": "השיחות החלו ביום רביעי באיסטנבול, אמר השר; הצדדים דנו בחילופי שבויים",
}


@pytest.mark.parametrize("times", [1, 12, 900])
@pytest.mark.parametrize(
    ("language", "encoding", "named"),
    [
        ("ru", "cp1251", "cp1251"),
        ("ru", "koi8-r", "koi8_r"),
        ("ru", "cp866", "cp866"),
        ("ru", "mac-cyrillic", "mac_cyrillic"),
        ("ru", "iso8859-5", "iso8859_5"),
        ("uk", "cp1251", "cp1251"),
        ("uk", "koi8-u", "koi8_u"),
        ("el", "cp1253", "cp1253"),
        ("el", "iso8859-7", "iso8859_7"),
        ("zh", "gbk", "gb18030"),
        ("zh-TW", "big5", "big5hkscs"),
        ("ja", "shift-jis", "cp932"),
        ("ja", "euc-jp", "euc_jp"),
        ("ko", "euc-kr", "cp949"),
        ("ar", "cp1256", "cp1256"),
        ("he", "cp1255", "cp1255"),
    ],
)
def test_other_alphabets_are_told_for_sure_and_named_as_guessed(language, encoding, named, times):
    """A sentence, a page and a book (of which a sample is looked at) in another alphabet are read, and no character is wrong."""
    text = (SENTENCES[language] + " (Reuters)\n") * times
    assert decode(text.encode(encoding), "File 'x'") == (text, f"{named} (guessed)")


@pytest.mark.parametrize(
    ("language", "encoding"),
    [("ru", "cp1251"), ("ru", "koi8-r"), ("ru", "cp866"), ("ru", "iso8859-5"), ("ru", "mac-cyrillic"), ("el", "cp1253"), ("ja", "euc-jp")],
)
def test_a_guess_is_right_or_there_is_none(language, encoding):
    """Whatever is cut out of a text: it is read rightly or refused, never read as something else."""
    space = " " if language != "ja" else ""
    words = SENTENCES[language].split(" ") if space else list(SENTENCES[language])
    for start in range(len(words)):
        for end in range(start + 2, len(words) + 1, 2):
            text = space.join(words[start:end])
            try:
                assert decode(text.encode(encoding), "x").text == text
            except ArticleError:
                continue


@pytest.mark.parametrize(
    ("text", "encoding", "declared", "named"),
    [
        ("Żołnierze kupili wyrzutnię.", "cp1250", "windows-1250", "cp1250"),
        ("Żołnierze kupili wyrzutnię.", "iso8859-2", "ISO-8859-2", "iso8859-2"),
        ("Görüşmeler başladı: ığdır", "cp1254", "iso-8859-9", "cp1254"),
        ("Zelenskyy’s “plan” – €5m", "cp1252", "iso-8859-1", "cp1252"),
        ("会谈开始", "gbk", "gb2312", "gb18030"),
        ("協議が始まる", "iso2022-jp", "ISO-2022-JP", "iso2022_jp"),
        ("Переговоры", "koi8-r", "KOI8-R", "koi8-r"),
    ],
)
def test_a_declared_encoding_is_taken_as_browsers_take_it(text, encoding, declared, named):
    """Labels that stand for a larger encoding are read as that, and short texts need no guess."""
    assert decode(text.encode(encoding), "File 'x'", declared=known(declared)) == (text, f"{named} (declared)")


def test_what_is_utf8_is_utf8_whatever_it_declares():
    """A wrong declaration, which saved pages often carry, changes nothing."""
    assert decode(CURLY.encode(), "x", declared=known("windows-1251")) == (CURLY, "utf-8")


@pytest.mark.parametrize("name", [None, "", "utf-8", "utf-7", "rot13", "base64", "no-such", "unicode_escape", "a\x00b", "x" * 5000])
def test_only_charsets_can_be_declared(name):
    """A name that is unknown, no charset or dangerous is as good as none."""
    assert known(name) is None


@pytest.mark.parametrize(
    ("head", "codec"),
    [
        (b'<meta charset="windows-1251">', "cp1251"),
        (b"<META http-equiv=Content-Type content='text/html; charset=koi8-r'>", "koi8-r"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?>', "cp1252"),
        (b'<meta charset="utf-8">', None),
        (b"<p>charset=koi8-r", None),
    ],
)
def test_a_declaration_is_found_at_the_head_of_markup(head, codec):
    """XML declarations and meta elements count, words do not."""
    assert declared_in_markup(head + b"<p>x") == codec


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


@settings(deadline=None)  # the first text with mojibake loads ftfy
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])).filter(lambda text: text and not text.startswith("\ufeff")))
def test_utf8_text_comes_back_as_it_was(text):
    """Text without control characters is returned unchanged, whatever it is made of; but for mojibake."""
    if not text.startswith(("%PDF-", "{\\rtf")) and not mend(text).places:
        assert decode(text.encode(), "x").text == text
