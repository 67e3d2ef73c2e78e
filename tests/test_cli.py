import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from answers import answering, is_repair, misquoted, transfer, write_articles

from extractor.cli import main
from extractor.testing import LoopbackEndpoint, Raw, completion

ROOT = Path(__file__).parent.parent
SECRET = "sk-" + "abcdefghijklmnop"  # in two pieces, so that no scanner takes it for a leak


@pytest.fixture
def articles(tmp_path):
    return write_articles(tmp_path / "articles", 3)


def run(articles, endpoint, tmp_path, *options):
    return main(["run", str(articles), "--base-url", endpoint.base_url, "--out", str(tmp_path / "out"), *options])


def rows(tmp_path, capsys, verdict="believed"):
    capsys.readouterr()
    assert main(["show", str(tmp_path / "out"), "--json", "--verdict", verdict]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_folder_becomes_facts_with_offsets(articles, tmp_path, capsys):
    """A run over a folder ends with facts whose quotes stand at their offsets in the article's text."""
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        assert run(articles, endpoint, tmp_path) == 0
    found = rows(tmp_path, capsys)
    assert [row["article_id"] for row in found] == ["a00.txt", "a01.txt", "a02.txt"]
    text = "Norway sends tanks\n\nNorway will give 13 tanks to Ukraine"
    quote = found[0]["evidence"][0]
    assert text[quote["start"] : quote["end"]] == quote["quote"] == "Norway will give 13 tanks to Ukraine"
    assert found[0]["countries"] == {"suppliers[0]": "NOR", "recipients[0]": "UKR"}
    assert found[0]["published"] == "2026-03-04"


def test_a_second_run_makes_no_call(articles, tmp_path, capsys):
    """The same command over the same folder asks nothing and changes nothing."""
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        run(articles, endpoint, tmp_path)
        asked, facts = len(endpoint.requests), (tmp_path / "out/facts.jsonl").read_bytes()
        assert run(articles, endpoint, tmp_path) == 0
        assert len(endpoint.requests) == asked == 3
    assert (tmp_path / "out/facts.jsonl").read_bytes() == facts
    assert "3 unchanged" in capsys.readouterr().err


def test_what_failed_before_is_said_and_what_asks_it_again(articles, tmp_path, capsys):
    """A run that asks nothing and still ends with 3 says why; so does the one in which an article fails."""

    def answer(request):
        if "topic 1" in request["messages"][-1]["content"]:
            return Raw(completion(request, {}, refusal="No."))
        return answering(transfer())(request)

    with LoopbackEndpoint(answer) as endpoint:
        assert run(articles, endpoint, tmp_path) == 3
        assert "--retry-failed" in capsys.readouterr().err
        assert run(articles, endpoint, tmp_path) == 3
    said = capsys.readouterr().err
    assert "2 unchanged, 1 failed or partial before" in said
    assert "--retry-failed" in said


def test_only_new_and_changed_articles_are_asked(articles, tmp_path, capsys):
    """A new article and a changed one are asked, the others are not; the changed one's facts take the place of the old."""
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        run(articles, endpoint, tmp_path)
        write_articles(articles, 4)
        changed = articles / "a01.txt"
        changed.write_text(changed.read_text().replace("Nobody", "Not one person"))
        assert run(articles, endpoint, tmp_path) == 0
        assert len(endpoint.requests) == 5
    assert [row["article_id"] for row in rows(tmp_path, capsys)] == ["a00.txt", "a01.txt", "a02.txt", "a03.txt"]
    assert len((tmp_path / "out/facts.jsonl").read_text().splitlines()) == 4


def test_a_wrong_number_in_a_quote_is_quarantined_never_realigned(articles, tmp_path, capsys):
    """A quote with "18" for the article's "13" is not believed, whatever the repairs say, and is kept with its reasons."""
    with LoopbackEndpoint(answering(misquoted(), repairs=[{"item": 1, "fact": misquoted()}])) as endpoint:
        assert run(articles, endpoint, tmp_path) == 0
    assert rows(tmp_path, capsys) == []
    (first, *_) = rows(tmp_path, capsys, "quarantined")
    assert "closest is" in first["issues"][0]["message"]
    assert "18 tanks" in first["raw"]


def test_one_bad_item_among_ten_costs_only_that_item(articles, tmp_path, capsys):
    """Nine facts are kept as given; the repair request holds the bad one alone, its type's schema alone and its paragraphs alone."""
    good = [
        transfer(category=category)
        for category in ("aircraft", "artillery", "missile", "ship", "sensor", "engine", "satellite", "other", "ammunition")
    ]
    answer = answering(*good[:4], misquoted(), *good[4:], repairs=[{"item": 1, "fact": transfer()}])
    with LoopbackEndpoint(answer) as endpoint:
        assert run(articles / "a00.txt", endpoint, tmp_path) == 0
        extraction, repair = endpoint.requests
    found = rows(tmp_path, capsys)
    assert [row["verdict"] for row in found].count("kept") == 9
    assert [row["verdict"] for row in found].count("repaired") == 1
    assert is_repair(repair)
    sent = json.dumps(repair)
    assert "18 tanks" in sent
    assert '"category": "aircraft"' not in repair["messages"][-1]["content"]
    assert "funding_source" in json.dumps(extraction)
    assert "funding_source" not in sent
    assert "Nobody else spoke" not in sent


def test_results_go_to_stdout_and_talk_to_stderr(articles, tmp_path, capsys):
    """A run prints nothing on stdout, so that it can stand in a pipe."""
    with LoopbackEndpoint(answering()) as endpoint:
        run(articles, endpoint, tmp_path)
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "3 articles" in streams.err


def test_a_refused_article_fails_alone(articles, tmp_path, capsys):
    """One refusal ends with exit code 3 and its reason in status; the others are complete; only --retry-failed asks it again."""

    def answer(request):
        if "topic 1" in request["messages"][-1]["content"]:
            message = {"role": "assistant", "content": None, "refusal": "I cannot help with weapons."}
            return Raw(
                json.dumps(
                    {
                        "id": "x",
                        "object": "chat.completion",
                        "created": 1,
                        "model": "m",
                        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                    }
                )
            )
        return answering(transfer())(request)

    with LoopbackEndpoint(answer) as endpoint:
        assert run(articles, endpoint, tmp_path) == 3
        asked = len(endpoint.requests)
        assert run(articles, endpoint, tmp_path) == 3
        assert len(endpoint.requests) == asked
        assert run(articles, endpoint, tmp_path, "--retry-failed") == 3
        assert len(endpoint.requests) == asked + 1
    capsys.readouterr()
    main(["status", str(tmp_path / "out"), "--json"])
    status = json.loads(capsys.readouterr().out)
    assert status["articles"] == {"complete": 2, "failed": 1}
    assert "cannot help" in status["failures"][0]["reason"]


def test_nonsense_for_ever_is_bounded_and_named(articles, tmp_path, capsys):
    """A model that never answers in shape costs a bounded number of requests and ends with exit code 3."""
    with LoopbackEndpoint(lambda request: "I would rather talk about the weather.") as endpoint:
        assert run(articles, endpoint, tmp_path) == 3
        assert len(endpoint.requests) <= 6 * 3 * 3
    assert "unparsable" in capsys.readouterr().err


def test_a_refusing_endpoint_stops_the_run(articles, tmp_path, capsys):
    """401 stops the run at once with one message that names the next move, and exit code 4."""
    with LoopbackEndpoint(lambda request: Raw({"error": {"message": f"Incorrect API key provided: {SECRET}"}}, status=401)) as endpoint:
        assert run(articles, endpoint, tmp_path, "--concurrency", "1") == 4
        assert len(endpoint.requests) == 1
    said = capsys.readouterr().err
    assert "OPENAI_API_KEY" in said
    assert SECRET not in said


def test_nothing_listening_is_said_plainly(articles, tmp_path, capsys):
    """A wrong base URL ends with exit code 4 and names the URL."""
    with LoopbackEndpoint(answering()) as endpoint:
        gone = endpoint.base_url
    assert main(["run", str(articles), "--base-url", gone, "--out", str(tmp_path / "out")]) == 4
    assert gone in capsys.readouterr().err


def test_recording_and_replaying_give_the_same_facts(articles, tmp_path, capsys):
    """A replay needs no endpoint and ends with the same rows, byte for byte; a changed article is a miss and exit code 5."""
    tapes = tmp_path / "tapes"
    with LoopbackEndpoint(answering(misquoted(), repairs=[{"item": 1, "fact": transfer()}])) as endpoint:
        assert run(articles, endpoint, tmp_path, "--record", str(tapes)) == 0
    replay = ["run", str(articles), "--replay", str(tapes), "--out", str(tmp_path / "again")]
    assert main(replay) == 0
    assert (tmp_path / "again/facts.jsonl").read_bytes() == (tmp_path / "out/facts.jsonl").read_bytes()
    (articles / "a01.txt").write_text((articles / "a01.txt").read_text().replace("Monday", "Tuesday"))
    capsys.readouterr()
    assert main(replay) == 5
    said = capsys.readouterr().err
    assert "a01.txt" in said
    assert "Tuesday" in said


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (["run", "no-such-folder", "--base-url", "http://127.0.0.1:1/v1"], 2, "no-such-folder"),
        (["run", "empty", "--base-url", "http://127.0.0.1:1/v1"], 2, ".txt"),
        (["run", "articles"], 2, "--base-url"),
        (["run", "articles", "--schema", "weapon_transfer", "--base-url", "http://127.0.0.1:1/v1"], 2, "weapons_transfer"),
        (["run", "articles", "--schema", "broken.py", "--base-url", "http://127.0.0.1:1/v1"], 2, "line 2"),
        (["run", "articles", "--concurrency", "0", "--base-url", "http://127.0.0.1:1/v1"], 2, "concurrency"),
        (["run", "articles", "--limit", "0", "--base-url", "http://127.0.0.1:1/v1"], 2, "--limit 0"),
        (["run", "articles", "--limit", "-1", "--dry-run"], 2, "--limit -1"),
        (["run", "articles", "--workers", "0", "--base-url", "http://127.0.0.1:1/v1"], 2, "--workers 0"),
        (["run", "articles", "--price", "nan,1", "--base-url", "http://127.0.0.1:1/v1"], 2, "--price"),
        (["run", "articles", "--max-cost", "0", "--base-url", "http://127.0.0.1:1/v1"], 2, "option 'max_cost_usd' (--max-cost)"),
        (["run", "articles", "--base-url", "not a url"], 2, "not a url"),
        (["run", "articles", "--replay", "empty"], 2, "manifest"),
        (["status", "empty"], 2, "no run folder"),
        (["show", "nowhere"], 2, "no run folder"),
        (["schemas", "nothing"], 2, "Installed"),
    ],
)
def test_bad_input_is_told_in_one_line(arguments, code, hint, articles, tmp_path, capsys, monkeypatch):
    """Wrong input ends before any call, with the exit code of the table and a message that names the next move."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.py").write_text("import extractor\nclass Fact(:\n")
    assert main(arguments) == code
    said = capsys.readouterr().err.strip().splitlines()
    assert hint in said[-1]
    assert not any("Traceback" in line for line in said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "articles", "--mdoel", "toy"], "extractor run: no option --mdoel; did you mean --model?"),
        (["run", "articles", "--mdoel=toy"], "extractor run: no option --mdoel; did you mean --model?"),
        (["show", "run", "--zzz"], "extractor show: no option --zzz"),
        (["show", "run", "more"], "extractor show: 'more' is one argument too many"),
        (["run", "articles", "--limit", "x"], "extractor run: argument --limit: invalid int value: 'x'"),
        (["run"], "extractor run: the following arguments are required: PATH"),
        (["--versoin"], "extractor: no option --versoin; did you mean --version?"),
    ],
)
def test_a_wrong_option_is_told_without_the_usage(arguments, said, capsys):
    """What is wrong, then where the options are listed."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    command = said.partition(":")[0]
    assert capsys.readouterr().err.splitlines() == [said, f"`{command} --help` lists what there is."]


