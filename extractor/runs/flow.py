"""One article's decisions, as a generator: lists of calls out, lists of replies in, the outcome at the end. No I/O.

In: an article and a plan. Out: `Outcome`. Floor: runs.
Before changing it: live runs, batches and clusters all drive this one generator, so it must ask the same for the same replies.

    calls = next(steps)                        # all parts of a long article go out together
    while True:
        calls = steps.send([ask(call) for call in calls])   # StopIteration.value is the outcome
"""

import itertools
import json
import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from extractor.evidence.merge import Reading, covered, told
from extractor.evidence.outcome import Grounded, Outcome, Quarantined, Try
from extractor.evidence.repair import Bad, Item, Question, answers, is_same_record, questions
from extractor.evidence.validate import Believed, Judge, texts_of
from extractor.facts.fact import Fact
from extractor.fingerprint import fingerprint
from extractor.llm.parts import halves, split
from extractor.llm.prompt import extract_prompt
from extractor.records import Article, AttemptOutcome, Call, Issue, Reply, Span, Usage

MIN_PART_CHARS = 2_000
"""A part that overflows or is cut at the output limit is halved down to this: what does not fit then is not a matter of length."""

_AGAIN = (
    "Your last answer could not be read as one JSON object of the asked shape. Answer with that object alone, whole and without other text."
)
_SAID_CHARS = 200  # of a refusal in a reason; all of it stands in the ledger
_SURROGATE = re.compile("[\ud800-\udfff]")
ASK_AGAIN_ALWAYS: tuple[AttemptOutcome, ...] = ("cassette_miss", "not_asked")
"""Causes that say nothing about the article: a later run asks it again without being told."""

_NOT_GIVEN_AGAIN = Issue.warning(
    "not_given_again", "", "It was read from an answer that broke off; asked again, the model did not give it, or said less."
)
_GIVEN_ANEW = Issue.warning(
    "given_anew", "", "It was read from an answer that broke off; the next answer quotes the same passage for a record of its own."
)
_ANOTHER_RECORD = Issue.error(
    "another_record", "", "The correction is another record: its passage and most of its names and words are not those of this one."
)
_TOO_LONG: tuple[AttemptOutcome, ...] = ("length", "context_overflow")
_UNREADABLE: tuple[AttemptOutcome, ...] = ("partial", "unparsable", "no_content")


class Plan(NamedTuple):
    """What every article of a run is asked."""

    types: Mapping[str, type[Fact]]
    """Registered name to class, in catalogue order."""
    repairs: int
    """Rounds of repair, and of asking again for an unreadable answer; 0 asks once."""
    part_chars: int
    """Code points of an article in one call at most."""


class _Part(NamedTuple):
    span: Span
    number: int
    parts: int
    types: tuple[str, ...]
    again: str = ""
    asked: int = 0
    salvaged: tuple[Item, ...] = ()
    """What the last broken answer for it, or for the part it was cut from, held."""


class _Lost(NamedTuple):
    cause: AttemptOutcome
    reason: str


class _Read(NamedTuple):
    items: list[Item]
    """In order."""
    drafts: list[Item]
    """More of them, out of answers that broke off and that a whole one followed, which did not say the same."""
    lost: list[_Lost]
    answered: bool


class _Held(NamedTuple):
    item: Item
    believed: Believed
    stated: dict[str, Any]
    """What it states, as `told` gives it."""
    tries: tuple[Try, ...]
    is_draft: bool


class _Tally:
    """What the article cost so far."""

    def __init__(self) -> None:
        self.usage = Usage()
        self.cost_usd: float | None = 0.0

    def add(self, replies: Iterable[Reply]) -> None:
        for reply in replies:
            self.usage += reply.usage
            if reply.usage.attempts:
                self.cost_usd = None if self.cost_usd is None or reply.cost_usd is None else self.cost_usd + reply.cost_usd


