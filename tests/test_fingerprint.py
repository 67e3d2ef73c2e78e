"""Identity by content: one text for one value, one hash for one text."""

import json
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.fingerprint import canonical_json, fingerprint

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def shuffled(value, rng):
    """The same value with the keys of all its objects in another order."""
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: shuffled(value[key], rng) for key in keys}
    return [shuffled(inner, rng) for inner in value] if isinstance(value, list) else value


@given(values, st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(value, rng):
    """Equal values have one canonical text and one fingerprint, however their objects were built."""
    assert canonical_json(shuffled(value, rng)) == canonical_json(value)
    assert fingerprint(shuffled(value, rng)) == fingerprint(value)


@given(values)
def test_the_canonical_text_is_the_value(value):
    """It reads back as the value, and its own canonical text is itself."""
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


@given(values, values)
def test_different_texts_have_different_fingerprints(one, two):
    """Two values share a fingerprint only if they share their text."""
    assert (fingerprint(one) == fingerprint(two)) == (canonical_json(one) == canonical_json(two))


def test_the_canonical_form_is_fixed():
    """Sorted keys, no blanks, UTF-8 as it is; numbers keep their kind."""
    assert canonical_json({"b": [1, 1.0, True, None], "a": "é\n\u2028"}) == '{"a":"é\\n\u2028","b":[1,1.0,true,null]}'


@pytest.mark.parametrize(
    ("value", "hashed"),
    [
        (None, "b2:941dffce4e4308ceb33e87326003257d"),
        ({"b": 1, "a": "é"}, "b2:bca252ac1b47464aee081f73d65d1904"),
        (["article.txt", "weapons_transfer", {"quantity": None}], "b2:c4d6c83ab90d3f9f42dc8ba3b3601d4a"),
    ],
)
def test_fingerprints_never_change(value, hashed):
    """Ledgers and cassettes of earlier releases are found by these very strings."""
    assert fingerprint(value) == hashed


def test_a_fingerprint_is_a_tag_and_32_hex_digits():
    """The tag names the algorithm, so that another one can be told apart."""
    assert re.fullmatch(r"b2:[0-9a-f]{32}", fingerprint("x"))


def test_a_fingerprint_is_the_same_in_another_process():
    """No salt and no memory address goes in."""
    code = "from extractor.fingerprint import fingerprint; print(fingerprint({'a': [1, 'é']}))"
    for seed in ("0", "1"):
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed})
        assert ended.stdout.strip() == fingerprint({"a": [1, "é"]})


def test_lone_surrogates_have_an_identity():
    """A model may write half a character, and its reply still needs a key."""
    assert fingerprint("\ud800") != fingerprint("\ud801") != fingerprint("?")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [-float("inf")]}])
def test_what_json_has_no_number_for_is_refused(value):
    """NaN equals nothing, not even itself: it can be no key."""
    with pytest.raises(ValueError, match="Out of range float values"):
        fingerprint(value)


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes"])
def test_what_json_does_not_have_is_refused(value):
    """No silent `str()` of an object, whose address would differ every time."""
    with pytest.raises(TypeError, match="not JSON serializable"):
        fingerprint(value)
