"""What services test with: scripted answers, planted articles, and the plugin that plays cassettes to their end."""

import asyncio
import json
import subprocess
import sys
from datetime import date

import httpx
import pytest
from answers import TRANSFER, answering, misquoted, transfer
from pydantic import Field

import extractor.testing
from extractor import Extractor
from extractor.errors import EndpointError, UsageError
from extractor.facts.fact import Attribution, Fact, Name, Verbatim
from extractor.facts.when import When
from extractor.schemas import FundingSource, WeaponsTransfer
from extractor.settings import Settings
from extractor.testing import Fault, LoopbackEndpoint, Raw, ScriptedLLM, planted

pytest_plugins = "pytester"

TEXT = "Norway will give 13 tanks to Ukraine, the ministry in Oslo said."
RIGHT = WeaponsTransfer.model_validate(transfer())
WRONG = WeaponsTransfer.model_validate(misquoted())


class Rumour(Fact):
    """A rumour, as the article tells it."""

    words: Verbatim = Field(description="What is rumoured, as written.")
    about: Name | None = None
    since: When | None = None


def rumour(**fields):
    evidence = [f"It is rumoured that {fields['words']}."]
    return Rumour(**{"evidence": evidence, "attribution": Attribution(certainty="claimed"), "is_background": False} | fields)


def test_the_names_are_pinned_and_cost_nothing_until_used():
    """`extractor.testing` promises these names, and importing it loads nothing of the package but itself."""
    assert set(extractor.testing.__all__) == {
        "Answer", "Fault", "FaultKind", "LoopbackEndpoint", "Raw", "Scripted", "ScriptedLLM", "completion", "message", "mode_of", "planted",
    }  # fmt: skip
    assert all(getattr(extractor.testing, name) is not None for name in extractor.testing.__all__)
    with pytest.raises(AttributeError):
        extractor.testing.nothing  # noqa: B018 - the access is what is tested
    code = "import sys, extractor.testing.plugin; print(sorted(name for name in sys.modules if name in ('pydantic', 'extractor.errors', 'openai')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


# --- ScriptedLLM


def test_facts_are_answers_in_order_repairs_included():
    """Facts fill the arrays of their types; asked to repair, they are the corrected versions of the items in their order."""
    with ScriptedLLM([[WRONG], [RIGHT]]) as llm, Extractor([WeaponsTransfer, FundingSource], base_url=llm.base_url) as made:
        outcome = made.extract(TEXT)
    assert [fact.verdict for fact in outcome.of(WeaponsTransfer)] == ["repaired"]
    assert outcome.usage.attempts == len(llm.requests) == 2
    assert json.loads(json.dumps(outcome.model_dump(mode="json")))["facts"][0]["value"]["evidence"] == TRANSFER["evidence"]


def test_answers_go_to_the_article_whose_words_they_name():
    """Side by side, each article gets its own, and each its own in order."""
    script = {f"{number} tanks": [{"weapons_transfer": []}] for number in range(10, 40)}
    script["13 tanks"] = [[WRONG], {"weapons_transfer": [{"item": 1, "fact": transfer()}]}]

    async def all_of(made):
        return await asyncio.gather(*(made.aextract(TEXT.replace("13", str(number))) for number in range(10, 40)))

    with ScriptedLLM(script) as llm, Extractor([WeaponsTransfer], base_url=llm.base_url) as made:
        outcomes = asyncio.run(all_of(made))
    assert [len(outcome.facts) for outcome in outcomes] == [int(number == 13) for number in range(10, 40)]


@pytest.mark.parametrize("script", [[], [[RIGHT]], {"tank": [[RIGHT]]}, {"ship": [[RIGHT]]}])
def test_more_requests_than_answers_fail_the_test(script):
    """The call ends at once, with the reason, and so does the block."""
    asked = 2 if script in ([[RIGHT]], {"tank": [[RIGHT]]}) else 1

    def ask():
        with ScriptedLLM(script) as llm, Extractor([WeaponsTransfer], base_url=llm.base_url) as made:
            for _ in range(asked - 1):
                made.extract(TEXT)
            try:
                made.extract(TEXT)
            except EndpointError as error:
                assert str(error).startswith("ScriptedLLM has no answer ")  # noqa: PT017 - what the service would have made of it
            assert len(llm.requests) == asked

    with pytest.raises(AssertionError, match=f"no answer (left )?for request {asked}: .*Oslo"):
        ask()


def test_answers_that_nothing_asked_for_fail_the_test():
    """Unless the block fails by itself, whose error is the one to see."""

    def ask(error=None):
        with ScriptedLLM({"tanks": [[RIGHT], [RIGHT]]}) as llm, Extractor([WeaponsTransfer], base_url=llm.base_url) as made:
            made.extract(TEXT)
            if error:
                raise error

    with pytest.raises(AssertionError, match=r"nothing asked for: \{'tanks': 1\}"):
        ask()
    with pytest.raises(OSError, match="its own"):
        ask(OSError("its own"))