def test_an_unreadable_file_is_named_and_the_rest_goes_on(articles, tmp_path, capsys):
    """A binary file among articles costs exit code 3 and is named; the others are read."""
    (articles / "photo.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8)
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        assert run(articles, endpoint, tmp_path) == 3
    assert "photo.txt" in capsys.readouterr().err
    assert len(rows(tmp_path, capsys)) == 3


def test_a_closed_pipe_ends_quietly(articles, tmp_path):
    """`show | head` is no failure and prints no traceback."""
    with LoopbackEndpoint(answering(*[transfer(status=status) for status in ("pledged", "agreed", "ordered", "delivered")])) as endpoint:
        run(articles, endpoint, tmp_path)
    command = f"{sys.executable} -m extractor show {tmp_path / 'out'} --json | head -1"
    ended = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert len(ended.stdout.splitlines()) == 1


def test_a_run_that_nobody_hears_any_more_is_no_success(articles, tmp_path):
    """Where the reader of stderr goes (`2>&1 | head`), the run ends resumable, with 4 and not with 0."""
    script = f"{sys.executable} -m extractor run {articles} --concurrency 1 --out {tmp_path / 'out'} --base-url $URL --model m 2>&1 | true"
    with LoopbackEndpoint(lambda request: Raw(completion(request, {}, refusal="I will not."))) as endpoint:
        ended = subprocess.run(
            ["bash", "-c", f"{script}; exit ${{PIPESTATUS[0]}}"],
            env={**os.environ, "URL": endpoint.base_url},
            capture_output=True,
            check=False,
        )
        asked = len(endpoint.requests)
        assert (ended.returncode, ended.stderr) == (4, b"")
        assert asked < 3
        assert run(articles, endpoint, tmp_path, "--model", "m") == 3


def test_help_imports_nothing_heavy():
    """`--help` pays for none of openai, instructor, pydantic and rich."""
    code = "import sys; from extractor.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\nprint(sorted({'openai', 'instructor', 'pydantic', 'rich'} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", ["status", "show"])
