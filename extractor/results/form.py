"""Whether a value has the form that its type's JSON Schema asks for, where the type's class is not at hand.

In: a JSON Schema as the ledger keeps it, a JSON value. Out: nothing, or what is wrong with the value. Floor: results.
Before changing it: the schema is what counts, for a type of one's own may have changed since, or be on another machine. Its keywords are
those that `facts/portable.py` lets through; Pydantic does the checking, so that a message reads as that of a quarantined item.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic_core import CoreSchema, SchemaError, SchemaValidator, ValidationError, core_schema

_TOLD = 3  # things that are wrong named at most
_ENDS = (("minimum", "maximum"), ("earliest", "latest"))
_BOUNDS = {"minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt", "multipleOf": "multiple_of"}


class Form:
    """What one JSON Schema asks for.

    Args:
        schema: As `Ledger.fact_types` gives it.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        definitions = [{**_core(node), "ref": f"#/$defs/{name}"} for name, node in schema.get("$defs", {}).items()]
        self._validator: SchemaValidator | None = None
        try:
            self._validator = SchemaValidator(core_schema.definitions_schema(_core(schema), definitions))  # type: ignore[arg-type]
        except SchemaError as error:
            self._broken = f"its type's JSON Schema in the run folder cannot be read: {error}"

    def objection(self, value: object) -> str | None:
        """What keeps a JSON value from being of this form; None when nothing does."""
        if self._validator is None:
            return self._broken
        try:
            self._validator.validate_json(json.dumps(value), strict=True)
        except ValidationError as invalid:
            found = [f"{_path(error['loc'])}: {error['msg']}" for error in invalid.errors(include_url=False, include_input=False)]
        else:
            found = list(_crossed(value, ""))
        left = f" and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
        return f"it has not the form of its type: {'; '.join(found[:_TOLD])}{left}" if found else None


def _core(node: Mapping[str, Any]) -> CoreSchema:
    """A JSON Schema as Pydantic's core has it."""
    if "$ref" in node:
        return core_schema.definition_reference_schema(node["$ref"])
    if "const" in node or "enum" in node:
        return core_schema.literal_schema(node.get("enum", [node.get("const")]))
    if "anyOf" in node:
        arms = [_core(arm) for arm in node["anyOf"] if arm.get("type") != "null"]
        either = arms[0] if len(arms) == 1 else core_schema.union_schema([*arms])
        return core_schema.nullable_schema(either) if len(arms) < len(node["anyOf"]) else either
    bounds = {ours: node[theirs] for theirs, ours in _BOUNDS.items() if theirs in node}
    match node.get("type"):
        case "null":
            return core_schema.none_schema()
        case "boolean":
            return core_schema.bool_schema()
        case "integer":
            return core_schema.int_schema(**bounds)
        case "number":
            return core_schema.float_schema(**bounds, allow_inf_nan=False)
        case "string":
            return _text(node)
        case "array":
            items = core_schema.any_schema() if "items" not in node else _core(node["items"])
            return core_schema.list_schema(items, min_length=node.get("minItems"), max_length=node.get("maxItems"))
        case "object":
            needed = set(node.get("required", ()))
            fields = {
                name: core_schema.typed_dict_field(_core(about), required=name in needed)
                for name, about in node.get("properties", {}).items()
            }
            return core_schema.typed_dict_schema(fields, extra_behavior="forbid" if node.get("additionalProperties") is False else "allow")
    return core_schema.any_schema()


def _text(node: Mapping[str, Any]) -> CoreSchema:
    match node.get("format"):
        case "date":
            return core_schema.date_schema()
        case "date-time":
            return core_schema.datetime_schema()
    # Pydantic writes patterns for Python's engine
    return core_schema.str_schema(
        pattern=node.get("pattern"), min_length=node.get("minLength"), max_length=node.get("maxLength"), regex_engine="python-re"
    )


def _path(places: tuple[int | str, ...]) -> str:
    return "".join(f"[{place}]" if isinstance(place, int) else f".{place}" for place in places).lstrip(".") or "the record"


def _crossed(value: object, path: str) -> Iterator[str]:
    """Intervals that end before they begin: the types refuse them, and a JSON Schema cannot say it."""
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from _crossed(item, f"{path}[{place}]")
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _crossed(inner, f"{path}.{name}".lstrip("."))
        for first, last in _ENDS if "as_written" in value else ():
            low, high = (_end(value.get(name)) for name in (first, last))
            if type(low) is type(high) and low is not None and low > high:  # type: ignore[operator]
                yield f"{path}: {first} {low} is greater than {last} {high}"


def _end(bound: object) -> Decimal | date | None:
    """A bound as what can be compared; None for what is none: where it must be one, its schema has said so."""
    with suppress(ArithmeticError):
        return number if (number := Decimal(str(bound))).is_finite() else None
    with suppress(ValueError):
        return date.fromisoformat(str(bound))
    return None
