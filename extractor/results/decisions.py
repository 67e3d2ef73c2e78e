"""A reviewer's decisions, as the review page writes them, applied to a run's facts.

In: a file of decisions, rows of a ledger. Out: the rows with rejected facts left out and edits in. Floor: results.
Before changing it: the ledger is never changed; what a decision could not be applied to is told, and a fact still needs its evidence in the
article, and the form of its type, whoever vouches for it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from extractor.errors import UsageError
from extractor.facts.party import Party
from extractor.results.columns import compact, parties
from extractor.results.evaluation.gold import Decision, GoldFact, decision_of, lines_of
from extractor.results.form import Form

NOT_AS_IT_STANDS = ("schema", "doubled_key", "no_evidence", "quote_not_found")  # 2_facts.js knows them
"""Codes of errors that no reviewer can vouch for: what the item says is not known, or what proves it is not in the article."""

_NO_EVIDENCE = "it has no evidence, and a fact needs some: edit it and mark its words in the article"
_Key = tuple[str, str, str]  # article, fact type, id


class _Decided(NamedTuple):
    where: str
    decision: Decision
    line: Mapping[str, Any]


class Decisions:
    """What a reviewer decided about the facts of a run.

    Args:
        path: A JSONL file of the review page's export. Lines that only say how far an article is labelled are passed over.

    Raises:
        UsageError: The file cannot be read, a line is no JSON object or has no decision that there is, or it holds no decision at all.
    """

    def __init__(self, path: Path) -> None:
        self._by_key: dict[_Key, list[_Decided]] = defaultdict(list)
        self.applied: Counter[Decision] = Counter()
        """How many facts were accepted, edited and rejected, so far."""
        self.passed_over: list[str] = []
        """Each decision that was not applied, with file, line and reason; complete when the rows are all read."""
        for line in lines_of(path, "Decisions"):
            if "fact_type" not in line.data and "value" not in line.data:
                continue  # how far an article is labelled: for `evaluate`
            decision = decision_of(line)
            if decision is None:
                self.passed_over.append(f"{line.where}: no decision: a plain gold fact.")
                continue
            article, kind, fact = (line.data.get(name) for name in ("article_id", "fact_type", "id"))
            if not (isinstance(article, str) and isinstance(kind, str) and isinstance(fact, str)):
                self.passed_over.append(f"{line.where}: without article_id, fact_type and id no fact can be told by it.")
                continue
            self._by_key[article, kind, fact].append(_Decided(line.where, decision, line.data))
        if not self._by_key:
            raise UsageError(f"{str(path)!r} holds no decision; `extractor review RUN_DIR` makes the page that writes them.")
        self._rejected = {key for key, found in self._by_key.items() if any(one.decision == "reject" for one in found)}

    def apply(
        self,
        rows: Iterable[Mapping[str, Any]],
        articles: Iterable[Mapping[str, Any]],
        types: Iterable[Mapping[str, Any]],
        fact_types: Iterable[str] = (),
    ) -> Iterator[dict[str, Any]]:
        """The rows as decided: rejected ones are left out, with what only repeats them, and believed ones whose edit cannot count.

        Accepted and edited ones say so in `decision`.

        Args:
            rows: As `Ledger.rows` gives them, of every verdict.
            articles: As `Ledger.articles` gives them.
            types: As `Ledger.fact_types` gives them.
            fact_types: Names of the types that `rows` are of; () for all.
        """
        decided_in = {key[0] for key in self._by_key}
        forms = {entry["fingerprint"]: Form(entry["json_schema"]) for entry in types}
        texts = {article["id"]: article["record"]["text"] for article in articles if article["id"] in decided_in}
        for row in rows:
            key = (row["article_id"], row["fact_type"], row["id"])
            if row["verdict"] == "merged":
                if key not in self._rejected:
                    yield dict(row)
            elif (decided := self._taken(key, row)) is None:
                yield dict(row)
            elif (said := self._decided(row, decided, texts[row["article_id"]], forms.get(row["schema"]))) is not None:
                yield said
        kinds = set(fact_types)
        self.passed_over += [
            f"{one.where}: the run has no such fact (any more)."
            for key, left in self._by_key.items()
            if not kinds or key[1] in kinds
            for one in left
        ]

    def told(self) -> Iterator[str]:
        """What became of the decisions, in a line each: how many were applied, then each that was not."""
        counts = (self.applied[name] for name in ("accept", "edit", "reject"))
        yield "decisions: {} accepted, {} edited, {} rejected and left out; {} passed over".format(*counts, len(self.passed_over))
        yield from (f"not applied: {reason}" for reason in self.passed_over)

    def _taken(self, key: _Key, row: Mapping[str, Any]) -> _Decided | None:
        """The decision about a row, which then is spent: where several facts have one id, the words of the model tell them apart."""
        found = self._by_key.get(key, [])
        for place, one in enumerate(found):
            if one.line.get("verdict", row["verdict"]) == row["verdict"] and one.line.get("raw") == row.get("raw"):
                return found.pop(place)
        return None

    def _decided(self, row: Mapping[str, Any], decided: _Decided, text: str, form: Form | None) -> dict[str, Any] | None:
        if decided.decision == "reject":
            self.applied["reject"] += 1
            return None
        value: Any = decided.line.get("value")
        if decided.decision == "accept" and "value" in row:
            self.applied["accept"] += 1
            return {**row, "decision": "accept"}
        wrong = _as_it_stands(row) if decided.decision == "accept" else None
        if wrong := wrong or _objection(value, decided.line.get("evidence"), text) or _misshapen(value, form):
            is_disowned = decided.decision == "edit" and "value" in row
            left_out = "; it is left out, for as the run has it the reviewer found it wrong" if is_disowned else ""
            self.passed_over.append(f"{decided.where}: fact {row['id']} of {row['article_id']!r}: {wrong}{left_out}.")
            return None if is_disowned else dict(row)
        self.applied[decided.decision] += 1
        return _as_decided(row, decided, value)


def not_vouched(fact: GoldFact, row: Mapping[str, Any] | None, text: str | None, form: Form | None) -> str | None:
    """Why a decided fact does not count as gold; None when it does.

    Args:
        fact: One that was accepted or edited.
        row: The run's quarantined item that was decided on; None where the run has none.
        text: The run's text of the article; None where it has none.
        form: What the fact's type asked for; None where the run does not know that version of it.
    """
    if fact.decision == "accept" and row is not None and (wrong := _as_it_stands(row)):
        return wrong
    if not fact.evidence:
        return _NO_EVIDENCE
    for quote in fact.evidence:
        if text is not None and quote.quote not in text:
            return f"quote {quote.quote!r} is not in the run's text of the article: edit it and mark its words there"
    return form.objection(fact.value) if form else None


def _as_it_stands(row: Mapping[str, Any]) -> str | None:
    """Why what the model said cannot be accepted without an edit; None when it can."""
    found = [issue for issue in row["issues"] if issue["severity"] == "error" and issue["code"] in NOT_AS_IT_STANDS]
    return f"{found[0]['message'].rstrip('.')}: edit it" if found else None


def _misshapen(value: object, form: Form | None) -> str | None:
    return "its type's JSON Schema is not in the run folder" if form is None else form.objection(value)


def _objection(value: object, evidence: object, text: str) -> str | None:
    """Why a fact may not be stated as a reviewer wants it; None when it may."""
    if not isinstance(value, dict):
        return "its value is no object with the fact's fields"
    if not isinstance(evidence, list) or not evidence:
        return _NO_EVIDENCE
    for quote in evidence:
        start, end, words = (quote.get(name) for name in ("start", "end", "quote")) if isinstance(quote, dict) else (None, None, quote)
        if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end and text[start:end] == words):
            return f"quote {str(words)!r} is not in the run's text of the article at [{start}, {end}): edit it and mark its words there"
    return None


def _as_decided(row: Mapping[str, Any], decided: _Decided, value: Mapping[str, Any]) -> dict[str, Any]:
    """A row with a reviewer's value; what the run said of it stands in `tries`, and what was found out about changed fields goes."""
    before = row.get("value") or {}

    def is_kept(path: str) -> bool:
        field = re.split(r"[.\[]", path, maxsplit=1)[0]
        return field in before and before[field] == value.get(field)

    after = dict(row)
    if decided.decision == "edit":
        after["issues"] = [issue for issue in row["issues"] if is_kept(issue["path"])]
        said = row["raw"] if "raw" in row else compact(before)
        after["tries"] = [*row["tries"], {"raw": said, "issues": row["issues"]}]
    return {
        **after,
        "value": dict(value),
        "spans": {path: span for path, span in row.get("spans", {}).items() if is_kept(path)},
        "countries": {path: code for path, party in parties(value) if (code := _country(party)) is not None},
        "evidence": [{name: quote[name] for name in ("quote", "start", "end")} for quote in decided.line["evidence"]],
        "decision": decided.decision,
    }


def _country(party: Mapping[str, Any]) -> str | None:
    if not all(value is None or isinstance(value, str) for value in party.values()):
        return None
    return Party.model_construct(**party).country()
