"""Every error this package raises: one root, whose move it is, and safe to send between processes."""

import copy
import inspect
import pickle
import re
from pathlib import Path

import pytest
from answers import answering
from pydantic import create_model

from extractor import errors
from extractor.api import Extractor
from extractor.errors import (
    ArticleError,
    BugError,
    CassetteMiss,
    EndpointError,
    ExtractorError,
    LedgerError,
    LimitReached,
    ModelError,
    SchemaError,
    SettingsError,
    UsageError,
)
from extractor.evidence.outcome import Outcome
from extractor.facts.fact import Fact
from extractor.llm.cassette import cassettes
from extractor.records import Article
from extractor.runs.ledger import Ledger
from extractor.settings import Settings, resolve
from extractor.testing import LoopbackEndpoint, Raw, completion


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
    with pytest.raises(
        ModelError, match=r"^Article 'a\.txt' is failed: refusal: declined\. Ask it again, or go on without it\.$"
    ) as caught:
        failed.raise_for_status()
    assert caught.value.outcome == "refusal"


# --- what the messages say, and the page that explains them ----------------------------------------------------------------------------

PAGE = Path(__file__).parent.parent / "docs" / "errors.md"
TEXT = "Norway will give 13 tanks to Ukraine."


def asking(answer, **options):
    """One article at a real server on loopback."""
    with LoopbackEndpoint(answer) as endpoint, Extractor(base_url=endpoint.base_url, settings=Settings(**options)) as extractor:
        extractor.extract(TEXT, id="ap-1").raise_for_status()


def miss(folder):
    with LoopbackEndpoint(answering()) as endpoint, Extractor(base_url=endpoint.base_url, record=folder) as extractor:
        extractor.extract(TEXT, id="ap-1")
    with Extractor(replay=folder) as extractor:
        extractor.extract(TEXT.replace("13", "14"), id="ap-1")


def lock_twice(folder):
    with Ledger(folder):
        Ledger(folder)


def outside_an_article(folder):
    with LoopbackEndpoint(answering()) as endpoint, cassettes(folder, "record"):
        import httpx2

        httpx2.post(f"{endpoint.base_url}/chat/completions", json={})


RAISED = {
    # class: (what raises it, [the value, what was expected, the next move])
    UsageError: (
        lambda folder: Extractor(base_url="http://127.0.0.1:9/v1").extract(TEXT, published="yesterday"),
        ["'yesterday'", "is no date", "write it as"],
    ),
    SchemaError: (
        lambda folder: Extractor([create_model("Made", __base__=Fact, __doc__="x", count=(int, ...))], base_url="http://127.0.0.1:9/v1"),
        ["Made.count", "bare int", "Use Quantity"],
    ),
    SettingsError: (
        lambda folder: resolve(repairs=11),
        ["(got 11)", "less than or equal to 10", "Setting 'repairs' from option 'repairs'"],
    ),
    ArticleError: (
        lambda folder: Extractor(base_url="http://127.0.0.1:9/v1").extract(" ", id="ap-1"),
        ["'ap-1'", "has no text", "Leave it out"],
    ),
    ModelError: (
        lambda folder: asking(lambda request: Raw(completion(request, "", refusal="I cannot discuss weapons."))),
        ["'ap-1'", "declined", "Ask it again"],
    ),
    EndpointError: (
        lambda folder: asking(lambda request: Raw({"error": {"message": "Incorrect API key provided."}}, 401)),
        ["(401)", "The key is refused", "Set OPENAI_API_KEY"],
    ),
    LimitReached: (
        lambda folder: asking(answering(), max_cost_usd=0.0001, price_usd=(1, 1)),
        ["0.0001 USD", "would exceed --max-cost", "Raise it and run again"],
    ),
    CassetteMiss: (miss, ["'ap-1'", "14 tanks", "record"]),
    LedgerError: (lock_twice, ["run", "Another run is using", "wait for it, or name another folder"]),
    BugError: (outside_an_article, ["POST /chat/completions", "outside `article()`", "Enter `article(id)`"]),
}


def test_every_error_can_be_made_to_happen_here():
    """A new class has its real message looked at too."""
    assert {*RAISED, ExtractorError} == {kind for kind in PUBLIC if issubclass(kind, ExtractorError)}


def sections():
    """The page by class: its heading is the class's name."""
    return dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("kind", RAISED, ids=lambda kind: kind.__name__)
def test_a_message_has_the_value_the_expectation_and_the_next_move(kind, tmp_path):
    """As it is really raised; it stands on the errors page word for word, but for paths, ports and amounts."""
    raiser, wanted = RAISED[kind]
    with pytest.raises(kind) as caught:
        raiser(tmp_path / "run")
    assert type(caught.value) is kind
    said = str(caught.value)
    for words in wanted:
        assert words in said
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args  # noqa: S301 - our own bytes
    shown = re.search(r"^    (.+)$", sections()[kind.__name__], re.MULTILINE)
    assert shown, f"{kind.__name__} has no message on the errors page"
    plain = re.sub(r":[0-9]{4,5}/", ":8000/", said.replace(str(tmp_path), ""))
    assert re.sub(r"[0-9]+\.[0-9]{4}", "N", shown[1]) == re.sub(r"[0-9]+\.[0-9]{4}", "N", plain).split("\n")[0], plain


def test_every_error_is_on_the_errors_page():
    """With a section and a line in the table; the page names no other."""
    assert list(sections()) == [kind.__name__ for kind in PUBLIC]
    table = re.findall(r"^\| \[`(\w+)`\]\(#(\w+)\)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name, _ in table] == [kind.__name__ for kind in PUBLIC if kind is not ExtractorError]
    assert all(anchor == name.lower() for name, anchor in table)
