import re
import shlex
from pathlib import Path

import pytest
from answers import answering, transfer, write_articles

from extractor.cli import main
from extractor.testing import LoopbackEndpoint

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
EXCERPT_COLUMNS = "100"


def blocks(language):
    return [text for kind, text in BLOCKS if kind == language]


def test_every_block_is_run_by_a_test():
    """No language of block is left out of the tests below."""
    assert {kind for kind, _ in BLOCKS} == {"sh", "python", "text"}


@pytest.fixture
def endpoint(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_articles(tmp_path / "articles", 2)
    with LoopbackEndpoint(answering(transfer())) as loopback:
        monkeypatch.setenv("EXTRACTOR_BASE_URL", loopback.base_url)
        yield loopback


@pytest.mark.parametrize("block", blocks("sh"))
def test_the_commands_work_as_written(block, endpoint, capsys):
    """Each `extractor` line ends with exit code 0 (its server being a loopback one), each `make` target exists, in the order written."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for line in block.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            assert words[1] in targets
        elif words[:1] == ["extractor"]:
            words = [endpoint.base_url if word.startswith("http://") else word for word in words]
            words = ["articles/a00.txt" if word == "article.txt" else word for word in words]
            if "evaluate" in words:
                assert main(["run", "articles/", "--quiet"]) == 0
                Path("gold.jsonl").write_text(Path("extractor-run/facts.jsonl").read_text(encoding="utf-8"), encoding="utf-8")
            assert main(words[1:]) == 0, (line, capsys.readouterr().err)
        else:
            assert words[:1] in ([], ["export"])


@pytest.mark.parametrize("block", blocks("python"))
def test_the_python_blocks_run(block, endpoint, capsys):
    """Each block runs as it stands."""
    code = re.sub(r"\nclass ", "\n\n\nclass ", block)
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})  # noqa: S102 - our own text


def test_the_excerpt_is_what_the_demo_prints(tmp_path, capsys, monkeypatch):
    """The shown output is cut out of the replayed demo, character for character."""
    assert main(["run", str(ROOT / "examples/articles"), "--replay", str(ROOT / "cassettes/demo"), "--out", str(tmp_path), "--quiet"]) == 0
    monkeypatch.setenv("COLUMNS", EXCERPT_COLUMNS)
    capsys.readouterr()
    main(["show", str(tmp_path)])
    main(["show", str(tmp_path), "--verdict", "quarantined"])
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    (excerpt,) = blocks("text")
    for piece in excerpt.strip("\n").split("\n\n"):
        lines = piece.splitlines()
        assert lines
        assert any(printed[start : start + len(lines)] == lines for start in range(len(printed))), piece
