"""What came back for a request: a completion, an error status or a broken body becomes an outcome, or the end of the run.

In: what the endpoint answered, as plain values. Out: `Heard`, with an error text that holds no secret. Floor: llm.
Before changing it: endpoints word the same failure in many ways, so each pattern here names whose wording it is; what no pattern
knows is `bad_request`, which costs one article and never the run.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, NamedTuple

from extractor.llm.endpoint import Endpoint
from extractor.records import Attempt, AttemptOutcome, Usage

RETRIED: frozenset[AttemptOutcome] = frozenset(
    {"rate_limited", "server_error", "reset", "timeout", "not_json", "empty", "error_body", "no_connection"},
)
"""Outcomes of the transport's making: the same request may fare better a moment later."""

# OpenAI, Azure, Groq, vLLM: code or "maximum context length"; llama.cpp: type; Anthropic: "prompt is too long"; Gemini: "input token
# count"; vLLM: "maximum model length"; SGLang, Together: "longer than the model's context length"; LM Studio: "context length of only";
# Ollama: "input length exceeds"; llama-cpp-python, with 500: "exceed context window"; TGI: "`inputs` tokens + `max_new_tokens` must be <=";
# xAI: "maximum prompt length"; Mistral: "too large for model with"; Bedrock: "Input is too long"
_OVERFLOW_CODES = {"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"}
_OVERFLOW = re.compile(
    r"maximum context|context[ _](?:length|window|size)[^.]{0,60}exceed|exceed[^.]{0,60}context[ _](?:length|window|size)"
    r"|longer than the (?:maximum )?model(?:'s context)? length|context length (?:of|is) only|input (?:length exceeds|is too long)"
    r"|`inputs`[^.]{0,40}must (?:be <=|have less)|maximum prompt length|too large for model with"
    r"|prompt is too long|input token count|too many input tokens|larger than the context",
    re.IGNORECASE,
)
_MOST_CHARS_PER_TOKEN = 6.5  # English prose has 4 to 5, and other languages fewer: a count beyond this is of a part of the text
_MOST_TOKENS = 1_000_000_000  # of one request: a thousand times the longest context there is
_FILTER_CODES = {"content_filter", "content_policy_violation"}  # Azure, OpenAI: the prompt itself is refused, with 400
_MODERATED = re.compile(r"moderation|flagged", re.IGNORECASE)  # OpenRouter: the same, with 403
_QUOTA = re.compile(r"credit balance is too low", re.IGNORECASE)  # Anthropic, with 400
_QUOTA_CODES = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_balance"}
_OWN_WORDS_CODES = {"no_answer_written"}  # `extractor.testing`: what it says is the whole cause
_NO_MODEL_CODES = {"model_not_found", "invalid_model", "unknown_model"}
# OpenRouter answers 404 where the model exists but none of its hosts takes tools or a schema
_NO_SUCH_FEATURE = re.compile(r"tool use|tool_choice|response_format|requested parameters|structured output", re.IGNORECASE)
_RUN_SETTINGS = {"model", "temperature", "max_tokens", "max_completion_tokens"}  # `param` in OpenAI's errors: wrong for every article alike
_FINISHED: Mapping[str | None, AttemptOutcome] = {"length": "length", "content_filter": "content_filter"}
_MOST_TOKENS = 1_000_000_000  # of one request: far beyond any model
_REFUSES_MODE = {400, 404, 405, 415, 422, 501}


class Heard(NamedTuple):
    """What came back for one request, and what follows from it."""

    outcome: AttemptOutcome
    """What became of it; `ok` means that there is a text to be judged."""
    error: str | None = None
    """Why there is no such text, scrubbed."""
    text: str = ""
    """What the model said."""
    finish_reason: str | None = None
    """As the endpoint gave it."""
    status: int | None = None
    """HTTP status; None when there was no response."""
    usage: Usage = Usage(attempts=1, unreported=1)
    """Of this request."""
    retry_after_s: float | None = None
    """Seconds that the endpoint asked to wait; None when it did not say."""
    again: bool = False
    """Whether the same request may fare better later."""
    ends_run: str | None = None
    """What to tell the user where every request would fare the same, with the next move; None where this one alone failed."""


def of_completion(endpoint: Endpoint, completion: Any) -> Heard:
    """What a response with status 200 says; it never raises, whatever an endpoint puts into it.

    Args:
        endpoint: Where the request went.
        completion: The SDK's object, which is unchecked: any field may be missing or of any type; a plain text where it is no JSON.
    """
    try:
        return _of_completion(endpoint, completion)
    except (AttributeError, TypeError, LookupError, ValueError) as odd:
        return Heard("not_json", f"The answer is no chat completion: {endpoint.scrub(repr(odd))}", status=200, again=True)