def test_a_script_may_go_wrong():
    """Texts, bytes and faults are answers too."""
    script = ["The weather is fine.", Raw({"error": {"message": "busy"}}, 503), Fault("drop"), [RIGHT]]
    settings = Settings(repairs=1, retry_budget_s=20)
    with ScriptedLLM(script) as llm, Extractor([WeaponsTransfer], base_url=llm.base_url, settings=settings) as made:
        assert len(made.extract(TEXT).facts) == 1


@pytest.mark.parametrize("one", ["text", [RIGHT], {"tanks": [RIGHT]}, {"tanks": "text"}, Raw(b"")])
def test_one_answer_is_not_a_script(one):
    """Said before anything is asked."""
    with pytest.raises(UsageError, match="is one answer, not a sequence"):
        ScriptedLLM(one)


# --- planted


def test_planted_facts_hold_where_they_were_planted():
    """Every quote stands in the article once, in order, and a model that says these facts is believed whole."""
    facts = [rumour(words=f"the {thing} will be sold", about="Rui Prata") for thing in ("old bridge", "new port", "long wall")]
    article = planted(*facts, id="p-1", title="What people say", published=date(2026, 3, 4))
    quotes = [fact.evidence[0] for fact in facts]
    assert [article.text.count(quote) for quote in quotes] == [1, 1, 1]
    assert article.text.startswith("What people say\n\n")
    with ScriptedLLM([facts]) as llm, Extractor([Rumour], base_url=llm.base_url) as made:
        outcome = made.extract(article)
    assert [fact.value for fact in outcome.of(Rumour)] == facts
    assert [fact.evidence[0].start for fact in outcome.facts] == [article.text.index(quote) for quote in quotes]
    assert planted().text
    assert planted(*facts) == planted(*facts)


def test_the_shipped_types_can_be_planted():
    """Every worked example's facts hold in an article that is made of them alone."""
    for kind in (WeaponsTransfer, FundingSource):
        for example in kind.examples:
            planted(*example.facts, published=example.published)


def test_a_fact_that_holds_nowhere_cannot_be_planted():
    """The message names the fact, the field and what is wrong."""
    with pytest.raises(UsageError, match=r"Fact 2 holds in no article: words: .*'the moon'"):
        planted(rumour(words="the bridge"), rumour(words="the moon", evidence=["It is rumoured that the sun."]))


# --- the plugin

TEST = """
import pytest
from extractor import CassetteMiss
from extractor.schemas import WeaponsTransfer

TEXT = {text!r}


def test_plays(extractor_cassettes):
    extractor = extractor_cassettes("tapes")
    assert len(extractor.extract(TEXT).of(WeaponsTransfer)) == 1


def test_misses(extractor_cassettes):
    extractor = extractor_cassettes("tapes")
    extractor.extract(TEXT)
    with pytest.raises(CassetteMiss):
        extractor.extract(TEXT + " More.")


def test_leaves_some(extractor_cassettes):
    extractor_cassettes("tapes")


def test_fails_by_itself(extractor_cassettes):
    extractor_cassettes("tapes")
    assert False, "its own reason"


def test_has_no_cassettes(extractor_cassettes):
    extractor_cassettes("nowhere")
"""


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_plugin_plays_cassettes_to_their_end(pytester, monkeypatch):
    """A miss fails its test though the test swallows it, and so does an answer that nothing asked for; a test's own failure stays its own.

    With `--extractor-record` the endpoint of the environment is asked.
    """
    pytester.makepyfile(TEST.format(text=TEXT))
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        monkeypatch.setenv("EXTRACTOR_BASE_URL", endpoint.base_url)
        pytester.runpytest_inprocess("--extractor-record", "-k", "test_plays").assert_outcomes(passed=1, deselected=4)
        monkeypatch.delenv("EXTRACTOR_BASE_URL")
        assert len(endpoint.requests) == 1
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1, failed=4)
    result.stdout.fnmatch_lines(
        [
            "*Not recorded: a request about 'text-*'. Record again*",
            "*Recorded and not asked for: *text-*",
            "*its own reason*",
            "*No cassettes in *nowhere*",
        ]
    )


def test_an_endpoint_answers_under_its_base_url_alone():
    """A base URL without its `/v1` must fail here as it does at a real server."""
    with LoopbackEndpoint(lambda request: {}) as endpoint:
        refused = httpx.post(endpoint.base_url.removesuffix("/v1") + "/chat/completions", json={})
        assert (refused.status_code, endpoint.requests) == (404, [])
