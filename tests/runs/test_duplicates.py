"""Articles of one text in one run: asked once, and each with an outcome of its own."""

import asyncio
import json
import ssl
import threading

import pytest
from answers import ARTICLE, answering, is_repair, misquoted, transfer

from extractor.llm import transport as transport_module
from extractor.records import Article
from extractor.runs.folder import RunOptions, run
from extractor.runs.ledger import Ledger
from extractor.runs.session import Memory, Session
from extractor.schemas import WeaponsTransfer
from extractor.settings import Settings
from extractor.testing import LoopbackEndpoint, Raw, completion

TYPES = {"weapons_transfer": WeaponsTransfer}
TEXT = "Norway will give 13 tanks to Ukraine, the ministry in Oslo said."
REPAIRED = answering(misquoted(), repairs=[{"item": 1, "fact": transfer()}])


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits are a hundredth, and no test here speaks TLS."""
    monkeypatch.setattr(transport_module, "_BACKOFF_S", 0.005)
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None, raising=False)


def outcomes(folder, endpoint, *articles, mode=None, **settings):
    """All of them at once, in one session."""

    async def all_at_once():
        session = Session(TYPES, Settings(base_url=endpoint.base_url, **settings), Memory(ledger=ledger), mode=mode)
        try:
            return await asyncio.gather(*map(session.outcome, articles))
        finally:
            await session.aclose()

    with Ledger(folder) as ledger:
        ledger.start_run({}, {name: ("b2:0", 1, {}) for name in TYPES})
        return asyncio.run(all_at_once())


@pytest.mark.parametrize("mode", [None, "json_schema/strict"], ids=["the way of asking unknown", "and known"])
def test_articles_of_one_text_in_flight_together_are_asked_once(mode, tmp_path):
    """The others wait for the first one's answer, its repair too; each has its own facts under its own id, and only one is charged."""
    articles = [Article(id=f"copy {number}", text=TEXT) for number in range(5)]
    slowly = lambda request: Raw(completion(request, REPAIRED(request)), delay_s=0.1)  # noqa: E731 - read as a word
    with LoopbackEndpoint(slowly) as endpoint:
        found = outcomes(tmp_path, endpoint, *articles, mode=mode)
        assert [is_repair(request) for request in endpoint.requests] == [False, True]
    assert [one.article.id for one in found] == [article.id for article in articles]
    assert [[fact.verdict for fact in one.facts] for one in found] == [["repaired"]] * 5
    assert len({one.facts[0].id for one in found}) == 5
    assert sorted(one.usage.attempts for one in found) == [0, 0, 0, 0, 2]


def test_another_date_or_headline_is_another_question(tmp_path):
    """Relative dates mean other days in a reprint, so it is asked on its own."""
    articles = [Article(id="a", text=TEXT), Article(id="b", text=TEXT, published="2026-03-04"), Article(id="c", text=TEXT, title="Norway")]
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        outcomes(tmp_path, endpoint, *articles)
        assert len(endpoint.requests) == 3


def test_where_the_first_got_no_answer_the_next_asks_for_itself(tmp_path):
    """A failure is the first one's own; nothing waits for an answer that never comes."""
    asked = threading.Lock()

    def answer(request):
        if asked.acquire(blocking=False):
            return Raw({"error": {"message": "Down."}}, status=500, delay_s=0.1)
        return answering(transfer())(request)

    with LoopbackEndpoint(answer) as endpoint:
        found = outcomes(tmp_path, endpoint, *(Article(id=name, text=TEXT) for name in "abc"), mode="json_schema/strict", attempts=1)
        assert len(endpoint.requests) == 2
    assert [one.status for one in found] == ["failed", "complete", "complete"]


def test_two_files_of_one_text_in_a_folder_are_asked_once(tmp_path):
    """A run over them sends one request, and its facts name both files."""
    folder = tmp_path / "articles"
    folder.mkdir()
    for name in ("a.txt", "b.txt", "c.md"):
        (folder / name).write_text(ARTICLE.format(topic="peace"), encoding="utf-8")
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        options = RunOptions(paths=(str(folder),), fact_types=("weapons_transfer",), out=tmp_path / "out")
        report = run(options, Settings(base_url=endpoint.base_url))
        assert len(endpoint.requests) == 1
    assert (report.complete, report.kept) == (3, 3)
    lines = [json.loads(line) for line in (tmp_path / "out" / "facts.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sorted(line["article_id"] for line in lines) == ["a.txt", "b.txt", "c.md"]
