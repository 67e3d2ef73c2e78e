import json
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
            if "decisions.jsonl" in words:
                assert main(["run", "articles/", "--quiet"]) == 0
                rows = map(json.loads, Path("extractor-run/facts.jsonl").read_text(encoding="utf-8").splitlines())
                Path("decisions.jsonl").write_text(
                    "".join(f"{json.dumps({**row, 'decision': 'accept'})}\n" for row in rows), encoding="utf-8"
                )
            assert main(words[1:]) == 0, (line, capsys.readouterr().err)
        else:
            assert words[:1] in ([], ["export"])


@pytest.mark.parametrize("block", blocks("python"))
def test_the_python_blocks_run(block, endpoint, capsys):
    """Each block runs as it stands."""
    code = re.sub(r"\nclass ", "\n\n\nclass ", block)
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})  # noqa: S102 - our own text
