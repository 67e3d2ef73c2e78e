import ssl

import pytest
from answers import answering, transfer, write_articles

from extractor.results.describe import estimate_text
from extractor.runs import session as session_module
from extractor.runs.folder import RunOptions, dry_run, run
from extractor.runs.ledger import Ledger
from extractor.settings import Settings
from extractor.testing import LoopbackEndpoint, Raw, completion

PRICE = (1.0, 10.0)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No test here speaks TLS."""
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None, raising=False)


@pytest.fixture
def endpoint():
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        yield endpoint


def options_of(tmp_path, **changes):
    return RunOptions(**{"paths": (str(tmp_path / "articles"),), "fact_types": ("weapons_transfer",), "out": tmp_path / "out", **changes})


def noticed(tmp_path, endpoint, *, options=(), **settings):
    """What a run over the folder says, and how many requests were made before it said so."""
    said = []
    report = run(
        options_of(tmp_path, **dict(options)),
        Settings(**{"base_url": endpoint.base_url, "price_usd": PRICE, **settings}),
        notice=lambda line: said.append((len(endpoint.requests), line)),
    )
    return report, said


@pytest.mark.parametrize(
    ("options", "settings", "name"),
    [
        ({}, {"model": "another"}, "model ('gpt-5-mini' before, 'another' now)"),
        ({}, {"temperature": 0.5}, "temperature (None before, 0.5 now)"),
        ({}, {"part_chars": 1000}, "part_chars (16000 before, 1000 now)"),
        ({"published": "2026-01-02"}, {}, "--published (not given before, 2026-01-02 now)"),
        ({"fact_types": ("funding_source",)}, {}, "the fact types (weapons_transfer before, funding_source now)"),
    ],
    ids=["model", "temperature", "part_chars", "published", "fact types"],
)
def test_what_changed_is_said_with_its_cost_before_the_first_request(options, settings, name, tmp_path, endpoint):
    """A change that asks articles again is named, with how many, tokens and dollars, before anything is paid."""
    write_articles(tmp_path / "articles", 4)
    report, said = noticed(tmp_path, endpoint)
    assert (said, len(endpoint.requests)) == ([], 4)
    used = report.usage.input_tokens + report.usage.output_tokens
    _, said = noticed(tmp_path, endpoint, options=options, **settings)
    ((requests, line),) = said
    assert requests == 4
    assert f"Since the last run {name} changed: up to 4 articles of this folder will be asked again, about {used:,} tokens" in line
    assert f"about ${report.cost_usd:.2f}" in line
    assert "remembered" not in line


def test_the_facts_that_a_change_of_types_takes_away_are_named(tmp_path, endpoint):
    """Facts of types that are asked no more leave the folder with the articles that are asked again: that is said before it happens."""
    write_articles(tmp_path / "articles", 2)
    noticed(tmp_path, endpoint, options={"fact_types": ("weapons_transfer", "funding_source")})
    _, said = noticed(tmp_path, endpoint, options={"fact_types": ("funding_source", "negotiation_proposal")})
    assert "(weapons_transfer, funding_source before, funding_source, negotiation_proposal now)" in said[0][1]
    assert said[0][1].endswith(
        "Facts of types that are not asked now (weapons_transfer 2) leave show, status and export with these articles; "
        "--out names a folder of its own for other types."
    )
    with Ledger(tmp_path / "out", read_only=True) as ledger:
        assert list(ledger.rows()) == []


def test_a_change_back_is_not_said_to_ask_everything(tmp_path, endpoint):
    """Where an earlier run asked the same, its answers may be remembered, and are: nothing is promised to cost what it does not."""
    write_articles(tmp_path / "articles", 2)
    noticed(tmp_path, endpoint)
    noticed(tmp_path, endpoint, model="another")
    assert len(endpoint.requests) == 4
    _, said = noticed(tmp_path, endpoint)
    assert "up to 2 articles of this folder will be asked again unless their answers are remembered, at most about" in said[0][1]
    assert len(endpoint.requests) == 4
    _, said = noticed(tmp_path, endpoint, model="another", options={"record": tmp_path / "tapes"})
    assert "will be asked again, about" in said[0][1]  # recording asks everything anew
    assert len(endpoint.requests) == 6


def test_a_replay_has_no_price(tmp_path, endpoint):
    """Answers out of cassettes cost nothing, so neither tokens nor dollars are foretold."""
    write_articles(tmp_path / "articles", 1)
    noticed(tmp_path, endpoint, options={"record": tmp_path / "tapes", "out": tmp_path / "recorded"}, model="another")
    noticed(tmp_path, endpoint)
    _, said = noticed(tmp_path, endpoint, options={"replay": tmp_path / "tapes"})
    assert said[0][1] == (
        "Since the last run model ('gpt-5-mini' before, 'another' now) changed: up to 1 article of this folder will be asked again, "
        "out of the cassettes, which costs nothing."
    )


def test_a_changed_schema_is_said_by_its_name(tmp_path, endpoint, monkeypatch):
    """An edited fact type asks again, and says which."""
    write_articles(tmp_path / "articles", 2)
    noticed(tmp_path, endpoint)
    monkeypatch.setattr(session_module, "type_fingerprint", lambda _: "b2:edited")
    report, said = noticed(tmp_path, endpoint, price_usd=None)
    assert "weapons_transfer's schema changed" in said[0][1]
    assert "at an unknown price" in said[0][1]
    assert report.complete == 2


def test_nothing_is_said_where_nothing_is_asked(tmp_path, endpoint, monkeypatch):
    """Neither a run as before nor a newer judge says that anything will be asked again, and neither asks."""
    write_articles(tmp_path / "articles", 2)
    noticed(tmp_path, endpoint)
    assert noticed(tmp_path, endpoint, concurrency=3)[1] == []
    monkeypatch.setattr(session_module, "JUDGE_VERSION", session_module.JUDGE_VERSION + 1)
    report, said = noticed(tmp_path, endpoint)
    assert (report.complete, report.usage.attempts, said, len(endpoint.requests)) == (2, 0, [], 2)


def test_a_dry_run_estimates_what_the_run_then_uses(tmp_path):
    """Articles, requests and tokens of a dry run are about those of the run after it; it sends and writes nothing."""
    write_articles(tmp_path / "articles", 3)
    long = "\n\n".join(f"Paragraph {number}. {'Nobody else spoke. ' * 40}" for number in range(6))
    (tmp_path / "articles" / "long.txt").write_text(long, encoding="utf-8")
    (tmp_path / "articles" / "photo.txt").write_bytes(bytes(range(256)) * 20)
    with LoopbackEndpoint(lambda request: {"weapons_transfer": []}) as endpoint:
        settings = Settings(base_url=endpoint.base_url, price_usd=PRICE, part_chars=1000)
        found = dry_run(options_of(tmp_path), settings)
        assert endpoint.requests == []
        assert not (tmp_path / "out").exists()
        report = run(options_of(tmp_path), settings)
    assert (found.articles, found.unchanged, found.unreadable) == (4, 0, 1)
    ((name, why),) = found.unreadable_named.items()
    assert name == "photo.txt"
    assert "photo.txt" in why
    assert found.over_max_cost_usd is None
    assert found.calls == report.usage.attempts > 4
    # the endpoint counts messages alone, and the estimate has the schema as well
    assert report.usage.input_tokens < found.input_tokens < 2.5 * report.usage.input_tokens
    assert found.cost_usd == pytest.approx((found.input_tokens * PRICE[0] + found.output_tokens * PRICE[1]) / 1e6)
    again = dry_run(options_of(tmp_path), settings)
    assert (again.articles, again.unchanged, again.calls, again.cost_usd) == (0, 4, 0, 0.0)


def test_a_dry_run_stops_counting_at_the_limit(tmp_path, endpoint):
    """`--limit` bounds the estimate as it bounds the run; a model without a price is unpriced, never free."""
    write_articles(tmp_path / "articles", 5)
    found = dry_run(options_of(tmp_path, limit=2), Settings(base_url=endpoint.base_url))
    assert (found.articles, found.calls, found.cost_usd) == (2, 2, None)


def test_a_dry_run_names_the_first_inputs_that_cannot_be_read(tmp_path, endpoint):
    """Each with its reason, up to a number; all of them count."""
    write_articles(tmp_path / "articles", 1)
    for number in range(7):
        (tmp_path / "articles" / f"empty{number}.txt").write_text("", encoding="utf-8")
    found = dry_run(options_of(tmp_path), Settings(base_url=endpoint.base_url))
    assert found.unreadable == 7
    assert list(found.unreadable_named) == [f"empty{number}.txt" for number in range(5)]
    lines = estimate_text(found).splitlines()
    assert lines[0] == "1 article to ask, 0 unchanged, 7 unreadable"
    assert lines[2] == f"unreadable empty0.txt: {found.unreadable_named['empty0.txt']}"
    assert (len(lines), lines[-1]) == (8, "and 2 more unreadable")


def test_a_dry_run_says_when_the_run_would_be_above_its_limit(tmp_path, endpoint):
    """An estimate above `max_cost_usd` is no news to keep back; one at or below it says nothing, and one without a price cannot."""
    write_articles(tmp_path / "articles", 2)
    settings = Settings(base_url=endpoint.base_url, price_usd=PRICE, max_cost_usd=0.001)
    found = dry_run(options_of(tmp_path), settings)
    assert found.cost_usd > found.over_max_cost_usd == 0.001
    assert estimate_text(found).splitlines()[-1] == "more than --max-cost 0.001: the run would stop there, and the same command would go on"
    enough = dry_run(options_of(tmp_path), settings.model_copy(update={"max_cost_usd": found.cost_usd}))
    assert enough == found.model_copy(update={"over_max_cost_usd": None})
    assert "max-cost" not in estimate_text(enough)
    halved = dry_run(options_of(tmp_path, batch=True), settings.model_copy(update={"max_cost_usd": found.cost_usd * 0.6}))
    assert halved.over_max_cost_usd is None
    unpriced = dry_run(options_of(tmp_path), settings.model_copy(update={"price_usd": None, "model": "nobody-knows"}))
    assert (unpriced.cost_usd, unpriced.over_max_cost_usd) == (None, None)


def test_answers_are_estimated_by_what_this_folder_had(tmp_path):
    """Once there are answers, their mean is expected of the next; those without reported usage do not pull it down."""

    def answer(request):
        return Raw(completion(request, {"weapons_transfer": []}, usage="topic 0" in str(request)))

    write_articles(tmp_path / "articles", 2)
    with LoopbackEndpoint(answer) as endpoint:
        report = run(options_of(tmp_path), Settings(base_url=endpoint.base_url))
        assert report.usage.unreported == 1
        found = dry_run(options_of(tmp_path), Settings(base_url=endpoint.base_url, model="another"))
    assert found.output_tokens == 2 * report.usage.output_tokens
