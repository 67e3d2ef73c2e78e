"""Rows of articles in, rows of facts out: the pieces of a Ray Data pipeline of one's own.

In: Datasets. Out: Datasets, Parquet. Floor: runs; Ray is reached through `distribute`.
Before changing it: it runs in processes on other machines, so what it holds must survive pickle, and every failure is a row.
"""

import asyncio
import importlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import ValidationError

from extractor.articles.discover import Source
from extractor.articles.read import read, read_text
from extractor.errors import ArticleError, EndpointError, LimitReached, SettingsError, UsageError
from extractor.evidence.outcome import Grounded, Quarantined
from extractor.facts.fact import Fact
from extractor.records import Article
from extractor.runs.distribute import SharedGate, connect
from extractor.runs.rows import row_of
from extractor.runs.worker import Order, Worker, share_of
from extractor.settings import Settings, overridden


class ExtractBatches:
    """Rows of articles in, one row for each article out: for `map_batches` of Ray Data, `batch_format="pyarrow"`.

    ```python
    articles = read_articles(["s3://bucket/news/"])
    results = articles.map_batches(
        ExtractBatches,
        fn_constructor_kwargs={"settings": settings, "ledger_dir": "/shared/ledger"},
        batch_format="pyarrow", batch_size=64, concurrency=8,
    )
    ```

    What befalls an article is in its row: `status` is `complete`, `partial`, `failed`, `unreadable`, or `not_asked` where the endpoint
    refuses everything or a limit is reached. `facts_of` makes rows of its facts.

    Args:
        fact_types: Classes, registered names or `FILE.py:CLASS`; empty for the three that ship.
        settings: How each worker asks; `concurrency` is one worker's.
        ledger_dir: A folder that all workers see: what they pay for is kept there, and a later pipeline over it asks nothing twice.
        limits: From `shared_limits`, where the settings have limits.
        retry_failed: Ask again what was refused or broken.

    Raises:
        SettingsError: The settings have limits, and `limits` is missing: each worker would have them for itself.
    """

    def __init__(
        self,
        fact_types: Sequence[str | type[Fact]] = (),
        settings: Settings | None = None,
        *,
        ledger_dir: str | Path,
        limits: Any = None,
        retry_failed: bool = False,
    ) -> None:
        settings = overridden(settings)
        if limits is None and (settings.rpm or settings.tpm or settings.max_cost_usd):
            raise SettingsError("rpm, tpm and max_cost_usd would be each worker's own: give limits=shared_limits(settings) as well.")
        order = Order(tuple(fact_types), share_of(settings, 1), Path(ledger_dir), retry_failed=retry_failed)
        self._worker = Worker(order, SharedGate(limits) if limits else None)
        self._stopped: str | None = None

    async def __call__(self, batch: Any) -> Any:
        """One row for each row of a table with a column `article`, or with `id`, `text` and what else there is of an article's fields."""
        pyarrow = importlib.import_module("pyarrow")  # it comes with ray[data]
        self._worker.look_around()  # Ray gives the batch of a worker that died to another one
        rows = await asyncio.gather(*(self._row(row) for row in batch.to_pylist()))
        return pyarrow.Table.from_pylist(rows, schema=pyarrow.schema(_columns(pyarrow)))

    async def _row(self, row: dict[str, Any]) -> dict[str, Any]:
        name = str(row.get("id") or "")
        if reason := row.get("unreadable"):
            return {"article_id": name, "status": "unreadable", "reason": reason, "facts": []}
        try:
            article = _article_of(row)
            if self._stopped:
                return {"article_id": name, "status": "not_asked", "reason": self._stopped, "facts": []}
            outcome = (await self._worker.outcome(article)).outcome
        except (ArticleError, UsageError) as error:
            return {"article_id": name, "status": "unreadable", "reason": str(error), "facts": []}
        except (EndpointError, LimitReached) as stop:
            self._stopped = self._stopped or str(stop)
            return {"article_id": name, "status": "not_asked", "reason": str(stop), "facts": []}
        everything: tuple[Grounded[Any] | Quarantined, ...] = (*outcome.facts, *outcome.quarantined, *outcome.merged)
        return {
            "article_id": article.id,
            "status": outcome.status,
            "cause": outcome.cause,
            "reason": outcome.reason,
            "facts": [row_of(fact, article, self._worker.session.provenance) for fact in everything],
            "input_tokens": outcome.usage.input_tokens,
            "output_tokens": outcome.usage.output_tokens,
            "attempts": outcome.usage.attempts,
            "cost_usd": outcome.cost_usd,
        }


