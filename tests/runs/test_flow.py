"""One article's decisions, driven by scripted replies: what is asked, what is believed, what is kept with reasons, and that nothing is lost."""

import json
import pickle
import random
import re
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.evidence.outcome import Outcome
from extractor.facts.fact import Fact, Verbatim
from extractor.facts.quantity import Quantity
from extractor.llm.parts import split
from extractor.records import Article, RawItem, Reply, Usage
from extractor.runs.flow import MIN_PART_CHARS, Plan, flow


class Boat(Fact):
    """A boat that is lent."""

    item: Verbatim
    number: Quantity | None = None


class Dock(Fact):
    """A dock that is built."""

    item: Verbatim


TYPES = {"boat": Boat, "dock": Dock}
NAMES = ["Alder", "Birch", "Cedar", "Drift", "Ember", "Fjord", "Gull", "Heron", "Ibis", "Jetty"]
TEXT = "\n\n".join(["Harbour news", *(f"The {name} carries {count} crates." for count, name in enumerate(NAMES, start=21))])
ARTICLE = Article(id="harbour.txt", text=TEXT)
PLAN = Plan(TYPES, repairs=2, part_chars=16_000)


def boat(name, count=None, **changes):
    """A right item about `name`; with a `count` its crates."""
    count = NAMES.index(name) + 21 if count is None and name in NAMES else count
    item = {
        "evidence": [f"The {name} carries {count} crates."],
        "attribution": {"certainty": "asserted"},
        "is_background": False,
        "item": name,
        "number": {"as_written": str(count), "minimum": count, "maximum": count},
    }
    return item | changes


def items(fact_type, entries):
    return [
        RawItem(fact_type=fact_type, index=index, json_text=entry if isinstance(entry, str) else json.dumps(entry))
        for index, entry in enumerate(entries)
    ]


def ok(*, missing=(), outcome="ok", usage=None, cost_usd=None, error=None, **arrays):
    """A reply with these arrays; asked types that are not named in `missing` are empty."""
    found = tuple(item for name, entries in arrays.items() for item in items(name, entries))
    return Reply(outcome=outcome, items=found, missing=tuple(missing), usage=usage or Usage(attempts=1), cost_usd=cost_usd, error=error)


def bad(outcome, error=None, **arrays):
    return ok(outcome=outcome, error=error, **arrays)


class Driven:
    """A flow driven to its end: the outcome, and all calls by round."""

    def __init__(self, answer, *, article=ARTICLE, plan=PLAN, rounds=40):
        """`answer` is a function of a call, or the replies in the order in which they are asked for."""
        script = answer if callable(answer) else iter(answer).__next__
        steps = flow(article, plan)
        self.rounds = [next(steps)]
        while True:
            assert len(self.rounds) <= rounds, "the flow does not end"
            replies = [script(call) if callable(answer) else script() for call in self.rounds[-1]]
            try:
                self.rounds.append(steps.send(replies))
            except StopIteration as end:
                self.outcome: Outcome = end.value
                break
        self.calls = [call for calls in self.rounds for call in calls]
        if not callable(answer):
            with pytest.raises(StopIteration):
                script()  # the whole script was asked for


def fixed(entry, number=1):
    return {"item": number, "fact": entry}


def codes(quarantined):
    return [[issue.code for issue in one.issues if issue.severity == "error"] for one in quarantined.tries]


# -- judging and repair ----------------------------------------------------------------------------------------------------------------


def test_one_bad_fact_among_ten_costs_the_others_nothing():
    """Nine are kept as given, the tenth goes back alone and is repaired, and all stand in the order of the first answer."""
    wrong = boat("Drift", evidence=["The Drift carries 99 crates."])
    entries = [wrong if name == "Drift" else boat(name) for name in NAMES]
    driven = Driven([ok(boat=entries), ok(boat=[fixed(boat("Drift"))])])
    outcome = driven.outcome
    assert (outcome.status, outcome.reason, outcome.cause) == ("complete", None, None)
    assert [fact.value.item for fact in outcome.facts] == NAMES
    assert [fact.verdict for fact in outcome.facts] == ["repaired" if name == "Drift" else "kept" for name in NAMES]
    assert [call.kind for call in driven.calls] == ["extract", "repair"]
    repaired = outcome.facts[3]
    assert [one.json_text for one in repaired.tries] == [json.dumps(wrong)]
    assert repaired.tries[0].issues[0].code == "quote_not_found"
    assert all(fact.tries == () for fact in outcome.facts if fact is not repaired)
    assert outcome.quarantined == outcome.merged == ()
    assert outcome.text == TEXT
    assert all(
        TEXT[span.start : span.end] == quote
        for fact in outcome.facts
        for span, quote in zip(fact.evidence, fact.value.evidence, strict=True)
    )


def test_a_repair_request_holds_no_believed_fact():
    """A repair must never see or change what is believed."""
    driven = Driven([ok(boat=[boat("Alder"), boat("Birch", item="Bitch")], dock=[]), ok(boat=[fixed(boat("Birch"))])])
    user = driven.calls[1].prompt.user
    assert driven.calls[1].fact_types == ("boat",)
    assert "Alder" not in user
    assert "The Birch carries 22 crates." in user


