"""Whether one item is believed: each rule by its code, with planted articles, and items that no honest model writes."""

import json
import time
from datetime import date
from typing import ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from extractor.errors import SchemaError
from extractor.evidence.validate import Believed, Judge, NotBelieved, check_examples, text_at, texts_of
from extractor.facts.fact import Check, Closed, Example, Fact, Name, Quote, Value, Verbatim
from extractor.facts.money import Money
from extractor.facts.party import Party
from extractor.facts.quantity import Quantity
from extractor.facts.when import When
from extractor.records import Article, Span

TEXT = (
    "Lisbon sends boats\n\n"
    "Portugal will lend 13 patrol boats to Cape Verde by the end of June, Admiral Rui Prata said on Monday. "
    "The loan is worth about $40 million.\n\n"
    "In Praia, defence minister Lena Tavares said that 10 of them would come first. "
    "A Spanish yard repairs the F-16s of another force for 10bn."
)
ARTICLE = Article(id="boats.txt", text=TEXT, published=date(2026, 3, 4))
FIRST = "Portugal will lend 13 patrol boats to Cape Verde by the end of June, Admiral Rui Prata said on Monday."


class Loan(Fact):
    """Boats that are lent."""

    lender: Party | None = None
    item: Verbatim | None = None
    number: Quantity | None = None
    worth: Money | None = None
    due: When | None = None
    note: str | None = None
    answers: list["Answer"] = Field(default_factory=list)


class Answer(Closed):
    """What somebody answered."""

    party: Party
    quote: Quote
    tone: Literal["kind", "curt"] = "kind"


Loan.model_rebuild()


def judged(raw=None, *, article=ARTICLE, kind=Loan, **fields):
    base = {"evidence": [FIRST], "attribution": {"certainty": "asserted"}, "is_background": False}
    return Judge(article).judge(json.dumps(base | fields if raw is None else raw, ensure_ascii=False), kind)


def found(verdict):
    """Severity, code and path of every issue."""
    return [(issue.severity, issue.code, issue.path) for issue in verdict.issues]


def party(name, kind="state", **more):
    return {"name": name, "kind": kind} | more


def number(words, low, high="same", **more):
    return {"as_written": words, "minimum": low, "maximum": low if high == "same" else high} | more


# -- what is believed ------------------------------------------------------------------------------------------------------------------


def test_a_right_item_is_believed_with_the_place_of_every_word():
    """Each quote, verbatim text, value and name has the exact span of its words, and nothing is flagged."""
    verdict = judged(
        lender=party("Portugal"),
        item="patrol boats",
        number=number("13", 13),
        due={"as_written": "by the end of June", "earliest": None, "latest": "2026-06-30"},
        attribution={"speaker": "Rui Prata", "certainty": "asserted"},
    )
    assert isinstance(verdict, Believed)
    assert verdict.issues == ()
    assert verdict.evidence == (Span(start=20, end=122),)
    assert {path: (span.start, span.end) for path, span in verdict.spans.items()} == {
        "attribution.speaker": (97, 106),
        "lender.name": (20, 28),
        "item": (42, 54),
        "number.as_written": (39, 41),
        "due.as_written": (69, 87),
    }
    assert all(span.of(TEXT) in ("Rui Prata", "Portugal", "patrol boats", "13", "by the end of June") for span in verdict.spans.values())
    assert verdict.countries == {"lender": "PRT"}


def test_evidence_keeps_the_order_of_the_reply_and_takes_the_nearest_places():
    """A quote that stands twice is placed beside the fact's other quote; spans are in the reply's order."""
    text = "Ten boats. A storm.\n\nTen boats. Oslo pays."
    verdict = judged(evidence=["Oslo pays", "Ten boats"], article=Article(id="x", text=text))
    assert isinstance(verdict, Believed)
    assert verdict.evidence == (Span(start=32, end=41), Span(start=21, end=30))


