import copy
import io
import json
import random
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from extractor.cli import main
from extractor.errors import UsageError
from extractor.results.evaluation.evaluate import evaluate, read_run
from extractor.results.evaluation.gold import gold_from, read_gold
from extractor.results.evaluation.marking import RunFacts
from extractor.results.evaluation.page import page
from extractor.results.evaluation.show import show
from extractor.runs.folder import RunOptions, run
from extractor.runs.ledger import Ledger
from extractor.settings import resolve

DEMO = Path(__file__).parents[2] / "examples"


def _row(article, number, *, kind="sighting", quote=None, **value):
    """A fact that no other number's fact resembles, unless told so."""
    stated = {
        "what": f"thing {number} of kind {number}x",
        "who": [{"name": f"Firm {number}", "kind": "company", "on_behalf_of": None}],
        "count": {"as_written": str(number), "minimum": number, "maximum": number, "approximate": False},
        "status": "seen",
        **value,
    }
    start = number * 100
    return {
        "id": f"{article}-{number}",
        "fact_type": kind,
        "verdict": "kept",
        "article_id": article,
        "value": stated,
        "evidence": [{"quote": quote or "q" * 20, "start": start, "end": start + 20}],
        "model": "m1",
        "prompt": "extract.v1 b2:0",
        "schema": "b2:1",
    }


def _articles(*ids):
    return [{"id": name, "status": "complete", "record": {"text": None}} for name in ids]


def _evaluate(rows, gold, *, articles=None, **options):
    lines = gold if isinstance(gold, list) else [gold]
    there = articles if articles is not None else sorted({line["article_id"] for line in lines})
    return evaluate(rows, _articles(*there), gold_from(lines), **options)


def _values(score):
    return score.precision.value, score.recall.value, score.f1.value


def _every_measure(evaluation):
    for score in (evaluation.overall, *evaluation.types):
        for measured in (score.strict, score.lenient, score.fields_together, *score.fields):
            yield from (measured.precision.value, measured.recall.value, measured.f1.value)
        yield from (field.accuracy.value for field in (score.fields_together, *score.fields))
        yield score.overlap.value


@pytest.fixture
def gold():
    """Five facts in two articles, and an article without any."""
    facts = [_row("a", 1), _row("a", 2), _row("a", 3, kind="sale"), _row("b", 1), _row("b", 4)]
    return [*facts, {"article_id": "c", "complete": True}]


@pytest.fixture
def rows(gold):
    """The same facts, predicted."""
    return copy.deepcopy([line for line in gold if "value" in line])


def test_gold_against_itself_is_perfect(rows, gold):
    """Every measure is 1, and nothing is disagreed on."""
    found = _evaluate(rows, gold)
    assert {value for value in _every_measure(found) if value is not None} == {1.0}
    assert found.disagreements == found.notes == ()
    assert (found.articles, found.articles_complete, found.articles_absent) == (3, 3, 0)
    assert (found.overall.strict.precision.low, found.overall.strict.precision.high) == (1, 1)


@pytest.mark.parametrize("place", range(5))
def test_dropping_a_prediction_lowers_recall_alone(rows, gold, place):
    """Four of five found: recall 0.8, and what is still given is as right as before."""
    found = _evaluate(rows[:place] + rows[place + 1 :], gold)
    assert _values(found.overall.strict) == _values(found.overall.lenient) == (1.0, 0.8, pytest.approx(8 / 9))
    assert [one.kind for one in found.disagreements] == ["missed"]
    assert all(field.precision.value in (1.0, None) for score in found.types for field in score.fields)


@pytest.mark.parametrize("article", ["a", "b", "c"])
def test_adding_a_wrong_prediction_lowers_precision_alone(rows, gold, article):
    """Five of six right: precision 5/6, also where gold says that the article has no fact."""
    found = _evaluate([*rows, _row(article, 9)], gold)
    assert _values(found.overall.strict) == _values(found.overall.lenient) == (pytest.approx(5 / 6), 1.0, pytest.approx(10 / 11))
    assert [one.kind for one in found.disagreements] == ["extra"]
    assert all(field.recall.value == 1.0 for score in found.types for field in score.fields)


