"""What goes back to the model, and how its answer is read: only bad items, their types, their paragraphs."""

import json

import pytest

from extractor.evidence.outcome import Try
from extractor.evidence.repair import ITEMS_PER_CALL, PASSAGES_PER_ITEM, Bad, Item, answers, questions
from extractor.evidence.validate import Judge, NotBelieved
from extractor.facts.fact import Fact, Verbatim
from extractor.llm.prompt import envelope
from extractor.records import Article, RawItem, Reply

PARAGRAPHS = [
    "Ports and prices",
    "Malta lends two tugs to Tunisia.",
    "Greece pays six million euros for one dry dock.",
    "Nobody mentions Albania.",
    "Italy sold nine cranes to Malta. The cranes are blue.",
    "Storms rage at weekends.",
]
TEXT = "\n\n".join(PARAGRAPHS)
ARTICLE = Article(id="ports.txt", text=TEXT, title=PARAGRAPHS[0])


class Tug(Fact):
    """A tug that is lent."""

    item: Verbatim


class Payment(Fact):
    """Money that is paid."""

    amount: Verbatim


class Crane(Fact):
    """A crane that is sold."""

    item: Verbatim


TYPES = {"tug": Tug, "payment": Payment, "crane": Crane}


def text_of(evidence, **fields):
    return json.dumps({"evidence": evidence, "attribution": {"certainty": "asserted"}, "is_background": False} | fields)


def bad(fact_type, json_text, index=0):
    """An item as the flow holds it after its first judging; it must be bad."""
    verdict = Judge(ARTICLE).judge(json_text, TYPES[fact_type])
    assert isinstance(verdict, NotBelieved)
    item = Item((0, list(TYPES).index(fact_type), index, 0), fact_type, json_text)
    return Bad(item, (Try(json_text=json_text, issues=verdict.issues),), verdict.evidence)


def ask(*items):
    return questions(items, Judge(ARTICLE), TYPES)


def reply(**arrays):
    items = [
        RawItem(fact_type=name, index=index, json_text=entry if isinstance(entry, str) else json.dumps(entry))
        for name, entries in arrays.items()
        for index, entry in enumerate(entries)
    ]
    return Reply(outcome="ok", items=tuple(items))


def sent(prompt):
    return [paragraph for paragraph in PARAGRAPHS[1:] if paragraph in prompt.user]


TUG = bad("tug", text_of(["Malta lends two tugs to Tunisia."], item="three tugs"))
CRANE = bad("crane", text_of(["Italy sold nine cranes to Malta."], item="ten cranes"))
PAYMENT = bad("payment", text_of(["Greece pays seven million euros for one dry dock."], amount="seven million euros"))


# -- what is sent ----------------------------------------------------------------------------------------------------------------------


def test_nothing_bad_asks_nothing():
    """No call without a bad item."""
    assert ask() == []


def test_only_the_types_and_paragraphs_concerned_are_sent():
    """A bad tug brings its own schema and paragraph; no other paragraph's text and no other type travels with it."""
    (question,) = ask(TUG)
    assert question.call.kind == "repair"
    assert question.call.article_id == "ports.txt"
    assert question.call.fact_types == ("tug",)
    assert sent(question.call.prompt) == [PARAGRAPHS[1]]
    assert "payment" not in question.call.prompt.user
    assert "crane" not in question.call.prompt.user
    shape = envelope("repair", {name: TYPES[name] for name in question.call.fact_types}).model_json_schema()
    assert "Payment" not in json.dumps(shape)
    assert "A tug that is lent." in json.dumps(shape)


