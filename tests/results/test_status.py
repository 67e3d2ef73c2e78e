import json
import re
from datetime import timedelta

import pytest
from answers import answering, misquoted, transfer, write_articles

from extractor.cli import main
from extractor.evidence.outcome import Outcome
from extractor.records import Article
from extractor.results.status import _lasting
from extractor.runs.ledger import Ledger
from extractor.runs.rows import Provenance
from extractor.testing import LoopbackEndpoint, Raw, completion

MANIFEST = {"settings": {"model": "a-model", "base_url": "http://127.0.0.1:9/v1"}, "options": {"paths": ["articles"]}, "given": ["model"]}


def failed(ledger, number, cause, reason, article_id=None):
    article = Article(id=article_id or f"a{number:05}.txt", text="Norway will give 13 tanks.")
    outcome = Outcome(article=article, status="failed", cause=cause, reason=f"{cause}: {reason}")
    ledger.outcome(outcome, key="key", judge_version=1, provenance=Provenance("a-model", "extract.v1", {}))


def said(capsys, *arguments):
    main(["status", *map(str, arguments)])
    return capsys.readouterr().out


@pytest.fixture
def many(tmp_path):
    """A run folder with a thousand failures of two causes."""
    with Ledger(tmp_path / "out") as ledger:
        ledger.start_run(MANIFEST, {})
        for number in range(1000):
            failed(ledger, number, "timeout" if number % 10 else "refusal", f"It took {number} s." + " Nobody knows why." * 100)
        for number in range(50):
            ledger.unreadable(f"photo{number}.txt", "It is binary.")
        ledger.end_run(3, all_seen=True)
    return tmp_path / "out"


def test_many_failures_are_counted_by_cause_with_a_few_examples(many, capsys):
    """A page tells what went wrong how often, and how to see all of it."""
    text = said(capsys, many)
    assert len(text.splitlines()) < 60
    assert "failed, timeout  900" in text
    assert "failed, refusal  100" in text
    assert "unreadable  50" in text
    assert "a00010.txt: It took 10 s." in text
    assert f"and 897 more: extractor status {many} --all" in " ".join(text.split())
    assert "extractor run articles --model a-model --retry-failed   # asks again what failed or is partial: 1,000 articles" in text


def test_all_failures_are_named_when_asked(many, capsys):
    """`--all` and `--json` leave none out, and cut no reason short."""
    text = said(capsys, many, "--all")
    assert sum("It took" in line for line in text.splitlines()) == 1000
    assert "more: extractor status" not in text
    assert text.count("Nobody knows why.") == 100_000
    assert len(json.loads(said(capsys, many, "--json"))["failures"]) == 1000


def test_hostile_names_and_reasons_stay_text(tmp_path, capsys):
    """What a file is called, or a model says, colours nothing and moves no cursor."""
    with Ledger(tmp_path) as ledger:
        ledger.start_run(MANIFEST, {})
        failed(ledger, 0, "refusal", "[red]No[/] \x1b[2J and \u202e done", article_id="[bold]x[/]\x1b[31m.txt")
        ledger.end_run(3, all_seen=True)
    for arguments in ((tmp_path,), (tmp_path, "--all")):
        text = said(capsys, *arguments)
        assert "[bold]x[/]" in text
        assert "[red]No[/]" in text
        assert not {"\x1b", "\u202e"} & set(text)


def test_quarantine_is_counted_by_type_and_by_reason(tmp_path, capsys):
    """An analyst sees what was not believed and for which rule, what it cost, and where to look next."""
    articles, out = write_articles(tmp_path / "articles", 3), tmp_path / "out"
    with LoopbackEndpoint(answering(transfer(), misquoted())) as endpoint:
        main(
            [
                "run",
                str(articles),
                "--out",
                str(out),
                "--base-url",
                endpoint.base_url,
                "--schema",
                "weapons_transfer",
                "--repairs",
                "0",
                "--quiet",
            ]
        )
    capsys.readouterr()
    text = " ".join(said(capsys, out).split())
    assert "weapons_transfer 3 0 3 0" in text
    assert "Quarantined for quote_not_found 3 (facts by reason; one may have several)" in text
    assert re.search(r", took [0-9]+\.[0-9] s, exit code 0", text)
    assert "unpriced" in text
    assert "repairs 0" in text
    assert f"extractor show {out} --verdict quarantined" in text
    assert json.loads(said(capsys, out, "--json"))["quarantined_for"] == {"quote_not_found": 3}


