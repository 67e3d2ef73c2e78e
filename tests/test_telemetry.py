"""What operators see: spans and metrics by the conventions' names, log lines, and never an article's words or a key."""

import asyncio
import logging
import subprocess
import sys

import pytest
from answers import answering, misquoted, transfer
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from pydantic import SecretStr

from extractor import telemetry
from extractor.api import Extractor
from extractor.errors import EndpointError
from extractor.llm import transport as transport_module
from extractor.schemas import WeaponsTransfer
from extractor.settings import Settings
from extractor.testing import Fault, LoopbackEndpoint, Raw, completion

TEXT = "Norway will give 13 tanks to Ukraine, the ministry in Oslo said."
KEY = "sk-proj-AbCdEf0123456789_secret-tail"
SAID = "I cannot discuss the 13 tanks."


class Seen:
    """Everything that was reported to the in-memory exporters."""

    def __init__(self):
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider(metric_readers=[self.reader])

    def spans(self, name):
        """Ended spans of one name, in order."""
        return [span for span in self.exporter.get_finished_spans() if span.name == name]

    def points(self, name):
        """What one metric came to, by attributes."""
        data = self.reader.get_metrics_data()
        found = [metric for scope in data.resource_metrics[0].scope_metrics for metric in scope.metrics if metric.name == name]
        return [point for metric in found for point in metric.data.data_points]

    def text(self):
        """All of it."""
        spans = [span.to_json() for span in self.exporter.get_finished_spans()]
        data = self.reader.get_metrics_data()
        return "".join(spans) + (data.to_json() if data else "")


@pytest.fixture
def seen(monkeypatch):
    """Providers of this test alone: the API takes one for a process, so its lookups are led here."""
    found = Seen()
    monkeypatch.setattr(trace, "get_tracer", found.tracers.get_tracer)
    monkeypatch.setattr(metrics, "get_meter", found.meters.get_meter)
    monkeypatch.setattr(transport_module, "_BACKOFF_S", 0.005)
    telemetry._instruments.cache_clear()
    yield found
    telemetry._instruments.cache_clear()


def extracting(endpoint, **options):
    return Extractor([WeaponsTransfer], settings=Settings(base_url=endpoint.base_url, model="m", api_key=SecretStr(KEY), **options))


def test_an_article_is_a_span_with_its_requests_inside(seen):
    """Repairs included; inside the caller's own span, though the work is done on another thread."""
    tracer = seen.tracers.get_tracer("service")
    answer = answering(transfer(), misquoted(), repairs=[{"item": 1, "fact": transfer(status="agreed")}])
    with LoopbackEndpoint(answer) as endpoint, extracting(endpoint, temperature=0.5, max_output_tokens=99) as extractor:
        with tracer.start_as_current_span("POST /extract") as outer:
            outcome = extractor.extract(TEXT, id="ap-1")

        async def awaited():
            with tracer.start_as_current_span("async") as span:
                await extractor.aextract(TEXT)
                return span

        inner = asyncio.run(awaited())
    first, second = seen.spans("extract article")
    assert first.parent.span_id == outer.get_span_context().span_id
    assert second.parent.span_id == inner.get_span_context().span_id
    assert dict(first.attributes) == {
        "extractor.article.id": "ap-1",
        "extractor.fact_types": ("weapons_transfer",),
        "extractor.status": "complete",
        "extractor.facts.kept": 1,
        "extractor.facts.repaired": 1,
    }
    asked = [span for span in seen.spans("chat m") if span.parent.span_id == first.context.span_id]
    assert [span.attributes["extractor.call.kind"] for span in asked] == ["extract", "repair"]
    assert len(outcome.facts) == 2
    span = asked[0]
    assert (span.kind, span.status.status_code) == (SpanKind.CLIENT, StatusCode.UNSET)
    port = int(endpoint.base_url.split(":")[2].split("/")[0])
    assert dict(span.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 99,
        "gen_ai.output.type": "json",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": span.attributes["gen_ai.usage.input_tokens"],
        "gen_ai.usage.output_tokens": span.attributes["gen_ai.usage.output_tokens"],
        "gen_ai.usage.cache_read.input_tokens": 0,
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": port,
        "extractor.call.kind": "extract",
        "extractor.mode": "json_schema/strict",
        "extractor.article.id": "ap-1",
        "extractor.outcome": "ok",
    }
    assert span.attributes["gen_ai.usage.input_tokens"] > 100


