import contextlib
import csv
import json
import sqlite3
from pathlib import Path

import pytest
from review_data import TYPES, article, deal, row

from extractor.errors import UsageError
from extractor.results.decisions import Decisions
from extractor.results.export import BELIEVED, export

TEXT = "Norway sold 7 tanks to Kenya. Japan sold radars to Spain."
NEWS = article("a.txt", TEXT)
FIRST, SECOND = (0, 29), (30, 57)
SAID = {"evidence": [TEXT[30:57]], **deal("Japan", "Spain")}


@pytest.fixture
def decide(tmp_path):
    """Applies lines of decisions to rows; gives the rows left and what was not applied."""

    def applied(rows, *lines, fact_types=()):
        path = tmp_path / "decisions.jsonl"
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
        decisions = Decisions(path)
        return list(decisions.apply(rows, [NEWS], TYPES, fact_types)), decisions

    return applied


def line(made, decision, **fields):
    """A decision about a row, as the page writes it."""
    kept = ("id", "fact_type", "verdict", "article_id", "value", "raw", "evidence")
    return {**{name: made[name] for name in kept if name in made}, "decision": decision, **fields}


def kept(fact_id="b2:1", seller="Norway", buyer="Kenya", spans=(FIRST,), **fields):
    made = row(NEWS, fact_id, spans=spans, value=deal(seller, buyer, number=7), **fields)
    return {**made, "countries": {"sellers[0]": "NOR", "buyers[0]": "KEN"}, "spans": {"item": [14, 19], "quantity.as_written": [12, 13]}}


def quarantined(raw, fact_id="b2:q", spans=(SECOND,)):
    issues = [{"severity": "error", "code": "not_in_evidence", "path": "quantity", "message": "no"}]
    return row(NEWS, fact_id, verdict="quarantined", raw=raw, spans=spans, issues=issues)


def test_rejected_facts_are_left_out_with_their_repeats(decide):
    """What was rejected is in no export, whatever its verdict, and neither is a merged item that repeats it."""
    good, bad = kept(), kept("b2:2", "Japan", "Spain", (SECOND,))
    repeats = [row(NEWS, one["id"], verdict="merged", raw="{}") for one in (good, bad)]
    left, decisions = decide([repeats[1], good, bad, repeats[0], quarantined("{}")], line(bad, "reject"), line(quarantined("{}"), "reject"))
    assert left == [good, repeats[0]]
    assert (decisions.applied["reject"], decisions.passed_over) == (2, [])


def test_accepted_fact_is_as_it_was(decide):
    """Accepting a believed fact changes nothing but that it says so."""
    assert decide([kept()], line(kept(), "accept"))[0] == [{**kept(), "decision": "accept"}]


def test_edit_takes_the_place_of_what_the_run_said(decide):
    """Value and evidence are the reviewer's, countries follow, what was known of untouched fields stays, and the old value is kept."""
    flags = [{"severity": "warning", "code": "unverified", "path": path, "message": "?"} for path in ("sellers[0]", "quantity", "")]
    made = {**kept(), "issues": flags}
    value = {**made["value"], "sellers": [{"name": "Germany", "kind": "state", "on_behalf_of": None}], "status": "delivered"}
    evidence = [{"quote": TEXT[0:19], "start": 0, "end": 19}]
    ((after,), _) = decide([made], line(made, "edit", value=value, evidence=evidence))
    assert (after["decision"], after["verdict"], after["id"]) == ("edit", "kept", made["id"])
    assert (after["value"], after["evidence"]) == (value, evidence)
    assert after["countries"] == {"sellers[0]": "DEU"}
    assert after["spans"] == made["spans"]
    assert after["issues"] == [flags[1]]
    (before,) = after["tries"]
    assert (json.loads(before["raw"]), before["issues"]) == (made["value"], flags)
    assert made["value"]["status"] == "agreed"  # the run's own row is untouched


def test_quarantined_fact_can_be_vouched_for(decide):
    """An accepted quarantined item becomes a fact with its reasons beside it; its verdict stays what the code found."""
    made = quarantined(json.dumps(SAID))
    ((after,), _) = decide([made], line(made, "accept", value=SAID))
    assert after == {**made, "value": SAID, "spans": {}, "countries": {}, "decision": "accept"}


def test_evidence_must_stand_in_the_article(decide):
    """Nobody can vouch for words that are not there: such a decision is named, and the row stays as the run had it."""
    made = quarantined("{}")
    for evidence in ([], [{"quote": "Japan gave radars", "start": 30, "end": 47}], [{"quote": "Japan"}], ["Japan"]):
        left, decisions = decide([made], line(made, "accept", value=deal("Japan", "Spain"), evidence=evidence))
        assert left == [made]
        assert "decisions.jsonl:1: " in decisions.passed_over[0]
        assert not decisions.applied


@pytest.mark.parametrize("code", ["schema", "doubled_key", "no_evidence", "quote_not_found"])
def test_what_cannot_count_is_not_accepted_as_it_stands(decide, code):
    """Of no known form, or with a quote that is nowhere: an accepted item is named with its reason and left out; edited it counts."""
    made = quarantined(json.dumps(SAID))
    made["issues"] = [{"severity": "error", "code": code, "path": "", "message": "It is wrong."}]
    left, decisions = decide([made], line(made, "accept", value=SAID))
    assert left == [made]
    (told,) = decisions.passed_over
    assert told.endswith("decisions.jsonl:1: fact b2:q of 'a.txt': It is wrong: edit it.")
    assert not decisions.applied
    assert decide([made], line(made, "edit", value=SAID))[0][0]["decision"] == "edit"