def test_looking_imports_no_sdk(command, articles, tmp_path):
    """`status` and `show` import neither openai nor instructor."""
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        run(articles, endpoint, tmp_path)
    code = f"import sys; from extractor.cli import main; main([{command!r}, {str(tmp_path / 'out')!r}]); print(sorted({{'openai', 'instructor'}} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


def test_a_run_that_asks_nothing_imports_no_sdk(articles, tmp_path):
    """Where every article is known nothing is asked, and what asking needs is not imported."""
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        run(articles, endpoint, tmp_path)
        again = ["run", str(articles), "--base-url", endpoint.base_url, "--out", str(tmp_path / "out")]
        code = f"import sys; from extractor.cli import main; main({again!r}); print(sorted({{'openai', 'instructor', 'tenacity', 'vcr'}} & set(sys.modules)))"
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


def test_standard_input_is_an_article(tmp_path):
    """`-` reads one article from standard input."""
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        ended = subprocess.run(
            [sys.executable, "-m", "extractor", "run", "-", "--base-url", endpoint.base_url, "--out", str(tmp_path / "out")],
            input=" date 2026-03-04 Norway sends tanks\n\nNorway will give 13 tanks to Ukraine.\n",
            capture_output=True, text=True, check=False, env={**os.environ},
        )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert '"article_id": "stdin-' in (tmp_path / "out/facts.jsonl").read_text()


