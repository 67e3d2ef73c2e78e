"""The words of this project: frozen, closed, and exact about their bounds."""

import inspect
import pickle
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from extractor import records
from extractor.records import Article, Attempt, Call, Issue, Prompt, RawItem, Record, Reply, Span, Usage

SAMPLES = [
    Span(start=0, end=1),
    Article(id="a.txt", text="x", published=date(2026, 1, 2), origins={"published": "header line"}),
    Issue.error("schema", "a[0].b", "Wrong."),
    Usage(input_tokens=1),
    Prompt(name="extract.v1", system="s", user="u"),
    Call(kind="repair", article_id="a", fact_types=("x",), prompt=Prompt(name="n", system="s", user="u")),
    Attempt(key="b2:0", mode="json", outcome="ok"),
    RawItem(fact_type="x", index=0, json_text="{}"),
    Reply(outcome="ok", items=(RawItem(fact_type="x", index=0, json_text="{}"),)),
]


@pytest.mark.parametrize("record", SAMPLES, ids=lambda record: type(record).__name__)
def test_records_are_frozen_closed_and_travel(record):
    """A step returns a new record; an unknown field is refused; JSON and pickle bring the same record back."""
    name = next(iter(type(record).model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(record, name, getattr(record, name))
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        type(record).model_validate(record.model_dump() | {"surprise": 1})
    assert type(record).model_validate_json(record.model_dump_json()) == record
    assert pickle.loads(pickle.dumps(record)) == record  # noqa: S301 - our own bytes


def test_every_record_has_a_sample_here():
    """A new record is tried too."""
    defined = {kind for _, kind in inspect.getmembers(records, inspect.isclass) if issubclass(kind, Record) and kind is not Record}
    assert {type(sample) for sample in SAMPLES} == defined


@given(st.text(min_size=1), st.data())
def test_a_span_gives_the_words_at_its_code_points(text, data):
    """Half open, counted in code points, whatever the script."""
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    assert Span(start=start, end=end).of(text) == text[start:end]
    assert len(Span(start=start, end=end).of(text)) == end - start


@pytest.mark.parametrize(("start", "end"), [(3, 3), (4, 3), (0, 0), (-1, 3)])
def test_an_empty_or_negative_span_is_refused(start, end):
    """A span is never empty and never counts from the end."""
    with pytest.raises(ValidationError):
        Span(start=start, end=end)


def test_an_empty_span_says_what_is_wrong():
    """The message has both ends."""
    with pytest.raises(ValidationError, match=r"span \[4, 3\) is empty; end must be greater than start"):
        Span(start=4, end=3)


def test_an_articles_publication_date_is_never_made_up():
    """Without a date relative dates stay open; today is no default."""
    article = Article(id="a", text="x")
    assert (article.published, article.title, article.source, article.language, article.origins) == (None, None, None, None, {})


def test_issues_say_whether_a_fact_is_believed():
    """An error keeps a fact from being believed, a warning flags it."""
    assert Issue.error("c", "p", "m").severity == "error"
    assert Issue.warning("c", "p", "m").severity == "warning"


usages = st.builds(Usage, **{name: st.integers(0, 10**9) for name in Usage.model_fields})


@given(usages, usages, usages)
def test_usage_adds_up_field_by_field(one, two, three):
    """In any order and grouping, and nothing is the neutral one."""
    assert one + two == two + one
    assert (one + two) + three == one + (two + three)
    assert one + Usage() == one
    assert (one + two).unreported == one.unreported + two.unreported
    assert (one + two).input_tokens == one.input_tokens + two.input_tokens


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (RawItem, {"fact_type": "x", "index": -1, "json_text": ""}),
        (Attempt, {"key": "k", "mode": "m", "outcome": "fine"}),
        (Attempt, {"key": "k", "mode": "m", "outcome": "ok", "latency_s": -0.1}),
        (Call, {"kind": "guess", "article_id": "a", "fact_types": [], "prompt": {"name": "n", "system": "", "user": ""}}),
    ],
)
def test_values_out_of_bounds_are_refused(kind, fields):
    """Places count from 0, time runs forward, and outcomes are of the list."""
    with pytest.raises(ValidationError):
        kind.model_validate(fields)