@pytest.mark.parametrize("decision", ["accept", "edit"])
def test_value_has_the_form_of_its_type(decide, decision):
    """What a reviewer states is held against the type's JSON Schema of the run; what has another form is named, and stays as it was."""
    made = quarantined(json.dumps(SAID))
    wrong = {**SAID, "status": "lost", "sellers": "Japan"}
    left, decisions = decide([made], line(made, decision, value=wrong))
    assert left == [made]
    (told,) = decisions.passed_over
    assert "fact b2:q of 'a.txt': it has not the form of its type: sellers: Input should be a valid array; status: Input should be" in told
    assert not decisions.applied


def test_fact_whose_edit_does_not_count_is_left_out(decide):
    """The reviewer found the run's own version wrong: a fact less, and told, is better than a wrong one."""
    left, decisions = decide([kept(), kept("b2:2")], line(kept(), "edit", value={**kept()["value"], "status": "lost"}))
    assert left == [kept("b2:2")]
    assert decisions.passed_over[0].endswith("it is left out, for as the run has it the reviewer found it wrong.")
    assert not decisions.applied


def test_form_must_be_known(decide):
    """A fact of a type version that the run folder does not hold is not believed on a reviewer's word alone; a rejected one is out."""
    made = {**quarantined(json.dumps(SAID)), "schema": "b2:of another run"}
    left, decisions = decide([made], line(made, "edit", value=SAID))
    assert left == [made]
    assert "JSON Schema is not in the run folder" in decisions.passed_over[0]
    assert decide([made], line(made, "reject"))[0] == []


def test_nothing_decided_is_lost_in_silence(decide):
    """Decisions about facts that the run does not have are named, unless their type was not asked for."""
    strange = line(kept("b2:elsewhere"), "accept")
    _, decisions = decide([kept()], strange)
    (told,) = decisions.passed_over
    assert told.endswith("decisions.jsonl:1: the run has no such fact (any more).")
    assert decide([], strange, fact_types=["statement"])[1].passed_over == []


def test_items_with_one_id_are_told_apart_by_their_words(decide):
    """Two quarantined items may have one id: each decision takes the one whose raw words it repeats."""
    one, other = quarantined('{"a": 1}'), quarantined('{"a": 2}')
    assert decide([one, other], line(other, "reject"))[0] == [one]


def test_file_without_decisions_is_refused(tmp_path):
    """Plain gold, or a file of something else, is no file of decisions, and a slip in one is told with its line."""
    path = tmp_path / "x.jsonl"
    for text, told in (
        ('{"article_id": "a.txt", "complete": true}\n', "no decision"),
        ("nonsense\n", "x.jsonl:1"),
        ('{"value": {}, "decision": "maybe"}', "x.jsonl:1"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match=told):
            Decisions(path)
    with pytest.raises(UsageError, match=r"^Decisions .* cannot be read: .* exported"):
        Decisions(tmp_path / "none.jsonl")


class Told:
    """What export asks of a ledger, out of a list."""

    folder = Path()

    def __init__(self, rows):
        self._rows = rows

    def snapshot(self):
        """Nothing changes."""
        return contextlib.nullcontext()

    def fact_types(self):
        """The two of the test data."""
        return iter(TYPES)

    def rows(self, verdicts, _fact_types=()):
        """Those wanted."""
        return (made for made in self._rows if made["verdict"] in verdicts)

    def articles(self):
        """The one."""
        return iter([NEWS])


@pytest.mark.parametrize("verdicts", [BELIEVED, ("kept",), ("quarantined",), ("kept", "repaired", "quarantined", "merged")])
def test_exports_take_decisions_with_any_verdict(decide, tmp_path, verdicts):
    """An accepted quarantined fact is exported with the believed ones, and wherever its verdict is asked for; a rejected one nowhere."""
    accepted, rejected, undecided = quarantined(json.dumps(SAID)), kept("b2:2"), quarantined("{}", "b2:3")
    rows = [kept(), accepted, rejected, undecided]
    decide(rows, line(accepted, "accept", value=SAID), line(rejected, "reject"))
    for form in ("jsonl", "csv", "sqlite"):
        path = tmp_path / f"facts.{form}"
        count = export(Told(rows), path, verdicts=verdicts, decisions=Decisions(tmp_path / "decisions.jsonl"))
        if form == "jsonl":
            ids = [json.loads(text)["id"] for text in path.read_text(encoding="utf-8").splitlines()]
        elif form == "csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                found = list(csv.DictReader(file))
            ids = [one["fact_id"] for one in found]
            vouched = [(one["verdict"], one["decision"], one["item"]) for one in found if one["decision"]]
            assert vouched == ([] if verdicts == ("kept",) else [("quarantined", "accept", "tanks")])
        else:
            with contextlib.closing(sqlite3.connect(path)) as db:
                ids = [one for (one,) in db.execute("SELECT fact_id FROM facts ORDER BY fact_number")]
                believed = [one for (one,) in db.execute("SELECT fact_id FROM arms_deal_facts ORDER BY fact_number")]
            assert believed == [one for one in ids if one != undecided["id"]]
        wanted = {BELIEVED: ["b2:1", "b2:q"], ("kept",): ["b2:1"], ("quarantined",): ["b2:q", "b2:3"]}
        assert ids == wanted.get(verdicts, ["b2:1", "b2:q", "b2:3"])
        assert count == len(ids)