def test_a_wrong_field_is_wrong_once_and_the_fact_still_spoken_of(rows, gold):
    """One status of five differs: strict 4/5, lenient 1, and that field alone has an error."""
    rows[0]["value"]["status"] = "gone"
    found = _evaluate(rows, gold)
    assert _values(found.overall.strict) == (0.8, 0.8, pytest.approx(0.8))
    assert _values(found.overall.lenient) == (1.0, 1.0, 1.0)
    assert _values(found.overall.fields_together) == (0.95, 0.95, pytest.approx(0.95))  # 19 of 20 values
    (sighting,) = (score for score in found.types if score.fact_type == "sighting")
    status = {field.field: field for field in sighting.fields}["status"]
    assert (status.accuracy.value, status.pairs, status.pairs_right) == (0.75, 4, 3)
    assert (status.predicted, status.predicted_right, status.wanted, status.wanted_right) == (4, 3, 4, 3)
    (one,) = found.disagreements
    assert (one.kind, one.where, one.fact_id) == ("wrong", "line 1", "a-1")
    assert [(field.field, field.wanted, field.predicted) for field in one.differences] == [("status", "seen", "gone")]
    assert one.gold_quotes == one.predicted_quotes == ("q" * 20,)


def test_hand_computed_counts_of_elements_and_evidence():
    """Two of three parties found and one invented; quotes [100, 120) and [110, 130) share 10 of 30 code points."""
    firms = [{"name": name, "kind": "company"} for name in ("Alpha", "Beta", "Gamma")]
    gold, row = _row("a", 1, who=firms), _row("a", 1, who=[firms[1], firms[0], {"name": "Delta", "kind": "company"}])
    row["evidence"][0].update(start=110, end=130)
    found = _evaluate([row], gold)
    (score,) = found.types
    who = {field.field: field for field in score.fields}["who"]
    assert (who.predicted, who.predicted_right, who.wanted, who.wanted_right) == (3, 2, 3, 2)
    assert (who.accuracy.value, who.precision.value) == (0.0, pytest.approx(2 / 3))
    assert score.overlap.value == pytest.approx(1 / 3, abs=1e-6)
    assert score.strict.precision.low is None  # one article has no interval


def test_an_article_without_prediction_counts_against_recall(rows, gold):
    """Whether it failed, was never asked or gave nothing, its facts are missed, and a note says why."""
    kept = [row for row in rows if row["article_id"] == "a"]
    silent = _evaluate(kept, gold)
    absent = _evaluate(kept, gold, articles=["a", "c"])
    failed = evaluate(kept, [*_articles("a", "c"), {"id": "b", "status": "failed"}], gold_from(gold))
    assert (
        _values(silent.overall.strict)
        == _values(absent.overall.strict)
        == _values(failed.overall.strict)
        == (1.0, 0.6, pytest.approx(0.75))
    )
    assert (silent.articles_absent, absent.articles_absent, failed.articles_absent) == (0, 1, 1)
    assert (silent.notes, "'b'" in absent.notes[0], "Failed" in failed.notes[0]) == ((), True, True)


def test_an_article_that_gold_does_not_know_is_not_scored(rows, gold):
    """Facts elsewhere change nothing but a note; a gold for other articles altogether is a mistake."""
    found = _evaluate([*rows, _row("z", 1)], gold)
    assert _values(found.overall.strict) == (1.0, 1.0, 1.0)
    assert "Not in gold, so not scored: 1 article of the run with facts." in found.notes[0]
    with pytest.raises(UsageError, match="No article of gold"):
        _evaluate(rows, gold, articles=["z"])


def test_facts_that_are_not_believed_are_no_predictions(rows, gold):
    """Quarantined and merged rows are passed over."""
    quarantined = [
        {**_row("a", 8), "verdict": "merged"},
        {"fact_type": "sighting", "verdict": "quarantined", "article_id": "a", "raw": "{}"},
    ]
    assert _evaluate([*rows, *quarantined], gold).overall == _evaluate(rows, gold).overall


@pytest.mark.parametrize(("given", "strict"), [("right", (1.0, 1.0)), ("absent", (1.0, 1.0)), ("half", (5 / 6, 1.0))])
def test_optional_facts_are_right_if_given_and_not_missed_if_absent(rows, gold, given, strict):
    """Given, they count for precision; recall never asks for them."""
    optional = {**_row("a", 7), "optional": True}
    extra = {"right": [_row("a", 7)], "absent": [], "half": [_row("a", 7, status="gone")]}[given]
    found = _evaluate([*rows, *extra], [*gold, optional])
    assert _values(found.overall.strict)[:2] == (pytest.approx(strict[0]), strict[1])
    assert (found.overall.optional, found.overall.optional_given) == (1, len(extra))
    assert [one.kind for one in found.disagreements] == ["wrong"] * (given == "half")


def test_alternatives_are_as_right_as_the_value():
    """For a closed word, a list, a part of an object, and nothing at all."""
    told = {"speaker": None, "certainty": "asserted"}
    gold = {
        **_row("a", 1, told=told, asks=["meeting"], status="sought"),
        "alternatives": {
            "status": ["agreed"],
            "asks": [["withdrawal"], ["withdrawal", "territory"]],
            "count": [None],
            "told.speaker": ["Ann"],
        },
    }
    for change in (
        {},
        {"status": "agreed"},
        {"asks": ["territory", "withdrawal"]},
        {"count": None},
        {"told": {"speaker": "Ann", "certainty": "asserted"}},
    ):
        row = _row("a", 1, **{"told": told, "asks": ["meeting"], "status": "sought", **change})
        assert _values(_evaluate([row], gold).overall.strict) == (1.0, 1.0, 1.0), change
    for change in ({"status": "ordered"}, {"asks": ["territory"]}, {"asks": ["meeting", "withdrawal"]}, {"told": {"speaker": "Bob"}}):
        row = _row("a", 1, **{"told": told, "asks": ["meeting"], "status": "sought", **change})
        assert _evaluate([row], gold).overall.strict.precision.value == 0.0, change


def test_decisions_of_a_reviewer_are_gold():
    """Accepted: right. Edited: spoken of, but wrong. Rejected: wrong. Not decided: unjudged, and it counts nowhere."""
    rows = [_row("a", number) for number in (1, 2, 3, 4)]
    gold = [
        {**rows[0], "decision": "accept"},
        {**_row("a", 2, status="gone"), "decision": "edit"},
        {**rows[2], "decision": "reject"},
    ]
    found = _evaluate(rows, gold)
    assert _values(found.overall.strict)[:2] == (pytest.approx(1 / 3), 0.5)
    assert _values(found.overall.lenient)[:2] == (pytest.approx(2 / 3), 1.0)
    assert (found.overall.extra, found.overall.unjudged) == (1, 1)
    assert sorted(one.kind for one in found.disagreements) == ["rejected", "wrong"]
    assert "not fully labelled" in found.notes[0]
    complete = _evaluate(rows, [*gold, {"article_id": "a", "complete": True}])
    assert (complete.overall.extra, complete.overall.unjudged) == (2, 0)


def test_a_rejected_fact_does_not_pass_for_the_accepted_one_it_resembles():
    """It is known to be wrong, so the accepted fact is missed and not half-right."""
    accepted, rejected = _row("a", 1), _row("a", 1, status="gone")
    found = _evaluate([rejected], [{**accepted, "decision": "accept"}, {**rejected, "decision": "reject"}])
    assert _values(found.overall.lenient) == (0.0, 0.0, 0.0)
    assert sorted(one.kind for one in found.disagreements) == ["missed", "rejected"]


def test_a_right_fact_is_never_given_up_for_two_half_right_ones():
    """The prediction that equals gold 1 stays with it, though pairing both crosswise would have the greater sum of scores (1.25)."""
    gold = [_row("a", 1), _row("a", 1, what="other words", status="gone")]
    count = {"as_written": "5", "minimum": 5, "maximum": 5}
    predicted = [_row("a", 1), _row("a", 1, who=[{"name": "Nobody Else", "kind": "company"}], count=count)]
    found = _evaluate(predicted, gold)
    assert (found.overall.strict.predicted_right, found.overall.lenient.predicted_right) == (1, 1)
    crossed = [_evaluate([predicted[one]], gold[1 - one]).overall.pairs for one in (0, 1)]
    assert crossed == [1, 1]


