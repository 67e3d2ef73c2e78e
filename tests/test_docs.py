import json
import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import time
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import pytest
from answers import is_repair, transfer, write_articles

import extractor
from extractor import testing
from extractor.cli import _EXIT_CODES, _parser, main
from extractor.testing import LoopbackEndpoint

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "examples").rglob("*.md")), *sorted(DOCS.rglob("*.md"))]
NOT_RUN = {
    "installs packages": "pip",
    "starts a server that does not end": "uvicorn",
    "needs the server of the block before": "curl",
    "needs a provider of batches": "--batch",
    "needs a model file": "--local",
    "needs a cluster": "--engine ray",
    "needs articles and a folder that a cluster shares": "s3://",
}
"""Why a block may be left out, and the command it must then begin with or hold."""

STAND_INS = {"RUN_DIR": "extractor-run", "NEW_RUN": "extractor-run", "OLD_RUN": "extractor-run", "PATH": "decisions.jsonl"}
"""What a reader puts in the place of a word in capitals."""

_FENCE = re.compile(
    r"(?:^<!-- (?P<note>[^\n]*?) -->\n)?^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)


class Block(NamedTuple):
    """One fenced block of a page."""

    page: Path
    language: str
    text: str
    note: str
    """What the comment above it says: `not run: REASON`, `file: NAME`, `shell`, or anything that is none of these; "" for none."""


def blocks_of(page):
    return [
        Block(page, found["language"], found["text"], found["note"] or "") for found in _FENCE.finditer(page.read_text(encoding="utf-8"))
    ]


def name_of(page):
    return str(page.relative_to(ROOT))


def answer(request):
    """The transfer that the articles tell of, to whoever asks for transfers; nothing of any other type."""
    form = request.get("response_format", {}).get("json_schema", {}).get("schema", {})
    if is_repair(request):
        return {name: [] for name in form.get("properties", {})}
    return {name: [transfer()] if name == "weapons_transfer" else [] for name in form.get("properties", {})}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder as a reader has it: some articles, the repository's examples and cassettes, an endpoint that answers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")  # the environment is active
    # reading the certificates takes 30 ms a client, and nothing here speaks TLS
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None, raising=False)
    write_articles(tmp_path / "articles", 2)
    shutil.copy(tmp_path / "articles" / "a00.txt", tmp_path / "article.txt")
    shutil.copytree(ROOT / "cassettes", tmp_path / "cassettes")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "my_facts.py").write_text(
        'from extractor import Fact, Verbatim\n\n\nclass Sanction(Fact):\n    """A sanction."""\n\n    measure: Verbatim\n',
        encoding="utf-8",
    )
    with LoopbackEndpoint(answer) as endpoint:
        monkeypatch.setenv("EXTRACTOR_BASE_URL", endpoint.base_url)
        yield endpoint


# --- every block --------------------------------------------------------------------------------------------------------------------


def _first_met(page):
    """Whether a page is run with the fast tests: those that a newcomer meets first."""
    return page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", DOCS / "index.md")


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=() if _first_met(page) else pytest.mark.slow) for page in PAGES if blocks_of(page)],
    ids=name_of,
)
def test_every_block_works_as_written(page, folder, capfd):
    """The blocks of a page run in order in one folder: commands end with 0, Python runs, data can be read."""
    for block in blocks_of(page):
        if block.note.startswith("not run: "):
            assert NOT_RUN[block.note.removeprefix("not run: ")] in block.text
            _read(block)
        elif block.note == "shell":
            _script(block.text, folder)
        elif block.language == "sh":
            for line in block.text.splitlines():
                _command(line, folder, capfd)
        elif block.language == "python":
            _python(block, folder)
        elif block.language == "json":
            assert [json.loads(line) for line in block.text.splitlines()]
        elif block.language == "toml":
            assert tomllib.loads(block.text)
        else:
            assert block.language in ("text", ""), f"{name_of(page)}: nothing runs a block of {block.language!r}"


def _read(block):
    """What of a block can be held to without running it: its commands are understood, and what its Python imports is there."""
    if block.language == "python":
        imports = [line for line in block.text.splitlines() if line.startswith(("from ", "import "))]
        compile(block.text, name_of(block.page), "exec")
        exec("\n".join(imports), {})  # noqa: S102 - our own text
    for line in block.text.splitlines() if block.language == "sh" else ():
        words = shlex.split(line, comments=True)
        if words[:1] == ["extractor"]:
            _parser().parse_args(words[1:])


def _command(line, endpoint, capfd):
    words = shlex.split(line, comments=True)
    if words[:1] == ["make"]:
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert set(words[1:]) <= set(targets)
    elif words[:2] == ["pip", "install"]:
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
        assert set(re.findall(r"\w+", words[2].partition("[")[2])) <= set(extras), line
    elif words[:1] == ["export"]:
        assert re.fullmatch(r"(EXTRACTOR|OPENAI|ANTHROPIC|SERVICE)_[A-Z_]+=.+", words[1]), line
    elif "|" in words:
        _script(line, endpoint)
    elif words[:1] == ["extractor"]:
        words = [endpoint.base_url if word.startswith("http://") else STAND_INS.get(word, word) for word in words]
        if "extractor-run" in words and not Path("extractor-run").exists():
            assert main(["run", "articles/", "--quiet"]) == 0
        if "--max-cost" in words:  # nobody knows the price of the loopback endpoint
            words += ["--price", "0.25,2.00"]
        if "decisions.jsonl" in words:
            _decide(Path("decisions.jsonl"), Path(words[2]))
        assert main(words[1:]) == 0, (line, capfd.readouterr().err)
    else:
        assert not words, f"nothing runs {line!r}"


def _decide(decisions, run_dir):
    """What a reviewer of a run who accepts everything has the review page export."""
    rows = [json.loads(line) for line in (run_dir / "facts.jsonl").read_text(encoding="utf-8").splitlines()]
    decisions.write_text("".join(f"{json.dumps({**row, 'decision': 'accept'})}\n" for row in rows), encoding="utf-8")