def test_quotes_inside_the_fact_are_evidence_too():
    """A response's quote must stand in the article, and words may stand inside it; it is a span of its own, not one of `evidence`."""
    said = "defence minister Lena Tavares said that 10 of them would come first"
    verdict = judged(answers=[{"party": party("Lena Tavares", "person"), "quote": said}], number=number("10", 10))
    assert isinstance(verdict, Believed)
    assert verdict.evidence == (Span(start=20, end=122),)
    assert verdict.spans["answers[0].quote"].of(TEXT) == said
    assert verdict.spans["number.as_written"].of(TEXT) == "10"
    wrong = judged(answers=[{"party": party(None, "unknown"), "quote": said.replace("10", "13")}])
    assert ("error", "quote_not_found", "answers[0].quote") in found(wrong)


# -- schema ----------------------------------------------------------------------------------------------------------------------------


def test_every_breach_of_the_shape_is_named_with_its_field_and_value():
    """A malformed item gives one `schema` issue for each field, by path, with what was given; its good quotes are known all the same."""
    verdict = judged({"evidence": [FIRST, "not there"], "is_background": "perhaps", "lender": {"name": 7, "kind": "realm"}, "x": 1})
    assert isinstance(verdict, NotBelieved)
    issues = {issue.path: issue for issue in verdict.issues}
    assert set(issues) == {"attribution", "is_background", "lender.name", "lender.kind", "x"}
    assert {issue.code for issue in verdict.issues} == {"schema"}
    assert "'realm'" in issues["lender.kind"].message
    assert issues["attribution"].message == "Field required."
    assert verdict.evidence == (Span(start=20, end=122),)


def test_a_value_in_wrong_order_is_a_breach_of_the_shape():
    """A validator of the type itself speaks through the same code."""
    verdict = judged(number=number("13", 13, 10))
    assert found(verdict) == [("error", "schema", "number")]
    assert "minimum 13 is greater than maximum 10" in verdict.issues[0].message


# -- quotes ----------------------------------------------------------------------------------------------------------------------------


def test_a_record_without_a_quote_is_not_believed():
    """An empty list of evidence proves nothing."""
    assert ("error", "no_evidence", "evidence") in found(judged(evidence=[]))


def test_a_fabricated_quote_is_an_error_with_the_closest_passage_and_its_offsets():
    """The message shows what was said, what the article has instead and where."""
    verdict = judged(evidence=["Portugal will give 13 patrol boats to Cape Verde"])
    assert found(verdict) == [("error", "quote_not_found", "evidence[0]")]
    assert verdict.issues[0].message == (
        "Quote 'Portugal will give 13 patrol boats to Cape Verde' is not in the article (299 chars); "
        f"closest is {FIRST!r} at [20, 122); the quote has 'give' where the article has 'lend'."
    )
    assert TEXT[20:122] == FIRST


def test_a_quote_that_starts_inside_a_number_has_no_differing_word_to_show():
    """All its words are the article's, and still it is a piece of another number: the closest passage is shown, and no difference."""
    article = Article(id="x", text="They lent 1\u00a0200 boats.")
    verdict = judged(evidence=["200 boats."], article=article)
    assert found(verdict) == [("error", "quote_not_found", "evidence[0]")]
    assert verdict.issues[0].message.endswith("closest is 'They lent 1\\xa0200 boats.' at [0, 22).")


def test_a_quote_given_twice_stands_at_one_place():
    """A repeated quote is one passage, and each copy has its span."""
    verdict = judged(evidence=["boats", FIRST, "boats"])
    assert isinstance(verdict, Believed)
    assert verdict.evidence == (Span(start=49, end=54), Span(start=20, end=122), Span(start=49, end=54))


@pytest.mark.parametrize("quote", ["", "   ", "…", "\u200b"])
def test_a_quote_without_words_is_an_error(quote):
    """Blanks and marks are no passage, even where the article has them."""
    assert ("error", "quote_not_found", "evidence[0]") in found(judged(evidence=[quote]))


def test_a_changed_number_is_rejected_and_never_realigned():
    """A quote with 13 made 10 is not found, though "10" stands in the article and all other words are right."""
    verdict = judged(evidence=[FIRST.replace("13", "10")], number=number("10", 10))
    assert isinstance(verdict, NotBelieved)
    assert verdict.evidence == ()
    assert ("error", "quote_not_found", "evidence[0]") in found(verdict)


def test_one_bad_quote_among_good_ones_is_enough():
    """Every quote of a fact must be found; the good ones are kept for the repair."""
    verdict = judged(evidence=[FIRST, "Portugal also sends 20 tanks"])
    assert found(verdict) == [("error", "quote_not_found", "evidence[1]")]
    assert verdict.evidence == (Span(start=20, end=122),)


