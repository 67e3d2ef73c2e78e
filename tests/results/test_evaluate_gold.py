import json
import re
from pathlib import Path

import pytest

from extractor.articles.discover import discover
from extractor.articles.read import read
from extractor.errors import UsageError
from extractor.facts import catalog
from extractor.results.evaluation.align import offsets_hold
from extractor.results.evaluation.gold import gold_from, read_gold

DEMO = Path(__file__).parents[2] / "examples"
FACT = {"article_id": "a.txt", "fact_type": "sighting", "value": {"place": "Oslo"}}


def _demo_texts():
    return {article.id: article.text for source in discover([DEMO / "articles"]) for article in read(source)}


def _optional_fields(fact_type):
    """What gold may leave out: a type's lists that are empty, and the words "unspecified" and null."""
    lists = {"weapons_transfer": ["suppliers", "recipients"], "funding_source": ["funders"], "negotiation_proposal": ["proposers", "asks"]}
    empty = {name: [] for name in lists[fact_type]}
    return {**empty, "transfer_type": "unspecified"} if fact_type == "weapons_transfer" else empty


def _quoted(value):
    """Responses with a quote each: gold's alternatives leave it out, since it is not compared."""
    if "responses" not in value:
        return value
    return {**value, "responses": [{"quote": "…", **response} for response in value["responses"]]}


def _file(tmp_path, *lines, name="gold.jsonl"):
    path = tmp_path / name
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return path


def test_rows_of_an_export_are_gold(tmp_path):
    """A row needs no editing; a file that begins with a byte-order mark, has empty lines or U+2028 in a text is read all the same."""
    row = {
        **FACT,
        "id": "b2:1",
        "verdict": "kept",
        "evidence": [{"quote": "in Oslo\u2028now", "start": 3, "end": 14}],
        "model": "m",
        "spans": {},
    }
    path = tmp_path / "gold.jsonl"
    path.write_text(f"\ufeff{json.dumps(row, ensure_ascii=False)}\n\n", encoding="utf-8")
    (fact,) = read_gold(path).facts
    assert fact.evidence[0].quote == "in Oslo\u2028now"
    assert (fact.evidence[0].start, fact.where) == (3, f"{path}:1")


def test_a_folder_is_read_whole_and_in_order(tmp_path):
    """Every .jsonl of a folder counts; the fingerprint changes with the content."""
    _file(tmp_path, {**FACT, "article_id": "b.txt"}, name="2.jsonl")
    _file(tmp_path, FACT, name="1.jsonl")
    _file(tmp_path, "not gold", name="notes.txt")
    gold = read_gold(tmp_path)
    assert [fact.article_id for fact in gold.facts] == ["a.txt", "b.txt"]
    _file(tmp_path, {**FACT, "article_id": "c.txt"}, name="2.jsonl")
    assert read_gold(tmp_path).fingerprint != gold.fingerprint


def test_facts_mean_a_fully_labelled_article_and_decisions_do_not():
    """Plain facts: all of the article's. Decisions: only what was decided. A `complete` line says otherwise."""
    gold = gold_from(
        [
            FACT,
            {**FACT, "article_id": "b.txt", "decision": "accept"},
            {**FACT, "article_id": "c.txt", "decision": "edit"},
            {"article_id": "c.txt", "complete": True},
            {**FACT, "article_id": "d.txt"},
            {"article_id": "d.txt", "complete": False},
            {"article_id": "e.txt", "complete": True},
        ]
    )
    assert gold.articles == {"a.txt": True, "b.txt": False, "c.txt": True, "d.txt": False, "e.txt": True}
    assert len(gold.facts) == 4


def test_rejected_facts_are_kept_apart():
    """A rejected row is known to be wrong; one of a quarantined item speaks through its raw words, if they can be read."""
    gold = gold_from(
        [
            {**FACT, "decision": "reject"},
            {"article_id": "a.txt", "fact_type": "sighting", "raw": '{"place": "Rome"}', "decision": "reject"},
            {"article_id": "a.txt", "fact_type": "sighting", "raw": '{"place": ', "decision": "reject"},
        ]
    )
    assert [fact.value for fact in gold.rejected] == [{"place": "Oslo"}, {"place": "Rome"}]
    assert gold.facts == ()
    assert "line 3" in gold.notes[0]


def test_the_same_fact_twice_counts_once_and_is_noted():
    """Two exports of the same decisions do not make two facts."""
    gold = gold_from([FACT, {**FACT, "id": "another"}])
    assert len(gold.facts) == 1
    assert gold.notes == ("line 2: the same fact as at line 1; counted once.",)


def test_offsets_are_checked_against_the_text():
    """Offsets into another text are found out; where there is no text or no offset, nothing is claimed."""
    (fact,) = gold_from([{**FACT, "evidence": [{"quote": "Oslo", "start": 3, "end": 7}, "no offsets"]}]).facts
    assert offsets_hold(fact, "In Oslo")
    assert offsets_hold(fact, None)
    assert not offsets_hold(fact, "In Rome")