def test_records_are_numbered_in_catalogue_order_with_their_errors():
    """Numbers run over the request, by type as the answer's arrays are, and each record stands with its JSON and what is wrong."""
    (question,) = ask(CRANE, TUG)
    assert question.call.fact_types == ("tug", "crane")
    assert {number: one.item.fact_type for number, one in question.items.items()} == {1: "tug", 2: "crane"}
    user = question.call.prompt.user
    assert user.index("Record 1 (tug):\n" + TUG.item.json_text) < user.index("Record 2 (crane):\n" + CRANE.item.json_text)
    assert "- item: 'three tugs' does not stand as whole words inside any quote of this record." in user
    assert sent(question.call.prompt) == [PARAGRAPHS[1], PARAGRAPHS[4]]
    assert user.index(PARAGRAPHS[1]) < user.index("[…]") < user.index(PARAGRAPHS[4])


def test_a_quote_that_is_nowhere_brings_the_paragraphs_nearest_to_it():
    """A miscopied quote brings the passage that it was copied from."""
    (question,) = ask(PAYMENT)
    assert sent(question.call.prompt) == [PARAGRAPHS[2]]


def test_words_that_stand_elsewhere_bring_their_paragraph():
    """What the evidence lacks is sent, so that the passage can be added."""
    (question,) = ask(bad("tug", text_of(["Malta lends two tugs to Tunisia."], item="dry dock")))
    assert sent(question.call.prompt) == [PARAGRAPHS[1], PARAGRAPHS[2]]


def test_an_item_of_no_shape_brings_the_paragraphs_nearest_to_its_words():
    """Without any quote the item's own words say where to look; without any word of the article, all of it is sent."""
    (near,) = ask(bad("crane", json.dumps({"what": "cranes of Italy"})))
    assert sent(near.call.prompt) == [PARAGRAPHS[4]]
    (whole,) = ask(bad("crane", "{]"))
    assert sent(whole.call.prompt) == PARAGRAPHS[1:]


def test_warnings_do_not_go_back():
    """What is only flagged would tempt a model to change what is right."""
    verdict = Judge(ARTICLE).judge(
        text_of(["Malta lends two tugs to Tunisia."], item="three", attribution={"speaker": "Albania", "certainty": "claimed"}), Tug
    )
    assert {issue.code for issue in verdict.issues} == {"not_in_evidence", "name_outside_evidence"}
    item = Item((0, 0, 0, 0), "tug", "{}")
    (question,) = ask(Bad(item, (Try(json_text="{}", issues=verdict.issues),), verdict.evidence))
    assert "What is wrong with it:\n- item:" in question.call.prompt.user
    assert "Albania" not in question.call.prompt.user


def test_one_item_brings_few_paragraphs_however_many_it_quotes():
    """A record that quotes everything does not send the whole article back."""
    text = "\n\n".join(f"Paragraph {number} names a tug." for number in range(20))
    judge = Judge(Article(id="x", text=text))
    json_text = text_of([f"Paragraph {number} names a tug." for number in range(20)], item="boat")
    verdict = judge.judge(json_text, Tug)
    (question,) = questions(
        [Bad(Item((0, 0, 0, 0), "tug", json_text), (Try(json_text=json_text, issues=verdict.issues),), verdict.evidence)], judge, TYPES
    )
    passages = question.call.prompt.user.split(json_text)[0]
    assert passages.count("names a tug.") == PASSAGES_PER_ITEM


def test_the_last_version_and_its_errors_are_sent_not_the_first():
    """A second round is about the second version."""
    second = CRANE._replace(
        item=CRANE.item._replace(json_text=text_of(["Italy sold nine cranes to Malta."], item="red cranes")),
        tries=(*CRANE.tries, bad("crane", text_of(["Italy sold nine cranes to Malta."], item="red cranes")).tries[0]),
    )
    (question,) = ask(second)
    assert "red cranes" in question.call.prompt.user
    assert "ten cranes" not in question.call.prompt.user


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (8, [8]), (9, [8, 1]), (20, [8, 8, 4])])
def test_eight_items_go_into_one_request_at_most(count, sizes):
    """Nine bad items are two requests, each numbered from 1, with every item in exactly one of them."""
    assert ITEMS_PER_CALL == 8
    items = [bad("tug", text_of(["Malta lends two tugs to Tunisia."], item=f"tug {number}"), number) for number in range(count)]
    asked = ask(*items)
    assert [list(question.items) for question in asked] == [list(range(1, size + 1)) for size in sizes]
    assert [one for question in asked for one in question.items.values()] == items


