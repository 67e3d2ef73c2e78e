"""What engines really do, each by a server on loopback that does it: the facts are the same, or what is lost is said.

Whose behaviour it is stands beside each; most were seen at llama.cpp's own server, llama-cpp-python, vLLM, Ollama or transformers.
"""

import copy
import json

import pytest
from answers import ARTICLE, TRANSFER, answering, is_repair, transfer

from extractor import EndpointError, Extractor, Settings
from extractor.llm import transport as transport_module
from extractor.schemas import WeaponsTransfer
from extractor.testing import LoopbackEndpoint, Raw, completion, mode_of

TEXT = ARTICLE.format(topic="it")
GOOD = answering(transfer())
WHOLE = json.dumps({"weapons_transfer": [transfer()]})


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(transport_module, "_BACKOFF_S", 0.005)


class Asked:
    """What came of one article, and what the endpoint saw."""

    def __init__(self, answer, *, text=TEXT, **settings):
        with LoopbackEndpoint(answer) as endpoint:
            chosen = Settings(**{"attempts": 3, "repairs": 1} | settings)
            with Extractor([WeaponsTransfer], base_url=endpoint.base_url, model="m", settings=chosen) as extractor:
                self.result = extractor.extract(text, published="2026-03-04")
                self.again = extractor.extract(text + "\nAnother day.", published="2026-03-04")
                self.mode = extractor._session.client.mode
        self.requests = endpoint.requests
        self.modes = [mode_of(request) for request in endpoint.requests]

    @property
    def told(self):
        """The facts of the article, as plain data."""
        return [fact.value.model_dump(mode="json") for fact in self.result.facts]


def as_content(request, text, **fields):
    """A completion with this text as content and without a tool call, whatever was asked for."""
    body = completion({}, text)
    body["choices"][0]["message"].update(fields)
    return Raw(body)


def with_calls(request, *arguments, content=None):
    """A completion with these tool calls, several perhaps."""
    body = completion({}, "")
    calls = [{"id": f"c{n}", "type": "function", "function": {"name": "Facts", "arguments": one}} for n, one in enumerate(arguments)]
    body["choices"][0]["message"].update(content=content, tool_calls=calls)
    return Raw(body)


def refusing(*modes, status=400, message="unsupported"):
    """A good endpoint, but for some modes."""

    def answer(request):
        return Raw({"error": {"message": message}}, status) if mode_of(request) in modes else GOOD(request)

    return answer


TOOLS_ONLY = ("json_schema/strict", "json_schema")


def in_tools(answer):
    """An endpoint that takes tools alone, and answers them so."""
    return lambda request: Raw({"error": {"message": "no"}}, 400) if mode_of(request) in TOOLS_ONLY else answer(request)


SCHEMAS = ("json_schema/strict", "json_schema", "tools/strict", "tools")
ANSWERED = {
    # llama.cpp takes a named tool_choice for "auto": the answer may be content instead of the tool's arguments
    "named tool_choice ignored": (in_tools(lambda r: as_content(r, WHOLE)), "tools/strict"),
    "words before the call": (in_tools(lambda r: with_calls(r, WHOLE, content="Let me look at it.")), "tools/strict"),
    # llama.cpp, with parallel_tool_calls false: seven calls were seen
    "seven calls, the same": (in_tools(lambda r: with_calls(r, *[WHOLE] * 7)), "tools/strict"),
    "seven calls, one full": (in_tools(lambda r: with_calls(r, *['{"weapons_transfer": []}'] * 3, WHOLE, *['{"weapons_transfer": []}'] * 3)), "tools/strict"),
    "arguments as an object": (in_tools(lambda r: with_calls(r, json.loads(WHOLE))), "tools/strict"),
    # transformers serve: 200, and the format is ignored
    "response_format ignored": (lambda r: GOOD(r) if mode_of(r) in ("json", "md_json") else "Norway gives tanks.", "json"),
    "response_format ignored, always": (lambda r: f"Sure!\n```json\n{WHOLE}\n```" if mode_of(r) == "md_json" else "Norway gives tanks.", "md_json"),
    # llama-cpp-python: 500 for a response_format it does not know, and tools by name alone
    "response_format is a 500": (refusing("json_schema/strict", "json_schema", status=500), "tools/strict"),
    "strict is refused": (refusing("json_schema/strict", "tools/strict", message="Unknown field strict"), "json_schema"),
    "every schema is refused": (refusing(*SCHEMAS, status=422), "json"),
    # vLLM, where its grammar compiler lacks a keyword
    "grammar not compiled": (refusing(*SCHEMAS[:2], message="The provided JSON schema contains features not supported by xgrammar."), "tools/strict"),
    # models that think aloud, behind servers without a parser for it
    "thinks aloud": (lambda r: f'<think>First {{"weapons_transfer": [1, 2]}}? No.</think>\n{WHOLE}', "json_schema/strict"),
    "thinks, opening tag swallowed": (lambda r: f"Perhaps [three] tanks.\n</think>\n\n{WHOLE}", "json_schema/strict"),
    "thinks apart": (lambda r: as_content(r, WHOLE, reasoning_content='Perhaps {"weapons_transfer": []}.'), "json_schema/strict"),
    "empty thinking": (lambda r: f"<think>\n\n</think>\n\n{WHOLE}", "json_schema/strict"),
    "fenced": (lambda r: f"```json\n{WHOLE}\n```", "json_schema/strict"),
    # llama.cpp's grammar allows any white space
    "white space everywhere": (lambda r: json.dumps(json.loads(WHOLE), indent=12).replace(":", "\n\t: "), "json_schema/strict"),
    "a byte order mark": (lambda r: "\ufeff" + WHOLE, "json_schema/strict"),
    "null usage": (lambda r: Raw(completion(r, WHOLE) | {"usage": None}), "json_schema/strict"),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERED)
