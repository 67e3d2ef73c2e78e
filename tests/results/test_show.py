import io
import json
import sys

import pytest
from review_data import article, deal, row
from rich.cells import cell_len
from rich.console import Console

from extractor.results import show

LONG = "Norway will hand over a very long list of things to Kenya, 日本語の記事もある, " * 6
NEWS = article(
    "news/a.txt", LONG, title="A headline that is much longer than any narrow terminal is wide, as headlines are", published="2026-03-05"
)
OTHER = article("news/b.txt", LONG)
FLAG = {"severity": "warning", "code": "unverified", "path": "quantity", "message": "no grammar reads it"}
ERROR = {"severity": "error", "code": "not_in_evidence", "path": "quantity", "message": "'3' does not stand in any quote"}


def printed(rows, *, width=100, group="article"):
    out = io.StringIO()
    count = show.facts(Console(file=out, width=width, highlight=False), rows, group=group)
    return count, out.getvalue()


def some():
    value = {
        **deal("Norway", "Kenya", number=10_000, day="2026-03-04"),
        "notes": ["of any length, and", "in whole sentences"],
        "words": ["ceasefire", "aid"],
    }
    tried = [{"raw": "{}", "issues": [ERROR]}]
    return [
        row(NEWS, "b2:1", value=value, spans=[(0, 90), (90, 400)], countries={"sellers[0]": "NOR"}, issues=[FLAG]),
        row(NEWS, "b2:2", "statement", "repaired", spans=[(0, 20)], tries=tried),
        row(OTHER, "b2:3", verdict="quarantined", raw=json.dumps(value), issues=[ERROR], tries=tried),
        row(OTHER, "b2:4", verdict="quarantined", raw="{broken " + "x" * 900),
    ]  # fmt: skip


@pytest.mark.parametrize("width", [40, 80, 100, 160])
@pytest.mark.parametrize("group", ["article", "type"])
def test_lines_fit_the_terminal(width, group):
    """No line is wider than the terminal, wide characters counted as such, and none ends in spaces."""
    count, text = printed(some(), width=width, group=group)
    assert count == 4
    assert max(map(cell_len, text.splitlines())) <= width
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_facts_stand_under_their_article_or_type():
    """Each article, or type, is named once, above its facts."""
    by_article = printed(some())[1]
    assert [by_article.count(name) for name in ("news/a.txt · 2026-03-05", "news/b.txt · no date · no headline")] == [1, 1]
    assert by_article.index("news/a.txt") < by_article.index("statement  repaired") < by_article.index("news/b.txt")
    by_type = printed(sorted(some(), key=lambda one: one["fact_type"]), group="type")[1]
    assert [line for line in by_type.splitlines() if line and not line.startswith(" ")] == ["arms_deal", "statement"]
    assert by_type.count("news/a.txt · 2026-03-05") == 2


def test_values_are_said_in_few_words():
    """Who with the country, how many with what it means, several sentences on lines of their own, single words on one."""
    told = dict(show.values(some()[0]))
    assert told["sellers"] == "Norway (NOR)"
    assert told["quantity"] == "10000 = 10,000"
    assert told["announced"] == "2026-03-04"  # nothing to add to a day written as one
    assert told["notes"] == "of any length, and\nin whole sentences"
    assert told["words"] == "ceasefire, aid"
    assert "payer" not in told


def test_what_is_wrong_stands_with_its_fact():
    """A flag, a reason and what was wrong at first are shown where they belong, and a quarantined fact says that it is not believed."""
    kept, repaired, quarantined, broken = (printed([one])[1] for one in some())
    assert "flagged             quantity: no grammar reads it" in kept
    assert "at first            quantity: '3' does not" in repaired
    assert "not believed; the model said" in quarantined
    assert "wrong               quantity: '3' does not" in quarantined
    assert "1 earlier version failed as well" in quarantined
    assert "{broken" in broken
    assert "…" in broken
    assert "none of its quotes is in the article" in broken


@pytest.mark.parametrize("width", [40, 100])
def test_flags_left_out_are_counted_at_the_end(width):
    """What would drown the rest is not shown with its fact, but nobody takes it for not being there."""
    quiet = [{**FLAG, "code": code} for code in ("name_outside_evidence", "assumed", "assumed")]
    text = printed([row(NEWS, "b2:1", issues=[FLAG, *quiet]), row(OTHER, "b2:2", issues=quiet[1:])], width=width)[1]
    assert text.count("flagged") == 1
    last = " ".join(text.rpartition("\n\n")[2].split())
    assert last == "Not shown: 1 name_outside_evidence, 4 assumed; --json or `extractor review` has them."
    assert max(map(cell_len, text.splitlines())) <= width
    assert "Not shown" not in printed([row(NEWS, "b2:1", issues=[FLAG])])[1]


def test_articles_cannot_steer_the_terminal():
    """Signs that move the cursor, colour or turn the direction of writing are shown as a replacement mark, wherever they come from."""
    bad = "\x1b[2J\x1b]0;title\x07\u202edeus\u2066 [bold]x[/bold]"
    source = article(f"{bad}.txt", f"{bad} sold {bad}", title=bad, published=None)
    issues = [{**FLAG, "path": bad, "message": bad}]
    rows = [
        row(source, "b2:1", value=deal(bad, bad, bad), spans=[(0, 30)], issues=issues),
        row(source, "b2:2", bad, "quarantined", raw=bad),
    ]
    for group in ("article", "type"):
        text = printed(rows, group=group)[1]
        assert not set(text) & set("\x1b\x07\u202e\u2066")
        assert "[bold]x[/bold]" in text


def test_closed_pipe_is_told_to_the_caller(monkeypatch):
    """Whoever reads the table may have had enough; that ends the printing, and not the process with a code of its own."""

    class Closed(io.StringIO):
        def write(self, _text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    with pytest.raises(BrokenPipeError):
        show.facts(show.console(to_terminal=False), some())


def test_quarantined_facts_are_counted_where_they_are_not_shown():
    """What is left out of the table is said, of the types that were asked for."""
    counts = [{"fact_type": kind, "verdict": verdict, "count": 2} for kind in ("a", "b") for verdict in ("kept", "quarantined")]
    assert show.told(1, "believed", (), counts) == "1 believed fact; 4 quarantined: --verdict quarantined"
    assert show.told(2_000, "kept", ["a"], counts) == "2,000 kept facts; 2 quarantined: --verdict quarantined"
    assert show.told(0, "quarantined", (), counts) == "0 quarantined facts"
    assert show.told(8, "all", (), counts) == "8 facts"
