"""What goes back to the model: only the bad items, with their errors and the paragraphs they are about; and how the answer is read.

In: items that were not believed. Out: repair calls, and the answered versions by item. Floor: evidence.
Before changing it: a repair must never see or change a fact that is believed.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from extractor.evidence.ground import Ground, bag
from extractor.evidence.outcome import Try
from extractor.evidence.validate import Believed, Judge, text_at, texts_of
from extractor.facts.fact import Fact, Leaf, walk
from extractor.llm.prompt import ToRepair, repair_prompt
from extractor.llm.salvage import members
from extractor.records import Call, Issue, Reply, Span

ITEMS_PER_CALL = 8
"""Bad items in one request: a model's care for each falls with their number, and one broken answer costs fewer."""
PASSAGES_PER_ITEM = 4
"""Paragraphs sent for one item at most."""
NEAREST = 2
"""Sentences looked up for a quote that is nowhere: the right one is first or second when the quote was only miscopied."""

CLEARLY_NEARER = 2
"""Names and words by which a version is another record: one may be what was corrected."""

_NUMBER = re.compile(r"-?[0-9]{1,9}")


class Item(NamedTuple):
    """One version of one item of a reply."""

    order: tuple[int, int, int, int]
    """Where its part of the article begins, the place of its type, its place in the array, the number of the answer: a repaired fact
    keeps it, and no two items share it."""
    fact_type: str
    """Registered name."""
    json_text: str
    """As the model wrote it."""

    @property
    def answer(self) -> int:
        """Which of the article's answers it stands in, counted from 0."""
        return self.order[-1]


class Bad(NamedTuple):
    """An item that is not believed yet."""

    item: Item
    """The version to correct: the last one, unless that was another record."""
    tries: tuple[Try, ...]
    """Every version so far, oldest first."""
    evidence: tuple[Span, ...]
    """The quotes of `item` that do stand in the article."""


class Question(NamedTuple):
    """A repair call and the items it is about, by the number they have in it."""

    call: Call
    items: dict[int, Bad]


def questions(bad: Sequence[Bad], judge: Judge, types: Mapping[str, type[Fact]]) -> list[Question]:
    """Repair calls for `bad`, at most `ITEMS_PER_CALL` items each, with the schemas of their types alone."""
    return [_question(bad[at : at + ITEMS_PER_CALL], judge, types) for at in range(0, len(bad), ITEMS_PER_CALL)]


def answers(question: Question, reply: Reply) -> dict[int, str | None]:
    """The corrected JSON text by number, as it was written; None for a withdrawn item. Numbers that were not asked for are left out.

    A number answered twice counts once, as first answered. Where one item was asked for, an entry that is a bare fact or has no readable
    number, which servers without a strict schema give, is taken for it. An entry that is no JSON is left out, and so is one of two entries
    run into one.
    """
    only = next(iter(question.items)) if len(question.items) == 1 else None
    found: dict[int, str | None] = {}
    for item in reply.items:
        pairs = members(item.json_text)
        entry = dict(pairs or ())
        number, fact = only, item.json_text
        if "fact" in entry and ("item" in entry or len(entry) == 1):
            if len(entry) < len(pairs or ()):
                continue
            given, fact = entry.get("item", ""), entry["fact"]
            number = int(given) if _NUMBER.fullmatch(given) else only
        elif pairs is None and not _is_json(item.json_text):
            continue
        if number in question.items and question.items[number].item.fact_type == item.fact_type:
            found.setdefault(number, None if fact == "null" else fact)
    return found