def test_a_fact_that_stays_bad_is_quarantined_with_every_try_and_reason():
    """After the last round all versions and their reasons are kept, the oldest first."""
    versions = [boat("Drift", number={"as_written": "24", "minimum": n, "maximum": n}) for n in (1, 2, 3)]
    driven = Driven([ok(boat=[versions[0], boat("Alder")]), ok(boat=[fixed(versions[1])]), ok(boat=[fixed(versions[2])])])
    (held,) = driven.outcome.quarantined
    assert held.verdict == "quarantined"
    assert [json.loads(one.json_text) for one in held.tries] == versions
    assert codes(held) == [["value_disagrees"]] * 3
    assert held.evidence[0].of(TEXT) == "The Drift carries 24 crates."
    assert [fact.value.item for fact in driven.outcome.facts] == ["Alder"]
    assert driven.outcome.status == "complete"


def test_without_repairs_nothing_is_asked_twice():
    """With `repairs` 0 a bad fact is quarantined at once, an unreadable answer fails at once and a missing array is reported at once."""
    plan = PLAN._replace(repairs=0)
    driven = Driven([ok(boat=[boat("Alder"), boat("Birch", item="nothing")])], plan=plan)
    assert [len(one.tries) for one in driven.outcome.quarantined] == [1]
    assert Driven([bad("unparsable")], plan=plan).outcome.status == "failed"
    assert Driven([ok(missing=["dock"], boat=[boat("Alder")])], plan=plan).outcome.reason == "no answer for dock"


@pytest.mark.parametrize(
    ("entries", "code", "tries"),
    [
        ([fixed(None)], "withdrawn", 1),
        ([], "not_repaired", 1),
        ([fixed(boat("Birch"), number=7)], "not_repaired", 1),
        ([fixed(boat("Birch", item="nothing"))], "not_repaired", 1),
        (["{]"], "not_repaired", 1),
    ],
    ids=["withdrawn", "left out", "another number", "the same again", "unreadable"],
)
def test_a_repair_that_mends_nothing_ends_in_quarantine_with_its_reason(entries, code, tries):
    """Withdrawn, left out, answered under another number, given the same again, not readable: each is said, and none is asked again."""
    driven = Driven([ok(boat=[boat("Alder"), boat("Birch", item="nothing")]), ok(boat=entries)])
    (held,) = driven.outcome.quarantined
    assert codes(held)[-1][-1] == code
    assert len(held.tries) == tries
    assert driven.outcome.status == "complete"
    assert [fact.value.item for fact in driven.outcome.facts] == ["Alder"]


def test_the_same_again_is_seen_through_other_spacing():
    """JSON that is the same but for blanks and the order of its keys is the same record, and not worth another request."""
    wrong = boat("Birch", item="nothing")
    compact = json.dumps(dict(reversed(wrong.items())), separators=(",", ":"))
    driven = Driven([ok(boat=[compact]), ok(boat=[fixed(wrong)])])
    (held,) = driven.outcome.quarantined
    assert codes(held) == [["not_in_evidence", "not_repaired"]]


def test_a_repair_may_need_two_rounds():
    """Only what is still bad goes back a second time."""
    first = [boat("Alder", item="one"), boat("Birch", item="two")]
    driven = Driven(
        [
            ok(boat=first),
            ok(boat=[fixed(boat("Alder"), 1), fixed(boat("Birch", item="three"), 2)]),
            ok(boat=[fixed(boat("Birch"), 1)]),
        ]
    )
    assert [(fact.value.item, fact.verdict, len(fact.tries)) for fact in driven.outcome.facts] == [
        ("Alder", "repaired", 1),
        ("Birch", "repaired", 2),
    ]
    assert "Alder" not in driven.calls[2].prompt.user


def test_items_of_no_shape_are_kept_with_their_text():
    """What is not even an object is repaired or quarantined like anything else, as it was written."""
    odd = ["13", "null", '"a boat"', "[]", "{broken", '{"evidence": ["\ud800"]}', "[" * 2_000]
    driven = Driven(lambda call: ok(boat=odd) if call.kind == "extract" else ok(boat=[]))
    held = driven.outcome.quarantined
    assert [one.tries[0].json_text for one in held] == [text.replace("\ud800", "\\ud800") for text in odd]
    assert all("schema" in codes(one)[0] for one in held)
    assert Outcome.model_validate_json(driven.outcome.model_dump_json()).quarantined == held


def test_a_repair_that_times_out_makes_the_article_partial_and_keeps_the_item():
    """The believed facts stay, the item is quarantined with the reason, and the article says that something was not answered."""
    driven = Driven([ok(boat=[boat("Alder"), boat("Birch", item="nothing")]), bad("timeout", "no answer within 120 s")])
    outcome = driven.outcome
    assert (outcome.status, outcome.cause) == ("partial", "timeout")
    assert outcome.reason == "a repair was not answered: no answer within 120 s"
    assert codes(outcome.quarantined[0]) == [["not_in_evidence", "not_repaired"]]
    assert "(timeout)" in outcome.quarantined[0].issues[-1].message
    assert [fact.value.item for fact in outcome.facts] == ["Alder"]


def test_a_repair_that_was_never_asked_leaves_the_article_complete():
    """Judging stored replies again without a call: the item is quarantined, and that is no failure of the endpoint."""
    driven = Driven([ok(boat=[boat("Birch", item="nothing")]), bad("not_asked")])
    assert driven.outcome.status == "complete"
    assert codes(driven.outcome.quarantined[0]) == [["not_in_evidence", "not_repaired"]]


def test_nine_bad_facts_go_back_in_two_requests_that_fail_apart():
    """Eight to a request, both in one round; the one that fails takes none of the others with it."""
    wrong = [boat(name, item="nothing") for name in NAMES[:9]]
    sent = iter([ok(boat=wrong), ok(boat=[fixed(boat(name), n) for n, name in enumerate(NAMES[:8], 1)]), bad("server_error", "503")])
    driven = Driven(lambda call: next(sent))
    assert [len(calls) for calls in driven.rounds] == [1, 2]
    assert [fact.value.item for fact in driven.outcome.facts] == NAMES[:8]
    assert [json.loads(one.tries[0].json_text)["evidence"] for one in driven.outcome.quarantined] == [wrong[8]["evidence"]]


# -- answers that fail -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "outcome", ["refusal", "content_filter", "timeout", "server_error", "empty", "bad_request", "cassette_miss", "not_asked"]
)
def test_an_article_without_an_answer_fails_with_the_reason(outcome):
    """One call, no facts, and the cause by name and in words."""
    driven = Driven([bad(outcome, "said why")])
    assert (driven.outcome.status, driven.outcome.cause, driven.outcome.reason) == ("failed", outcome, f"{outcome}: said why")
    assert driven.outcome.facts == driven.outcome.quarantined == ()


def test_a_refusals_words_are_part_of_the_reason():
    """What the model said when it declined tells the reader why."""
    outcome = Driven([Reply(outcome="refusal", text="I cannot help with weapons.")]).outcome
    assert outcome.reason == "refusal It said: 'I cannot help with weapons.'"


@pytest.mark.parametrize("outcome", ["unparsable", "no_content", "partial"])
def test_an_unreadable_answer_is_asked_for_again_a_bounded_number_of_times(outcome):
    """As often as there are repairs, with a line that says what was wrong; then the article has failed."""
    driven = Driven([bad(outcome)] * 3)
    assert driven.outcome.status == "failed"
    assert driven.outcome.cause == outcome
    assert "could not be read" not in driven.calls[0].prompt.user
    assert all("could not be read" in call.prompt.user for call in driven.calls[1:])
    assert Driven([bad(outcome), ok(boat=[boat("Alder")])]).outcome.status == "complete"


def test_a_missing_array_is_asked_for_again_alone():
    """Only the type without an array goes out again; what was given stays."""
    driven = Driven([ok(missing=["dock"], boat=[boat("Alder")]), ok(dock=[])])
    assert [call.fact_types for call in driven.calls] == [("boat", "dock"), ("dock",)]
    assert "no array for: dock" in driven.calls[1].prompt.user
    assert "- boat" not in driven.calls[1].prompt.system
    assert driven.outcome.status == "complete"
    assert [fact.value.item for fact in driven.outcome.facts] == ["Alder"]


def test_an_array_that_stays_missing_makes_the_article_partial():
    """After as many requests as there are repairs the reason names the type."""
    driven = Driven([ok(missing=["dock"], boat=[boat("Alder")]), ok(missing=["dock"]), ok(missing=["dock"])])
    assert (driven.outcome.status, driven.outcome.cause, driven.outcome.reason) == ("partial", "partial", "no answer for dock")
    assert len(driven.outcome.facts) == 1


def test_what_was_read_out_of_an_answer_that_stays_broken_is_used():
    """Closed items of the last broken answer are judged like any other; the article is partial. An earlier broken answer is superseded."""
    driven = Driven(
        [bad("partial", boat=[boat("Alder"), boat("Cedar")]), bad("partial", boat=[boat("Alder"), boat("Birch")]), bad("timeout")]
    )
    assert (driven.outcome.status, driven.outcome.cause) == ("partial", "timeout")
    assert [fact.value.item for fact in driven.outcome.facts] == ["Alder", "Birch"]
    assert driven.outcome.merged == ()


def dock(name):
    """A right dock that is read from a boat's words."""
    item = boat(name)
    del item["number"]
    return item


def test_an_empty_second_answer_does_not_take_back_what_the_broken_first_one_held():
    """Facts read out of a broken answer count when the next one leaves them out, with a note that says so; the others carry none."""
    driven = Driven([bad("partial", boat=[boat("Alder"), boat("Birch")]), ok()])
    assert driven.outcome.status == "complete"
    assert [fact.value.item for fact in driven.outcome.facts] == ["Alder", "Birch"]
    assert [[issue.code for issue in fact.issues] for fact in driven.outcome.facts] == [["not_given_again"]] * 2
    other = Driven([bad("partial", boat=[boat("Alder")]), ok(boat=[boat("Cedar")])])
    assert {fact.value.item: [issue.code for issue in fact.issues] for fact in other.outcome.facts} == {
        "Alder": ["not_given_again"],
        "Cedar": [],
    }


def test_what_a_second_answer_gives_again_is_one_record_without_a_note():
    """Word for word or in other words, the whole answer's reading stays, and the broken one's is merged into it."""
    again = boat("Alder", is_background=True)
    driven = Driven([bad("partial", boat=[boat("Alder"), boat("Birch")]), ok(boat=[again, boat("Birch")])])
    assert [(fact.value.item, fact.issues) for fact in driven.outcome.facts] == [("Alder", ()), ("Birch", ())]
    assert [one.verdict for one in driven.outcome.merged] == ["merged"]


def test_a_second_answer_that_reads_all_the_same_words_otherwise_replaces_the_broken_one():
    """Two meanings of the same words are not counted as two records: the whole answer's stays, the other is kept as merged."""
    counted = {"as_written": "21 crates", "minimum": 21, "maximum": 21}
    whole = boat("Alder", number=counted | {"unit": "crates"})
    driven = Driven([bad("partial", boat=[boat("Alder", number=counted)]), ok(boat=[whole])])
    (fact,), (replaced,) = driven.outcome.facts, driven.outcome.merged
    assert fact.value.number.unit == "crates"
    assert fact.issues == ()
    assert "broke off" in replaced.issues[-1].message