def test_the_facts_are_the_same_whatever_the_engine_makes_of_the_request(name):
    """However the answer comes back, it is read; the mode that gave it is kept, so that the next article costs one request."""
    answer, mode = ANSWERED[name]
    asked = Asked(answer)
    assert asked.result.status == "complete", asked.result.reason
    assert asked.told == [WeaponsTransfer.model_validate(TRANSFER).model_dump(mode="json")]
    assert asked.mode == mode
    assert asked.again.usage.attempts == 1
    assert len(asked.again.facts) == 1


def test_several_calls_with_different_facts_are_all_read():
    """Two tool calls, two facts: none is the answer alone."""
    other = transfer(quantity=None, evidence=["The tanks come from a depot in Rena"], suppliers=[], recipients=[])
    asked = Asked(in_tools(lambda r: with_calls(r, WHOLE, json.dumps({"weapons_transfer": [other]}))))
    assert len(asked.result.facts) + len(asked.result.quarantined) + len(asked.result.merged) == 2


def test_thinking_without_an_end_is_no_answer():
    """A draft inside reasoning that was cut off is not the answer, however whole it looks."""
    asked = Asked(lambda r: f"<think>Maybe {WHOLE} but then")
    assert asked.result.status == "failed"
    assert asked.result.cause == "unparsable"
    assert not asked.result.facts