def test_what_only_looks_alike_is_not_aligned():
    """Another thing, party and number at another place: one extra and one missed, not a pair."""
    found = _evaluate([_row("a", 2)], _row("a", 1))
    assert (found.overall.pairs, found.overall.extra, found.overall.missed) == (0, 1, 1)
    assert _values(found.overall.lenient) == (0.0, 0.0, 0.0)


def test_gold_without_offsets_or_with_stale_ones_is_compared_by_words():
    """Quotes alone: token F1. Offsets that point elsewhere in the run's text: the same, with a note."""
    row = _row("a", 1, quote="two tanks were seen in Oslo")
    gold = {**_row("a", 1), "evidence": ["tanks were seen"]}
    assert _evaluate([row], gold).overall.overlap.value == pytest.approx(2 * 3 / (3 + 6), abs=1e-6)
    stale = {**gold, "evidence": [{"quote": "tanks were seen", "start": 0, "end": 15}]}
    found = evaluate([row], [{"id": "a", "record": {"text": "Another text altogether."}}], gold_from([stale]))
    assert found.overall.overlap.value == pytest.approx(2 / 3, abs=1e-6)
    assert "line 1: its quotes do not stand" in found.notes[0]
    assert _evaluate([row], {**gold, "evidence": []}).overall.overlap.value is None


def test_slips_in_gold_are_noted(rows, gold):
    """A field that no prediction of the type has, and a type that gold does not know, show up before anybody trusts the numbers."""
    gold[0]["value"]["stauts"] = "seen"
    found = _evaluate([*rows, _row("a", 1, kind="rumour")], gold)
    assert any("line 1: field 'stauts'" in note for note in found.notes)
    assert any("'rumour'" in note for note in found.notes)


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_facts_and_articles_changes_nothing(draw):
    """Rows, articles and gold lines in any order give the same evaluation, intervals and ties included."""
    names = ["x", "y"]
    gold = [_row(article, 1, status=status, count=None) for article in names for status in ("seen", "gone", "lost")]
    rows = [_row(article, 1, status=status, count=None) for article in names for status in ("here", "there", "gone")]
    rows += [_row("x", 5), _row("y", 6, kind="sale")]
    other = RunFacts(rows[:4], _articles(*names))
    first = evaluate(rows, _articles(*names), gold_from(gold), other=other, resamples=20)
    for some in (gold, rows, names):
        draw.shuffle(some)
    again = evaluate(rows, _articles(*names), gold_from(gold), other=other, resamples=20)
    plain = [json.loads(found.model_dump_json(exclude={"disagreements": {"__all__": {"where"}}})) for found in (first, again)]
    for found in plain:
        for change in (*found["against"]["better"], *found["against"]["worse"]):
            change.pop("where")
        found["disagreements"].sort(key=json.dumps)
    assert plain[0] == plain[1]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 3), st.sampled_from(["seen", "gone"])), unique=True, max_size=8), st.data())
def test_on_any_facts_gold_is_perfect_and_losing_one_costs_recall_alone(facts, data):
    """The two properties again, with facts that resemble each other."""
    gold = [_row(article, number, status=status) for article, number, status in facts]
    lines = [*gold, {"article_id": "a", "complete": True}, {"article_id": "b", "complete": True}]
    found = _evaluate(gold, lines, resamples=10)
    assert set(_every_measure(found)) <= {1.0, None}
    if gold:
        gone = data.draw(st.integers(0, len(gold) - 1))
        less = _evaluate(gold[:gone] + gold[gone + 1 :], lines, resamples=10)
        assert less.overall.strict.precision.value in (1.0, None)
        assert less.overall.strict.wanted_right == len(gold) - 1
        more = _evaluate([*gold, _row("a", 99)], lines, resamples=10)
        assert (more.overall.strict.predicted_right, more.overall.strict.predicted) == (len(gold), len(gold) + 1)
        assert more.overall.strict.recall.value == 1.0


def test_intervals_come_from_drawing_articles():
    """Half of 40 articles wholly right and half missed: recall 0.5, give or take 0.16 (1.96 · √(0.25/40)); seeded, so always the same."""
    gold = [_row(f"a{number}", 1) for number in range(40)]
    found = _evaluate(gold[::2], gold)
    recall = found.overall.strict.recall
    assert recall.value == 0.5
    assert (recall.low, recall.high) == (pytest.approx(0.345, abs=0.04), pytest.approx(0.655, abs=0.04))
    assert _evaluate(gold[::2], gold) == found