def test_a_broken_answers_bad_item_goes_to_repair_only_where_the_next_one_does_not_quote_the_same():
    """What was given anew is not paid for twice; it is kept with its reasons."""
    wrong = boat("Birch", item="Bitch")
    driven = Driven([bad("partial", boat=[wrong]), ok(), ok(boat=[fixed(boat("Birch"))])])
    assert [(fact.value.item, fact.verdict) for fact in driven.outcome.facts] == [("Birch", "repaired")]
    anew = Driven([bad("partial", boat=[wrong]), ok(boat=[boat("Birch")])])
    assert [fact.value.item for fact in anew.outcome.facts] == ["Birch"]
    (held,) = anew.outcome.quarantined
    assert [issue.code for issue in held.issues] == ["not_in_evidence", "given_anew"]


def test_what_was_read_of_a_type_that_stays_unanswered_counts_beside_the_answered_ones():
    """The dock was read out of the broken answer, and nothing better came; the boats were answered."""
    driven = Driven(
        [bad("partial", boat=[boat("Alder")], dock=[dock("Birch")]), ok(missing=["dock"], boat=[boat("Alder")]), bad("timeout")]
    )
    assert [(fact.fact_type, fact.value.item) for fact in driven.outcome.facts] == [("boat", "Alder"), ("dock", "Birch")]
    assert driven.outcome.status == "partial"


# -- a repair is of its own record -----------------------------------------------------------------------------------------------------


def test_a_repair_that_answers_another_items_fact_is_not_believed():
    """Numbers mixed up in one answer: each correction stands in the article, but under the other record's number; each is asked once more."""
    wrongs = [boat("Alder", evidence=["The Alder carries 99 crates."]), boat("Birch", evidence=["The Birch carries 99 crates."])]
    mixed = ok(boat=[fixed(boat("Birch"), 1), fixed(boat("Alder"), 2)])
    driven = Driven([ok(boat=wrongs), mixed, ok(boat=[fixed(boat("Alder"), 1), fixed(boat("Birch"), 2)])])
    assert [(fact.value.item, fact.verdict) for fact in driven.outcome.facts] == [("Alder", "repaired"), ("Birch", "repaired")]
    assert [[issue.code for issue in one.issues] for one in driven.outcome.facts[0].tries] == [
        ["quote_not_found", "not_in_evidence"],
        ["another_record"],
    ]
    second = driven.calls[2].prompt.user
    assert json.dumps(wrongs[0]) in second  # the record itself is shown again, and not the other one
    assert "another record" in second
    assert Driven([ok(boat=wrongs), mixed, mixed]).outcome.facts == ()


def test_a_repair_that_repeats_a_believed_fact_of_elsewhere_leaves_its_own_record_in_quarantine():
    """A fact that is believed already answers nothing about the record that was asked for."""
    driven = Driven(
        [ok(boat=[boat("Cedar"), boat("Drift", evidence=["The Drift carries 99 crates."])]), ok(boat=[fixed(boat("Cedar"))])],
        plan=PLAN._replace(repairs=1),
    )
    assert [fact.value.item for fact in driven.outcome.facts] == ["Cedar"]
    (held,) = driven.outcome.quarantined
    assert codes(held) == [["quote_not_found", "not_in_evidence"], ["another_record"]]
    assert driven.outcome.merged == ()


def test_a_repair_that_is_a_record_nobody_asked_about_is_not_believed():
    """It stands in the article, but shares neither passage nor words with what was to be corrected: no record is added by a repair."""
    driven = Driven(
        [ok(boat=[boat("Drift", evidence=["The Drift carries 99 crates."])]), ok(boat=[fixed(boat("Heron"))])],
        plan=PLAN._replace(repairs=1),
    )
    assert driven.outcome.facts == ()
    assert codes(driven.outcome.quarantined[0])[-1] == ["another_record"]


TWO_OF_ONE_SENTENCE = Article(id="x", text="Germany lends the Alder and 2 tugs, and Norway lends the Birch and 3 rafts.")


def test_of_two_records_in_one_sentence_a_repair_is_of_the_one_that_was_asked():
    """Both quote the same sentence; which one a correction is of shows in its words."""
    quote = [TWO_OF_ONE_SENTENCE.text]
    one = boat("Alder", evidence=quote, number={"as_written": "2 tugs", "minimum": 3, "maximum": 3})
    two = boat("Birch", evidence=quote, number={"as_written": "3 rafts", "minimum": 3, "maximum": 3})
    driven = Driven([ok(boat=[one, two]), ok(boat=[fixed(two)])], article=TWO_OF_ONE_SENTENCE, plan=PLAN._replace(repairs=1))
    assert codes(driven.outcome.quarantined[0]) == [["value_disagrees"], ["another_record"]]
    right = boat("Alder", evidence=quote, number={"as_written": "2 tugs", "minimum": 2, "maximum": 2})
    driven = Driven([ok(boat=[one, two]), ok(boat=[fixed(right)])], article=TWO_OF_ONE_SENTENCE)
    assert [fact.value.item for fact in driven.outcome.facts] == ["Alder", "Birch"]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (boat("Alder", evidence=["Somebody saw a boat with freight of some kind."]), boat("Alder")),  # another quote altogether
        (boat("Alda", number=None, evidence=["The Alder carries twenty-one crates."]), boat("Alder")),  # nearly the quote, another name
        ("{}", boat("Alder")),
        ('{"item": "Alder", "evidence": []}', boat("Alder")),
        ('{"boat": {"item": "Alder"', boat("Alder")),  # no JSON
        (boat("Alder", evidence=["21"], item="a boat", number=None), boat("Alder")),  # the same passage, nothing else
    ],
    ids=lambda value: json.dumps(value)[:30],
)
def test_a_repair_may_change_much_of_its_record(wrong, right):
    """A passage, or nearly its words, or most names and words in common: it is the same record."""
    driven = Driven([ok(boat=[wrong]), ok(boat=[fixed(right)])])
    assert [(fact.value.item, fact.verdict) for fact in driven.outcome.facts] == [("Alder", "repaired")]