def _script(text, endpoint):
    """In a real shell, with the `extractor` of this environment."""
    environment = {**os.environ, "EXTRACTOR_BASE_URL": endpoint.base_url}
    ended = subprocess.run(["bash", "-c", text], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, (text, ended.stderr)


def _python(block, endpoint):
    text = re.sub(r"http://127\.0\.0\.1:\d+/v1", endpoint.base_url, block.text)
    if block.note.startswith("file: "):
        Path(block.note.removeprefix("file: ")).write_text(text, encoding="utf-8")
    exec(compile(text, name_of(block.page), "exec"), {"__name__": "docs"})  # noqa: S102 - our own text


def test_every_issue_has_its_line():
    """Each code by which a fact is flagged or refused is explained where a run is."""
    sources = [ROOT / "extractor/runs/flow.py", *sorted((ROOT / "extractor/evidence").glob("*.py"))]
    found = {code for path in sources for code in re.findall(r'Issue\.(?:error|warning)\(\s*"(\w+)"', path.read_text(encoding="utf-8"))}
    assert len(found) > 15
    page = (DOCS / "how-to/folder.md").read_text(encoding="utf-8")
    assert not [code for code in sorted(found) if f"`{code}`" not in page]


def test_what_is_not_run_is_known():
    """A block is left out for one of the reasons above alone, and only where a reader could see why."""
    left_out = {
        (name_of(block.page), block.note.removeprefix("not run: "))
        for page in PAGES
        for block in blocks_of(page)
        if "not run" in block.note
    }
    assert left_out == {
        ("examples/service/README.md", "starts a server that does not end"),
        ("examples/service/README.md", "needs the server of the block before"),
        ("docs/batch.md", "needs a provider of batches"),
        ("docs/local.md", "needs a model file"),
        ("docs/scale.md", "needs a cluster"),
        ("docs/scale.md", "needs articles and a folder that a cluster shares"),
    }


def test_make_knows_the_targets():
    """`make help` lists every target that a page may name, with what it does."""
    ended = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    listed = re.findall(r"^  make ([a-z-]+) +\S", ended.stdout, re.MULTILINE)
    assert {"install", "demo", "test", "check", "docs", "pages"} <= set(listed)


# --- the pages say what the code does -----------------------------------------------------------------------------------------------


def test_the_commands_page_is_not_stale():
    """`docs/cli.md` is what `docs/generate_cli.py` makes of the parser."""
    ended = subprocess.run([sys.executable, str(DOCS / "generate_cli.py"), "--check"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_every_command_and_option_is_on_the_commands_page():
    """The generator leaves nothing out: each name that `--help` lists is on the page, with its sentence."""
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    (commands,) = [action.choices for action in _parser()._actions if isinstance(action.choices, dict)]
    for name, command in commands.items():
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert section, name
        for action in command._actions:
            for option in action.option_strings:
                assert option in ("-h", "--help") or option in section, (name, option)


def test_every_public_name_is_on_the_python_page():
    """Each name of `__all__`, and each public name of `extractor.testing`, has its entry."""
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    entries = re.findall(r"^::: extractor\.(\S+)$", page, re.MULTILINE)
    assert set(extractor.__all__) <= set(entries)
    assert {f"testing.{name}" for name in testing.__all__} <= set(entries)
    assert len(entries) == len(set(entries))


def test_the_exit_codes_are_those_of_the_command():
    """The page and README name the codes that `--help` lists, and no other."""
    told = set(re.findall(r"^  ([0-9, ]+?)  ", _EXIT_CODES, re.MULTILINE))
    page = (DOCS / "exit-codes.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| ([0-9, ]+) \|", page, re.MULTILINE)) == told
    readme = (ROOT / "README.md").read_text(encoding="utf-8").partition("Exit codes: ")[2].partition(". [")[0]
    assert set(re.findall(r"(?:^|· )([0-9, ]+) ", readme)) == told


# --- the site -----------------------------------------------------------------------------------------------------------------------


class _Loaded(HTMLParser):
    """What a page makes the browser load, and the files it links to."""

    def __init__(self):
        super().__init__()
        self.loads, self.links = set(), set()

    def handle_starttag(self, tag, attrs):
        """Sorts one tag's address."""
        attrs = dict(attrs)
        address = attrs.get("src") or attrs.get("href") or ""
        if tag in ("script", "img", "iframe", "source") or (tag == "link" and attrs.get("rel") != "canonical"):
            self.loads.add(address)
        elif tag == "a":
            self.links.add(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    command = [str(Path(sys.executable).with_name("mkdocs")), "build", "--strict", "--quiet", "--site-dir", str(folder)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_site_is_whole_without_a_network(site):
    """No page loads anything from elsewhere, and each file that a page loads or links to is there."""
    pages = sorted(site.rglob("*.html"))
    assert {page.name for page in pages} >= {"index.html", "cli.html", "api.html"}
    for page in pages:
        found = _Loaded()
        found.feed(page.read_text(encoding="utf-8"))
        assert not {address for address in found.loads if re.match(r"(?:https?:)?//", address)}, page
        if page.name == "404.html":  # its addresses are a server's
            continue
        for address in found.loads | found.links:
            path = address.partition("#")[0].partition("?")[0]
            if path and not re.match(r"[a-z]+:", path):
                assert (page.parent / path).exists(), (page, address)


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.skipif(not shutil.which("chromedriver"), reason="no Chromium here: apt-get install chromium chromium-driver")
def test_the_search_works_from_disk(site, tmp_path):
    """A page that is opened from its file finds a word on other pages, and the browser has nothing to complain about."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", f"--user-data-dir={tmp_path}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"), env={**os.environ, "NO_PROXY": "localhost,127.0.0.1"})
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.get((site / "index.html").as_uri())
        driver.execute_script("document.querySelector('[data-md-toggle=search]').click()")
        driver.find_element("css selector", "input.md-search__input").send_keys("quarantined")
        until = time.monotonic() + 30
        while not (found := driver.find_elements("css selector", ".md-search-result__item")):
            assert time.monotonic() < until, "nothing was found"
            time.sleep(0.1)
        assert any("Exit codes" in item.text for item in found)
        assert driver.get_log("browser") == []
    finally:
        driver.quit()
