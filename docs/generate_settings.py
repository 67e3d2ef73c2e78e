"""Makes docs/settings.md: every setting, out of the class that holds them and of the command's own options.

In: nothing, or `--check`. Out: the page beside this file. A test fails when the page is stale.
"""

import ast
import inspect
import itertools
import sys
from pathlib import Path

from annotated_types import Ge, Gt, Le, MinLen

from extractor import settings
from extractor.settings import ANTHROPIC_KEYS, ENVIRONMENT, Settings

PAGE = Path(__file__).with_name("settings.md")

HEAD = """\
# Settings

<!-- made by docs/generate_settings.py: change extractor/settings.py or that script, not this page -->

What is said outright wins (an option of the command, an argument of `Extractor` or a field of the `Settings` given to it), then
the environment, then the default. A value out of bounds is refused before anything is asked, with the setting, where it came from,
the bound and the value.

| setting | default | bounds | unit | option of `extractor run` | environment | what it is |
|---|---|---|---|---|---|---|
"""

TAIL = """
The variables stand in the order in which they are looked up; an empty one is not set. The key is never printed, logged, recorded or stored.

In Python all of them are fields of `Settings`: `Extractor(settings=Settings(repairs=1, rpm=60))`. `repairs` and `timeout_s` can also be
said for one call: `extractor.extract(text, repairs=0, timeout_s=20)`.
"""

UNITS = {
    "model": "",
    "base_url": "",
    "local": "",
    "local_context": "tokens",
    "local_threads": "threads",
    "api_key": "",
    "timeout_s": "seconds",
    "attempts": "requests",
    "retry_budget_s": "seconds",
    "concurrency": "articles",
    "repairs": "rounds",
    "temperature": "",
    "max_output_tokens": "tokens",
    "rpm": "requests a minute",
    "tpm": "tokens a minute",
    "max_cost_usd": "US dollars",
    "price_usd": "US dollars for a million tokens, of request and answer",
    "part_chars": "code points",
}
"""Of each setting; "" where it has none. A setting without a line here is an error."""

OPTIONS = {
    "model": "--model",
    "base_url": "--base-url",
    "local": "--local",
    "local_context": "--context",
    "local_threads": "--threads",
    "timeout_s": "--timeout",
    "concurrency": "--concurrency",
    "repairs": "--repairs",
    "rpm": "--rpm",
    "tpm": "--tpm",
    "max_cost_usd": "--max-cost",
    "price_usd": "--price",
}


def page() -> str:
    """The page as the code has it."""
    rows = []
    for name, said in _sentences().items():
        field = Settings.model_fields[name]
        variables = [*ENVIRONMENT.get(name, ()), *(ANTHROPIC_KEYS if name == "api_key" else ())]
        default = "none" if field.default is None else f"`{field.default}`"
        option = f"`{OPTIONS[name]}`" if name in OPTIONS else ""
        cells = [
            f"`{name}`",
            default,
            _bounds(field.metadata),
            UNITS[name],
            option,
            ", ".join(f"`{one}`" for one in dict.fromkeys(variables)),
            said,
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return HEAD + "\n".join(rows) + "\n" + TAIL


def _bounds(metadata: list[object]) -> str:
    words = {Ge: ("at least", "ge"), Gt: ("over", "gt"), Le: ("at most", "le")}
    said = [f"{words[type(one)][0]} {getattr(one, words[type(one)][1]):g}" for one in metadata if type(one) in words]
    return ", ".join(said) or ("not empty" if any(isinstance(one, MinLen) for one in metadata) else "")


def _sentences() -> dict[str, str]:
    """The sentence under each field, in order."""
    tree = ast.parse(inspect.getsource(settings))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings")
    found = {}
    for field, said in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant):
            found[ast.unparse(field.target)] = " ".join(str(said.value.value).split()).replace("|", "\\|")
    return found


def main() -> int:
    """Write the page; with `--check`, 1 when it is stale."""
    if "--check" in sys.argv:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
