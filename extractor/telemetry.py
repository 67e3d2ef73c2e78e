"""What operators see: OpenTelemetry spans and metrics, where its API is installed (extra `otel`); log lines are each module's own.

In: what is asked and what came of it, as plain values. Out: spans, metrics; nothing without the API. Floor: settings; the only file that
imports opentelemetry. Names are those of the GenAI semantic conventions (https://github.com/open-telemetry/semantic-conventions-genai);
what they do not name begins with `extractor.`.
Before changing it: an article's words, a model's and a key never go into a span, a metric or a log line of level INFO or above: error
texts neither, since endpoints quote what they were sent. Ids, names and numbers do.
"""

import functools
import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from extractor.records import ArticleStatus, Attempt, Call

logging.getLogger("extractor").addHandler(logging.NullHandler())  # a library stays quiet until somebody listens

_ANSWERED = frozenset({"ok", "partial", "unparsable", "length", "refusal", "content_filter", "no_content"})
"""Outcomes of requests that the endpoint answered as it should: what the answer is worth is no error of the request."""

# as the conventions advise
_SECONDS = tuple(0.01 * 2**power for power in range(14))
_TOKENS = tuple(4.0**power for power in range(14))

Value = str | int | float | tuple[str, ...]


class _Instruments(NamedTuple):
    trace: Any  # the API's module
    tracer: Any
    duration: Any
    tokens: Any
    articles: Any
    facts: Any


@functools.cache
def _instruments() -> _Instruments | None:
    """What to report with; None where the API is not installed. Providers may be set before or after."""
    try:
        from opentelemetry import metrics, trace
    except ImportError:
        return None
    meter = metrics.get_meter("extractor")
    return _Instruments(
        trace,
        trace.get_tracer("extractor"),
        meter.create_histogram(
            "gen_ai.client.operation.duration", "s", "Seconds of one request.", explicit_bucket_boundaries_advisory=_SECONDS
        ),
        meter.create_histogram(
            "gen_ai.client.token.usage", "{token}", "Tokens of one request.", explicit_bucket_boundaries_advisory=_TOKENS
        ),
        meter.create_counter("extractor.articles", "{article}", "Articles dealt with, by status."),
        meter.create_counter("extractor.facts", "{fact}", "Facts by type and verdict, those not believed among them."),
    )


class Answered:
    """Told what came of a request; a request that ends without having told was cancelled or went wrong below us."""

    def __init__(self) -> None:
        self.attempt: Attempt | None = None


class Requests:
    """The requests to one model at one endpoint.

    Args:
        provider: As the conventions name it, such as `openai`.
        model: As it is sent.
        host: Of the endpoint.
        port: Of the endpoint; None for its protocol's own.
        temperature: As it is sent; None where none is.
        max_tokens: As it is sent; None where none is.
    """

    def __init__(
        self, *, provider: str, model: str, host: str, port: int | None, temperature: float | None, max_tokens: int | None
    ) -> None:
        self._span_name = f"chat {model}"
        fixed: dict[str, Value | None] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
            "server.address": host,
            "server.port": port,
        }
        self._common = _known(fixed)
        sampling = {"gen_ai.request.temperature": temperature, "gen_ai.request.max_tokens": max_tokens, "gen_ai.output.type": "json"}
        self._of_span = self._common | _known(sampling)

    @contextmanager
    def one(self, call: Call, mode: str) -> Iterator[Answered]:
        """A span and the measures of one HTTP request; the block puts its attempt into what it is given."""
        answered = Answered()
        instruments = _instruments()
        if instruments is None:
            yield answered
            return
        began = time.perf_counter()
        attributes = self._of_span | {"extractor.call.kind": call.kind, "extractor.mode": mode, "extractor.article.id": call.article_id}
        with instruments.tracer.start_as_current_span(
            self._span_name,
            kind=instruments.trace.SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,  # its message may hold an article's words
            set_status_on_exception=False,
        ) as span:
            error: str | None = "cancelled"
            try:
                yield answered
            finally:
                attempt = answered.attempt
                if attempt:
                    error = None if attempt.outcome in _ANSWERED else attempt.outcome
                    span.set_attributes(_of_attempt(attempt))
                if error:
                    span.set_attribute("error.type", error)
                    span.set_status(instruments.trace.StatusCode.ERROR)
                measured = self._common | ({"error.type": error} if error else {})
                instruments.duration.record(time.perf_counter() - began, measured)
                if attempt and not attempt.usage.unreported:
                    instruments.tokens.record(attempt.usage.input_tokens, self._common | {"gen_ai.token.type": "input"})
                    instruments.tokens.record(attempt.usage.output_tokens, self._common | {"gen_ai.token.type": "output"})


class Read:
    """Told what came of an article."""

    def __init__(self, span: Any, instruments: _Instruments | None) -> None:
        self._span, self._instruments = span, instruments

    def end(self, status: ArticleStatus, cause: str | None, facts: Iterable[tuple[str, str]]) -> None:
        """What came of it: its status, the cause where it is not complete, and type and verdict of each fact."""
        if self._instruments is None:
            return
        counted = Counter(facts)
        verdicts: Counter[str] = Counter()
        for (fact_type, verdict), count in counted.items():
            verdicts[verdict] += count
            self._instruments.facts.add(count, {"extractor.fact_type": fact_type, "extractor.verdict": verdict})
        self._instruments.articles.add(1, {"extractor.status": status})
        found = {f"extractor.facts.{verdict}": count for verdict, count in verdicts.items()}
        self._span.set_attributes(_known({"extractor.status": status, "extractor.cause": cause}) | found)
        if status != "complete":
            self._span.set_status(self._instruments.trace.StatusCode.ERROR)


@contextmanager
def reading(article_id: str, fact_types: Iterable[str]) -> Iterator[Read]:
    """A span around all that is done about one article: its requests are inside it, and it is inside whatever span the caller is in."""
    instruments = _instruments()
    if instruments is None:
        yield Read(None, None)
        return
    attributes = {"extractor.article.id": article_id, "extractor.fact_types": tuple(fact_types)}
    with instruments.tracer.start_as_current_span(
        "extract article", attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield Read(span, instruments)
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(instruments.trace.StatusCode.ERROR)
            raise


def _of_attempt(attempt: Attempt) -> dict[str, Value]:
    usage = attempt.usage
    found: dict[str, Value | None] = {
        "extractor.outcome": attempt.outcome,
        "http.response.status_code": attempt.status,
        "gen_ai.response.finish_reasons": (attempt.finish_reason,) if attempt.finish_reason else None,
    }
    if not usage.unreported:
        found |= {
            "gen_ai.usage.input_tokens": usage.input_tokens,
            "gen_ai.usage.output_tokens": usage.output_tokens,
            "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
        }
    return _known(found)


def _known(values: Mapping[str, Value | None]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if value is not None}
