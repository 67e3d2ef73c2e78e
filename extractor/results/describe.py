"""Fact types, requests and estimates as people read them: `extractor schemas`, `extractor prompt`, `extractor run --dry-run`.

In: fact types, requests, estimates. Out: plain text. Floor: results.
"""

import json
from typing import Any

from extractor.facts.fact import Fact
from extractor.records import Call
from extractor.results.show import counted
from extractor.runs.estimate import Estimate

_DESCRIPTION_CHARS = 110


def type_line(name: str, fact_type: type[Fact]) -> str:
    """One line for a list: name, version, what it is."""
    return f"{name:<22} v{fact_type.version}  {_first_line(fact_type.__doc__)}"


def type_page(name: str, fact_type: type[Fact], asked: str) -> str:
    """A type's description and its fields, as the model is told them; `asked` is how the user named it."""
    schema = fact_type.model_json_schema()
    lines = [f"{name} v{fact_type.version}", "", " ".join((fact_type.__doc__ or "").split()), "", "Fields:"]
    for field, about in schema["properties"].items():
        optional = "" if field in schema.get("required", []) else ", optional"
        lines.append(f"  {field} ({_kind(about)}{optional})")
        if text := about.get("description"):
            lines.append(f"      {text}")
    lines += ["", f"Worked examples: {len(fact_type.examples)}. The JSON Schema: extractor schemas {asked} --json"]
    return "\n".join(lines)


def request_page(call: Call, body: dict[str, Any]) -> str:
    """What would be sent for one call: the messages, the schema, and the sizes that decide the cost."""
    whole = len(json.dumps(body, ensure_ascii=False).encode())
    messages = sum(len(str(message["content"]).encode()) for message in body["messages"])
    user = len(call.prompt.user.encode())
    text = "\n\n".join(f"--- {message['role']} ---\n{message['content']}" for message in body["messages"])
    rest = {key: value for key, value in body.items() if key != "messages"}
    return (
        f"=== {call.article_id}: {call.kind} for {', '.join(call.fact_types)} ===\n\n{text}\n\n--- the rest of the request ---\n"
        f"{json.dumps(rest, ensure_ascii=False, indent=1)}\n\n"
        f"--- size ---\n{whole:,} bytes: {messages:,} in messages, {whole - messages:,} for the schema and the rest; "
        f"{whole - user:,} are the same for every article and come first in the messages, so that providers can cache them.\n"
    )


def estimate_text(found: Estimate) -> str:
    """What a run would do, in a few lines."""
    cost = "at an unknown price (--price gives one)" if found.cost_usd is None else f"about ${found.cost_usd:.4f}"
    lines = [
        f"{counted(found.articles, 'article')} to ask, {found.unchanged:,} unchanged, {found.unreadable:,} unreadable",
        (
            f"{counted(found.calls, 'request')}, about {found.input_tokens:,} tokens in and {found.output_tokens:,} out, "
            f"{cost}; repairs not counted"
        ),
    ]
    if found.over_max_cost_usd is not None:
        lines.append(f"more than --max-cost {found.over_max_cost_usd:g}: the run would stop there, and the same command would go on")
    lines += [f"unreadable {name}: {why}" for name, why in found.unreadable_named.items()]
    if more := found.unreadable - len(found.unreadable_named):
        lines.append(f"and {more:,} more unreadable")
    return "\n".join(lines)


def _first_line(doc: str | None) -> str:
    line = next((line.strip() for line in (doc or "").splitlines() if line.strip()), "")
    return line if len(line) <= _DESCRIPTION_CHARS else f"{line[: _DESCRIPTION_CHARS - 1]}…"


def _kind(about: dict[str, Any]) -> str:
    if "anyOf" in about:
        return " or ".join(_kind(arm) for arm in about["anyOf"])
    if "enum" in about:
        return "one of " + ", ".join(str(value) for value in about["enum"])
    if "$ref" in about:
        return str(about["$ref"]).rpartition("/")[2]
    if about.get("type") == "array":
        return f"list of {_kind(about.get('items', {}))}"
    return str(about.get("type", about.get("const", "anything")))