# -- words inside quotes ---------------------------------------------------------------------------------------------------------------


def test_words_outside_the_quotes_are_an_error_with_a_hint_where_they_stand():
    """Verbatim words that the article has elsewhere: the message gives the place, so that the passage can be added."""
    verdict = judged(item="The loan")
    assert found(verdict) == [("error", "not_in_evidence", "item")]
    assert "it stands in the article at [123, 131), so add that passage to evidence" in verdict.issues[0].message
    assert TEXT[123:131] == "The loan"


def test_words_that_stand_nowhere_are_an_error_without_a_hint():
    """Invented words have no place to point to."""
    verdict = judged(item="submarines")
    assert found(verdict) == [("error", "not_in_evidence", "item")]
    assert "article at" not in verdict.issues[0].message


@pytest.mark.parametrize("piece", ["3", "atrol", "patrol boat", "1", ""])
def test_a_piece_of_a_word_or_number_is_not_in_the_evidence(piece):
    """The "3" of "13" is not among the words of the quote."""
    assert ("error", "not_in_evidence", "item") in found(judged(item=piece))


# -- values ----------------------------------------------------------------------------------------------------------------------------


def test_a_value_that_is_not_what_its_words_mean_is_an_error():
    """Thirteen written, ten given."""
    verdict = judged(number=number("13", 10))
    assert found(verdict) == [("error", "value_disagrees", "number")]
    assert "13" in verdict.issues[0].message


def test_a_value_in_words_that_no_grammar_reads_is_flagged_unverified():
    """A reading that cannot be checked is kept, and says so."""
    verdict = judged(evidence=["13 patrol boats"], due={"as_written": "patrol boats", "earliest": "2026-01-01", "latest": None})
    assert isinstance(verdict, Believed)
    assert found(verdict) == [("warning", "unverified", "due")]


def test_an_assumption_is_flagged():
    """A bare $ is read as US dollars, and that is said."""
    verdict = judged(
        evidence=["The loan is worth about $40 million"],
        worth={
            "as_written": "about $40 million",
            "minimum": "40000000",
            "maximum": "40000000",
            "currency": "USD",
            "approximate": True,
        },
    )
    assert isinstance(verdict, Believed)
    assert found(verdict) == [("warning", "assumed", "worth")]


def test_a_number_that_goes_on_behind_marks_of_markdown_is_seen_whole():
    """`**5** million` is five million also where a quote and a value stop at the mark."""
    article = ARTICLE.model_copy(update={"text": "The loan is worth $**40** million, and 13 of **10** boats came."})
    price = {"as_written": "$40", "minimum": "40", "maximum": "40", "currency": "USD"}
    verdict = judged(article=article, evidence=["The loan is worth $**40**"], worth=price)
    assert ("error", "value_disagrees", "worth") in found(verdict)
    price |= {"as_written": "$40 million", "minimum": "40000000", "maximum": "40000000"}
    verdict = judged(article=article, evidence=["The loan is worth $40 million"], worth=price)
    assert isinstance(verdict, Believed)
    assert found(verdict) == [("warning", "assumed", "worth")]
    assert verdict.evidence[0].of(article.text) == "The loan is worth $**40** million"


@pytest.mark.parametrize("quote", ["boats", "13", "$40", "F-16s", "10bn"])
def test_a_quote_of_one_word_or_a_bare_number_is_flagged(quote):
    """It stands in the article and proves little: believed, with a warning of its own."""
    verdict = judged(evidence=[FIRST, quote])
    assert isinstance(verdict, Believed)
    assert found(verdict) == [("warning", "thin_quote", "evidence[1]")]
    assert not found(judged(evidence=[FIRST, "patrol boats"]))


def test_a_passage_of_a_script_without_spaces_is_no_single_word():
    """Chinese and Thai sentences are one run of letters."""
    article = ARTICLE.model_copy(update={"text": "挪威将向乌克兰提供十三辆坦克。"})
    assert not found(judged(article=article, evidence=["挪威将向乌克兰提供十三辆坦克"]))