def flow(article: Article, plan: Plan) -> Generator[list[Call], list[Reply], Outcome]:
    """The decisions about one article, from the first call to the outcome.

    Args:
        article: What to read.
        plan: What to ask.

    Yields:
        Calls that do not depend on each other; their replies are to be sent in the same order.
    """
    tally = _Tally()
    read = yield from _extract(article, plan, tally)
    if not read.answered:
        first = read.lost[0]
        return Outcome(article=article, status="failed", reason=first.reason, cause=first.cause, usage=tally.usage, cost_usd=tally.cost_usd)
    desk = _Desk(article, plan, read)
    desk.judge_all(read)
    for _ in range(plan.repairs):
        if not desk.bad:
            break
        asked = questions(desk.bad, desk.judged, plan.types)
        desk.bad = []
        replies = yield [question.call for question in asked]
        tally.add(replies)
        for question, reply in zip(asked, replies, strict=True):
            desk.read_repair(question, reply)
    return desk.outcome(tally)


def _extract(article: Article, plan: Plan, tally: _Tally) -> Generator[list[Call], list[Reply], _Read]:
    """All raw items of an article, what was lost on the way, and whether anything was answered."""
    spans = split(article.text, plan.part_chars)
    pending = [_Part(span, number, len(spans), tuple(plan.types)) for number, span in enumerate(spans, start=1)]
    items: list[Item] = []
    salvaged: list[Item] = []
    drafts: list[Item] = []
    lost: list[_Lost] = []
    answered = False
    numbers = itertools.count()
    while pending:
        replies = yield [_call(article, plan, part) for part in pending]
        tally.add(replies)
        following: list[_Part] = []
        for asked, reply in zip(pending, replies, strict=True):
            found = _items(asked, reply, plan, next(numbers))
            if reply.outcome == "ok":
                answered = True
                items.extend(found)
                drafts.extend(item for item in asked.salvaged if item.fact_type not in reply.missing)
                if not reply.missing:
                    continue
            part = _unanswered(asked, reply, found)
            if reply.outcome in _TOO_LONG and part.span.end - part.span.start > MIN_PART_CHARS:
                cut = halves(article.text, part.span)
                following.extend(part._replace(span=span, number=n, parts=len(cut)) for n, span in enumerate(cut, start=1))
            elif reply.outcome in ("ok", *_UNREADABLE) and part.asked < plan.repairs:
                following.append(part._replace(again=_again(reply), asked=part.asked + 1))
            else:
                lost.append(_loss(reply))
                salvaged.extend(part.salvaged)
        pending = following
    # two halves share what was read before they were cut; what was said again word for word is there already
    items = sorted([*items, *dict.fromkeys(salvaged)], key=lambda item: item.order)
    said = {(item.fact_type, item.json_text) for item in items}
    again = {(item.fact_type, item.json_text): item for item in drafts}
    return _Read(items, [item for key, item in again.items() if key not in said], lost, answered or bool(salvaged))


def _unanswered(part: _Part, reply: Reply, found: tuple[Item, ...]) -> _Part:
    """What of a part is still to be answered, with what was read of it so far."""
    if reply.outcome != "ok":
        return part._replace(salvaged=found or part.salvaged)
    return part._replace(types=reply.missing, salvaged=tuple(item for item in part.salvaged if item.fact_type in reply.missing))


def _again(reply: Reply) -> str:
    if reply.outcome != "ok":
        return _AGAIN
    return f"Your last answer had no array for: {', '.join(reply.missing)}. Give it, empty if there is none."


def _loss(reply: Reply) -> _Lost:
    return _Lost("partial", f"no answer for {', '.join(reply.missing)}") if reply.outcome == "ok" else _Lost(reply.outcome, _reason(reply))


def _reason(reply: Reply) -> str:
    said = f" It said: {reply.text[:_SAID_CHARS]!r}" if reply.outcome == "refusal" and reply.text else ""
    return f"{reply.outcome}: {reply.error}{said}" if reply.error else f"{reply.outcome}{said}"


def _call(article: Article, plan: Plan, part: _Part) -> Call:
    types = {name: plan.types[name] for name in part.types}
    whole = part.span.end - part.span.start == len(article.text)
    prompt = extract_prompt(article, types, part=None if whole else part.span, number=part.number, parts=part.parts, again=part.again)
    return Call(kind="extract", article_id=article.id, fact_types=part.types, prompt=prompt)


