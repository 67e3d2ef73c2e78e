"""Makes the excerpts of output in README.md and docs/: replays the demo, runs each command, and cuts out what the page shows.

A page marks the place with `<!-- excerpt NAME -->` above a block of text. `--check` changes nothing and says which pages are stale.
"""

import contextlib
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from extractor.cli import main as extractor

ROOT = Path(__file__).parent.parent
REPLAYED = str(ROOT / "cassettes" / "demo")
PAGES = ("README.md", "docs/review.md", "docs/evaluation.md")
_PLACE = re.compile(r"(?<=<!-- excerpt )([a-z-]+)( -->\n```text\n)(.*?)(?=^```$)", re.MULTILINE | re.DOTALL)


class Cut(NamedTuple):
    """A piece of a command's output."""

    start: str
    """In its first line."""
    paragraphs: int
    """How many, parted by empty lines."""


class Excerpt(NamedTuple):
    """What a page shows."""

    command: str
    """Words after `extractor`, none with a space in it; `demo-run` is the replayed demo, `short-run` its first 11 articles."""
    cuts: tuple[Cut, ...]
    columns: int = 100
    """Width of the terminal."""


EXCERPTS = {
    "show-repaired": Excerpt("show demo-run", (Cut("tank-swap.txt ·", 2),)),
    "show-quarantined": Excerpt("show demo-run --verdict quarantined", (Cut("fighter-jets.txt ·", 2),)),
    "show-wide": Excerpt("show demo-run --by type --schema funding_source", (Cut("funding_source", 2),), columns=140),
    "evaluate": Excerpt("evaluate demo-run --gold examples/gold", (Cut("Gold ", 3), Cut("Disagreements: ", 1))),
    "evaluate-short": Excerpt("evaluate demo-run --gold examples/gold", (Cut("Whole facts", 1), Cut("Disagreements: ", 1)), columns=80),
    "compare": Excerpt(
        "evaluate short-run --gold examples/gold --compare demo-run --schema negotiation_proposal",
        (Cut("This run less", 1), Cut("Worse: ", 1)),
    ),
    "evaluate-fields": Excerpt("evaluate demo-run --gold examples/gold --schema negotiation_proposal", (Cut("Fields of ", 1),)),
}


@contextlib.contextmanager
def demo() -> Iterator[None]:
    """A working folder with the demo replayed into `demo-run` and, stopped after 11 articles, into `short-run`."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("examples").symlink_to(ROOT / "examples")
        output("run examples/articles --out demo-run --quiet --replay", REPLAYED)
        output("run examples/articles --out short-run --quiet --limit 11 --replay", REPLAYED, expected=4)
        yield


def output(command: str, *more: str, columns: int = 100, expected: int = 0) -> str:
    """What a command prints to stdout; another exit code than the expected one ends the script."""
    os.environ["COLUMNS"] = str(columns)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = extractor([*command.split(), *more])
    if code != expected:
        sys.exit(f"extractor {command} ended with {code}")
    return out.getvalue()


def cut_out(text: str, cut: Cut) -> str:
    """The lines of a cut."""
    lines = [line.rstrip() for line in text.splitlines()]
    start = next(place for place, line in enumerate(lines) if cut.start in line)
    return "\n\n".join("\n".join(lines[start:]).split("\n\n")[: cut.paragraphs]).rstrip()


def made() -> dict[str, str]:
    """Every excerpt by name."""
    with demo():
        return {
            name: "\n\n".join(cut_out(output(one.command, columns=one.columns), cut) for cut in one.cuts) for name, one in EXCERPTS.items()
        }


def pages() -> dict[Path, str]:
    """Every page as it should be."""
    excerpts = made()
    return {
        ROOT / name: _PLACE.sub(lambda place: f"{place[1]}{place[2]}{excerpts[place[1]]}\n", (ROOT / name).read_text(encoding="utf-8"))
        for name in PAGES
    }


if __name__ == "__main__":
    found = pages()
    stale = [page for page, text in found.items() if page.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv[1:]:
        sys.exit(f"stale: {', '.join(page.name for page in stale)}: run docs/generate_excerpts.py" if stale else 0)
    for page in stale:
        page.write_text(found[page], encoding="utf-8")