def read_articles(paths: str | Sequence[str]) -> Any:
    """A Ray Dataset of the articles in files, by path or URL (`s3://`, `gs://`, …): one row each, with `id`, `article` and `unreadable`.

    Ray reads the files, each worker its part of them; every format is read that a run reads. An id is the path below the argument that
    leads to it. What is no article is a row with the reason in `unreadable`.

    Args:
        paths: Files and folders; Ray goes through folders.
    """
    given = [paths] if isinstance(paths, str) else list(paths)
    files = connect().data.read_binary_files(given, include_paths=True)
    return files.flat_map(_ArticlesIn(tuple(given)))


def facts_of(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The facts in one row of results, for `flat_map`: `article_id`, `id`, `fact_type`, `verdict`, and all of it as JSON in `row`."""
    found = []
    for text in row["facts"]:
        fact = json.loads(text)
        found.append({**{name: fact[name] for name in ("article_id", "id", "fact_type", "verdict")}, "row": text})
    return found


def write_results(results: Any, out: str) -> None:
    """Write a Dataset of results as Parquet: `OUT/articles` with one row for each article, `OUT/facts` with one for each fact.

    Args:
        results: From `ExtractBatches`; it is gone through once, so that nothing is asked twice.
        out: A folder by path or URL; neither `articles` nor `facts` may be in it, since a fact written beside an earlier one counts twice.

    Raises:
        UsageError: One of them is there; nothing is asked or written.
    """
    articles, facts = f"{out.rstrip('/')}/articles", f"{out.rstrip('/')}/facts"
    for folder in (articles, facts):
        _require_new(folder)
    results.write_parquet(articles)
    connect().data.read_parquet(articles).flat_map(facts_of).write_parquet(facts)


def _require_new(folder: str) -> None:
    fs = importlib.import_module("pyarrow.fs")
    system, path = fs.FileSystem.from_uri(folder if "://" in folder else Path(folder).resolve().as_uri())
    if system.get_file_info(path).type is not fs.FileType.NotFound:
        raise UsageError(
            f"{folder!r} is there already. Name another folder, or delete it: over the same `ledger_dir` nothing is asked twice."
        )


class _ArticlesIn:
    """The articles in one file that Ray has read."""

    def __init__(self, given: tuple[str, ...]) -> None:
        self._given = tuple(path.partition("://")[2] or path for path in given)

    def __call__(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        path = PurePosixPath(row["path"].partition("://")[2] or row["path"])
        name = path.name
        for folder in self._given:
            if path.is_relative_to(folder) and str(path) != folder.rstrip("/"):
                name = path.relative_to(folder).as_posix()
                break
        found: list[dict[str, Any]] = []
        with TemporaryDirectory() as folder:
            file = Path(folder) / path.name  # readers go by suffix, and by a date in the name
            file.write_bytes(row["bytes"])
            try:
                found.extend(
                    {"id": article.id, "article": article.model_dump_json(), "unreadable": None}
                    for article in read(Source(id=name, path=file))
                )
            except ArticleError as error:
                found.append({"id": name, "article": None, "unreadable": str(error).replace(str(file), str(path))})
        return found


def _article_of(row: Mapping[str, Any]) -> Article:
    if row.get("article"):
        try:
            return Article.model_validate_json(row["article"])
        except ValidationError as error:
            raise ArticleError(f"Row {str(row.get('id') or '')!r} has no article in its column `article`: {_what(error)}.") from None
    given: dict[str, Any] = {name: str(row[name]) for name in ("title", "source", "language", "url") if row.get(name) is not None}
    name = str(row.get("id") or "")
    if (day := row.get("published")) is not None:
        try:
            given["published"] = day if isinstance(day, date) else date.fromisoformat(str(day))
        except ValueError as error:
            raise ArticleError(f"Article {name!r} has published={day!r}; expected a date as YYYY-MM-DD.") from error
    return read_text(str(row.get("text") or ""), id=name, **given)


def _what(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _columns(pyarrow: Any) -> list[tuple[str, Any]]:
    """Names and types of a row of results: said outright, since a column of nulls alone has no type to guess."""
    text, number = pyarrow.string(), pyarrow.int64()
    return [
        ("article_id", text), ("status", text), ("cause", text), ("reason", text), ("facts", pyarrow.list_(text)),
        ("input_tokens", number), ("output_tokens", number), ("attempts", number), ("cost_usd", pyarrow.float64()),
    ]  # fmt: skip
