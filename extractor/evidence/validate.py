"""Whether one item is believed: its shape, its quotes, the words inside them, its values, its names.

In: a raw item, its type, the article. Out: `Believed` or `NotBelieved`. Floor: evidence.
Before changing it: raise `JUDGE_VERSION`, so that stored replies are judged again.
The chain: quote in article → `as_written` in quote → value agrees with `as_written`.
"""

import difflib
import json
import re
from collections import Counter, deque
from collections.abc import Mapping
from typing import NamedTuple

from pydantic import ValidationError

from extractor.errors import SchemaError
from extractor.evidence.ground import Ground, choose
from extractor.evidence.typography import unmarked
from extractor.facts.english import OfEnglish, is_english_article
from extractor.facts.fact import Check, Closed, Fact, Leaf, Value, walk
from extractor.facts.party import Party, country_of, mentions, stands_alone
from extractor.records import Article, Issue, Span

JUDGE_VERSION = 5
"""Version of this room's rules and of the value grammars; stored outcomes of an older one are judged again, without a call."""

_SHOWN_CHARS = 160  # of a value in a message: enough to recognise it, short enough for a terminal
_WINDOW_CHARS = 200  # on either side of a value's words: the longest number expressions are well below
_PLACES_CHECKED = 50  # of a value's words in its quotes: a fact has one or two, and a grammar takes about a millisecond for each
_BEST_FIRST = ("agrees", "not_understood", "disagrees")
_COMPARED_WORDS = 200  # of a quote and a sentence when looking for their difference: comparing is quadratic
_WORD = re.compile(r"\w+(?:[-.,'’]\w+)*")
_UNSPACED = "\u0e00"  # from Thai on there are scripts that part no words: one run of letters may be a sentence


class Believed(NamedTuple):
    """An item that holds."""

    value: Fact
    evidence: tuple[Span, ...]
    spans: dict[str, Span]
    countries: dict[str, str]
    issues: tuple[Issue, ...]


class NotBelieved(NamedTuple):
    """An item that does not, with every reason found."""

    issues: tuple[Issue, ...]
    evidence: tuple[Span, ...]
    """Quotes that do stand in the article, for the repair's paragraphs and the review page."""


class _Pairs(tuple[tuple[str, object], ...]):
    """A JSON object with all that was written, keys that stand twice included."""

    __slots__ = ()