# -- two records run into one ----------------------------------------------------------------------------------------------------------


def test_an_object_with_a_key_twice_is_two_records_run_into_one_and_is_mended_not_believed():
    """The last value of each key is not taken for what was said; the model is told and gives one record."""
    one, two = json.dumps(boat("Alder")), json.dumps(boat("Birch"))
    fused = f"{one[:-1]}, {two[1:]}"
    assert json.loads(fused) == boat("Birch")  # what a parser makes of it would pass every check
    driven = Driven([ok(boat=[fused]), ok(boat=[fixed(boat("Birch"))])])
    (fact,) = driven.outcome.facts
    assert (fact.verdict, [issue.code for issue in fact.tries[0].issues]) == ("repaired", ["doubled_key"])
    assert "stands twice" in driven.calls[1].prompt.user
    assert "The Alder carries 21 crates." in driven.calls[1].prompt.user.partition("Record 1")[0]  # the passages of both


def test_a_repair_with_a_key_twice_is_not_believed_either():
    """In the corrected fact or in its entry, two of one key are never taken for the last."""
    wrong, one, two = boat("Alder", item="x"), json.dumps(boat("Alder")), json.dumps(boat("Alder", number=None))
    fused = f'{{"item": 1, "fact": {one[:-1]}, {two[1:]}}}'
    driven = Driven([ok(boat=[wrong]), ok(boat=[fused])], plan=PLAN._replace(repairs=1))
    assert codes(driven.outcome.quarantined[0])[-1] == ["doubled_key"]
    entry = f'{{"item": 2, "fact": {two}, "item": 1, "fact": {one}}}'
    driven = Driven([ok(boat=[wrong]), ok(boat=[entry])])
    assert codes(driven.outcome.quarantined[0])[-1] == ["not_in_evidence", "not_repaired"]


# -- hostile answers -------------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["the same ten", "each of its own", "all about one common word", "inventions"])
def test_thousands_of_facts_in_one_answer_cost_what_they_are(kind):
    """Judging and merging take time linear in the number of facts: five times as many take about five times as long."""

    def taken(number):
        text = (
            "\n\n".join(f"The Ship{n} carries {n} crates." for n in range(number))
            if kind == "each of its own"
            else TEXT + " crates" * 10_000
        )
        entries = {
            "the same ten": lambda n: boat(NAMES[n % 10]),
            "each of its own": lambda n: boat(f"Ship{n}", n),
            "all about one common word": lambda n: boat("crates", evidence=["crates", f"The {NAMES[n % 10]} carries"], number=None),
            "inventions": lambda n: boat("Nowhere", n),
        }[kind]
        began = time.process_time()
        plan = PLAN._replace(repairs=0, part_chars=10**7)
        outcome = Driven([ok(boat=list(map(entries, range(number))))], article=Article(id="x", text=text), plan=plan).outcome
        assert len(outcome.facts) + len(outcome.merged) + len(outcome.quarantined) == number
        return time.process_time() - began

    few, many = taken(400), taken(2_000)
    assert many < few * 12 + 1  # a square would be 25 times


# -- long articles ---------------------------------------------------------------------------------------------------------------------