@pytest.mark.parametrize(
    "json_text",
    [
        '{{"evidence": [{0}], "attribution": {{"certainty": "asserted"}}, "is_background": false, "is_background": false}}',
        '{{"evidence": [{0}], "attribution": {{"certainty": "claimed", "certainty": "asserted"}}, "is_background": false}}',
        '{{"evidence": ["x"], "evidence": [{0}], "attribution": {{"certainty": "asserted"}}, "is_background": false}}',
        '{{"evidence": [{0}], "attribution": {{"certainty": "asserted", "certaint\\u0079": "asserted"}}, "is_background": false}}',
    ],
    ids=["at the top", "within", "evidence", "spelled otherwise"],
)
def test_an_object_with_a_key_twice_is_not_believed(json_text):
    """Which of the two was meant is not known; a parser would take the last in silence."""
    verdict = Judge(ARTICLE).judge(json_text.format(json.dumps(FIRST)), Loan)
    assert isinstance(verdict, NotBelieved)
    assert found(verdict) == [("error", "doubled_key", "")]
    assert [span.of(TEXT) for span in verdict.evidence] == [FIRST]


def test_words_cut_out_of_a_larger_expression_are_seen_in_the_article_though_the_quote_stops_there():
    """A quote that ends in the middle of "about $40 million" does not make it forty dollars."""
    verdict = judged(
        evidence=["The loan is worth about $40"],
        worth={"as_written": "$40", "minimum": "40", "maximum": "40", "currency": "USD"},
    )
    assert ("error", "value_disagrees", "worth") in found(verdict)


def test_a_value_is_checked_where_its_words_agree():
    """Words that stand twice in the quotes count at the place where they mean what the value says."""
    text = "On 10 May the port took 10 boats."
    verdict = judged(evidence=[text], number=number("10", 10), article=Article(id="x", text=text))
    assert isinstance(verdict, Believed)
    assert verdict.spans["number.as_written"] == Span(start=24, end=26)


class Knots(Value):
    """A speed, as a user's own value."""

    speed: int

    def check(self, *, quote: str, start: int, published: date | None) -> Check:
        """Whether the number stands in the words, as a user's own grammar."""
        assert quote[start : start + len(self.as_written)] == self.as_written
        assert published == ARTICLE.published
        if self.as_written.split()[0] != str(self.speed):
            return Check("disagrees", f"{self.as_written!r} is not {self.speed}")
        return Check("agrees", assumed="knots are nautical" if "nautical" not in quote else "")


class Unread(Value):
    """A value without a grammar."""

    size: int


class Cruise(Fact):
    """A user's own fact type."""

    speed: Knots | None = None
    lengths: list[Unread] = Field(default_factory=list)
    port: Name | None = None


SEA = Article(id="sea", text="The cutter made 30 knots and is 40 metres long, off Kiel.", published=ARTICLE.published)


def test_a_users_own_value_goes_through_the_same_chain():
    """Its words must stand in the quotes, then its own check decides; without one it stays unverified."""
    base = {"evidence": ["The cutter made 30 knots and is 40 metres long"]}
    right = judged(**base, article=SEA, kind=Cruise, speed={"as_written": "30 knots", "speed": 30}, port="Kiel")
    assert isinstance(right, Believed)
    assert found(right) == [("warning", "assumed", "speed"), ("warning", "name_outside_evidence", "port")]
    assert right.spans["speed.as_written"] == Span(start=16, end=24)
    wrong = judged(**base, article=SEA, kind=Cruise, speed={"as_written": "30 knots", "speed": 13})
    assert found(wrong) == [("error", "value_disagrees", "speed")]
    absent = judged(**base, article=SEA, kind=Cruise, speed={"as_written": "13 knots", "speed": 13})
    assert found(absent) == [("error", "not_in_evidence", "speed.as_written")]
    unread = judged(**base, article=SEA, kind=Cruise, lengths=[{"as_written": "40 metres", "size": 40}])
    assert found(unread) == [("warning", "unverified", "lengths[0]")]


