import re
from pathlib import Path

from extractor.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXCERPT_COLUMNS = "100"


def test_the_excerpt_is_what_the_demo_prints(tmp_path, capsys, monkeypatch):
    """The shown output is cut out of the replayed demo, character for character."""
    assert main(["run", str(ROOT / "examples/articles"), "--replay", str(ROOT / "cassettes/demo"), "--out", str(tmp_path), "--quiet"]) == 0
    monkeypatch.setenv("COLUMNS", EXCERPT_COLUMNS)
    capsys.readouterr()
    main(["show", str(tmp_path)])
    main(["show", str(tmp_path), "--verdict", "quarantined"])
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    (excerpt,) = re.findall(r"^```text\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    for piece in excerpt.strip("\n").split("\n\n"):
        lines = piece.splitlines()
        assert lines
        assert any(printed[start : start + len(lines)] == lines for start in range(len(printed))), piece