def test_two_runs_are_compared_fact_by_fact(rows, gold):
    """This run corrects one field, breaks another, misses a fact and invents one; the other had invented one too."""
    theirs, mine = copy.deepcopy(rows), copy.deepcopy(rows)
    theirs[0]["value"]["status"] = "gone"
    mine[1]["value"]["count"]["minimum"] = 0
    theirs.append(_row("c", 8))
    mine = [*mine[:4], _row("c", 9)]
    found = _evaluate(mine, gold, other=RunFacts(theirs, _articles("a", "b", "c")))
    better = [(change.article_id, change.before, change.after, change.fields) for change in found.against.better]
    worse = [(change.article_id, change.before, change.after, change.fields) for change in found.against.worse]
    assert better == [("a", "wrong", "right", ("status",)), ("c", "extra", "not given", ())]
    assert worse == [("a", "right", "wrong", ("count",)), ("b", "right", "missed", ()), ("c", "not given", "extra", ())]
    deltas = {(delta.fact_type, delta.field): delta for delta in found.against.deltas}
    assert deltas["", "strict"].recall.value == pytest.approx(3 / 5 - 4 / 5)
    assert deltas["", "strict"].precision.value == pytest.approx(3 / 5 - 4 / 6)
    assert deltas["sighting", "status"].accuracy.value == pytest.approx(1 - 3 / 4)
    assert deltas["", "lenient"].accuracy.value is None


def test_a_run_is_no_better_and_no_worse_than_itself(rows, gold):
    """On the same draws every difference is 0, with an interval of 0."""
    del rows[0]
    found = _evaluate(rows, gold, other=RunFacts(rows, _articles("a", "b", "c")))
    assert (found.against.better, found.against.worse) == ((), ())
    for delta in found.against.deltas:
        for measure in (delta.f1, delta.precision, delta.recall, delta.accuracy):
            assert {measure.value, measure.low, measure.high} <= {0.0, None}


def test_only_the_types_asked_for():
    """Gold can be narrowed to some types; its articles stay."""
    gold = gold_from([_row("a", 1), _row("b", 1, kind="sale")]).only(["sale"])
    assert [fact.fact_type for fact in gold.facts] == ["sale"]
    assert set(gold.articles) == {"a", "b"}


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """The demo's run, replayed."""
    folder = tmp_path_factory.mktemp("demo") / "run"
    options = RunOptions(paths=(str(DEMO / "articles"),), out=folder, replay=DEMO.parent / "cassettes" / "demo")
    assert run(options, resolve()).exit_code == 0
    return folder


def test_a_run_folder_is_read_with_what_it_was_made_with(run_dir):
    """The demo, replayed and held against its gold: the claim names model, prompt, schemas and date; types can be left out."""
    gold = read_gold(DEMO / "gold" / "demo.jsonl")
    facts = read_run(run_dir)
    found = evaluate(facts.rows, facts.articles, gold, about=facts.about)
    assert found.about.models == ("reference-answers",)
    assert sorted(found.about.schemas) == sorted(found.about.asked) == ["funding_source", "negotiation_proposal", "weapons_transfer"]
    assert found.about.prompts[0].startswith("extract.")
    assert found.about.started_at
    assert found.notes == ()
    assert found.overall.lenient.f1.value > 0.9
    facts = read_run(run_dir, ["funding_source"])
    narrowed = evaluate(facts.rows, facts.articles, gold.only(["funding_source"]), about=facts.about)
    assert [score.fact_type for score in narrowed.types] == ["funding_source"]
    assert narrowed.types[0] == found.types[0]


