"""The extractor over HTTP: one `Extractor` for the life of the process, whatever number of clients.

    uvicorn --app-dir examples/service service:app --timeout-graceful-shutdown 150

Settings come from the environment as everywhere (`EXTRACTOR_MODEL`, `OPENAI_API_KEY`, …), and two more: `SERVICE_FACT_TYPES`, names or
`FILE.py:CLASS` with commas between, and `SERVICE_LEDGER`, a run folder to remember in. The errors, the streaming and what happens when a
client goes away or the process is asked to stop are in README.md beside this file.
"""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import date
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.exceptions import HTTPException

from extractor import Article, ArticleError, EndpointError, Extractor, ExtractorError, LimitReached, Outcome, UsageError

T = TypeVar("T")

_MOST_ARTICLES = 1000
"""Articles in one request: its body is held in memory until the last is answered."""

_CLIENT_GONE = 499
"""nginx's status for it; nobody reads it but the log."""


class Text(BaseModel):
    """One text to read facts from."""

    model_config = ConfigDict(extra="forbid")

    text: str
    """The article, without markup."""
    published: date | None = None
    """Publication date; without it relative dates stay open."""
    title: str | None = None
    """The headline; it goes before the text unless it opens it."""


class One(Text):
    """One text in a request of its own."""

    id: str | None = None
    """Its name in the answer; None makes one from the text."""
    fact_types: list[str] = []
    """Those to ask for, out of the service's own, by registered name; empty for all of them."""


class NamedText(Text):
    """One of many: the answers come in order of completion, so each needs a name."""

    id: Annotated[str, Field(pattern=r"\S")]

    def article(self) -> Article:
        """The same article as `Extractor.aextract` makes of the text, the title and the date."""
        title = " ".join((self.title or "").split())
        opened = not title or self.text == title or self.text.startswith(f"{title}\n")
        text = self.text if opened else f"{title}\n\n{self.text}"
        return Article(id=self.id, text=text, title=title or None, published=self.published)


class Many(BaseModel):
    """Several texts in one request."""

    model_config = ConfigDict(extra="forbid")

    articles: Annotated[list[NamedText], Field(min_length=1, max_length=_MOST_ARTICLES)]
    fact_types: list[str] = []
    """As in `One`, for all of them."""

    @field_validator("articles")
    @classmethod
    def _named_once(cls, articles: list[NamedText]) -> list[NamedText]:
        names = [article.id for article in articles]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two articles have the id {twice!r}; give each its own")
        return articles


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The one `Extractor`: a wrong setting or fact type stops the process before it listens; at the end it is closed for sure."""
    fact_types = [name for name in os.environ.get("SERVICE_FACT_TYPES", "").split(",") if name]
    async with Extractor(fact_types, ledger=os.environ.get("SERVICE_LEDGER") or None) as extractor:
        app.state.extractor = extractor
        yield


# no pages of documentation: they would load scripts from elsewhere; /openapi.json is there
app = FastAPI(title="extractor", lifespan=_lifespan, docs_url=None, redoc_url=None)


@app.get("/health")
async def health(request: Request) -> dict[str, str]:
    """Whether the process serves; the model is not asked."""
    extractor: Extractor = request.app.state.extractor
    return {"status": "ok", "model": extractor.settings.model}


@app.post("/extract", response_model=None, responses={200: {"model": Outcome}})
async def extract(asked: One, request: Request) -> Response:
    """The facts of one text, as an `Outcome`; an article that failed is an `Outcome` with status `failed` and its reason."""
    extractor: Extractor = request.app.state.extractor
    work = extractor.aextract(asked.text, published=asked.published, title=asked.title, id=asked.id, fact_types=asked.fact_types)
    outcome = await _unless_gone(request, work)
    if outcome is None:
        return Response(status_code=_CLIENT_GONE)
    return Response(outcome.model_dump_json(), media_type="application/json")


@app.post("/extract/many", response_model=None)
async def extract_many(asked: Many, request: Request) -> Response:
    """Lines of JSON in order of completion: `{"outcome": …}` for each text, then `{"end": …}`, or `{"error": …}` where it broke off."""
    extractor: Extractor = request.app.state.extractor
    outcomes = extractor.aextract_many([one.article() for one in asked.articles], fact_types=asked.fact_types)
    # an endpoint that refuses everything is told by the status: it is sent only once there is a first outcome
    first = await _unless_gone(request, anext(outcomes))
    if first is None:
        return Response(status_code=_CLIENT_GONE)
    return StreamingResponse(_lines(first, outcomes), media_type="application/x-ndjson")


async def _lines(first: Outcome, outcomes: AsyncGenerator[Outcome, None]) -> AsyncGenerator[str, None]:
    async with aclosing(outcomes):  # when the client goes away, this is ended where it stands, and what is under way with it
        count = 1
        yield f'{{"outcome":{first.model_dump_json()}}}\n'
        try:
            async for outcome in outcomes:
                count += 1
                yield f'{{"outcome":{outcome.model_dump_json()}}}\n'
        except ExtractorError as error:  # the status is sent: what is left is to say so in a line
            yield json.dumps(_said(error)) + "\n"
        else:
            yield json.dumps({"end": {"outcomes": count}}) + "\n"


async def _unless_gone(request: Request, work: Awaitable[T]) -> T | None:
    """What `work` gives; None when the client goes away first: the work is then cancelled, and its request to the model with it."""
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        leaving.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


@app.exception_handler(ExtractorError)
async def _refused(_: Request, error: Exception) -> JSONResponse:
    """An error of the package as a status: the client's move, the operator's, or ours."""
    match error:
        case UsageError() | ArticleError():
            status = 422
        case EndpointError() | LimitReached():
            status = 503
        case _:
            status = 500
    return JSONResponse(_said(error), status)


@app.exception_handler(RequestValidationError)
async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """A body of the wrong shape, in the same form as every other error; what was sent is not sent back."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    wrong = "; ".join(f"{'.'.join(str(part) for part in one['loc'][1:]) or 'body'}: {_wrong(one)}" for one in error.errors())
    return JSONResponse(_said(UsageError(wrong)), 422)


@app.exception_handler(HTTPException)
async def _nowhere(request: Request, error: Exception) -> JSONResponse:
    """A path or a method that is not there, in that form too."""
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    wrong = UsageError(f"{request.method} {request.url.path}: {error.detail}")
    return JSONResponse(_said(wrong), error.status_code, headers=error.headers)


def _wrong(one: Mapping[str, Any]) -> str:
    return f"{one['msg']}; write it as YYYY-MM-DD" if one["type"].startswith("date_") else str(one["msg"])


def _said(error: Exception) -> dict[str, dict[str, str]]:
    return {"error": {"type": type(error).__name__, "message": str(error)}}