SHIPS = [f"Ship{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(60)]
LONG = Article(
    id="long.txt",
    text="\n\n".join(f"The {name} carries {n} crates. " + "Gulls cry over the pier. " * 8 for n, name in enumerate(SHIPS, 100)).strip(),
)
WIDE = PLAN._replace(part_chars=4_000)


def ships_in(call):
    """The ships of the part that a call sends, with their crates."""
    return [(name, int(count)) for name, count in re.findall(r"The (Ship\w\w) carries (\d+) crates", call.prompt.user)]


def read_all(call):
    return ok(boat=[boat(name, count) for name, count in ships_in(call)])


def test_a_long_article_is_asked_in_parts_at_once_and_told_as_one():
    """All parts go out together; a fact in the overlap is merged, and every offset points into the whole text."""
    driven = Driven(read_all, article=LONG, plan=WIDE)
    assert len(driven.rounds) == 1
    assert len(driven.calls) > 3
    assert "This is part 1 of" in driven.calls[0].prompt.user
    assert len({call.prompt.system for call in driven.calls}) == 1
    outcome = driven.outcome
    assert outcome.status == "complete"
    assert [fact.value.item for fact in outcome.facts] == SHIPS
    assert all(fact.evidence[0].of(LONG.text) == fact.value.evidence[0] for fact in outcome.facts)
    repeats = [name for call in driven.calls for name, _ in ships_in(call)]
    assert len(repeats) > len(SHIPS)
    assert len(outcome.merged) == len(repeats) - len(SHIPS)
    assert all(one.verdict == "merged" and one.issues[-1].code == "merged" for one in outcome.merged)
    assert {one.issues[-1].message.split()[4] for one in outcome.merged} <= {fact.id for fact in outcome.facts}


def test_a_part_that_fails_makes_the_article_partial_and_loses_no_other():
    """The facts of the other parts stand, and the reason is told once."""
    failing = iter([False, True, True])
    driven = Driven(lambda call: bad("timeout", "too slow") if next(failing, False) else read_all(call), article=LONG, plan=WIDE)
    assert (driven.outcome.status, driven.outcome.cause, driven.outcome.reason) == ("partial", "timeout", "timeout: too slow")
    lost = {name for call in driven.calls[1:3] for name, _ in ships_in(call)}
    read = {name for call in driven.calls[:1] + driven.calls[3:] for name, _ in ships_in(call)}
    assert lost - read
    assert {fact.value.item for fact in driven.outcome.facts} == read


def dense(separator):
    """60,000 characters of facts told in two sentences each, with little between them, so that edges fall before, into and behind them."""
    rng, text, number = random.Random(5), "", 0  # noqa: S311 - it guards nothing
    while len(text) < 60_000:
        number += 1
        filler = "Gulls cry over the pier. " * rng.randrange(1, 12)
        text += f"The Ship{number:03} left the yard.{separator}She carries {1_000 + number} crates. {filler.strip()}{separator}"
    return text.strip()


TOLD = re.compile(r"The (Ship\d{3}) left the yard\.\s+She carries (\d+) crates\.")


@pytest.mark.parametrize("separator", ["\n\n", "\n", " "], ids=["paragraphs", "lines", "one paragraph"])
def test_facts_at_the_edges_of_a_long_articles_parts_are_read_once_with_offsets_into_the_whole(separator):
    """A fact of two sentences at every edge: none is lost, none is doubled, whatever parts the article's paragraphs."""
    article = Article(id="long.txt", text=dense(separator))
    facts = list(TOLD.finditer(article.text))

    def answer(call):
        # a fact that is cut in two is read from neither half
        return ok(boat=[boat(told[1], int(told[2]), evidence=[told[0]]) for told in TOLD.finditer(call.prompt.user)])

    cut_in_two = read_twice = 0
    for part_chars in (2_900, 7_300):
        driven = Driven(answer, article=article, plan=PLAN._replace(part_chars=part_chars))
        edges = [part.end for part in split(article.text, part_chars)[:-1]]
        cut_in_two += sum(told.start() < edge < told.end() for told in facts for edge in edges)
        read_twice += len(driven.outcome.merged)
        assert [fact.value.item for fact in driven.outcome.facts] == [told[1] for told in facts]
        assert [(fact.evidence[0].start, fact.evidence[0].end) for fact in driven.outcome.facts] == [told.span() for told in facts]
        assert driven.outcome.quarantined == ()
    assert cut_in_two >= 3
    assert read_twice >= 5 or separator != " "  # of paragraphs and lines, only one is repeated, and a fact here has two


@pytest.mark.parametrize("outcome", ["length", "context_overflow"])
def test_a_part_that_is_too_long_is_halved_until_it_is_answered(outcome):
    """What the model could not take or finish is asked in halves; the whole is complete, and the broken answer's bad item is kept once."""
    long_call = 6_000

    def answer(call):
        if len(call.prompt.user) > long_call:
            return bad(outcome, boat=[boat("Nowhere", 1)])
        return read_all(call)

    driven = Driven(answer, article=LONG, plan=PLAN)
    assert len(driven.rounds[0]) == 1
    assert driven.outcome.status == "complete"
    assert [fact.value.item for fact in driven.outcome.facts] == SHIPS
    assert [codes(one) for one in driven.outcome.quarantined] == [[["quote_not_found"], ["another_record", "not_repaired"]]]


def test_what_was_read_before_the_cut_is_used_only_where_the_halves_failed():
    """The whole was cut after its first ships; the first half fails, the second is read: nothing is doubled and nothing is lost."""
    article = LONG.model_copy(update={"text": "\n\n".join(LONG.text.split("\n\n")[:16])})

    def answer(call):
        ships = ships_in(call)
        if len(ships) == 16:
            return bad("length", boat=[boat(*ship) for ship in ships[:12]])
        return bad("refusal") if ships[0][0] == SHIPS[0] else read_all(call)

    driven = Driven(answer, article=article)
    assert [len(calls) for calls in driven.rounds] == [1, 2]
    second = [name for name, _ in ships_in(driven.calls[2])]
    assert SHIPS[11] in second  # read twice: before the cut and in the second half
    assert (driven.outcome.status, driven.outcome.cause) == ("partial", "refusal")
    assert [fact.value.item for fact in driven.outcome.facts] == SHIPS[:16]
    assert len(driven.outcome.merged) == len(set(second) & set(SHIPS[:12]))


def test_a_poorer_reading_before_the_cut_is_covered_by_a_halfs():
    """A fact read before the cut without its number and in a half with it is one fact, the fuller."""
    article = LONG.model_copy(update={"text": "\n\n".join(LONG.text.split("\n\n")[:16])})

    def answer(call):
        ships = ships_in(call)
        if len(ships) == 16:
            return bad("length", boat=[boat(*ships[0]) | {"number": None}])
        return read_all(call) if ships[0][0] == SHIPS[0] else bad("refusal")

    driven = Driven(answer, article=article)
    assert [fact.value.item for fact in driven.outcome.facts].count(SHIPS[0]) == 1
    assert driven.outcome.facts[0].value.number is not None
    assert len(driven.outcome.merged) == 1


@pytest.mark.parametrize("outcome", ["length", "context_overflow"])
def test_an_article_that_is_too_long_at_every_size_fails_after_a_bounded_number_of_calls(outcome):
    """Halving ends at parts of about 2,000 characters: what does not fit then is not a matter of length."""
    driven = Driven(lambda call: bad(outcome), article=LONG.model_copy(update={"text": "words, " * 2_285}))
    assert (driven.outcome.status, driven.outcome.cause) == ("failed", outcome)
    assert len(driven.calls) < 64
    assert len(driven.rounds) < 9


def test_a_short_article_is_never_halved():
    """At the smallest size a cut answer is final, with what was read out of it."""
    text = ("The Alder carries 21 crates. " * 80)[: MIN_PART_CHARS - 1].strip()
    driven = Driven([bad("length", "cut", boat=[boat("Alder")])], article=Article(id="x", text=text))
    assert (driven.outcome.status, driven.outcome.cause, len(driven.outcome.facts)) == ("partial", "length", 1)


def test_a_broken_item_read_twice_is_two_quarantined_records_with_ids_of_their_own():
    """Before the cut and in a half: the same bad text at the same place of two answers has two ids."""
    article = LONG.model_copy(update={"text": "\n\n".join(LONG.text.split("\n\n")[:16])})

    def answer(call):
        ships = ships_in(call)
        if call.kind == "repair":
            return ok(boat=[])
        if len(ships) == 16:
            return bad("length", boat=["{broken"])
        return ok(boat=["{broken"]) if ships[0][0] == SHIPS[0] else bad("refusal")

    held = Driven(answer, article=article).outcome.quarantined
    assert [one.tries[0].json_text for one in held] == ["{broken", "{broken"]
    assert len({one.id for one in held}) == 2


# -- merging, ids, order, cost ---------------------------------------------------------------------------------------------------------


def test_a_fact_told_twice_is_merged_with_its_own_text_and_history():
    """The repeat keeps the text as the model wrote it, the versions before it, and names the fact that stays."""
    repeat = boat("Alder", evidence=["The Alder carries 21 crates.", "Harbour news"])
    wrong = repeat | {"item": "nothing"}
    driven = Driven([ok(boat=[boat("Alder"), wrong]), ok(boat=[fixed(repeat)])])
    (fact,) = driven.outcome.facts
    (merged,) = driven.outcome.merged
    assert [json.loads(one.json_text) for one in merged.tries] == [wrong, repeat]
    assert merged.issues[-1].message == f"It says what fact {fact.id} says."
    assert (fact.verdict, merged.verdict) == ("kept", "merged")


def test_the_same_fact_has_the_same_id_in_every_run_and_another_fact_another():
    """Ids come from the article's id, the type and the value, not from evidence, order or repairs."""
    one = Driven([ok(boat=[boat("Alder"), boat("Birch")])]).outcome.facts
    two = Driven(
        [
            ok(boat=[boat("Birch", evidence=["The Birch carries 22 crates.", "Harbour news"]), boat("Alder", item="x")]),
            ok(boat=[fixed(boat("Alder"))]),
        ]
    )
    assert {fact.id for fact in one} == {fact.id for fact in two.outcome.facts}
    other = Driven([ok(boat=[boat("Alder")])], article=ARTICLE.model_copy(update={"id": "other.txt"})).outcome.facts
    assert len({fact.id for fact in (*one, *other)}) == 3


def test_facts_stand_by_type_in_catalogue_order_then_as_given():
    """The order is that of the catalogue and of the arrays, whatever the order in the text."""
    dock = boat("Cedar")
    del dock["number"]
    driven = Driven([ok(dock=[dock], boat=[boat("Birch"), boat("Alder")])])
    assert [(fact.fact_type, fact.value.item) for fact in driven.outcome.facts] == [("boat", "Birch"), ("boat", "Alder"), ("dock", "Cedar")]


def test_usage_and_cost_are_summed_over_all_calls():
    """Repairs and failures included; a call that sent nothing (a stored reply) costs nothing."""
    spent = Usage(input_tokens=100, cached_tokens=40, output_tokens=10, attempts=2, unreported=1)
    driven = Driven(
        [
            ok(boat=[boat("Alder", item="x")], usage=spent, cost_usd=0.5),
            ok(boat=[fixed(boat("Alder", item="y"))], usage=spent, cost_usd=0.25),
            Reply(outcome="ok"),
        ]
    )
    assert driven.outcome.usage == Usage(input_tokens=200, cached_tokens=80, output_tokens=20, attempts=4, unreported=2)
    assert driven.outcome.cost_usd == 0.75
    assert Driven([Reply(outcome="ok")]).outcome.cost_usd == 0.0


def test_one_call_without_a_price_makes_the_cost_unknown():
    """Unknown is None and never a sum that leaves something out."""
    driven = Driven([ok(boat=[boat("Alder", item="x")], cost_usd=0.5), ok(boat=[fixed(boat("Alder"))], cost_usd=None)])
    assert driven.outcome.cost_usd is None
    assert Driven([bad("refusal")]).outcome.cost_usd is None


def test_no_fact_is_a_right_answer():
    """Empty arrays complete an article."""
    outcome = Driven([ok()]).outcome
    assert (outcome.status, outcome.facts) == ("complete", ())


def test_an_empty_text_is_asked_and_answered_like_any_other():
    """Nothing in, nothing out, no error."""
    assert Driven([ok()], article=Article(id="empty", text="")).outcome.status == "complete"


def test_the_same_replies_lead_to_the_same_calls():
    """Live runs, batches and clusters drive this one flow: call by call it asks the same for the same replies."""
    entries = [boat(name, item="nothing") for name in NAMES] + ["{broken"]
    runs = [Driven(lambda call: ok(boat=entries) if call.kind == "extract" else ok(boat=[]), article=LONG, plan=WIDE) for _ in range(2)]
    assert runs[0].rounds == runs[1].rounds
    assert runs[0].outcome == runs[1].outcome


# -- nothing is lost -------------------------------------------------------------------------------------------------------------------

LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Tagged(Fact):
    """A fact with a tag of its own, so that each can be followed."""

    tag: str
    item: Verbatim


class Liar:
    """A model that answers at random: right, wrong, broken, twice, not at all; it tags every item it gives."""

    def __init__(self, seed):
        self._random = random.Random(seed)  # noqa: S311 - a model, not a cipher
        self.given = []  # tags of the items that whole answers gave
        self.broken = []  # tags of the items in answers that were not whole
        self.count = 0

    def pick(self, *options):
        """One of them."""
        return self._random.choice(options)

    def tag(self):
        """One that was never used."""
        self.count += 1
        return "tag" + LETTERS[self.count // 676] + LETTERS[self.count // 26 % 26] + LETTERS[self.count % 26]

    def item(self, tag):
        """A right fact or a wrong one."""
        right = {
            "evidence": ["The Alder carries 21 crates."],
            "attribution": {"certainty": "asserted"},
            "is_background": False,
            "item": "Alder",
        }
        wrong = self.pick({}, {}, {"item": "Oak"}, {"evidence": ["The Alder carries 12 crates."]}, {"evidence": []}, {"is_background": "x"})
        return json.dumps({"tag": tag} | right | wrong)

    def array(self, name, into):
        """Some items, and their tags into a list."""
        entries = []
        for _ in range(self.pick(0, 1, 2, 3)):
            tag = self.tag()
            into.append((name, tag))
            text = self.item(tag)
            entries.append(self.pick(text, text, text[:-5], f'"{tag}"', f"[{text}]"))
        return entries

    def __call__(self, call):
        """An answer to a call."""
        outcome = self.pick("ok", "ok", "ok", "ok", "partial", "unparsable", "length", "timeout", "refusal", "not_asked")
        if call.kind == "repair":
            return ok(outcome=outcome, **self.repairs(call)) if outcome in ("ok", "partial", "length") else bad(outcome)
        missing = [name for name in call.fact_types if self.pick(True, False, False)] if outcome == "ok" else []
        if outcome in ("unparsable", "timeout", "refusal", "not_asked"):
            return bad(outcome)
        into = self.given if outcome == "ok" else self.broken
        return ok(outcome=outcome, missing=missing, **{name: self.array(name, into) for name in call.fact_types if name not in missing})

    def repairs(self, call):
        """Answers to some of the records, under right numbers and wrong ones."""
        arrays = {name: [] for name in call.fact_types}
        for number, name, text in re.findall(r"^Record (\d+) \((\w+)\):\n(.*)$", call.prompt.user, re.MULTILINE):
            tag = (re.findall(r"tag\w\w\w", text) or [self.tag()])[0]
            version = self.pick("null", text, self.item(tag), self.item(tag), self.item(tag), "{}", '"lost"')
            entry = self.pick(
                f'{{"item": {number}, "fact": {version}}}',
                f'{{"item": {number}, "fact": {version}}}',
                f'{{"item": 99, "fact": {version}}}',
                "{]",
            )
            arrays[self.pick(name, name, name, next(iter(arrays)))] += [entry] * self.pick(0, 1, 1, 1, 2)
        return arrays


def tags_of(outcome):
    """Type and tag of everything in an outcome, by the first version the model gave."""
    firsts = [(fact.fact_type, fact.tries[0].json_text if fact.tries else fact.value.tag) for fact in outcome.facts]
    firsts += [(one.fact_type, one.tries[0].json_text) for one in (*outcome.quarantined, *outcome.merged)]
    return Counter((name, re.search(r"tag\w\w\w", text)[0]) for name, text in firsts)


WITH_ALDER = LONG.model_copy(update={"text": f"{LONG.text}\n\nThe Alder carries 21 crates."})


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([ARTICLE, WITH_ALDER]), st.integers(0, 3))
def test_every_item_of_every_whole_answer_is_a_fact_quarantined_or_merged_exactly_once(seed, article, repairs):
    """Whatever a model does: nothing is lost, nothing is doubled, nothing is invented, no two records share an id, and it ends."""
    liar = Liar(seed)
    driven = Driven(liar, article=article, plan=Plan({"one": Tagged, "two": Tagged}, repairs, 8_000))
    outcome = driven.outcome
    found = tags_of(outcome)
    assert all(found[key] == 1 for key in liar.given)
    assert set(found) <= {*liar.given, *liar.broken}
    assert max(found.values(), default=1) == 1
    assert all(fact.value.evidence == ["The Alder carries 21 crates."] and fact.value.item == "Alder" for fact in outcome.facts)
    ids = [one.id for one in (*outcome.facts, *outcome.quarantined)]
    assert len(ids) == len(set(ids))
    assert (outcome.status == "complete") == (outcome.reason is None) == (outcome.cause is None)
    if outcome.status == "failed":
        assert not found
    assert all(one.tries and any(issue.severity == "error" for issue in one.issues) for one in outcome.quarantined)
    assert all(len(one.tries) <= repairs + 1 for one in (*outcome.facts, *outcome.quarantined))
    assert json.loads(outcome.model_dump_json())["status"] == outcome.status
    assert pickle.loads(pickle.dumps(outcome)) == outcome  # noqa: S301 - our own bytes