OVERFLOWS = {
    "llama.cpp": Raw({"error": {"code": 400, "message": "the request exceeds the available context size, try increasing it", "type": "exceed_context_size_error", "n_prompt_tokens": 9001, "n_ctx": 8192}}, 400),
    "llama.cpp, older": Raw({"error": {"code": 400, "message": "the request exceeds the available context size. try increasing the context size or enable context shift", "type": "invalid_request_error"}}, 400),
    "llama-cpp-python": Raw({"error": {"message": "Requested tokens (9437) exceed context window of 8192", "type": "internal_server_error"}}, 500),
    "vLLM": Raw({"object": "error", "message": "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.", "type": "BadRequestError", "code": 400}, 400),
    "vLLM, newer": Raw({"error": {"message": "The decoder prompt (length 140000) is longer than the maximum model length of 131072. Make sure that `max_model_len` is no smaller than the number of text tokens.", "type": "BadRequestError", "param": None, "code": 400}}, 400),
    "Ollama": Raw({"error": {"message": "the input length exceeds the context length", "type": "invalid_request_error", "param": None, "code": None}}, 400),
    "LM Studio": Raw({"error": "Trying to keep the first 9000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough."}, 400),
    "SGLang": Raw({"object": "error", "message": "The input (9000 tokens) is longer than the model's context length (4096 tokens).", "type": "BadRequestError", "code": 400}, 400),
    "TGI": Raw({"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 100 `max_new_tokens`", "error_type": "validation"}, 422),
    "OpenAI": Raw({"error": {"message": "Too long.", "type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded"}}, 400),
    "Anthropic": Raw({"error": {"message": "prompt is too long: 215000 tokens > 200000 maximum", "type": "invalid_request_error"}}, 400),
    "Mistral": Raw({"object": "error", "message": "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length", "code": "3051"}, 400),
    "xAI": Raw({"error": "This model's maximum prompt length is 131072 but the request contains 537812 tokens."}, 400),
    "Gemini": Raw({"error": {"code": 400, "message": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", "status": "INVALID_ARGUMENT"}}, 400),
    "Bedrock": Raw({"message": "Input is too long for requested model."}, 400),
}  # fmt: skip

FAR = " ".join(f"On day {number} nothing happened at the border, the ministry said." for number in range(120))
LONG = f"{TEXT}\n{FAR}\n\nPoland will give 25 tanks to Ukraine, the ministry in Warsaw said.\n"
POLISH = transfer(
    evidence=["Poland will give 25 tanks to Ukraine"],
    suppliers=[{"name": "Poland", "kind": "state", "on_behalf_of": None}],
    quantity={"as_written": "25 tanks", "minimum": 25, "maximum": 25, "approximate": False, "unit": "tanks"},
)


def by_part(request):
    """What a right model says of the part that it was sent."""
    said = request["messages"][-1]["content"]
    return {"weapons_transfer": [fact for words, fact in (("13 tanks", transfer()), ("25 tanks", POLISH)) if words in said]}


@pytest.mark.parametrize("engine", OVERFLOWS)
def test_a_request_beyond_the_context_is_asked_in_parts(engine):
    """Each engine's own words for it are understood: the article is halved until it fits, and the facts of all parts are there."""
    seen = []

    def answer(request):
        seen.append(len(request["messages"][-1]["content"]))
        return (
            OVERFLOWS[engine]
            if "13 tanks" in request["messages"][-1]["content"] and "25 tanks" in request["messages"][-1]["content"]
            else by_part(request)
        )

    asked = Asked(answer, text=LONG)
    assert asked.result.status == "complete", asked.result.reason
    assert {fact.value.quantity.as_written for fact in asked.result.facts} == {"13 tanks", "25 tanks"}
    assert asked.result.usage.attempts == 3  # the whole, and its halves: an overflow is not tried again as it is


def test_a_prompt_that_was_cut_in_silence_is_asked_in_parts():
    """Ollama drops what its context does not hold, says 200, and its count of tokens is all that tells: no fact is lost for it."""

    def answer(request):
        rules, article = (len(message["content"]) for message in request["messages"])
        if article <= 5_600:
            return by_part(request)
        body = completion(request, {"weapons_transfer": []})
        body["usage"]["prompt_tokens"] = (rules + 5_600) // 8  # half of its context, as Ollama keeps of what is too long
        return Raw(body)

    asked = Asked(answer, text=LONG)
    assert asked.result.status == "complete", asked.result.reason
    assert {fact.value.quantity.as_written for fact in asked.result.facts} == {"13 tanks", "25 tanks"}
    assert asked.result.usage.attempts == 3


def test_a_context_that_never_suffices_fails_with_the_way_out():
    """Where even a short part is cut, the article fails, and the reason says what to change; nothing that was answered is believed."""

    def answer(request):
        body = completion(request, GOOD(request))
        body["usage"]["prompt_tokens"] = 1_000
        return Raw(body)

    asked = Asked(answer)
    assert asked.result.status == "failed"
    assert "OLLAMA_CONTEXT_LENGTH" in asked.result.reason
    assert not asked.result.facts


@pytest.mark.parametrize("count", [0, None, "many"], ids=str)
def test_a_server_that_does_not_count_is_not_suspected(count):
    """No count, or none that is a number, says nothing about the prompt."""

    def answer(request):
        body = completion(request, GOOD(request))
        body["usage"]["prompt_tokens"] = count
        return Raw(body)

    assert Asked(answer).result.status == "complete"


def test_a_model_that_is_loading_is_waited_for():
    """llama.cpp answers 503 until the model is read; the first article waits for it."""
    loading = [Raw({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, 503)] * 2
    asked = Asked(lambda request: loading.pop() if loading else GOOD(request))
    assert asked.result.status == "complete"
    assert asked.result.usage.attempts == 3


def test_a_model_that_ollama_has_not_pulled_ends_the_run():
    """It concerns every article alike, so it is raised, with the engine's own advice."""
    missing = Raw(
        {"error": {"message": 'model "m" not found, try pulling it first', "type": "api_error", "param": None, "code": None}}, 404
    )
    with pytest.raises(EndpointError, match="try pulling it first"):
        Asked(lambda request: missing)


def when(**changes):
    return {"as_written": "Monday", "earliest": "2026-03-02", "latest": "2026-03-02"} | changes


BEYOND_GRAMMARS = {
    # llama.cpp's grammar for dates let 0000-10-22 and 31 February through
    "year 0": {"announced": when(earliest="0000-10-22")},
    "31 February": {"announced": when(latest="2026-02-31")},
    "backwards": {"announced": when(earliest="2026-03-09")},
    # engines that drop a pattern, a bound or an enum
    "no currency": {"price": {"as_written": "13", "minimum": "13", "maximum": "13", "currency": "kroner", "approximate": False, "also_stated": []}},
    "sum in words": {"price": {"as_written": "13", "minimum": "thirteen", "maximum": "13", "currency": "NOK", "approximate": False, "also_stated": []}},
    "other category": {"category": "tank"},
    "text for a number": {"quantity": {"as_written": "13 tanks", "minimum": "13", "maximum": "about 13", "approximate": False, "unit": "tanks"}},
    "key too many": {"note": "see above"},
    "no evidence": {"evidence": []},
    "empty quote": {"evidence": [""]},
    "name for a party": {"suppliers": ["Norway"]},
}  # fmt: skip


@pytest.mark.parametrize("name", BEYOND_GRAMMARS)
def test_what_an_engine_lets_through_is_checked_anyway(name):
    """Valid for a grammar is not valid: the record goes back once, then lies in quarantine with its reasons; its neighbour is kept."""
    bad = copy.deepcopy(TRANSFER) | BEYOND_GRAMMARS[name]
    asked = Asked(lambda r: {"weapons_transfer": [bad]} if is_repair(r) else {"weapons_transfer": [transfer(), bad]})
    assert asked.result.status == "complete"
    assert len(asked.result.facts) == 1
    (quarantined,) = asked.result.quarantined
    assert quarantined.tries[0].issues
    assert sum(is_repair(request) for request in asked.requests) == 2  # one for each of the two articles
