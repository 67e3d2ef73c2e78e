"""Makes docs/cli.md: every command and option, out of the parser itself.

In: nothing, or `--check`. Out: the page beside this file. A test fails when the page is stale.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from extractor.cli import _parser

PAGE = Path(__file__).with_name("cli.md")

HEAD = """\
# Commands

<!-- made by docs/generate_cli.py: change extractor/cli.py or that script, not this page -->

Results go to stdout or to files, talk goes to stderr. Options win over the environment, which wins over the defaults. What the exit codes
mean is on a page of its own: [Exit codes](exit-codes.md).
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    parser = _parser()
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001 - there is no public way
    for name, command in commands.choices.items():
        parts.append("\n".join(_command(name, command)))
    return "\n".join(parts)


def _command(name: str, command: argparse.ArgumentParser) -> Iterator[str]:
    actions = [action for action in command._actions if action.help != argparse.SUPPRESS and action.dest != "help"]  # noqa: SLF001 - as above
    positional = [action for action in actions if not action.option_strings]
    required = [action for action in actions if action.option_strings and action.required]
    words = ["extractor", name, *map(_place, positional), *(f"{action.option_strings[0]} {_metavar(action)}" for action in required)]
    if len(actions) > len(positional) + len(required):
        words.append("[options]")
    yield f"## {name}\n"
    yield f"{command.description}\n"
    yield f"`{' '.join(words)}`\n"
    yield "| | |\n|---|---|"
    for action in actions:
        said = " ".join((action.help or "").split()).replace("|", "\\|")
        yield f"| `{_name(action)}` | {said[:1].upper()}{said[1:]}{_choices(action)}{_group(command, action)} |"
    yield ""


def _place(action: argparse.Action) -> str:
    return {"+": f"{_metavar(action)}…", "?": f"[{_metavar(action)}]"}.get(str(action.nargs), _metavar(action))


def _name(action: argparse.Action) -> str:
    if not action.option_strings:
        return _metavar(action)
    name = ", ".join(action.option_strings)
    return (name if action.nargs == 0 or isinstance(action.choices, (list, tuple)) else f"{name} {_metavar(action)}").replace("|", "\\|")


def _metavar(action: argparse.Action) -> str:
    return str(action.metavar or action.dest.upper())


def _choices(action: argparse.Action) -> str:
    return f"; one of {', '.join(f'`{choice}`' for choice in action.choices)}" if action.choices else ""


def _group(command: argparse.ArgumentParser, action: argparse.Action) -> str:
    for group in command._mutually_exclusive_groups:  # noqa: SLF001 - as above
        others = [f"`{other.option_strings[0]}`" for other in group._group_actions if other is not action]  # noqa: SLF001 - as above
        if action in group._group_actions and others:  # noqa: SLF001 - as above
            return f"; not with {' or '.join(others)}"
    return ""


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == page() else "docs/cli.md is stale: run docs/generate_cli.py")
    PAGE.write_text(page(), encoding="utf-8")
