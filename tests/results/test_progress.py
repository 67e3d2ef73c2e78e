import pytest

from extractor.results import progress as room
from extractor.results.progress import Progress
from extractor.runs.run import RunReport


@pytest.fixture
def told(monkeypatch, capsys):
    """Tells reports so many seconds apart and ends with the last; gives the lines."""

    def lines(*reports, apart_s):
        clock = iter(apart_s * tick for tick in range(len(reports) + 2))
        monkeypatch.setattr(room.time, "monotonic", lambda: next(clock))
        progress = Progress()
        for report in reports:
            progress(report, None)
        progress.end(reports[-1].model_copy(update={"exit_code": 3}))
        return capsys.readouterr().err.splitlines()

    return lines


def test_last_line_stands_once(told):
    """In a log the line of the last article is the end's as well, unless something has changed since."""
    two = [RunReport(complete=1, kept=2), RunReport(complete=2, kept=1_500)]
    (first, last) = told(*two, apart_s=6)
    assert first.startswith("1 article (")
    assert last.startswith("2 articles (")
    assert "1,500 facts" in last
    three = [*two, RunReport(complete=3, kept=1_500)]
    assert [line[:9] for line in told(*three, apart_s=3)] == ["2 article", "3 article"]  # the third was too soon for a line of its own
    assert told(*two, apart_s=1) == ["2 articles (0.7/s), 1,500 facts (0 repaired, 0 quarantined), 0 requests"]


def test_counts_agree_with_their_nouns(told):
    """One miss and two misses."""
    assert "1 miss," in told(RunReport(failed=1, misses=1), apart_s=1)[0]
    assert "2 misses," in told(RunReport(failed=2, misses=2), apart_s=1)[0]