def test_tokens_that_nobody_reported_are_said_so(tmp_path, capsys):
    """Sums that are lower bounds are called that."""
    articles, out = write_articles(tmp_path / "articles", 2), tmp_path / "out"
    with LoopbackEndpoint(lambda request: Raw(completion(request, {"weapons_transfer": []}, usage=False))) as endpoint:
        main(["run", str(articles), "--out", str(out), "--base-url", endpoint.base_url, "--schema", "weapons_transfer", "--quiet"])
    capsys.readouterr()
    assert "Requests 2, 2 without reported usage" in " ".join(said(capsys, out).split())


def test_a_stopped_run_says_how_to_go_on(tmp_path, capsys):
    """The same command, as the ledger knows it."""
    articles, out = write_articles(tmp_path / "my articles", 3), tmp_path / "out"
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        main(
            [
                "run",
                str(articles),
                "--out",
                str(out),
                "--base-url",
                endpoint.base_url,
                "--schema",
                "weapons_transfer",
                "--limit",
                "1",
                "--quiet",
            ]
        )
    capsys.readouterr()
    text = said(capsys, out)
    assert "Stopped  The limit of 1 article is reached" in text
    assert f"extractor run '{articles}' --schema weapons_transfer --out {out} --base-url {endpoint.base_url}   # goes on" in text


@pytest.mark.parametrize(
    ("given", "options", "command"),
    [
        (
            {"model": "tiny b2:1", "local": "tiny.gguf", "local_threads": 2},
            {"limit": 3},
            "extractor run articles --local tiny.gguf --threads 2   # goes on",
        ),
        (
            {"model": "m", "max_cost_usd": 0.5, "price_usd": [0.25, 2.0], "repairs": 0},
            {"batch": True, "retry_failed": True, "engine": "asyncio"},
            "extractor run articles --batch --model m --repairs 0 --max-cost 0.5 --price 0.25,2 --retry-failed   # goes on",
        ),
        (
            {"base_url": "http://10.0.0.7/v1", "rpm": 60},
            {"engine": "ray", "workers": 4, "batch": False},
            "extractor run articles --workers 4 --engine ray --base-url http://10.0.0.7/v1 --rpm 60   # goes on",
        ),
    ],
    ids=["a model file", "a batch with a limit on cost", "a cluster"],
)
def test_the_command_to_go_on_asks_the_same_model_in_the_same_way(given, options, command, tmp_path, capsys):
    """What is told to be run next neither sends articles elsewhere nor spends without the limit that was set, nor leaves a batch behind."""
    settings = {"model": "m", "base_url": "https://api.openai.com/v1", **given}
    manifest = {"settings": settings, "options": {"paths": ["articles"], **options}, "given": sorted(given)}
    with Ledger(tmp_path / "out") as ledger:
        ledger.start_run(manifest, {})
        ledger.end_run(4, all_seen=False, stopped="A limit.")
    assert command in said(capsys, tmp_path / "out")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.04, "0.0 s"), (4.25, "4.2 s"), (59.96, "0:01:00"), (60, "0:01:00"), (3723.9, "1:02:04"), (90_000, "1 day, 1:00:00")],
)
def test_a_short_run_took_some_time(seconds, told):
    """Under a minute with a decimal: a replay of a second did not take nothing."""
    assert _lasting(timedelta(seconds=seconds)) == told


def test_a_replay_with_misses_has_ended(tmp_path, capsys):
    """It does not go on where it ended, and its misses need no --retry-failed: the cassettes must have them first."""
    manifest = {**MANIFEST, "options": {"paths": ["articles"], "replay": "tapes"}, "given": []}
    with Ledger(tmp_path) as ledger:
        ledger.start_run(manifest, {})
        failed(ledger, 0, "cassette_miss", "not recorded")
        ledger.end_run(5, all_seen=True)
    text = said(capsys, tmp_path)
    assert "extractor run articles --replay tapes   # asks again what the cassettes lacked, once they have it" in text
    assert "goes on where it ended" not in text
    assert "--retry-failed" not in text
