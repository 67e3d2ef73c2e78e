import importlib.util

import pytest
from answers import answering, is_repair, misquoted, told_apart, transfer, write_articles
from batch_endpoint import BatchEndpoint

from extractor.llm import transport as transport_module
from extractor.runs import dispatch as dispatch_module
from extractor.runs.folder import RunOptions, run
from extractor.runs.ledger import Ledger
from extractor.settings import Settings
from extractor.testing import completion

HAS_RAY = importlib.util.find_spec("ray") is not None
ENGINES = {"plain": {}, "batch": {"batch": True}, "ray": {"engine": "ray", "workers": 2}}


def answer(request):
    """Right, wrong, unreadable, too long and refused answers: each article takes another way through the flow."""
    text = request["messages"][-1]["content"]
    right = answering(transfer(), misquoted(), transfer(), repairs=[{"item": 1, "fact": transfer(status="agreed")}])
    if is_repair(request):
        return {"weapons_transfer": []} if "in hall 1." in text else right(request)
    if "topic 2!" in text and "could not be read" not in text:
        return "Here is what I found: nothing."
    if "topic 3!" in text:
        refusal = completion(request, {}, refusal="I would rather not.")
        return 200, refusal
    if "topic 4!" in text and len(text) > 6000:
        return 400, {"error": {"message": "Too long.", "code": "context_length_exceeded"}}
    return right(request) if "13 tanks" in text else {"weapons_transfer": []}


@pytest.mark.filterwarnings("default")  # Ray warns about its own future
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "other",
    ["batch", pytest.param("ray", marks=[pytest.mark.slow, pytest.mark.skipif(not HAS_RAY, reason="the extra 'ray' is not installed")])],
)
def test_every_engine_gives_the_same_run_folder_for_the_same_replies(tmp_path, monkeypatch, other):
    """The facts file is the same byte for byte, and so is what became of each article and of each item that was not believed."""
    monkeypatch.setattr(dispatch_module, "FIRST_POLL_S", 0.01)
    monkeypatch.setattr(transport_module, "_BACKOFF_S", 0.005)
    articles = told_apart(write_articles(tmp_path / "articles", 6))
    long = (
        (articles / "a04.txt").read_text(encoding="utf-8") + "\n\n" + "\n\n".join(f"Nothing more was said in room {n}." for n in range(200))
    )
    (articles / "a04.txt").write_text(long, encoding="utf-8")
    # each worker finds out for itself how a schema travels: where its first answer has not the shape, it tries other ways
    counts = ("articles", "facts", "attempts", "attempt_outcomes", "output_tokens") if other == "batch" else ("articles", "facts")
    with BatchEndpoint(answer) as endpoint:
        reports, ledgers = {}, {}
        for engine in ("plain", other):
            out = tmp_path / engine
            options = RunOptions(paths=(str(articles),), fact_types=("weapons_transfer",), out=out, **ENGINES[engine])
            # one at a time: whether an odd answer comes before a good one has shown how the schema travels decides how often is asked
            reports[engine] = run(options, Settings(base_url=endpoint.base_url, price_usd=(1.0, 2.0), concurrency=1))
            with Ledger(out, read_only=True) as ledger:
                assert ledger.verify() == []
                summary = ledger.summary()
                ledgers[engine] = (
                    list(ledger.rows(("kept", "repaired", "quarantined", "merged"))),
                    list(ledger.articles()),
                    {name: summary[name] for name in counts},
                )
    assert (tmp_path / other / "facts.jsonl").read_bytes() == (tmp_path / "plain/facts.jsonl").read_bytes()
    assert ledgers[other] == ledgers["plain"]
    left_out = {"cost_usd"} if other == "batch" else {"cost_usd", "usage"}
    assert reports[other].model_dump(exclude=left_out) == reports["plain"].model_dump(exclude=left_out)
    assert (reports["plain"].complete, reports["plain"].failed, reports["plain"].quarantined) == (5, 1, 1)
    if HAS_RAY and other == "ray":
        import ray

        assert not ray.is_initialized()