class Judge:
    """One article, ready to be compared with what is said about it."""

    def __init__(self, article: Article) -> None:
        self.article = article
        self.ground = Ground(article.text)
        self._countries: set[str] | None = None
        self._is_english: bool | None = None

    def judge(self, json_text: str, fact_type: type[Fact]) -> Believed | NotBelieved:
        """Whether the item is believed as a fact of that type.

        Args:
            json_text: The item as the model wrote it.
            fact_type: The type it was given as.
        """
        if (key := _doubled_key(json_text)) is not None:
            # which of the two was meant is not known, and the last one with the rest of the first is what nobody said
            return NotBelieved((_doubled(key),), tuple(self._quotes_of(json_text)))
        try:
            value = fact_type.model_validate_json(json_text)
        except ValidationError as invalid:
            return NotBelieved(tuple(_schema_issues(invalid)), tuple(self._quotes_of(json_text)))
        leaves: list[Leaf] = []
        parts: dict[str, Closed] = {}
        for part in walk(value):
            if isinstance(part, Leaf):
                leaves.append(part)
            else:
                parts[part.path] = part.value
        issues: list[Issue] = []
        quotes = self._ground_quotes([leaf for leaf in leaves if leaf.role == "quote"], issues)
        if not value.evidence:
            issues.append(
                Issue.error("no_evidence", "evidence", "The record has no quote; copy the passage that proves it from the article.")
            )
        spans = quotes | self._ground_words(leaves, parts, quotes, issues)
        evidence = tuple(spans.pop(f"evidence[{index}]") for index in range(len(value.evidence)) if f"evidence[{index}]" in spans)
        if any(issue.severity == "error" for issue in issues):
            return NotBelieved(tuple(issues), tuple(quotes.values()))
        countries = {path: code for path, part in parts.items() if isinstance(part, Party) and (code := self._country(part, path, spans))}
        return Believed(value, evidence, spans, countries, tuple(issues))

    def _ground_quotes(self, leaves: list[Leaf], issues: list[Issue]) -> dict[str, Span]:
        texts = dict.fromkeys(leaf.text for leaf in leaves)  # a stuck model repeats one quote
        standing = {text: found for text in texts if (found := self.ground.find(text))}
        chosen = dict(zip(standing, choose(list(standing.values())), strict=True))
        spans: dict[str, Span] = {}
        lost: list[Leaf] = []
        for leaf in leaves:
            if leaf.text not in chosen:
                lost.append(leaf)
                continue
            spans[leaf.path] = chosen[leaf.text]
            if _is_thin(leaf.text):
                issues.append(_thin(leaf))
        issues += [Issue.error("quote_not_found", leaf.path, self._nowhere(leaf.text)) for leaf in lost]
        return spans

    def _ground_words(
        self, leaves: list[Leaf], parts: Mapping[str, Closed], quotes: Mapping[str, Span], issues: list[Issue]
    ) -> dict[str, Span]:
        """Where the texts stand that are no quotes, and what is wrong with them."""
        inside = list(dict.fromkeys(quotes.values()))
        nowhere = [leaf.text for leaf in leaves if leaf.role == "quote" and leaf.path not in quotes]
        spans: dict[str, Span] = {}
        for leaf in leaves:
            owner = _owner(leaf.path)
            part = parts.get(owner)
            if leaf.role == "verbatim":
                places = self.ground.find(leaf.text, within=inside)
                if not places:
                    # words of a quote that is nowhere are its fault, not one more
                    if not any(leaf.text in quote for quote in nowhere):
                        issues.append(self._not_in_evidence(leaf))
                elif isinstance(part, Value) and leaf.path == f"{owner}.as_written":
                    spans[leaf.path] = self._check(part, owner, places, issues)
                else:
                    spans[leaf.path] = places[0]
            elif leaf.role == "name":
                self._check_name(leaf, inside, spans, issues)
            elif leaf.role is None and not isinstance(part, Value):
                self._check_free(leaf, inside, issues)
        return spans

    def _nowhere(self, quote: str) -> str:
        if not quote.strip():
            return "The quote is empty."
        # without the article's id: in a repair this is sent, and the same text under two names must ask the same
        message = f"Quote {_shown(quote)} is not in the article ({len(self.article.text)} chars)"
        near = self.ground.closest(quote)
        if not near:
            return f"{message}."
        closest = near[0].of(self.article.text)
        return f"{message}; closest is {_shown(closest)} at [{near[0].start}, {near[0].end}){_difference(quote, closest)}."

    def _not_in_evidence(self, leaf: Leaf) -> Issue:
        message = f"{_shown(leaf.text)} does not stand as whole words inside any quote of this record"
        if elsewhere := self.ground.find(leaf.text):
            place = elsewhere[0]
            message += f"; it stands in the article at [{place.start}, {place.end}), so add that passage to evidence if it belongs here"
        return Issue.error("not_in_evidence", leaf.path, f"{message}.")

    def _check(self, value: Value, path: str, places: list[Span], issues: list[Issue]) -> Span:
        """The place of a value's words at which they mean what the value says; the first place when there is none."""
        checks = [(self._check_at(value, place), place) for place in places[:_PLACES_CHECKED]]
        check, place = min(checks, key=lambda pair: (_BEST_FIRST.index(pair[0].result), pair[1].start))
        # "10" of "10 officials" proves nothing where "at least 10 tanks" stands too
        if check.result == "agrees" and (other := next((found for found, _ in checks if found.result != "agrees"), None)):
            check = Check("not_understood", f"{value.as_written!r} stands in the quotes more than once: {other.message}")
        if check.result == "disagrees":
            issues.append(Issue.error("value_disagrees", path, check.message))
        elif check.result == "not_understood":
            issues.append(Issue.warning("unverified", path, check.message))
        elif check.assumed:
            issues.append(Issue.warning("assumed", path, check.assumed))
        return place

    def _check_at(self, value: Value, place: Span) -> Check:
        # the article's own words around the value, not the quote's: a quote may stop in the middle of a number expression
        paragraph = self.ground.paragraph(place)
        before = self.article.text[max(paragraph.start, place.start - _WINDOW_CHARS) : place.start]
        after = self.article.text[place.end : min(paragraph.end, place.end + _WINDOW_CHARS)]
        # a grammar reads the number on from "**5** million" as from "5 million"
        before, after = unmarked(before).text.rstrip("[*_"), unmarked(after).text.lstrip("*_")
        # the value's own typography in the middle: soft hyphens in the article would put its end elsewhere
        passage = f"{before}{value.as_written}{after}"
        check = value.check(quote=passage, start=len(before), published=self.article.published)
        if check.result != "not_understood" or not self._in_english():
            return check
        # a row of a table or a headline has few words that show its language
        return value.check(quote=OfEnglish(passage), start=len(before), published=self.article.published)

    def _in_english(self) -> bool:
        if self._is_english is None:
            self._is_english = is_english_article(self.article.text)
        return self._is_english

    def _check_name(self, leaf: Leaf, inside: list[Span], spans: dict[str, Span], issues: list[Issue]) -> None:
        if places := self.ground.find(leaf.text, within=inside, any_case=True):
            spans[leaf.path] = places[0]
        elif places := self.ground.find(leaf.text, any_case=True):
            spans[leaf.path] = min(places, key=lambda place: min((abs(place.start - quote.start) for quote in inside), default=0))
            issues.append(
                Issue.warning("name_outside_evidence", leaf.path, f"{_shown(leaf.text)} stands in the article, but in none of the quotes.")
            )
        elif country_of(leaf.text) in self._mentioned():
            issues.append(
                Issue.warning("name_in_other_words", leaf.path, f"The article names the state of {_shown(leaf.text)} in another form only.")
            )
        else:
            issues.append(
                Issue.error(
                    "name_not_in_article", leaf.path, f"Name {_shown(leaf.text)} is not in the article; give it as the article has it."
                )
            )

    def _country(self, party: Party, path: str, spans: dict[str, Span]) -> str | None:
        """The state of a party; None where its name stands only as a part of a longer one: "Sudan" in "South Sudan"."""
        name = party.state_name()
        if (code := country_of(name)) is None:
            return None
        place = spans.get(f"{path}.name" if party.name == name else f"{path}.on_behalf_of")
        if place is None or stands_alone(self.article.text, place.start, place.end):
            return code
        elsewhere = self.ground.find(name, any_case=True)
        return code if any(stands_alone(self.article.text, other.start, other.end) for other in elsewhere) else None

    def _mentioned(self) -> set[str]:
        if self._countries is None:
            self._countries = mentions(self.article.text)
        return self._countries

    def _check_free(self, leaf: Leaf, inside: list[Span], issues: list[Issue]) -> None:
        if self.ground.find(leaf.text, within=inside):
            return
        # a number counts with what it is written together with: "F-16s", "13bn"; only a hyphen may part it ("13-strong")
        numbers = [word for word in _WORD.findall(leaf.text) if _has_digit(word) and not self.ground.find(word, within=inside)]
        loose = [part for word in numbers for part in word.split("-") if _has_digit(part) and not self.ground.find(part, within=inside)]
        if loose:
            issues.append(
                Issue.error("number_not_in_evidence", leaf.path, f"{loose[0]!r} of {_shown(leaf.text)} is in none of the quotes.")
            )
        else:
            issues.append(Issue.warning("free_text", leaf.path, f"{_shown(leaf.text)} is the model's own wording, not the article's."))

    def _quotes_of(self, json_text: str) -> list[Span]:
        """Where the quotes of an item stand that is not of the right shape."""
        return [places[0] for quote in texts_of(json_text).get("evidence", []) if (places := self.ground.find(quote))]


