"""How a long article is cut: it is covered, in bounds, at good edges, with an overlap."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from extractor.llm.parts import OVERLAP_CHARS, halves, split
from extractor.records import Span

LONG = "\n\n".join(f"Paragraph {number} " + "tells of ships and ports. " * 12 for number in range(60)).strip()


def uncovered(text, parts, within=None):
    """Everything but white space that stands in no part."""
    inside = set()
    for part in parts:
        inside |= set(range(part.start, part.end))
    start, stop = (within.start, within.end) if within else (0, len(text))
    return [place for place in range(start, stop) if place not in inside and not text[place].isspace()]


def test_a_text_that_fits_is_one_part():
    """Exactly at the budget nothing is cut; one character more is two parts."""
    text = "word " * 20
    assert split(text, 100) == [Span(start=0, end=100)]
    assert len(split(text + "x", 100)) == 2


def test_an_empty_text_is_one_part():
    """There is always something to ask about."""
    assert len(split("", 100)) == 1


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("First paragraph here.\n\nSecond one. It goes on.", "here."),
        ("First line with words\nsecond line. It goes on and on", "words"),
        ("One sentence ends here. Another one goes on and on", "here."),
        ("He said “it ends here.” Another one goes on and on", "here.”"),
        ("many words without any mark or ending at all in it", "any mark or"),
        ("x" * 50, "x" * 33),
    ],
    ids=["paragraph", "line", "sentence", "closing quote", "word", "nothing"],
)
def test_the_best_edge_in_the_second_half_is_taken(text, ends):
    """Between paragraphs before lines, lines before sentences, sentences before words; else at the budget."""
    first = split(text, 33)[0]
    assert first.of(text).endswith(ends)
    assert first.start == 0


def test_a_part_opens_with_the_last_paragraph_of_the_one_before():
    """A fact told over a paragraph edge stands whole in one of them."""
    parts = split(LONG, 4_000)
    assert len(parts) > 4
    for one, two in pairwise(parts):
        assert LONG[two.start - 2 : two.start] == "\n\n"
        assert LONG[one.end : one.end + 2] == "\n\n"
        assert "\n\n" not in LONG[two.start : one.end]
        assert 0 < one.end - two.start <= OVERLAP_CHARS


def test_of_a_long_last_paragraph_the_last_sentences_are_repeated():
    """Never more than a thousand characters, or a quarter of the budget."""
    text = "Short one.\n\n" + "sentence after sentence. " * 60 + "\n\n" + "and the end. " * 60
    one, two, *_ = split(text, 1_600)
    assert 300 < one.end - two.start <= 400
    assert text[two.start - 2 : two.start] == ". "


def test_lines_are_repeated_where_there_are_no_paragraphs():
    """A text with single line breaks has its last line in both parts."""
    text = "\n".join(f"Line {number} says a word or two. It ends." for number in range(100))
    one, two, *_ = split(text, 1_000)
    assert text[two.start - 1] == "\n"
    assert text[two.start : one.end].count("\n") == 0
    assert two.start < one.end


texts = st.one_of(
    st.text(st.sampled_from('ab.\n "”')),
    st.lists(st.text(st.sampled_from("abc. "), min_size=1, max_size=60), max_size=30).map("\n\n".join),
    st.text(max_size=300),
)


@given(texts, st.integers(1, 80))
@example("a\n\n" * 50, 4)
@example(" " * 100, 7)
def test_parts_cover_the_text_in_order_and_within_the_budget(text, budget):
    """Nothing but white space is in no part, no part is longer than the budget, and each part begins and ends after the one before."""
    parts = split(text, budget)
    assert uncovered(text, parts) == []
    assert all(part.end - part.start <= budget for part in parts)
    assert all(one.start < two.start and one.end < two.end for one, two in pairwise(parts))
    assert all(two.start - one.end < 1 or text[one.end : two.start].isspace() for one, two in pairwise(parts))
    assert parts[-1].end <= max(len(text), 1)


@given(texts, st.integers(0, 100), st.integers(2, 300), st.integers(1, 80))
def test_a_stretch_is_cut_within_its_own_edges(text, start, size, budget):
    """Cutting a part again never reaches beyond it."""
    within = Span(start=min(start, len(text)), end=max(min(start + size, len(text)), min(start, len(text)) + 1))
    parts = split(text, budget, within=within)
    assert uncovered(text, parts, within) == [] or within.end > len(text)
    assert all(within.start <= part.start and part.end <= within.end for part in parts)


@given(st.integers(2, 30_000), st.sampled_from(["x", "word ", "A sentence. ", "para\n\n", "A longer paragraph. It has two.\n\n"]))
def test_halves_are_shorter_and_cover_the_part(size, unit):
    """Halving moves on: every piece is shorter than the part, at most five eighths of a long one, and nothing is lost."""
    text = (unit * (size // len(unit) + 1))[:size]
    part = Span(start=0, end=size)
    cut = halves(text, part)
    assert uncovered(text, cut) == []
    assert all(piece.end - piece.start < size for piece in cut)
    assert all(piece.end - piece.start <= size * 5 / 8 for piece in cut) or size < 100
    assert len(cut) <= 4 or size < 100


def test_halving_down_to_the_smallest_part_takes_few_steps():
    """An article that overflows at every size is asked a bounded number of times."""
    pending, asked = [Span(start=0, end=16_000)], 0
    text = "words, " * 2_300
    while pending:
        asked += len(pending)
        pending = [half for part in pending if part.end - part.start > 2_000 for half in halves(text, part)]
    assert asked < 64