def is_same_record(version: Believed, bad: Bad, others: Iterable[Item], ground: Ground) -> bool:
    """Whether a corrected version still is the record that was asked about, and not one of the others.

    A repair may change quotes and values, but not all at once: it quotes the passage that was quoted, or miscopied, or most of its names
    and words were there before. And no other record is clearly nearer.

    Args:
        version: What the model gave for `bad`.
        bad: What it was asked to correct.
        others: The other records of the same type that it may have taken for this one.
        ground: The article.
    """
    own = _tie(version, bad.item, ground)
    if not (own.passage or own.most or own.blank):
        return False
    for tie in (_tie(version, other, ground) for other in others):
        nearer = tie.words - own.words
        if nearer >= CLEARLY_NEARER or (nearer > 0 and tie.passage and not own.passage):
            return False
    return True


class _Tie(NamedTuple):
    """How a version hangs together with an earlier record."""

    passage: bool
    """It quotes the same passage."""
    words: int
    """How many of its names and words stand in that record."""
    most: bool
    """Whether these are most of either's."""
    blank: bool
    """The record says nothing by which to tell it."""


def _tie(version: Believed, item: Item, ground: Ground) -> _Tie:
    texts = texts_of(item.json_text)
    quotes = texts.get("evidence", [])
    said = bag(" ".join(texts["other"]))
    leaves = [leaf for leaf in walk(version.value) if isinstance(leaf, Leaf) and leaf.role in ("name", "verbatim")]
    told = [bag(leaf.text) for leaf in leaves if not leaf.path.startswith("attribution.")]
    words = sum(one <= said for one in told)
    passages = [span for quote in quotes for span in ground.find(quote) or ground.closest(quote)]
    passage = any(one.start < two.end and two.start < one.end for one in version.evidence for two in passages)
    return _Tie(passage, words, words * 2 > min(len(told), len(texts["other"])), blank=not said and not quotes)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _question(bad: Sequence[Bad], judge: Judge, types: Mapping[str, type[Fact]]) -> Question:
    # in catalogue order, as the answer's arrays are
    ordered = [one for name in types for one in bad if one.item.fact_type == name]
    items = dict(enumerate(ordered, start=1))
    shown = [ToRepair(number, one.item.fact_type, one.item.json_text, _errors(one)) for number, one in items.items()]
    passages = _joined(passage for one in ordered for passage in _passages(one, judge))
    concerned = tuple(name for name in types if any(one.item.fact_type == name for one in ordered))
    prompt = repair_prompt(judge.article, shown, passages)
    return Question(Call(kind="repair", article_id=judge.article.id, fact_types=concerned, prompt=prompt), items)


def _errors(bad: Bad) -> list[Issue]:
    """What must be mended; what is only flagged would tempt a model to change what is right."""
    last = next(at for at in range(len(bad.tries) - 1, -1, -1) if bad.tries[at].json_text == bad.item.json_text)
    return [issue for one in bad.tries[last:] for issue in one.issues if issue.severity == "error"]


def _passages(bad: Bad, judge: Judge) -> Iterator[Span]:
    """The paragraphs of an item's quotes; for a quote that is nowhere the nearest ones, without any quote those nearest to its words."""
    json_text = bad.item.json_text
    texts = texts_of(json_text)
    spans = list(bad.evidence)
    for quote in texts.get("evidence", []):
        if not judge.ground.find(quote):
            spans.extend(judge.ground.closest(quote, NEAREST))
    for issue in _errors(bad):
        # words that stand elsewhere in the article: the passage that the evidence lacks
        if issue.code == "not_in_evidence":
            spans.extend(judge.ground.find(text_at(json_text, issue.path))[:1])
    if not spans:
        spans.extend(judge.ground.closest(" ".join(texts["other"]), NEAREST) or [Span(start=0, end=len(judge.article.text))])
    paragraphs = dict.fromkeys(judge.ground.paragraph(span) for span in spans)
    yield from list(paragraphs)[:PASSAGES_PER_ITEM]


def _joined(spans: Iterable[Span]) -> list[Span]:
    """`spans` in text order without doubles; overlapping ones become one."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if joined and span.start < joined[-1].end:
            joined[-1] = Span(start=joined[-1].start, end=max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined
