"""Every error this package raises: one root, whose move it is, and safe to send between processes."""

import copy
import inspect
import pickle

import pytest

from extractor import errors
from extractor.errors import CassetteMiss, EndpointError, ExtractorError, ModelError, SchemaError, SettingsError, UsageError
from extractor.evidence.outcome import Outcome
from extractor.records import Article


def family(kind):
    """A class and all that derive from it."""
    yield kind
    for child in kind.__subclasses__():
        yield from family(child)


PUBLIC = [error for error in vars(errors).values() if inspect.isclass(error) and error.__module__ == errors.__name__]
EVERY = sorted({*family(ExtractorError)}, key=lambda error: error.__name__)
ATTRIBUTES = {
    ModelError: {"outcome": "refusal"},
    EndpointError: {"status": 401},
    CassetteMiss: {"article_id": "a/b.txt#2"},
}


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_error_survives_pickle_with_its_attributes(kind, protocol):
    """Workers send errors by pickle: class, message and attributes arrive, also those set later."""
    named = {name: value for base, more in ATTRIBUTES.items() if issubclass(kind, base) for name, value in more.items()}
    error = kind("What happened, 'value', what next.", **named)
    error.seen_in = "worker 3"
    for again in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301 - our own bytes
        assert type(again) is kind
        assert str(again) == "What happened, 'value', what next."
        assert again.args == error.args
        assert vars(again) == vars(error) == named | {"seen_in": "worker 3"}


def test_every_error_of_this_module_has_the_one_root():
    """Catching `ExtractorError` catches them all, and nothing else in the module is an exception."""
    assert len(PUBLIC) >= 11
    assert all(issubclass(error, ExtractorError) for error in PUBLIC)
    assert all(error.__doc__ for error in PUBLIC)


def test_attributes_that_are_not_given_have_their_defaults():
    """An unknown status is None, an unnamed outcome is unparsable, a miss outside an article has no id."""
    assert (ModelError("x").outcome, EndpointError("x").status, CassetteMiss("x").article_id) == ("unparsable", None, "")


def test_a_wrong_schema_is_a_wrong_call_and_a_wrong_setting_is_not():
    """Branches tell whose move it is."""
    assert issubclass(SchemaError, UsageError)
    assert not issubclass(SettingsError, UsageError)


def test_an_incomplete_outcome_raises_with_its_cause_when_asked():
    """`raise_for_status` is for those who prefer exceptions; a complete outcome gives itself."""
    article = Article(id="a.txt", text="x")
    done = Outcome(article=article, status="complete")
    assert done.raise_for_status() is done
    failed = Outcome(article=article, status="failed", reason="refusal: declined", cause="refusal")
    with pytest.raises(ModelError, match=r"^Article 'a\.txt' is failed: refusal: declined\.$") as caught:
        failed.raise_for_status()
    assert caught.value.outcome == "refusal"