def unless_truncated(said: Heard, sent_chars: int) -> Heard:
    """`said`, or a context overflow where the endpoint read much less than it was sent.

    Ollama cuts what is longer than its context and answers as if nothing had happened (https://github.com/ollama/ollama/issues/4967): the
    facts of what was cut off would be lost in silence. Its own count of tokens tells.

    Args:
        said: What came back, under status 200.
        sent_chars: Code points of the messages sent.
    """
    read = said.usage.input_tokens
    if said.outcome not in ("ok", "length", "no_content") or not 0 < read * _MOST_CHARS_PER_TOKEN < sent_chars:
        return said
    error = (
        f"The endpoint says that it read {read:,} tokens of a request of {sent_chars:,} characters: it cut the rest off. "
        "Give the model a longer context (Ollama: OLLAMA_CONTEXT_LENGTH or num_ctx)."
    )
    return said._replace(outcome="context_overflow", error=error)


def of_status(endpoint: Endpoint, status: int, headers: Mapping[str, str], body: object) -> Heard:
    """What an answer with an error status means.

    Args:
        endpoint: Where the request went.
        status: HTTP status, 300 or more.
        headers: Of the response; names are looked up in lower case.
        body: Parsed JSON, or the text where it is none.
    """
    error = _read(body)
    text = endpoint.scrub(error.message) or f"HTTP status {status} without a message."
    at = f"{endpoint.shown!r} ({status}): {text}"
    ends_run = None
    outcome: AttemptOutcome = "bad_request"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        outcome, ends_run = "rate_limited", _quota(at) if error.codes & _QUOTA_CODES else None
    elif error.overflows():
        outcome = "context_overflow"
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT):
        outcome = "server_error"
    elif error.codes & _FILTER_CODES or (status == HTTPStatus.FORBIDDEN and _MODERATED.search(error.message)):
        outcome = "content_filter"
    else:
        ends_run = _ends_run(endpoint, status, error, at)
    # a recorded error is replayed with x-should-retry, and OpenAI sends it where waiting cannot help
    vain = ends_run is not None or status == HTTPStatus.NOT_IMPLEMENTED or headers.get("x-should-retry", "").strip().lower() == "false"
    return Heard(
        outcome, text, status=status, retry_after_s=retry_after_s(headers), again=outcome in RETRIED and not vain, ends_run=ends_run
    )


def no_connection(endpoint: Endpoint, error: str, *, answered: bool) -> str:
    """What to tell the user when nothing listens; `answered` where something did before."""
    if answered:
        return f"Nothing answers at {endpoint.shown!r} any more: {error} The same command goes on once it does."
    return f"Nothing answers at {endpoint.shown!r}: {error} Is the server running? Check base_url / --base-url (or EXTRACTOR_BASE_URL)."


def no_answers(endpoint: Endpoint, articles: int, error: str) -> str:
    """What to tell the user when the endpoint has stopped answering anybody."""
    return f"{endpoint.shown!r} gives no answer, not to one of the last {articles} articles: {error} The same command goes on once it does."


def blames_mode(attempt: Attempt) -> bool:
    """Whether a failure may be the fault of the way in which the schema travels, rather than of the article or of the moment."""
    if attempt.outcome in ("bad_request", "server_error"):
        # llama-cpp-python answers a response_format that it does not know with 500
        return attempt.status in _REFUSES_MODE or attempt.status == HTTPStatus.INTERNAL_SERVER_ERROR
    return attempt.outcome in ("error_body", "empty", "no_content", "unparsable", "ok")


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that `retry-after-ms` or `retry-after` (seconds or an HTTP date) asks to wait; None without a readable one.

    Args:
        headers: Of the response; names are looked up in lower case.
        now: For a date; None is the clock.
    """
    for name, scale in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "")) / scale
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    try:
        date = parsedate_to_datetime(headers.get("retry-after", ""))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)  # an HTTP date is GMT, also where it says "-0000"
    return max(0.0, (date - (now or datetime.now(UTC))).total_seconds())


def _of_completion(endpoint: Endpoint, completion: Any) -> Heard:
    if not hasattr(completion, "choices"):
        found = endpoint.scrub(str(completion)) or "an empty body"
        error = f"The answer is no JSON object; check base_url / --base-url, which mostly ends in '/v1'. It begins: {found}"
        return Heard("not_json", error, status=200, again=True)
    said = Heard("ok", status=200, usage=_usage(completion.usage))
    if not completion.choices:
        return _of_nothing(endpoint, completion, said)
    choice = completion.choices[0]
    finish = endpoint.scrub(choice.finish_reason) if isinstance(choice.finish_reason, str) else None
    said = said._replace(text=_said(choice.message), finish_reason=finish)
    if isinstance(choice.message.refusal, str) and choice.message.refusal:
        return said._replace(outcome="refusal", text=choice.message.refusal, error="The model declined to answer.")
    if finish in _FINISHED:
        return said._replace(outcome=_FINISHED[finish])
    if not said.text.strip():
        return said._replace(outcome="no_content", error=f"The answer has a choice without text (finish reason {finish!r}).")
    return said


def _of_nothing(endpoint: Endpoint, completion: Any, said: Heard) -> Heard:
    error = (completion.model_extra or {}).get("error")
    if not error:
        return said._replace(outcome="empty", error="The answer has no choices.", again=True)
    read = _read(error)
    text = f"An error under status 200: {endpoint.scrub(read.message)}"
    return said._replace(outcome="context_overflow" if read.overflows() else "error_body", error=text, again=not read.overflows())


def _said(message: Any) -> str:
    """The message's text, whichever way it came: a tool's arguments, several tools' as a JSON array, or plain content."""
    calls = [call.function for call in message.tool_calls or [] if getattr(call, "function", None)]
    if legacy := getattr(message, "function_call", None):
        calls.append(legacy)
    # some servers send the arguments as an object instead of its text
    texts = [said if isinstance(said := call.arguments, str) else _dump(said) for call in calls]
    texts = [text for text in texts if text.strip()]
    if len(texts) > 1:
        return f"[{', '.join(texts)}]"
    if texts:
        return texts[0]
    content = message.content
    if isinstance(content, list):  # parts, as Mistral sends them
        return "".join(part["text"] for part in content if isinstance(part, Mapping) and isinstance(part.get("text"), str))
    return content if isinstance(content, str) else _dump(content)