def test_schemas_and_prompt_show_what_is_asked(articles, capsys):
    """`schemas` lists the types, `prompt` prints the request with its size and needs no key."""
    assert main(["schemas"]) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("weapons_transfer")
    assert main(["schemas", "funding_source"]) == 0
    assert "commitment_level" in capsys.readouterr().out
    assert main(["prompt", str(articles / "a00.txt"), "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["response_format"]["json_schema"]["strict"] is True
    assert "Norway will give 13 tanks" in body["messages"][-1]["content"]
    assert main(["prompt", str(articles / "a00.txt")]) == 0
    assert "bytes" in capsys.readouterr().out


def test_a_new_schema_can_be_asked_for_at_once(articles, tmp_path, capsys, monkeypatch):
    """`new-schema` writes a file that `schemas` and `prompt` take as it is, and never writes over one."""
    monkeypatch.chdir(tmp_path)
    assert main(["new-schema", "port-closure"]) == 0
    assert "port_closure.py" in capsys.readouterr().err
    assert main(["schemas", "port_closure.py"]) == 0
    assert capsys.readouterr().out.startswith("port_closure v1\n")
    assert main(["prompt", str(articles), "--schema", "port_closure.py:PortClosure", "--json"]) == 0
    assert '"port_closure"' in capsys.readouterr().out
    assert main(["new-schema", "port-closure"]) == 2
    assert "exists already" in capsys.readouterr().err


def test_schemas_checks_the_examples_too(tmp_path, capsys, monkeypatch):
    """An example that does not hold in its own text is told as a run would tell it."""
    monkeypatch.chdir(tmp_path)
    main(["new-schema", "Loan", "-o", "mine.py"])
    path = tmp_path / "mine.py"
    path.write_text(path.read_text().replace('"action": "lend', '"action": "borrow'))
    capsys.readouterr()
    assert main(["schemas", "mine.py"]) == 2
    assert "Worked example 1 of 'loan' does not hold in its own text: action" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["20250725", "2025-W30-5", "25.07.2025"])
def test_a_publication_date_is_written_as_the_library_takes_it(capsys, given):
    """YYYY-MM-DD alone, whatever else Python reads as a date."""
    with pytest.raises(SystemExit) as ended:
        main(["run", "x.txt", "--published", given])
    assert ended.value.code == 2
    assert f"{given!r} is no date; write it as YYYY-MM-DD" in capsys.readouterr().err
