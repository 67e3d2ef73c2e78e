"""Whether engines that hold a model to a JSON Schema, token by token, can hold it to this one.

In: a JSON Schema. Out: nothing, or a `SchemaError` that names the field and what to write instead. Floor: facts; the only file that
imports llguidance.
Before changing it: the list is what OpenAI's strict mode, llama.cpp, vLLM and their grammar compilers all take. What one of them drops
in silence is refused here (llama.cpp takes a pattern with a backslash class for "any text"), and what all let through that is still
wrong (a 31 February, a bound on a number) is Pydantic's to find in the answer.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from extractor.errors import SchemaError

_PORTABLE = frozenset(
    {
        *("$defs", "$ref", "additionalProperties", "anyOf", "const", "default", "description", "enum", "examples", "format", "items"),
        *("exclusiveMaximum", "exclusiveMinimum", "maximum", "maxItems", "maxLength", "minimum", "minItems", "minLength", "multipleOf"),
        *("pattern", "properties", "required", "title", "type"),
    }
)
_DATA = frozenset({"const", "default", "enum", "examples", "required"})  # their values are no schemas
_FORMATS = frozenset({"date", "date-time"})
_NOT_IN_PATTERNS = re.compile(r"\\[dDwWsSbBpP]|\(\?")


def check_portable(name: str, schema: Mapping[str, Any]) -> None:
    """Nothing, when every engine that takes a schema takes this one.

    Where llguidance is installed (extra `local`) it compiles the schema too: it refuses what it cannot do, and other compilers do no more.

    Args:
        name: The class, as messages name it.
        schema: Its JSON Schema.

    Raises:
        SchemaError: A keyword, a format or a pattern is not portable, or the compiler refuses the schema.
    """
    for field, place in _places(schema, name):
        has = f"{field}: its JSON Schema has {{}}, which strict decoding does not take everywhere"
        if strange := sorted(set(place) - _PORTABLE):
            raise SchemaError(f"{has.format(repr(strange[0]))}; write a plain union, a closed model or a validator instead.")
        if place.get("format", "date") not in _FORMATS:
            raise SchemaError(f"{has.format('format ' + repr(place['format']))}; use a pattern, or check it in a validator.")
        pattern = str(place.get("pattern", ""))
        if found := _NOT_IN_PATTERNS.search(pattern):
            raise SchemaError(
                f"{field}: its pattern {pattern!r} has {found[0]!r}, which some engines drop in silence; write it out, such as '[0-9]', "
                "and without look-around."
            )
        if not isinstance(place.get("additionalProperties", False), bool):
            raise SchemaError(f"{has.format('keys of any name')}; write a list of closed models instead of a dict.")
    if refused := _refused(json.dumps(schema)):
        raise SchemaError(f"{name}'s JSON Schema cannot be compiled into a grammar, as local engines do with it: {refused}")


def _places(schema: Any, field: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every schema within `schema`, itself included, with the field it belongs to, such as `Sanction.since`."""
    if isinstance(schema, list):
        for part in schema:
            yield from _places(part, field)
    elif isinstance(schema, Mapping):
        yield field, schema
        for key, value in schema.items():
            if key == "$defs":
                for name, part in value.items():
                    yield from _places(part, name)
            elif key == "properties":
                for name, part in value.items():
                    yield from _places(part, f"{field}.{name}")
            elif key not in _DATA:
                yield from _places(value, field)


@functools.cache
def _refused(schema: str) -> str:
    """Why llguidance refuses the schema; "" where it takes it, or is not installed."""
    try:
        from llguidance import LLMatcher
    except ImportError:
        return ""
    return " ".join(LLMatcher.validate_grammar(LLMatcher.grammar_from_json_schema(schema)).split())