def test_a_grammar_gets_the_values_words_where_it_is_told_whatever_the_articles_typography():
    """Soft hyphens and doubled blanks in the article do not shift what adjoins a value's words; the user's check asserts it."""
    text = "The cutter made 3\u00ad0 \u00ad  kno\u00adts, nautical ones."
    verdict = judged(
        evidence=["The cutter made 30 knots"],
        speed={"as_written": "30 knots", "speed": 30},
        kind=Cruise,
        article=SEA.model_copy(update={"text": text}),
    )
    assert isinstance(verdict, Believed)
    assert verdict.issues == ()
    assert verdict.spans["speed.as_written"].of(text) == "3\u00ad0 \u00ad  kno\u00adts"


# -- names -----------------------------------------------------------------------------------------------------------------------------


def test_a_name_in_the_article_but_in_no_quote_is_flagged_and_placed_nearest_to_the_quotes():
    """Texts say "he" and "the ministry": a name elsewhere in the article is enough, and marked."""
    text = "Portugal spoke. Spain did not. It lends boats. Portugal again."
    verdict = judged(evidence=["It lends boats"], lender=party("Portugal"), article=Article(id="x", text=text))
    assert isinstance(verdict, Believed)
    assert found(verdict) == [("warning", "name_outside_evidence", "lender.name")]
    assert verdict.spans["lender.name"] == Span(start=47, end=55)


def test_a_name_that_the_article_does_not_have_is_an_error():
    """An invented party is not believed."""
    verdict = judged(lender=party("Brazil"))
    assert found(verdict) == [("error", "name_not_in_article", "lender.name")]


def test_a_states_name_in_another_form_is_flagged():
    """The article says "Spanish"; "Spain" is the same state in other words."""
    verdict = judged(evidence=["A Spanish yard repairs the F-16s"], lender=party("Spain", on_behalf_of="Kingdom of Spain"))
    assert isinstance(verdict, Believed)
    assert found(verdict) == [("warning", "name_in_other_words", "lender.name"), ("warning", "name_in_other_words", "lender.on_behalf_of")]
    assert verdict.countries == {"lender": "ESP"}


@pytest.mark.parametrize("name", ["General Pedro Falso of Portugal", "Portugal and Brazil", "Bank of Portugal Holdings", "Falso, Portugal"])
def test_a_made_up_name_is_not_excused_by_the_states_name_inside_it(name):
    """Only a name that is a state's, or its government's, may stand in other words; an invented person of that state is an error."""
    verdict = judged(lender=party(name, "person"))
    assert found(verdict) == [("error", "name_not_in_article", "lender.name")]


def test_a_name_in_capitals_is_found_and_a_pronoun_is_no_state():
    """A headline's capitals are the same name; the word "us" is not the United States."""
    text = "PRAIA THANKS US FRIENDS\n\nThey lent us boats in Praia."
    assert found(judged(evidence=["They lent us boats"], lender=party("Us"), article=Article(id="x", text=text))) == [
        ("warning", "name_outside_evidence", "lender.name")
    ]
    verdict = judged(evidence=["They lent us boats"], lender=party("US"), article=Article(id="x", text=text[25:]))
    assert found(verdict) == [("error", "name_not_in_article", "lender.name")]


# -- free text -------------------------------------------------------------------------------------------------------------------------


def test_free_text_in_the_models_own_words_is_flagged():
    """A plain text field may be worded freely; the article's own words are not flagged."""
    assert found(judged(note="a generous loan")) == [("warning", "free_text", "note")]
    assert found(judged(note="patrol boats to Cape Verde")) == []


@pytest.mark.parametrize(
    "note", ["some 20 boats", "13, or 20", "1,300 boats", "3 boats", "13.5 boats", "13bn", "13²", "F-35 and others", "13-20 boats"]
)
def test_a_number_in_free_text_that_is_in_no_quote_is_an_error(note):
    """Free wording must not smuggle a number past the checks."""
    assert found(judged(note=note)) == [("error", "number_not_in_evidence", "note")]


@pytest.mark.parametrize("note", ["a loan of 13, no less", "13-strong fleet", "the (13) boats"])
def test_a_number_of_the_quotes_may_stand_in_free_text(note):
    """A number that is in the quotes is no reason to reject a free wording."""
    assert found(judged(note=note)) == [("warning", "free_text", "note")]


@pytest.mark.parametrize("note", ["work on F-16s", "a deal of 10bn", "10bn."])
def test_a_number_that_is_part_of_a_word_counts_with_its_word(note):
    """The article's "F-16s" and "10bn" are in the quotes, though their bare digits are not."""
    verdict = judged(evidence=["A Spanish yard repairs the F-16s of another force for 10bn."], note=note)
    assert isinstance(verdict, Believed)