def test_requests_and_verdicts_are_counted(seen):
    """Tokens and seconds of each request as the conventions have it; articles by status, facts by type and verdict."""
    answers = iter([Raw({}, 503), None, None, None])
    answer = answering(transfer(), misquoted(), repairs=[])
    with LoopbackEndpoint(lambda request: next(answers) or answer(request)) as endpoint, extracting(endpoint, repairs=1) as extractor:
        outcome = extractor.extract(TEXT)
    common = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m", "server.address": "127.0.0.1"}
    seconds = {point.attributes.get("error.type"): point for point in seen.points("gen_ai.client.operation.duration")}
    assert {error: point.count for error, point in seconds.items()} == {"server_error": 1, None: 2}
    assert all(common.items() <= dict(point.attributes).items() for point in seconds.values())
    assert seconds[None].explicit_bounds[:3] == (0.01, 0.02, 0.04)
    tokens = {point.attributes["gen_ai.token.type"]: point for point in seen.points("gen_ai.client.token.usage")}
    assert {kind: point.sum for kind, point in tokens.items()} == {
        "input": outcome.usage.input_tokens,
        "output": outcome.usage.output_tokens,
    }
    facts = {
        point.attributes["extractor.verdict"]: (point.attributes["extractor.fact_type"], point.value)
        for point in seen.points("extractor.facts")
    }
    assert facts == {"kept": ("weapons_transfer", 1), "quarantined": ("weapons_transfer", 1)}
    assert [(point.attributes["extractor.status"], point.value) for point in seen.points("extractor.articles")] == [("complete", 1)]
    failed = [span for span in seen.spans("chat m") if span.status.status_code is StatusCode.ERROR]
    assert [(span.attributes["error.type"], span.attributes["http.response.status_code"]) for span in failed] == [("server_error", 503)]


def test_a_cancelled_request_ends_its_span(seen):
    """As an error of its own name, and so does the article's."""

    async def give_up(extractor, endpoint):
        task = asyncio.create_task(extractor.aextract(TEXT))
        while not endpoint.requests:  # noqa: ASYNC110 - the server's thread has no event of this loop
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with LoopbackEndpoint(lambda request: Fault("hang")) as endpoint, extracting(endpoint) as extractor:
        asyncio.run(give_up(extractor, endpoint))
    (request,), (article,) = seen.spans("chat m"), seen.spans("extract article")
    assert (request.attributes["error.type"], article.attributes["error.type"]) == ("cancelled", "CancelledError")


QUOTING = {
    "refused": lambda request: Raw(completion(request, "", refusal=SAID)),
    "bad request that quotes it": lambda request: Raw({"error": {"message": f"cannot take {SAID} {TEXT} with {KEY}"}}, 400),
    "refused key": lambda request: Raw({"error": {"message": f"no {KEY} for {TEXT}"}}, 401),
    "nonsense": lambda request: SAID,
    "believed and not": answering(transfer(), misquoted()),
    "429": lambda request: Raw({"error": {"message": TEXT}}, 429, {"retry-after": "0"}),
}


@pytest.mark.parametrize("name", QUOTING)
def test_no_article_text_and_no_key_is_reported(name, seen, caplog):
    """Whatever an endpoint says back: not in a span, not in a metric, not in a log line of level INFO or above of any `extractor.*` logger."""
    caplog.set_level(logging.DEBUG, logger="extractor")
    with LoopbackEndpoint(QUOTING[name]) as endpoint, extracting(endpoint, attempts=2) as extractor:
        try:
            extractor.extract(TEXT, id="ap-1", title="Thirteen tanks")
        except EndpointError:
            assert name == "refused key"
    ours = [record for record in caplog.records if record.name.startswith("extractor")]
    assert any(record.levelno == logging.DEBUG for record in ours)
    logged = "\n".join(record.getMessage() for record in ours if record.levelno >= logging.INFO)
    assert seen.spans("chat m")
    for told in (logged, seen.text()):
        for secret in ("13 tanks", "Thirteen", "Norway", "I cannot", KEY, "AbCdEf0123456789"):
            assert secret not in told


def test_log_lines_name_the_article_and_the_cause(caplog):
    """A found mode is INFO, a failed article WARNING with its cause, each request and a complete article DEBUG."""
    caplog.set_level(logging.DEBUG, logger="extractor")
    answers = iter([None, completion({}, "", refusal=SAID)])

    def answer(request):
        return Raw(found) if (found := next(answers)) else answering(transfer())(request)

    with LoopbackEndpoint(answer) as endpoint, extracting(endpoint) as extractor:
        extractor.extract(TEXT, id="ap-1")
        extractor.extract(TEXT, id="ap-2")
    said = [(record.name, record.levelname, record.getMessage()) for record in caplog.records if record.name.startswith("extractor")]
    assert ("extractor.llm.client", "INFO", f"{endpoint.base_url} takes the schema as json_schema/strict") in said
    assert ("extractor.runs.session", "DEBUG", "article 'ap-1': complete") in said
    assert ("extractor.runs.session", "WARNING", "article 'ap-2': failed (refusal)") in said
    assert sum(name == "extractor.llm.transport" and level == "DEBUG" for name, level, _ in said) == 2


def test_nothing_is_needed_and_nothing_is_said(monkeypatch):
    """Without OpenTelemetry's API all works, and without a handler nothing is printed."""
    code = f"""
import sys
sys.modules["opentelemetry"] = None
sys.path.insert(0, "tests")
from answers import answering, transfer
from extractor import Extractor
from extractor.schemas import WeaponsTransfer
from extractor.testing import LoopbackEndpoint, Raw, completion
with LoopbackEndpoint(lambda request: Raw(completion(request, "", refusal="No."))) as endpoint:
    with Extractor([WeaponsTransfer], base_url=endpoint.base_url) as extractor:
        print(extractor.extract({TEXT!r}).status)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("failed\n", "")