BAD = [
    ("{", "not JSON"),
    ("[1]", "a JSON object is expected"),
    ('{"article_id": "a", "fact_type": "t", "value": {"x": NaN}}', "NaN is not a JSON value"),
    ("[" * 100_000, "not JSON"),
    ({"fact_type": "t", "value": {}}, "'article_id' must be a text"),
    ({"article_id": "a"}, "'complete': true or false"),
    ({"article_id": "a", "complete": "yes"}, "'complete': true or false"),
    ({"article_id": "a", "fact_type": "t"}, "'value' must be an object"),
    ({"article_id": "a", "fact_type": "t", "value": []}, "'value' must be an object"),
    ({"article_id": "a", "value": {}}, "'fact_type' must be a text"),
    ({**FACT, "optional": "yes"}, "'optional' must be true or false"),
    ({**FACT, "optionnal": True}, "'optional' is meant"),
    ({**FACT, "alternative": {}}, "'alternatives' is meant"),
    ({**FACT, "decision": "maybe"}, "accept, reject or edit"),
    ({**FACT, "decision": ["accept"]}, "accept, reject or edit"),
    ({**FACT, "evidence": "in Oslo"}, "'evidence' must be a list"),
    ({**FACT, "evidence": [{"start": 1}]}, "a quote in 'evidence'"),
    ({**FACT, "evidence": [{"quote": "x", "start": 2, "end": 2}]}, "0 <= start < end"),
    ({**FACT, "evidence": [{"quote": "x", "start": 2}]}, "0 <= start < end"),
    ({**FACT, "evidence": [{"quote": "x", "start": True, "end": 2}]}, "0 <= start < end"),
    ({**FACT, "alternatives": ["Rome"]}, "'alternatives' must be an object"),
    ({**FACT, "alternatives": {"place": "Rome"}}, "must be a list of values"),
    ({**FACT, "alternatives": {"place": []}}, "must be a list of values"),
    ({**FACT, "alternatives": {"place": [["Rome"]]}}, "must be single values"),
    ({**FACT, "value": {"places": ["Oslo"]}, "alternatives": {"places": ["Rome"]}}, 'must be lists: "places": [[…], […]]'),
    ({**FACT, "value": {"told": {"by": "Ann", "on": "Monday"}}, "alternatives": {"told": [None]}}, "alternatives for 'told.by', 'told.on'"),
    ({**FACT, "value": {"when": {"as_written": "then", "earliest": "31 June", "latest": None}}}, "when.earliest must be a day"),
    ({**FACT, "value": {"sums": [{"as_written": "5", "minimum": "five", "maximum": None}]}}, "sums[0].minimum must be a number"),
    ({**FACT, "alternatives": {"n": [{"as_written": "5", "minimum": True, "maximum": None}]}}, "n.minimum must be a number"),
]


@pytest.mark.parametrize(("line", "message"), BAD)
def test_a_bad_line_is_named_with_its_file_and_reason(tmp_path, line, message):
    """Gold that cannot be read stops the evaluation, and the message says where and what is expected."""
    path = _file(tmp_path, FACT, line)
    with pytest.raises(UsageError) as caught:
        read_gold(path)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 500


def test_contradictions_name_both_lines():
    """A fact that is right and rejected, or an article that is complete and not, is a mistake of the labeller."""
    with pytest.raises(UsageError, match=r"line 2: the same fact is right and rejected \(see line 1\)"):
        gold_from([FACT, {**FACT, "decision": "reject"}])
    with pytest.raises(UsageError, match=r"line 2: article 'a\.txt' has complete False, but True at line 1"):
        gold_from([{"article_id": "a.txt", "complete": True}, {"article_id": "a.txt", "complete": False}])


def test_gold_that_is_not_there_is_named(tmp_path):
    """No file, an empty file, an empty folder, another encoding: each has its message."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "latin.jsonl").write_bytes('{"article_id": "é"}'.encode("latin-1"))
    for path, message in (
        (tmp_path / "none.jsonl", "cannot be read"),
        (_file(tmp_path, name="blank.jsonl"), "has no lines"),
        (tmp_path / "empty", "holds no .jsonl file"),
        (tmp_path / "latin.jsonl", "is not UTF-8 at byte 16"),
    ):
        with pytest.raises(UsageError, match=message):
            read_gold(path)


def test_the_documented_example_is_gold():
    """The line that docs/gold.md shows is read, and its quote stands where it says."""
    root = Path(__file__).parents[2]
    (example,) = re.findall(r"```json\n(.*?)\n```", (root / "docs" / "gold.md").read_text(encoding="utf-8"), re.DOTALL)
    (fact,) = gold_from([json.loads(example)]).facts
    assert offsets_hold(fact, _demo_texts()[fact.article_id])


def test_the_demos_gold_stands_in_the_demos_articles():
    """Every quote of the bundled gold stands where it says, and each article is fully labelled."""
    gold, texts = read_gold(DEMO / "gold" / "demo.jsonl"), _demo_texts()
    assert gold.articles == dict.fromkeys(texts, True)
    assert gold.notes == ()
    for fact in gold.facts:
        assert fact.evidence
        assert offsets_hold(fact, texts[fact.article_id]), fact.where


def test_the_demos_gold_is_valid_for_its_fact_types():
    """The value of each bundled gold fact, its evidence put in, is one of its type, and so is each with its alternatives."""
    types = catalog.load(catalog.available())
    for fact in read_gold(DEMO / "gold" / "demo.jsonl").facts:
        whole = {**_optional_fields(fact.fact_type), **fact.value, "evidence": [quote.quote for quote in fact.evidence]}
        types[fact.fact_type].model_validate(_quoted(whole))
        for path, options in fact.alternatives.items():
            name, _, part = path.partition(".")
            for option in options:
                changed = {**whole, name: {**whole[name], part: option} if part else option}
                types[fact.fact_type].model_validate(_quoted(changed))
