"""Makes docs/images: the review page and the evaluation page of the replayed demo, in headless Chromium."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from generate_excerpts import ROOT, demo, output

sys.path.insert(0, str(ROOT / "tests" / "results"))
from browser import MISSING, chromium, colours, resize

IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 300_000
WIDE, NARROW = (1280, 860), (400, 800)

# an article with evidence of several facts in one sentence, and a few facts decided
DECIDE = """
    const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
    [...document.querySelectorAll("#articles button")].find((one) => one.textContent.includes("Berlin and Oslo")).click();
    for (const key of ["j", "k", "a"]) press(key);
    scrollTo(0, 0);"""
REVIEW = ("review.html", DECIDE)
TO_TEXT = f"{DECIDE} document.querySelector('#tabs [data-pane=text]').click();"
SHOTS = {
    "review-light.png": (*REVIEW, WIDE, "light"),
    "review-dark.png": (*REVIEW, WIDE, "dark"),
    "review-narrow.png": ("review.html", TO_TEXT, NARROW, "light"),
    "evaluation.png": ("evaluation.html", "", WIDE, "light"),
}


def shoot(driver: Any, page: Path, script: str, size: tuple[int, int], scheme: str) -> bytes:
    """A picture of a page after a script has run in it."""
    resize(driver, *size)
    colours(driver, scheme)
    driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
    driver.get(page.absolute().as_uri())
    driver.execute_script("try { localStorage.clear(); } catch {}")
    driver.refresh()
    driver.execute_script(script)
    driver.execute_async_script("const done = arguments[0]; requestAnimationFrame(() => setTimeout(done, 300));")  # pictures come last
    picture: bytes = driver.get_screenshot_as_png()
    return picture


def main() -> None:
    """Write every picture."""
    if MISSING:
        sys.exit(MISSING)
    IMAGES.mkdir(exist_ok=True)
    with demo(), tempfile.TemporaryDirectory() as folder, chromium(Path(folder)) as driver:
        output("review demo-run")
        output("evaluate demo-run --gold examples/gold --html evaluation.html")
        for name, (page, script, size, scheme) in SHOTS.items():
            picture = shoot(driver, Path(page), script, size, scheme)
            if len(picture) > MOST_BYTES:
                sys.exit(f"{name} would have {len(picture):,} bytes; at most {MOST_BYTES:,}: take a smaller part")
            (IMAGES / name).write_bytes(picture)
            print(f"docs/images/{name}  {len(picture):,} bytes")


if __name__ == "__main__":
    main()
