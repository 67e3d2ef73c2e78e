import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs"))
import generate_excerpts  # noqa: E402 - a script of docs/, which no package holds


@pytest.fixture(scope="module")
def pages():
    return generate_excerpts.pages()


@pytest.mark.parametrize("name", generate_excerpts.PAGES)
def test_excerpts_are_what_the_demo_prints(pages, name):
    """Every piece of output in the docs is cut out of the replayed demo; `make screenshots` makes them anew."""
    page = (ROOT / name).read_text(encoding="utf-8")
    assert page == pages[ROOT / name]
    assert page.count("```text\n") == page.count("<!-- excerpt ")


def test_every_excerpt_is_shown_somewhere():
    """No excerpt is made for nothing, and no page asks for one that is not made."""
    asked = {
        name
        for page in generate_excerpts.PAGES
        for name in re.findall(r"<!-- excerpt (\S+) -->", (ROOT / page).read_text(encoding="utf-8"))
    }
    assert asked == set(generate_excerpts.EXCERPTS)


def test_pictures_are_there_and_small():
    """Each picture that a page shows is in docs/images, and none weighs a repository down."""
    shown = {
        (ROOT / page).parent.joinpath(target).resolve()
        for page in generate_excerpts.PAGES
        for target in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (ROOT / page).read_text(encoding="utf-8"))
    }
    assert shown == set((ROOT / "docs" / "images").glob("*.png"))
    assert all(picture.stat().st_size <= 300_000 for picture in shown)