class Mixed(Fact):
    """A type whose field takes one fixed word or free ones."""

    tone: str | Literal["unknown"] = "unknown"  # noqa: PYI051 - the redundancy is what is tested
    port: Verbatim | Literal["at sea"] = "at sea"


def test_a_fixed_word_of_a_mixed_field_is_not_looked_up_and_a_free_one_is():
    """Allowing one fixed word does not free the field's other texts from the checks."""
    assert found(judged(kind=Mixed, tone="unknown")) == []
    assert found(judged(kind=Mixed, tone="20 boats")) == [("error", "number_not_in_evidence", "tone")]
    assert found(judged(kind=Mixed, port="Praia")) == [("error", "not_in_evidence", "port")]


# -- hostile items ---------------------------------------------------------------------------------------------------------------------

DEEP = "[" * 50_000 + "]" * 50_000
HOSTILE = {
    "empty": "",
    "null": "null",
    "a list": "[1, 2]",
    "a string": '"evidence"',
    "a number": "13",
    "NaN": "NaN",
    "cut": '{"evidence": ["Portugal',
    "deep lists": DEEP,
    "deep objects": '{"evidence":' * 5_000,
    "deep inside": '{"evidence": ' + DEEP + "}",
    "escaped lone surrogate": '{"evidence": ["a\\ud800"], "note": "\\udfff"}',
    "raw lone surrogate": '{"evidence": ["a\ud800"]}',
    "NUL": '{"evidence": ["\\u0000"], "attribution": {"certainty": "asserted"}, "is_background": false}',
    "many digits": '{"number": {"minimum": ' + "9" * 6_000 + "}}",
    "exponent": '{"number": {"as_written": "13", "minimum": 1e999, "maximum": -1e999}}',
    "keys twice": '{"evidence": [], "evidence": {}}',
    "control characters": '{"evidence": ["\x01\x02"]}',
    "not JSON": "<html>No.</html>",
}


@pytest.mark.parametrize("json_text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_item_is_not_believed_and_raises_nothing(json_text):
    """Whatever an item is, it ends as not believed with at least one error, and its messages are short."""
    verdict = Judge(ARTICLE).judge(json_text, Loan)
    assert isinstance(verdict, NotBelieved)
    assert any(issue.severity == "error" for issue in verdict.issues)
    assert all(len(issue.message) < 1_000 for issue in verdict.issues)
    assert all(issue.message.encode() for issue in verdict.issues)  # they go to terminals, files and requests
    texts_of(json_text)


@pytest.mark.parametrize(
    "given_number", ["13", True, 13.0, [13], {"minimum": 13}, "1e1", "thirteen", -1, float("nan"), float("inf"), 10**400]
)
def test_numbers_of_any_shape_give_a_verdict(given_number):
    """Strings, booleans, NaN and huge numbers in a number's place: believed only where they mean thirteen."""
    verdict = judged(number={"as_written": "13", "minimum": given_number, "maximum": given_number})
    if isinstance(verdict, Believed):
        assert verdict.value.number.minimum == 13
    else:
        assert verdict.issues[0].code in ("schema", "value_disagrees")


@pytest.mark.parametrize(
    "json_text",
    [
        json.dumps({"evidence": ["word " * 200_000], "attribution": {"certainty": "asserted"}, "is_background": False}),
        json.dumps(
            {"evidence": ["the", "port", "saw"] * 1_000, "attribution": {"certainty": "asserted"}, "is_background": False, "item": "boats"}
        ),
        json.dumps({"evidence": [[0] * 300_000]}),
        json.dumps({"evidence": [f"quote {n}" for n in range(1_000)], "attribution": {"certainty": "asserted"}, "is_background": False}),
        json.dumps({f"key{n}": n for n in range(20_000)}),
    ],
    ids=["a megabyte of quote", "two thousand quotes", "300,000 zeros", "a thousand inventions", "20,000 unknown keys"],
)
def test_a_huge_item_costs_little(json_text):
    """A model that has lost its way cannot stop the run."""
    began = time.perf_counter()
    Judge(ARTICLE.model_copy(update={"text": TEXT + "\n\nThe boat saw the port." * 200})).judge(json_text, Loan)
    texts_of(json_text)
    assert time.perf_counter() - began < 10


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([FIRST, "13", "Portugal", "asserted", "state"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*Loan.model_fields, "as_written", "minimum", "maximum", "name", "kind", "certainty"]), inner, max_size=5
        )
    ),
    max_leaves=20,
)


