import csv
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from extractor.cli import main
from extractor.evidence.validate import Believed, Judge, check_examples
from extractor.facts import catalog
from extractor.records import Article

ROOT = Path(__file__).parent.parent
SANCTIONS = ROOT / "examples" / "sanctions"
SCHEMA = f"{SANCTIONS / 'sanction.py'}:Sanction"
TAPES = ROOT / "cassettes" / "sanctions"


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """The recorded run, replayed."""
    out = tmp_path_factory.mktemp("sanctions") / "run"
    assert main(["run", str(SANCTIONS / "articles"), "--schema", SCHEMA, "--replay", str(TAPES), "--out", str(out), "--quiet"]) == 0
    return out


@pytest.fixture(scope="module")
def rows(run_dir):
    """All of its facts, quarantined ones too, as `show` gives them."""
    out = run_dir / "all.jsonl"
    assert main(["export", str(run_dir), "-o", str(out), "--verdict", "all"]) == 0
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def sanction():
    return catalog.load([SCHEMA])["sanction"]


def test_its_worked_example_holds_and_every_value_is_understood():
    """Each fact of the example is believed in its own text, and no value of it is flagged `unverified`."""
    fact_type = sanction()
    check_examples({"sanction": fact_type})
    (example,) = fact_type.examples
    judge = Judge(Article(id="example", text=example.text, published=example.published))
    for fact in example.facts:
        judged = judge.judge(fact.model_dump_json(), fact_type)
        assert isinstance(judged, Believed)
        assert {issue.code for issue in judged.issues} <= {"assumed"}


def test_the_prompt_says_what_the_class_says(capsys):
    """Docstring, field descriptions and the worked example are in the request, and no shipped type is."""
    assert main(["prompt", str(SANCTIONS / "articles"), "--schema", SCHEMA, "--json"]) == 0
    request = json.loads(capsys.readouterr().out.splitlines()[0])
    sent = json.dumps(request, ensure_ascii=False)
    fact_type = sanction()
    assert " ".join(fact_type.__doc__.split())[:60] in " ".join(sent.replace("\\n", " ").split())
    for field in fact_type.model_fields.values():
        assert field.description is None or json.dumps(field.description, ensure_ascii=False)[1:-1] in sent
    assert json.dumps(fact_type.examples[0].text, ensure_ascii=False)[1:-1] in sent
    assert "weapons_transfer" not in sent


def test_what_is_right_is_kept_what_is_wrong_is_repaired_or_quarantined(rows):
    """The wrong currency is repaired and its first version kept; what the article does not say is quarantined; the threat is nothing."""
    verdicts = [(row["verdict"], (row.get("value") or {}).get("step")) for row in rows]
    assert verdicts == [
        ("kept", "decided"),
        ("repaired", "in_force"),
        ("kept", "extended"),
        ("kept", "rejected"),
        ("kept", "lifted"),
        ("quarantined", None),
    ]
    repaired, quarantined = rows[1], rows[-1]
    assert (repaired["value"]["amount"]["minimum"], repaired["value"]["amount"]["currency"]) == ("36000000", "CAD")
    assert "USD" in json.dumps(repaired["tries"])
    assert "Japan" in json.dumps(quarantined)
    assert {issue["code"] for issue in quarantined["issues"]} >= {"quote_not_found"}


def test_every_quote_and_value_stands_where_the_row_says(rows, run_dir, tmp_path):
    """Offsets point into the article's text, quarantined facts' quotes included."""
    copy = tmp_path / "facts.sqlite"
    assert main(["export", str(run_dir), "-o", str(copy)]) == 0
    with sqlite3.connect(copy) as db:
        texts = dict(db.execute("SELECT article_id, text FROM articles"))
    db.close()
    for row in rows:
        for quote in row["evidence"]:
            assert texts[row["article_id"]][quote["start"] : quote["end"]] == quote["quote"]
        assert bool(row["evidence"]) == (row["verdict"] != "quarantined")


def test_the_columns_come_from_its_fields(run_dir, tmp_path):
    """The CSV has a column for each field, sums and dates in parts, countries beside the names."""
    out = tmp_path / "facts.csv"
    assert main(["export", str(run_dir), "-o", str(out)]) == 0
    with out.open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["step"] for row in table] == ["decided", "in_force", "extended", "rejected", "lifted"]
    assert table[0]["imposed_by_countries"] == "CAN; NZL"
    assert (table[0]["listed_minimum"], table[0]["holds_from_earliest"]) == ("11", "2026-05-01")
    assert (table[4]["listed_minimum"], table[4]["listed_maximum"]) == ("15", "")


def test_the_review_page_holds_its_facts(run_dir, tmp_path):
    """The page has the type, its facts and the quarantined one; the class is not needed."""
    page = tmp_path / "review.html"
    assert main(["review", str(run_dir), "-o", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "measure_as_written" in text
    assert "Japan has barred the same tankers" in text


def test_the_evaluation_finds_the_one_thing_that_is_missing(run_dir, capsys):
    """Five facts against five in gold: `grounds` of one was left out, so four are wholly right, and that field's recall is nil."""
    capsys.readouterr()
    assert main(["evaluate", str(run_dir), "--gold", str(SANCTIONS / "gold.jsonl"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (scored,) = [one for one in found["types"] if one["fact_type"] == "sanction"]
    assert (scored["strict"]["precision"]["value"], scored["strict"]["recall"]["value"]) == (0.8, 0.8)
    assert scored["lenient"]["f1"]["value"] == 1.0
    fields = {one["field"]: one for one in scored["fields"]}
    assert fields["grounds"]["recall"]["value"] == 0.0
    assert {name for name, one in fields.items() if one["recall"]["value"] != 1.0} == {"grounds"}


def test_the_class_is_not_needed_after_the_run(run_dir, tmp_path, capsys):
    """A run folder alone is shown and exported: it keeps the JSON Schema."""
    moved = tmp_path / "elsewhere"
    shutil.copytree(run_dir, moved)
    assert main(["show", str(moved), "--schema", "sanction", "--json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5


def test_its_version_is_raised_with_its_contents():
    """Fields, descriptions and example are those of version 1: a change raises the version and this fingerprint, and records anew."""
    fact_type = sanction()
    assert fact_type.version == 1
    recorded = json.loads((TAPES / "manifest.json").read_text(encoding="utf-8"))["fingerprints"]["sanction"]
    assert catalog.type_fingerprint(fact_type) == recorded
