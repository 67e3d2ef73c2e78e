"""What is sent: an article and fact types become a prompt and the shape of its answer; bad facts become a repair prompt.

In: articles, fact types, bad items with their issues. Out: `Prompt` and the answer's Pydantic model. Floor: llm.
Before changing it: the system text must be the same bytes for every article of a run, since providers cache what comes first.
"""

import functools
import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, create_model

from extractor.facts.fact import Fact
from extractor.fingerprint import fingerprint
from extractor.records import Article, CallKind, Issue, Prompt, Span

EXTRACT_PROMPT = "extract.v1"
REPAIR_PROMPT = "repair.v1"
PROMPT_FOLDER = Path(__file__).resolve().parent.parent / "prompts"


class ToRepair(NamedTuple):
    """One item for a repair prompt."""

    number: int
    """What the answer refers to it by, counted from 1."""
    fact_type: str
    """Registered name of its type."""
    json_text: str
    """The item as the model gave it."""
    issues: Sequence[Issue]
    """What is wrong with it."""


def extract_prompt(
    article: Article, types: Mapping[str, type[Fact]], *, part: Span | None = None, number: int = 1, parts: int = 1, again: str = ""
) -> Prompt:
    """The request for all facts of an article, or of a part of it.

    Args:
        article: What to read.
        types: Registered name to class, in catalogue order; their examples stand in the system text.
        part: The stretch of the text to send; None sends all of it.
        number: Which part it is, counted from 1.
        parts: How many parts there are.
        again: A last line for a model whose answer could not be read; "" for none.
    """
    text = part.of(article.text) if part else article.text
    article = _with_plain_title(article)
    fence = _fence("article", text, article.title or "")
    user = _render(EXTRACT_PROMPT, "user", article=article, text=text, part=number, parts=parts, fence=fence, again=again, types=[])
    return Prompt(name=EXTRACT_PROMPT, system=_extract_system(tuple(types.items())), user=user)


def repair_prompt(article: Article, items: Sequence[ToRepair], passages: Sequence[Span]) -> Prompt:
    """The request for corrected versions of `items`, with the stretches of the article that concern them."""
    texts = [passage.of(article.text) for passage in passages]
    shown = [{"number": item.number, "type": item.fact_type, "json": item.json_text, "issues": item.issues} for item in items]
    article = _with_plain_title(article)
    others = (text for item in items for text in (item.json_text, *(f"{issue.path} {issue.message}" for issue in item.issues)))
    fence = _fence("passages", *texts, article.title or "", *others)
    user = _render(REPAIR_PROMPT, "user", article=article, items=shown, passages=texts, fence=fence)
    return Prompt(name=REPAIR_PROMPT, system=_render(REPAIR_PROMPT, "system"), user=user)


def envelope(kind: CallKind, types: Mapping[str, type[Fact]]) -> type[BaseModel]:
    """The shape of an answer: a closed object with one array per fact type, named by its registered name.

    Args:
        kind: `extract` gives arrays of facts; `repair` arrays of `{"item": n, "fact": … or null}`, n as numbered in the prompt.
        types: Registered name to class, in catalogue order.
    """
    closed = ConfigDict(extra="forbid")
    if kind == "extract":
        doc = "Every fact that the article states, one array per type; an empty array is a right answer."
        return _model("Facts", closed, doc, {name: (list[fact], ...) for name, fact in types.items()})  # type: ignore[valid-type]
    repairs = {
        name: _model(
            f"{fact.__name__}Repair",
            closed,
            "One corrected record, or null when the article does not support it.",
            {
                "item": (int, Field(description="The number of the record in the request.")),
                "fact": (fact | None, Field(description="The whole corrected record; null to withdraw it.")),
            },
        )
        for name, fact in types.items()
    }
    doc = "The corrected records, one entry for each record of the request."
    return _model("Repairs", closed, doc, {name: (list[repair], ...) for name, repair in repairs.items()})  # type: ignore[valid-type]


def prompt_fingerprints() -> dict[str, str]:
    """Fingerprint of each template's source, by name: what a run and a cassette were made with."""
    return {name: fingerprint(_path(name).read_text(encoding="utf-8")) for name in (EXTRACT_PROMPT, REPAIR_PROMPT)}


def _model(name: str, config: ConfigDict, doc: str, fields: dict[str, Any]) -> type[BaseModel]:
    made: type[BaseModel] = create_model(name, __config__=config, __doc__=doc, **fields)
    return made


@functools.cache
def _extract_system(types: tuple[tuple[str, type[Fact]], ...]) -> str:
    shown = [
        {
            "name": name,
            "examples": [
                {"published": example.published or "unknown", "text": example.text, "json": _answer(name, example.facts)}
                for example in fact_type.examples
            ],
        }
        for name, fact_type in types
    ]
    return _render(EXTRACT_PROMPT, "system", types=shown, example_types=[entry for entry in shown if entry["examples"]])


def _answer(name: str, facts: Sequence[Fact]) -> str:
    return json.dumps({name: [fact.model_dump(mode="json") for fact in facts]}, ensure_ascii=False)


def _with_plain_title(article: Article) -> Article:
    """`article` with its headline in one line: it stands outside of the fence, where a line break could open a section."""
    return article.model_copy(update={"title": " ".join(article.title.split())}) if article.title else article


def _fence(word: str, *texts: str) -> str:
    """A marker that stands in none of the texts of a request: an article cannot close its own fence, whatever it holds."""
    fences = (f"<<<{word}{f' {number}' if number else ''}>>>" for number in itertools.count())
    return next(fence for fence in fences if not any(fence in text for text in texts))


def _render(name: str, block: str, **variables: object) -> str:
    template = _template(name)
    return "".join(template.blocks[block](template.new_context(variables))).strip("\n")


@functools.cache
def _template(name: str) -> Template:
    # the article goes in as a value and is never parsed as a template; sandboxed all the same, since templates may be a user's own one day
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(PROMPT_FOLDER),
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
    )
    return environment.get_template(f"{name}.md.jinja")


def _path(name: str) -> Path:
    return PROMPT_FOLDER / f"{name}.md.jinja"