@given(st.one_of(anything.map(json.dumps), st.text(max_size=200)))
def test_any_json_gives_a_verdict(json_text):
    """No item raises; what is believed has all its quotes in the article."""
    verdict = Judge(ARTICLE).judge(json_text, Loan)
    if isinstance(verdict, Believed):
        assert len(verdict.evidence) == len(verdict.value.evidence) > 0
    else:
        assert any(issue.severity == "error" for issue in verdict.issues)


@given(st.dictionaries(st.sampled_from(["lender", "item", "number", "worth", "due", "note", "is_background", "evidence"]), anything))
def test_what_is_believed_stands_in_the_article(fields):
    """Whatever a model says: a believed fact's spans lie in the text, and its verbatim words stand at them."""
    base = {"evidence": [FIRST], "attribution": {"certainty": "asserted"}, "is_background": False}
    verdict = Judge(ARTICLE).judge(json.dumps(base | fields), Loan)
    if isinstance(verdict, Believed):
        assert all(span.end <= len(TEXT) for span in (*verdict.evidence, *verdict.spans.values()))
        assert [span.of(TEXT) for span in verdict.evidence] == [" ".join(quote.split()) for quote in verdict.value.evidence]
        if verdict.value.item is not None:
            assert verdict.value.item.strip() == verdict.spans["item"].of(TEXT)


# -- reading items of any shape --------------------------------------------------------------------------------------------------------


def test_texts_of_an_item_are_told_apart_by_their_keys():
    """What stands under `evidence` or `quote`, at any depth, is a quote; all else is not."""
    item = {"evidence": ["one", {"deep": ["two"]}], "answers": [{"quote": "three", "party": {"name": "four"}}], "note": "five", "n": 6}
    assert texts_of(json.dumps(item)) == {"evidence": ["one", "three", "two"], "other": ["five", "four"]}
    assert texts_of("{broken") == {"other": ["{broken"]}


@pytest.mark.parametrize(
    ("path", "text"),
    [("terms[1]", "b"), ("who.name", "c"), ("terms[9]", ""), ("who", ""), ("none.at.all", ""), ("terms.name", ""), ("", "")],
)
def test_the_text_at_a_path_is_found_or_empty(path, text):
    """An issue's path leads back to the text it is about; a path to nothing or to no text gives nothing."""
    assert text_at('{"terms": ["a", "b"], "who": {"name": "c"}}', path) == text


# -- worked examples -------------------------------------------------------------------------------------------------------------------


def example_type(text, *facts):
    class Shown(Fact):
        """A type with a worked example."""

        item: Verbatim
        examples: ClassVar[tuple[Example, ...]] = ()

    made = tuple(
        Shown.model_validate({"evidence": [quote], "attribution": {"certainty": "asserted"}, "is_background": False, "item": item})
        for quote, item in facts
    )
    Shown.examples = (Example(text=text, published=None, facts=made),)
    return Shown


def test_worked_examples_that_hold_pass_in_silence():
    """Including one that teaches that no fact is a right answer."""
    check_examples({"shown": example_type("Ten boats left.", ("Ten boats left", "boats")), "none": example_type("Nothing happened.")})


def test_a_worked_example_that_does_not_hold_is_named():
    """The message names the type, the example, the field and what is wrong, before any call is paid for."""
    with pytest.raises(SchemaError, match=r"Worked example 1 of 'shown' does not hold in its own text: item: 'ships' does not stand"):
        check_examples({"shown": example_type("Ten boats left.", ("Ten boats left", "ships"))})


def test_a_worked_example_of_another_type_is_refused():
    """A fact of another class under a type's examples is no example of it."""
    shown, other = example_type("Ten boats left.", ("Ten boats left", "boats")), example_type("x")
    other.examples = shown.examples
    with pytest.raises(SchemaError, match="it is no other"):
        check_examples({"other": other})