def _items(part: _Part, reply: Reply, plan: Plan, answer: int) -> tuple[Item, ...]:
    position = {name: place for place, name in enumerate(plan.types)}
    return tuple(
        Item((part.span.start, position[item.fact_type], item.index, answer), item.fact_type, _sendable(item.json_text))
        for item in reply.items
    )


def _quotes(item: Item) -> list[str]:
    return texts_of(item.json_text).get("evidence", [])


def _sendable(json_text: str) -> str:
    """JSON text with lone surrogates as escapes, which a model may have written and no file or request can carry."""
    if json_text.isascii():
        return json_text
    return _SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", json_text)


def _same_json(one: str, other: str) -> bool:
    """Whether two texts are the same JSON, whatever their spacing and the order of their keys; a text that is no JSON is only itself."""
    try:
        return one == other or bool(_DECODER.decode(one) == _DECODER.decode(other))
    except (ValueError, RecursionError):
        return False


_DECODER = json.JSONDecoder(object_pairs_hook=lambda pairs: {"": sorted(pairs, key=lambda pair: pair[0])})  # a key may stand twice


class _Desk:
    """Where the items of one article lie while they are judged: believed, to be repaired, given up."""

    def __init__(self, article: Article, plan: Plan, read: _Read) -> None:
        self.article = article
        self.plan = plan
        self.lost = read.lost
        self.drafts = {item.order for item in read.drafts}
        self.judged = Judge(article)
        self.held: list[_Held] = []
        self.bad: list[Bad] = []
        self.given_up: list[Bad] = []

    def judge_all(self, read: _Read) -> None:
        """Judge every item as it was given, and put it where it belongs: believed, or to be repaired.

        A draft that is not believed goes to repair only where no whole answer quotes what it quotes: else its record has been given anew.
        """
        for item in read.items:
            if believed := self._judge(item, ()):
                self._hold(item, believed, ())
        quoted = {(item.fact_type, quote) for item in read.items for quote in _quotes(item)} if read.drafts else set()
        for draft in read.drafts:
            if believed := self._judge(draft, ()):
                self._hold(draft, believed, ())
            elif any((draft.fact_type, quote) in quoted for quote in _quotes(draft)):
                self._give_up(self.bad.pop(), _GIVEN_ANEW)

    def _judge(self, item: Item, tries: tuple[Try, ...]) -> Believed | None:
        """Judge one version of an item; it is given when it is believed, and put down to be repaired when it is not."""
        verdict = self.judged.judge(item.json_text, self.plan.types[item.fact_type])
        if isinstance(verdict, Believed):
            return verdict
        self.bad.append(Bad(item, (*tries, Try(json_text=item.json_text, issues=verdict.issues)), verdict.evidence))
        return None

    def _hold(self, item: Item, believed: Believed, tries: tuple[Try, ...]) -> None:
        is_draft = item.order in self.drafts
        if is_draft:
            believed = believed._replace(issues=(*believed.issues, _NOT_GIVEN_AGAIN))
        self.held.append(_Held(item, believed, told(believed.value), tries, is_draft))

    def read_repair(self, question: Question, reply: Reply) -> None:
        """Judge the corrected versions in a reply; what has none is given up."""
        found = answers(question, reply)
        readable = reply.outcome in ("ok", "partial", "length")
        if not readable and reply.outcome != "not_asked":
            self.lost.append(_Lost(reply.outcome, f"a repair was not answered: {reply.error or reply.outcome}"))
        for number, bad in question.items.items():
            if number not in found:
                why = "The model left this record out of its repair." if readable else f"The repair was not answered ({reply.outcome})."
                self._give_up(bad, Issue.error("not_repaired", "", why))
            elif (version := found[number]) is None:
                self._give_up(bad, Issue.error("withdrawn", "", "Asked to correct this record, the model withdrew it."))
            elif _same_json(version, bad.tries[-1].json_text):
                # asking the same again would bring the same answer
                self._give_up(bad, Issue.error("not_repaired", "", "The model gave the same record again."))
            else:
                self._read_version(bad, _sendable(version), [one.item for one in question.items.values() if one is not bad])

    def _read_version(self, bad: Bad, version: str, others: Sequence[Item]) -> None:
        """Judge a corrected version; one that is another record is kept among the tries, and the right one is asked for once more."""
        item = bad.item._replace(json_text=version)
        if not (believed := self._judge(item, bad.tries)):
            return
        stated = told(believed.value)
        others = [*others, *(one.item for one in self.held if one.stated == stated)]
        if is_same_record(believed, bad, [other for other in others if other.fact_type == item.fact_type], self.judged.ground):
            self._hold(item, believed, bad.tries)
        else:
            self.bad.append(bad._replace(tries=(*bad.tries, Try(json_text=version, issues=(_ANOTHER_RECORD,)))))

    def _give_up(self, bad: Bad, issue: Issue) -> None:
        last = bad.tries[-1]
        last = last.model_copy(update={"issues": (*last.issues, issue)})
        self.given_up.append(bad._replace(tries=(*bad.tries[:-1], last)))

    def outcome(self, tally: _Tally) -> Outcome:
        """Everything that came of the article."""
        return _outcome(self.article, self.held, [*self.given_up, *self.bad], self.lost, tally)


