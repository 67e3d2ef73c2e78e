"""Text that was decoded wrongly before it came here: what is put right, and what is left alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.articles.mojibake import mend


def broken(text, times=1):
    """What `text` looks like after its UTF-8 bytes were read as cp1252, lost bytes kept as control characters."""
    for _ in range(times):
        text = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in text.encode())
    return text


@pytest.mark.parametrize(
    "text",
    [
        "Zelenskyy’s “plan” – €5 million",
        "Støre møtte Gahr på Ærø",
        "été de l’État, déjà vu",
        "Там были переговоры",
        "naïve",
        "5°C, £3bn 😀",
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_clear_mojibake_is_put_right(text, times):
    """What was once or twice read as cp1252 comes back as it was, curly quotes curly."""
    mended = mend(f"{broken(text, times)} in Brask")
    assert mended.text == f"{text} in Brask"
    assert mended.places > 0


@pytest.mark.parametrize(
    "text",
    [
        "“We need an end,” she said – Málaga’s café, déjà vu, €5m…",
        "À Paris « bon », Où — Ärger “Ä” ‘Ö’",
        "NÃO É “AMANHÃ” NEM “IRMÃ”",
        "“MÜNCHÊN”… Ê… Ü™",
        "Τα άρματα, танки, 坦克, Łódź",
        "plain words",
        "",
    ],
)
def test_right_text_is_never_touched(text):
    """Curly quotes, accents, capitals before a closing quote and other alphabets stay, and the very same object comes back."""
    assert mend(text) == (text, 0)
    assert mend(text).text is text


def test_what_lost_a_byte_stays_as_it_is():
    """A sequence that is not whole can not be told, and only its neighbours are mended."""
    assert mend("He said â€œyesâ€ and left").text == "He said “yesâ€ and left"


def test_the_doubtful_is_mended_beside_the_clear():
    """A capital and a closing quote are mojibake only where other sequences are beyond doubt."""
    assert mend("Ã” alone") == ("Ã” alone", 0)
    assert mend(broken("Ô and café")).text == "Ô and café"


@settings(deadline=None)  # the first text with mojibake loads ftfy
@given(st.text(st.characters(codec="utf-8")))
def test_mending_ends(text):
    """What was mended is text that can be sent, and is not mended without end."""
    once = mend(text)
    assert once.text.encode() is not None
    assert (once.text == text) == (once.places == 0)


def test_mended_text_says_so(reading):
    """The article's origins name it, for every format and for the title, too."""
    (found,) = reading(broken("Málaga’s café is “open”."), "x.txt")
    assert found.text == "Málaga’s café is “open”."
    assert found.origins["encoding"] == "utf-8, mojibake mended in 5 places"
    (found,) = reading(
        '{"title": "Caf\\u00c3\\u00a9", "text": "It\\u00e2\\u0080\\u0099s \\u00e2\\u0080\\u009copen\\u00e2\\u0080\\u009d."}', "x.json"
    )
    assert found.text == "Café\n\nIt’s “open”."
    assert found.origins["text"] == "JSON key 'text', mojibake mended in 4 places"