def tokens_in(usage: object, name: str) -> int | None:
    """A number of tokens as an endpoint reports it; None where there is none, or one that cannot be: it would be taken off the cost."""
    count = getattr(usage, name, None)
    return count if isinstance(count, int) and 0 <= count <= _MOST_TOKENS else None


def _usage(usage: Any) -> Usage:
    sent, written = tokens_in(usage, "prompt_tokens"), tokens_in(usage, "completion_tokens")
    if sent is None or written is None:
        return Usage(attempts=1, unreported=1)
    cached = tokens_in(getattr(usage, "prompt_tokens_details", None), "cached_tokens") or 0
    if cached > sent:  # a gateway that passes on Anthropic's way of counting, where neither is part of the other
        sent += cached
    return Usage(input_tokens=sent, cached_tokens=cached, output_tokens=written, attempts=1)


class _Error(NamedTuple):
    """An error body, in whatever shape the endpoint sends it."""

    message: str
    codes: set[str]  # in lower case: OpenAI's code and type, Google's status
    param: str  # the parameter at fault

    def overflows(self) -> bool:
        return bool(self.codes & _OVERFLOW_CODES or _OVERFLOW.search(self.message))


def _read(body: object) -> _Error:
    inner = body
    while isinstance(inner, Mapping) and isinstance(inner.get("error"), (Mapping, str)):
        inner = inner["error"]
    if not isinstance(inner, Mapping):
        return _Error(inner if isinstance(inner, str) else _dump(inner), set(), "")
    message = next((inner[key] for key in ("message", "detail") if isinstance(inner.get(key), str)), "") or _dump(inner)
    codes = {str(inner[key]).lower() for key in ("code", "type", "status") if inner.get(key) is not None}
    return _Error(message, codes, str(inner.get("param") or ""))


def _dump(body: object) -> str:
    return "" if body is None else json.dumps(body, ensure_ascii=False, default=repr)


def _quota(at: str) -> str:
    return f"The account's quota is used up at {at} Add credit or raise its limit; the same command then goes on."


def _ends_run(endpoint: Endpoint, status: int, error: _Error, at: str) -> str | None:
    if error.codes & _OWN_WORDS_CODES:
        return error.message
    if status == HTTPStatus.UNAUTHORIZED:
        return (
            f"The key is refused at {at} Set {endpoint.key_variable} (or EXTRACTOR_API_KEY) to a valid key, or check base_url / --base-url."
        )
    if status == HTTPStatus.PAYMENT_REQUIRED or error.codes & _QUOTA_CODES or _QUOTA.search(error.message):
        return _quota(at)
    if status == HTTPStatus.FORBIDDEN:
        return (
            f"Access to model {endpoint.model!r} is denied at {at} Check what {endpoint.key_variable} may use, model / --model and "
            "base_url / --base-url."
        )
    if (status == HTTPStatus.NOT_FOUND and not _NO_SUCH_FEATURE.search(error.message)) or error.codes & _NO_MODEL_CODES:
        return f"No model {endpoint.model!r} is found at {at} Check model / --model, and base_url / --base-url, which mostly ends in '/v1'."
    if error.param in _RUN_SETTINGS:
        return f"The setting {error.param!r} is refused at {at} Change or drop it; every article would fare the same."
    return None