def _outcome(article: Article, held: list[_Held], bad: list[Bad], lost: list[_Lost], tally: _Tally) -> Outcome:
    held.sort(key=lambda one: one.item.order)
    cover = covered([_reading(one) for one in held])
    facts = [_grounded(article, one) for one in held]
    merged = tuple(
        Quarantined(
            id=facts[place].id,
            fact_type=facts[place].fact_type,
            article_id=article.id,
            verdict="merged",
            tries=(
                *held[place].tries,
                Try(
                    json_text=held[place].item.json_text,
                    issues=(_merged(held[place], held[by], facts[by].id),),
                ),
            ),
            evidence=facts[place].evidence,
        )
        for place, by in sorted(cover.items())
    )
    quarantined = tuple(
        Quarantined(
            id=fingerprint([article.id, one.item.fact_type, list(one.item.order), one.tries[-1].json_text]),
            fact_type=one.item.fact_type,
            article_id=article.id,
            tries=one.tries,
            evidence=one.evidence,
        )
        for one in sorted(bad, key=lambda one: one.item.order)
    )
    return Outcome(
        article=article,
        status="partial" if lost else "complete",
        reason="; ".join(dict.fromkeys(loss.reason for loss in lost)) or None,
        cause=min(lost, key=lambda loss: loss.cause not in ASK_AGAIN_ALWAYS).cause if lost else None,
        facts=tuple(fact for place, fact in enumerate(facts) if place not in cover),
        quarantined=quarantined,
        merged=merged,
        usage=tally.usage,
        cost_usd=tally.cost_usd,
    )


def _reading(held: _Held) -> Reading:
    words = tuple(span for path, span in held.believed.spans.items() if not path.startswith("attribution."))
    return Reading(held.item.fact_type, held.stated, held.believed.evidence, held.item.answer, words, held.is_draft)


def _merged(less: _Held, more: _Held, fact_id: str) -> Issue:
    if less.is_draft and less.stated != more.stated:
        message = f"It was read from an answer that broke off; the next answer read the same words as fact {fact_id}."
    else:
        message = f"It says what fact {fact_id} says."
    return Issue.warning("merged", "", message)


def _grounded(article: Article, held: _Held) -> Grounded[Fact]:
    value, evidence, spans, countries, issues = held.believed
    return Grounded(
        id=fingerprint([article.id, held.item.fact_type, held.stated]),
        fact_type=held.item.fact_type,
        article_id=article.id,
        verdict="repaired" if held.tries else "kept",
        value=value,
        evidence=evidence,
        spans=spans,
        countries=countries,
        issues=issues,
        tries=held.tries,
    )