def test_decisions_that_cannot_count_are_no_gold(run_dir, tmp_path, capsys):
    """A fact without evidence, with a quote that is nowhere, or of another form is named with its reason, and wanted of no run."""
    with Ledger(run_dir, read_only=True) as ledger:
        quarantined, kept = list(ledger.rows(["quarantined"])), next(ledger.rows(["kept"]))
    accepted = [{**row, "value": json.loads(row["raw"]), "decision": "accept"} for row in quarantined]
    nowhere, _, planted = accepted
    edited = {**nowhere, "decision": "edit", "evidence": kept["evidence"]}
    lines = [
        *accepted,
        {**kept, "decision": "accept"},
        {**edited, "id": "b2:1", "evidence": [{"quote": "Nobody wrote this."}], "value": {**edited["value"], "part_of": "1"}},
        {**edited, "id": "b2:2", "value": {**edited["value"], "instrument": "a gift", "part_of": "2"}},
        {**edited, "id": "b2:3", "schema": "b2:of another run", "value": {**edited["value"], "instrument": "a gift", "part_of": "3"}},
        {**edited, "id": "b2:4", "value": {**edited["value"], "part_of": "4"}},
    ]
    path = tmp_path / "decisions.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    assert main(["evaluate", str(run_dir), "--gold", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    told = [note.partition(": not counted: ")[2] for note in found["notes"] if "not counted" in note]
    assert [note.split()[1] for note in told] == [nowhere["id"], planted["id"], "b2:1", "b2:2"]
    assert "is not in the article" in told[0]
    assert "is not in the run's text" in told[2]
    assert "instrument: Input should be 'grant'" in told[3]
    assert found["overall"]["lenient"]["wanted"] == len(lines) - len(told)
    assert main(["evaluate", str(run_dir), "--gold", str(path)]) == 0
    assert "not counted: fact b2:2 of" in " ".join(capsys.readouterr().out.split())


def test_the_command_says_that_it_wrote_the_page(run_dir, tmp_path, capsys):
    """A file that was asked for is named once it is there, beside the result and not in it."""
    assert main(["evaluate", str(run_dir), "--gold", str(DEMO / "gold"), "--html", str(tmp_path / "e.html"), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)
    assert err == f"Written: {tmp_path / 'e.html'}; open it in a browser.\n"


HOSTILE = "</script><img src=x onerror=alert(1)>\x1b[31m\u202egnp.exe [bold]{{ 7*7 }}"


def _hostile_evaluation():
    row = _row("a", 1, quote=HOSTILE, what=HOSTILE, status="seen")
    gold = [{**_row("a", 1, quote=HOSTILE, status="gone", what=HOSTILE)}, {**_row("b<b>", 2, kind="sale<i>"), "optional": True}]
    other = RunFacts([{**_row("a", 3), "model": HOSTILE}], _articles("a", "b<b>"))
    return _evaluate([row, _row("b<b>", 4, kind="sale<i>")], gold, other=other)


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_shows_hostile_values_as_text():
    """Nothing out of an article becomes markup; the page runs and fetches nothing."""
    reader = _Tags()
    reader.feed(page(_hostile_evaluation()))
    assert not {"script", "img", "link", "iframe", "b<b>"} & {tag for tag, _ in reader.tags}
    assert not any(name in ("src", "href") or name.startswith("on") for _, attrs in reader.tags for name in attrs)
    text = "".join(reader.text)
    assert "</script><img src=x onerror=alert(1)>" in text
    assert "{{ 7*7 }}" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "Against another run" in text


@pytest.mark.parametrize("width", [60, 100, 160])
def test_the_terminal_shows_numbers_and_no_escapes_out_of_articles(width):
    """Every section is there at any width; brackets stay text and escapes go."""
    out = Console(file=io.StringIO(), width=width, no_color=True, highlight=False)
    show(out, _hostile_evaluation())
    text = out.file.getvalue()
    assert "Whole facts" in text
    assert "Disagreements: " in text
    assert "[bold]" in text
    assert "\x1b" not in text
    assert all(len(line) <= width and line == line.rstrip() for line in text.splitlines())


@pytest.mark.slow
def test_a_thousand_articles_are_evaluated_in_seconds():
    """10,000 facts, intervals included: measured at 6 s of processor time on two busy cores."""
    draw = random.Random(3)  # noqa: S311
    gold = [_row(f"a{number // 10:04}", number % 10, status=draw.choice(["seen", "gone"])) for number in range(10_000)]
    rows = [row if draw.random() < 0.8 else {**row, "value": {**row["value"], "status": "lost"}} for row in gold if draw.random() < 0.9]
    started = time.process_time()
    found = _evaluate(rows, gold)
    assert time.process_time() - started < 20
    assert found.overall.lenient.recall.value == pytest.approx(0.9, abs=0.02)