# -- how the answer is read ------------------------------------------------------------------------------------------------------------


def two():
    (question,) = ask(TUG, CRANE)
    return question


def test_each_number_gets_its_corrected_version():
    """Versions are found by number, whatever their order."""
    found = answers(two(), reply(crane=[{"item": 2, "fact": {"b": 2}}], tug=[{"item": 1, "fact": {"a": 1}}]))
    assert {number: json.loads(version) for number, version in found.items()} == {1: {"a": 1}, 2: {"b": 2}}


def test_null_withdraws_a_record():
    """A null fact says that the article does not support the record."""
    assert answers(two(), reply(tug=[{"item": 1, "fact": None}])) == {1: None}


def test_a_record_that_is_left_out_has_no_answer():
    """Silence is not agreement."""
    assert set(answers(two(), reply(crane=[{"item": 2, "fact": {}}]))) == {2}
    assert answers(two(), Reply(outcome="refusal")) == {}


def test_a_number_answered_twice_counts_as_first_answered():
    """A second answer to the same number changes nothing."""
    found = answers(two(), reply(tug=[{"item": 1, "fact": {"first": 1}}, {"item": 1, "fact": {"second": 2}}, {"item": 1, "fact": None}]))
    assert {number: json.loads(version) for number, version in found.items()} == {1: {"first": 1}}


@pytest.mark.parametrize("number", [0, 3, -1, 99, 1.5, "x", "1", None, True, [1]])
def test_a_number_that_was_not_asked_for_is_left_out(number):
    """An answer to no question never becomes a fact."""
    assert answers(two(), reply(tug=[{"item": number, "fact": {"a": 1}}])) == {}


def test_an_answer_in_another_types_array_is_left_out():
    """A repaired tug cannot come back as a crane."""
    assert answers(two(), reply(crane=[{"item": 1, "fact": {"a": 1}}], payment=[{"item": 2, "fact": {"a": 1}}])) == {}


def test_a_bare_fact_is_taken_when_one_record_was_asked_for():
    """Servers without a strict schema leave the wrapping out; with one record there is no doubt which is meant, with two there is."""
    (question,) = ask(TUG)
    assert answers(question, reply(tug=[{"evidence": ["x"], "item": "tugs"}])) == {1: '{"evidence": ["x"], "item": "tugs"}'}
    assert answers(two(), reply(tug=[{"evidence": ["x"], "item": "tugs"}])) == {}


@pytest.mark.parametrize("number", ["1", 1.0, None, "first"])
def test_a_wrapped_fact_is_unwrapped_though_its_number_is_unreadable_when_one_record_was_asked_for(number):
    """The wrapping is never taken for the fact itself."""
    (question,) = ask(TUG)
    assert answers(question, reply(tug=[{"item": number, "fact": {"a": 1}}])) == {1: '{"a": 1}'}
    assert answers(question, reply(tug=[{"fact": {"a": 1}}])) == {1: '{"a": 1}'}


@pytest.mark.parametrize("entry", ["{]", "", '{"item": 1, "fact": {"n": 9}', "[" * 100_000])
def test_an_answer_that_is_no_json_is_no_withdrawal(entry):
    """What cannot be read says nothing about the record; it counts as left out."""
    (question,) = ask(TUG)
    assert answers(question, reply(tug=[entry])) == {}


def test_text_of_other_scripts_survives_the_answer():
    """Corrected quotes keep their characters, so that they can be found."""
    (question,) = ask(TUG)
    (version,) = answers(question, reply(tug=['{"item": 1, "fact": {"item": "\\u0431\\u0443\\u043a\\u0441\\u0438\\u0440"}}'])).values()
    assert json.loads(version) == {"item": "буксир"}
