import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.llm.salvage import cut, read_reply

TYPES = ("weapons_transfer", "funding_source")


def _texts(found, name="weapons_transfer"):
    return [item.json_text for item in found.items if item.fact_type == name]


def _values(found, name="weapons_transfer"):
    return [json.loads(text) for text in _texts(found, name)]


# any JSON, with strings full of what could be taken for structure
pieces = st.sampled_from([*'ab"\\{}[],:\n\t é😀\u2028\ud800', '"weapons_transfer": [', "```", "</think>"])
tricky = st.lists(pieces, max_size=8).map("".join)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | tricky
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(tricky | st.sampled_from(TYPES), inner, max_size=3), max_leaves=8
)
items = st.dictionaries(tricky, json_values, max_size=3) | scalars | st.lists(json_values, max_size=3)
replies = st.permutations(TYPES).flatmap(lambda order: st.fixed_dictionaries({name: st.lists(items, max_size=4) for name in order}))
styles = st.sampled_from([{}, {"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False}, {"indent": 1, "ensure_ascii": False}])


@given(reply=replies, style=styles)
def test_whole_reply_gives_all_items(reply, style):
    """A whole reply gives every item, equal as JSON, in order."""
    found = cut(json.dumps(reply, **style), TYPES)
    assert found.whole is True
    assert found.missing == ()
    assert {name: _values(found, name) for name in TYPES} == reply
    assert [item.index for item in found.items] == [index for array in reply.values() for index in range(len(array))]


@given(reply=replies, style=styles, at=st.floats(0, 1))
def test_cut_reply_gives_a_prefix_of_the_true_items(reply, style, at):
    """Wherever a reply is cut, the items kept are the first of the true ones, none half and none changed."""
    text = json.dumps(reply, **style)
    found = cut(text[: int(at * (len(text) - 1))], TYPES)
    assert not found.whole
    for name in TYPES:
        kept = _values(found, name)
        assert kept == reply[name][: len(kept)]
        assert kept == [] or name not in found.missing


@given(
    reply=replies,
    style=styles,
    before=st.sampled_from(["", "Sure!\n", "```json\n", '<think>{"weapons_transfer": [1]} hm</think>\n', "{curly} and [square] [{"]),
)
def test_surroundings_do_not_touch_the_items(reply, style, before):
    """Prose, fences and reasoning around the object neither add nor lose an item."""
    found = cut(f"{before}{json.dumps(reply, **style)}\n```\nDone.", TYPES)
    assert {name: _values(found, name) for name in TYPES} == reply
    assert found.whole is True


@given(
    st.lists(
        st.sampled_from([*'{}[]",:\\\n 1e-', "weapons_transfer", '"weapons_transfer":', "null", "NaN", "```", "<think>", "</think>"]),
        max_size=40,
    ).map("".join)
)
@settings(max_examples=300)
def test_no_text_raises(text):
    """Whatever a model writes, reading it gives items whose text stands in it, in order, without overlap."""
    found = cut(text, TYPES)
    position = 0
    for item in found.items:
        position = text.index(item.json_text, position) + len(item.json_text)
    assert found.whole is not None or (found.items == () and found.missing == TYPES)


@pytest.mark.parametrize(
    ("text", "expected", "whole"),
    [
        ('{"weapons_transfer": [{"a": 1} {"a": 2}], "funding_source": []}', ['{"a": 1}', '{"a": 2}'], False),
        ('{"weapons_transfer": [{"a": 1},, {"a": 2},], "funding_source": []}', ['{"a": 1}', '{"a": 2}'], False),
        ('{"weapons_transfer": [{"a": 1}, {"a": tru, "b": [2]}, {"a": 3}]}', ['{"a": 1}', '{"a": tru, "b": [2]}', '{"a": 3}'], False),
        ('{"weapons_transfer": [{"a": 1}, {"a": 2}, "funding_source": []}', ['{"a": 1}', '{"a": 2}'], False),
        ('{"weapons_transfer": [{"a": 1}, {"a": 2}}', ['{"a": 1}', '{"a": 2}'], False),
        ('{"weapons_transfer": [{"a": [1}, {"a": 2}]}', ['{"a": [1}', '{"a": 2}'], False),
        ('{"weapons_transfer": [{"a": {"b": 1}, {"a": 2}], "funding_source": []}', ['{"a": {"b": 1}, {"a": 2}'], False),
        ('{"weapons_transfer": [12, 125', ["12"], False),
        ('{"weapons_transfer": [12, true', ["12"], False),
        ('{"weapons_transfer": ["one", "two', ['"one"'], False),
        ('{"weapons_transfer": [{"a": 1}, {"a": "b}', ['{"a": 1}'], False),
        (
            '{"weapons_transfer": [{"a": "the "5" gun"},\n {"a": "6" gun"},\n {"a": "x"}]}',
            ['{"a": "the "5" gun"}', '{"a": "6" gun"}', '{"a": "x"}'],
            False,
        ),
        ('{"weapons_transfer": [{"a": "two\nlines"}], "funding_source": []}', ['{"a": "two\nlines"}'], True),
        ('{"weapons_transfer": null, "funding_source": []}', [], True),
        ('{"weapons_transfer": {"a": 1}}', ['{"a": 1}'], True),
        ('{"weapons_transfer": "none"}', ['"none"'], True),
        ('{"weapons_transfer": ["a", 1.5, null, [2], true]}', ['"a"', "1.5", "null", "[2]", "true"], True),
        ('{"weapons_transfer": [{"a": NaN}, {"a": -Infinity}]}', ['{"a": NaN}', '{"a": -Infinity}'], True),
        ('{"weapons_transfer": [{"a": "\\ud800"}]}', ['{"a": "\\ud800"}'], True),
        ('{"weapons_transfer": [{"n": ' + "9" * 5000 + "}]}", ['{"n": ' + "9" * 5000 + "}"], True),
        ('{"weapons_transfer": [1], "weapons_transfer": [2]}', ["1", "2"], True),
        ('{"note": {"x": [1]}, "weapons_transfer": [{"weapons_transfer": [9]}], "zzz": 1}', ['{"weapons_transfer": [9]}'], True),
        ('{"facts": {"weapons_transfer": [1]}}', ["1"], True),
        ('{"name": "Facts", "arguments": {"weapons_transfer": [1]}}', ["1"], True),
        ('{"name": "Facts", "parameters": "{\\"weapons_transfer\\": [1, 2]}"}', ["1", "2"], True),
        ('"{\\"weapons_transfer\\": [1, 2]}"', ["1", "2"], True),
        ('[{"weapons_transfer": [1]}, {"weapons_transfer": [2]}]', ["1", "2"], True),
        ('[{"weapons_transfer": [1]}, {"weapons_transfer": [2', ["1"], False),
        ('[{"weapons_transfer": [1], "x": {"y": 2}}, {"weapons_transfer": [2', ["1"], False),
        ('Draft: {"weapons_transfer": [1, 2]}\nBetter: {"weapons_transfer": [3]}', ["3"], True),
        ('```json\n{"weapons_transfer": [1]}\n```\n```json\n{"funding_source": [2]}\n```', ["1"], True),
        ('<think>maybe {"weapons_transfer": [1]}, or {"weapons_transfer": [</think>{"weapons_transfer": [3]}', ["3"], True),
        ('maybe {"weapons_transfer": [1]}</think>\n{"weapons_transfer": [3]}', ["3"], True),
        ('maybe {"weapons_transfer": [{"a": </think>\n{"weapons_transfer": [3]}', ["3"], True),
        ('Facts: {"weapons_transfer": [{"a": "</think>"}]}', ['{"a": "</think>"}'], True),
        ('{"weapons_transfer": [{"a": "</think>"}]}', ['{"a": "</think>"}'], True),
        ('"weapons_transfer": [1, 2]', ["1", "2"], False),
        ('{"weapons_transfer": [', [], False),
    ],
)
def test_closed_items_survive_what_is_broken_around_them(text, expected, whole):
    """Every closed element is given as it was written, and the reply says whether it was intact."""
    found = cut(text, TYPES)
    assert _texts(found) == expected
    assert found.whole is whole
    assert "weapons_transfer" not in found.missing


@pytest.mark.parametrize(
    "text",
    ["", "I found no facts.", "[]", '[{"a": 1}]', "{}", '{"facts": []}', '{"Weapons": [1]}', '"weapons_transfer": is empty', '{"weapons_transfer":',
     '<think>{"weapons_transfer": [1]}', "weapons_transfer: [1]", '{"x": "\\"weapons_transfer\\": [1]', '{"weapons_transfer": nul'],
)  # fmt: skip
def test_text_without_the_shape_has_no_items(text):
    """Prose, other JSON and reasoning that never ends are nothing, and all types are missing."""
    assert cut(text, TYPES) == ((), TYPES, None)


def test_missing_types_are_named():
    """A type whose array is not there is named, so that an absent answer is not taken for an empty one."""
    assert cut('{"funding_source": [1]}', TYPES).missing == ("weapons_transfer",)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10_000, '{"a":' * 10_000, '{"weapons_transfer":' * 10_000, '{"weapons_transfer": [' + "[" * 10_000,
        '{"weapons_transfer": [' + "[" * 10_000 + "]" * 10_000 + "]}",
    ],
)  # fmt: skip
def test_deep_nesting_is_no_error(text):
    """Nesting deeper than Python's stack is read or left, and raises nothing."""
    found = cut(text, TYPES)
    assert len(found.items) in (0, 1)


QUARTER_MEGABYTE = 250_000


@pytest.mark.parametrize(
    "unit",
    ['{"weapons_transfer":[]', '{"weapons_transfer":[{', '{"weapons_transfer":[{x},', "{x},", '{"a": "x" y"}\n,', "[", "{", '{"', '"', "\\", '"\\', "{} ",
     "[{", "<think>", "</think", '"weapons_transfer" ', '"weapons_transfer":', " ", "1", "{[", "[}", '"\n', "```json\n{", '{"a": ['],
)  # fmt: skip
@pytest.mark.parametrize(("head", "tail"), [("", '"weapons_transfer": []}'), ('{"weapons_transfer": [', "")])
def test_hostile_text_is_read_in_linear_time(unit, head, tail):
    """No repetition of a fragment makes reading cost more than a few times what an honest text of the size costs."""
    text = head + unit * (QUARTER_MEGABYTE // len(unit)) + tail
    began = time.process_time()
    cut(text, TYPES)
    assert (
        time.process_time() - began < 2
    )  # 0.6 s at most where this was written, most of it for making 125,000 items; a quadratic reader takes 4 s or more


@pytest.mark.parametrize(
    ("outcome", "text", "judged"),
    [
        ("ok", '{"weapons_transfer": [1], "funding_source": []}', "ok"),
        ("unparsable", '{"weapons_transfer": [1], "funding_source": []}', "ok"),
        ("ok", '{"weapons_transfer": [1 2], "funding_source": []}', "partial"),
        ("ok", '{"weapons_transfer": [', "unparsable"),
        ("partial", "prose", "unparsable"),
        ("length", '{"weapons_transfer": [1, 2', "length"),
        ("length", '{"weapons_transfer": [1], "funding_source": []}      \n', "ok"),
        ("length", '{"weapons_transfer": [1]}', "length"),
        ("content_filter", '{"weapons_transfer": [1', "content_filter"),
    ],
)
def test_stored_text_is_judged_again(outcome, text, judged):
    """What a text is worth is read from the text each time, so that better reading helps old replies; only ok is without a reason."""
    reply = read_reply(outcome, text, TYPES)
    assert reply.outcome == judged
    assert reply.items == cut(text, TYPES).items
    assert (reply.error is None) == (judged == "ok")


@pytest.mark.parametrize("outcome", ["refusal", "timeout", "rate_limited", "bad_request", "no_content"])
def test_failure_is_not_judged_by_its_text(outcome):
    """A refusal that happens to hold JSON is a refusal: outcomes that no text can change keep their words and give no item."""
    reply = read_reply(outcome, '{"weapons_transfer": [1]}', TYPES, "why")
    assert (reply.outcome, reply.items, reply.missing, reply.error) == (outcome, (), TYPES, "why")