def check_examples(types: Mapping[str, type[Fact]]) -> None:
    """Nothing, when every worked example holds in its own text; checked before any call is paid for.

    Raises:
        SchemaError: The message names the type, the example and what is wrong with it.
    """
    for name, fact_type in types.items():
        for number, example in enumerate(fact_type.examples, start=1):
            judge = Judge(Article(id=f"{name} example {number}", text=example.text, published=example.published))
            for fact in example.facts:
                if isinstance(fact, fact_type) and isinstance(verdict := judge.judge(fact.model_dump_json(), fact_type), Believed):
                    continue
                wrong = f"{verdict.issues[0].path}: {verdict.issues[0].message}" if isinstance(fact, fact_type) else f"it is no {name}"
                raise SchemaError(f"Worked example {number} of {name!r} does not hold in its own text: {wrong}")


def texts_of(json_text: str) -> Mapping[str, list[str]]:
    """The strings of an item of any shape: those under `evidence` and `quote` as `evidence`, all others as `other`."""
    try:
        item = json.loads(json_text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return {"other": [json_text]}
    texts: dict[str, list[str]] = {"evidence": [], "other": []}
    queue: deque[tuple[str, object]] = deque([("other", item)])
    while queue:
        kind, value = queue.popleft()
        if isinstance(value, str):
            texts[kind].append(value)
        elif isinstance(value, _Pairs):
            queue.extend(("evidence" if key in ("evidence", "quote") else kind, inner) for key, inner in value)
        elif isinstance(value, list):
            queue.extend((kind, inner) for inner in value)
    return texts


def text_at(json_text: str, path: str) -> str:
    """The string at an issue's path such as `terms[0]` in an item; "" when there is none."""
    value: object = json.loads(json_text)
    for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        try:
            value = value[int(index)] if index else value[key]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return ""
    return value if isinstance(value, str) else ""


def _doubled_key(json_text: str) -> str | None:
    """A key that stands twice in one object of an item; None where there is none, or where the text is no JSON."""
    try:
        _KEYS.decode(json_text)
    except _DoubledKeyError as doubled:
        return doubled.key
    except (ValueError, RecursionError):
        return None
    return None


class _DoubledKeyError(Exception):
    """A key that stands twice ends the reading."""

    def __init__(self, key: str) -> None:
        self.key = key


def _see(pairs: list[tuple[str, object]]) -> None:
    if len(dict(pairs)) < len(pairs):
        raise _DoubledKeyError(Counter(key for key, _ in pairs).most_common(1)[0][0])


_KEYS = json.JSONDecoder(strict=False, parse_int=str, object_pairs_hook=_see)


def _doubled(key: str) -> Issue:
    message = f"Key {_shown(key)} stands twice in one object, as when two records run into one; give one record, each key once."
    return Issue.error("doubled_key", "", message)


def _is_thin(quote: str) -> bool:
    first = _WORD.search(quote)
    if first is not None and _WORD.search(quote, first.end()) is None:
        return not any(char >= _UNSPACED and char.isalpha() for char in quote)
    return not any(char.isalpha() for char in quote)


def _thin(leaf: Leaf) -> Issue:
    return Issue.warning("thin_quote", leaf.path, f"Quote {_shown(leaf.text)} is a single word or a bare number, which proves little.")


def _schema_issues(invalid: ValidationError) -> list[Issue]:
    issues = []
    for error in invalid.errors(include_url=False, include_context=False):
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).lstrip(".")
        given = "" if error["type"] == "missing" else f" (got {_shown(error['input'])})"
        issues.append(Issue.error("schema", path, f"{error['msg'].rstrip('.')}{given}."))
    return issues


def _difference(quote: str, closest: str) -> str:
    """The first words in which a quote departs from a passage that it nearly is; "" when it is another text altogether."""
    said, there = quote.split()[:_COMPARED_WORDS], closest.split()[:_COMPARED_WORDS]
    matcher = difflib.SequenceMatcher(None, said, there, autojunk=False)
    if sum(block.size for block in matcher.get_matching_blocks()) * 2 < len(said):
        return ""
    for tag, from_said, to_said, from_there, to_there in matcher.get_opcodes():
        if tag != "equal" and (tag != "insert" or 0 < from_said < len(said)):  # words before and after a quote are no difference
            wrong, right = " ".join(said[from_said:to_said]), " ".join(there[from_there:to_there])
            return f"; the quote has {_shown(wrong)} where the article has {_shown(right)}"
    return ""


def _has_digit(text: str) -> bool:
    return any(char.isdigit() for char in text)


def _owner(path: str) -> str:
    return path.rpartition(".")[0]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[: _SHOWN_CHARS - 1]}…"
