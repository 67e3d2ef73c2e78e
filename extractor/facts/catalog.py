"""Which fact types there are: shipped and installed ones by name, a user's own by class or file; each checked before any call.

In: names, `FILE.py:CLASS`, classes. Out: a mapping from registered name to class, in the order asked for. Floor: facts.
Before changing it: the shipped types are found by entry point like any other, so this file imports none of them.
"""

import difflib
import functools
import importlib.util
import sys
import traceback
import types
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from extractor.errors import SchemaError
from extractor.facts.fact import Closed, Example, Fact, Value, registered_name
from extractor.facts.portable import check_portable
from extractor.fingerprint import fingerprint

ENTRY_POINT_GROUP = "extractor.schemas"
DEFAULT_TYPES = ("weapons_transfer", "funding_source", "negotiation_proposal")
"""What is read when nobody says which types; an order of its own, since entry points come in any."""

_BARE = {int: "Quantity", float: "Quantity", Decimal: "Money or Quantity", date: "When", datetime: "When"}
_CONSTANTS = {"version": "ClassVar[int]", "examples": "ClassVar[tuple[Example, ...]]"}


def load(wanted: Sequence[str | type[Fact]]) -> dict[str, type[Fact]]:
    """The fact types asked for, by registered name, in the order asked for.

    Args:
        wanted: Registered names, `FILE.py:CLASS` (or `FILE.py`, where it holds one type), or classes. Empty: the three that ship.

    Raises:
        SchemaError: A name is unknown, a file cannot be loaded, two types share a name, or a type breaks a rule.
    """
    found: dict[str, type[Fact]] = {}
    for item in wanted or DEFAULT_TYPES:
        fact_type = _resolve(item)
        name = registered_name(fact_type)
        if name in found and found[name] is not fact_type:
            raise SchemaError(f"Two fact types are called {name!r}: rename one of the classes.")
        check_type(fact_type)
        found[name] = fact_type
    return found


def available() -> list[str]:
    """Registered names of the installed fact types: the three that ship first, then the others by name."""
    return sorted(_installed(), key=lambda name: (DEFAULT_TYPES.index(name) if name in DEFAULT_TYPES else len(DEFAULT_TYPES), name))


def type_fingerprint(fact_type: type[Fact]) -> str:
    """What an outcome depends on in a type: its version, its JSON Schema and its worked examples."""
    examples = [[ex.text, str(ex.published), [fact.model_dump(mode="json") for fact in ex.facts]] for ex in fact_type.examples]
    return fingerprint([registered_name(fact_type), fact_type.version, fact_type.model_json_schema(), examples])


def check_type(fact_type: type[Fact]) -> None:
    """Nothing, when strict decoding and the chain of checks can carry this type.

    Raises:
        SchemaError: The message names the class, the field, the rule and what to write instead.
    """
    name = fact_type.__name__
    if not (fact_type.__doc__ or "").strip():
        raise SchemaError(f"{name} has no docstring; the model reads it to know what counts as one, so write it.")
    if (
        "evidence" not in fact_type.model_fields
        or fact_type.model_fields["evidence"].annotation != Fact.model_fields["evidence"].annotation
    ):
        raise SchemaError(f"{name}.evidence must stay the base's list of quotes; remove your own field of that name.")
    if not _is_closed(fact_type):
        raise SchemaError(f"{name} is not closed: keys that it does not name would pass unchecked. Leave `extra` as the base has it.")
    for constant, annotation in _CONSTANTS.items():
        if constant in fact_type.model_fields:
            raise SchemaError(f"{name}.{constant} is a field, which the model would fill; write `{constant}: {annotation} = …`.")
    for owner, field, annotation in _fields(fact_type, set()):
        _check_annotation(f"{owner.__name__}.{field}", annotation, in_value=issubclass(owner, Value))
        info = owner.model_fields[field]
        if info.alias or info.validation_alias or info.serialization_alias:
            raise SchemaError(
                f"{owner.__name__}.{field} has an alias: the model, the checks and the export would call it by different names. "
                "Rename the field."
            )
    check_portable(name, fact_type.model_json_schema())
    _check_constants(fact_type)


def _check_constants(fact_type: type[Fact]) -> None:
    name = fact_type.__name__
    if not isinstance(fact_type.version, int) or isinstance(fact_type.version, bool):
        raise SchemaError(f"{name}.version is {fact_type.version!r}; expected a whole number, raised with every change.")
    if not isinstance(fact_type.examples, (tuple, list)):
        raise SchemaError(f"{name}.examples is a {type(fact_type.examples).__name__}; expected a tuple of Example.")
    for number, example in enumerate(fact_type.examples, start=1):
        if not isinstance(example, Example) or not isinstance(example.facts, (tuple, list)):
            raise SchemaError(f"Worked example {number} of {name} is no Example(text=…, published=…, facts=(…,)); write it as one.")
        for fact in example.facts:
            if not isinstance(fact, fact_type):
                raise SchemaError(f"Worked example {number} of {name} has a {type(fact).__name__} among its facts; expected {name} alone.")


def _check_annotation(where: str, annotation: Any, *, in_value: bool) -> None:
    origin = get_origin(annotation)
    if origin in (list, Union, types.UnionType):
        for inner in get_args(annotation):
            _check_annotation(where, inner, in_value=in_value)
    elif origin is Annotated:
        _check_annotation(where, get_args(annotation)[0], in_value=in_value)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not issubclass(annotation, Closed) or not _is_closed(annotation):
            raise SchemaError(f"{where} is a {annotation.__name__}, which is not closed: derive it from extractor.facts.fact.Closed.")
    elif annotation in _BARE:
        if not in_value:
            raise SchemaError(
                f"{where} is a bare {annotation.__name__}: its words could not be checked. Use {_BARE[annotation]}, which keeps them."
            )
    elif annotation not in (str, bool, None, types.NoneType) and origin is not Literal:
        raise SchemaError(
            f"{where} is {annotation!r}: strict decoding takes closed models, list[…], str, bool and Literal. Use one of these."
        )


def _is_closed(model: type[BaseModel]) -> bool:
    return model.model_config.get("extra") == "forbid"


def _fields(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[tuple[type[BaseModel], str, Any]]:
    if model in seen:
        raise SchemaError(f"{model.__name__} contains itself: a fact is of bounded depth.")
    for name, field in model.model_fields.items():
        yield model, name, field.annotation
        for inner in _models_in(field.annotation):
            yield from _fields(inner, seen | {model})


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    if get_origin(annotation) in (list, Union, types.UnionType, Annotated):
        for inner in get_args(annotation):  # what else stands in an Annotated is no class
            yield from _models_in(inner)


def _resolve(item: str | type[Fact]) -> type[Fact]:
    if isinstance(item, type):
        return _as_fact(item, repr(item.__name__))
    path, colon, class_name = item.rpartition(":")
    if item.endswith(".py"):
        return _from_file(Path(item), None)
    if colon and path.endswith(".py"):
        return _from_file(Path(path), class_name)
    installed = _installed()
    if item not in installed:
        near = [f"{item}.py"] if Path(f"{item}.py").is_file() else difflib.get_close_matches(item, installed, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Installed: {', '.join(available())}."
        raise SchemaError(f"No fact type {item!r}. {hint} A file is given as FILE.py:CLASS.")
    try:
        loaded = installed[item].load()
    except Exception as error:
        raise SchemaError(
            f"Fact type {item!r} cannot be loaded from {installed[item].value!r}: {type(error).__name__}: {error}."
        ) from error
    return _as_fact(loaded, repr(item))


def _from_file(path: Path, class_name: str | None) -> type[Fact]:
    if not path.is_file():
        raise SchemaError(f"No file {str(path)!r} to load a fact type from; --schema takes a name or FILE.py:CLASS.")
    module = _module(path.resolve())
    if class_name:
        if not hasattr(module, class_name):
            raise SchemaError(f"{str(path)!r} has no class {class_name!r}; it has {', '.join(_facts_in(module)) or 'no fact type'}.")
        return _as_fact(getattr(module, class_name), f"{path}:{class_name}")
    facts = _facts_in(module)
    if len(facts) != 1:
        raise SchemaError(f"{str(path)!r} has {len(facts)} fact types ({', '.join(facts) or 'none'}); name one as {path}:CLASS.")
    return next(iter(facts.values()))


def _facts_in(module: types.ModuleType) -> dict[str, type[Fact]]:
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Fact) and value.__module__ == module.__name__
    }


@functools.cache
def _module(path: Path) -> types.ModuleType:
    """The file as a module, loaded once, so that its classes are the same however often they are named."""
    name = f"extractor_user_schema_{fingerprint(str(path))[3:15]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SchemaError(f"{str(path)!r} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Pydantic and pickle look classes up by their module
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", f'Field name "({"|".join(_CONSTANTS)})"')  # check_type says what to write instead
            spec.loader.exec_module(module)
    except SyntaxError as error:
        del sys.modules[name]
        raise SchemaError(f"{str(path)!r} line {error.lineno}: {error.msg}.") from error
    except ValidationError as error:  # mostly an example that is not of its own type
        del sys.modules[name]
        for fact_type in _facts_in(module).values():  # a field that no type may have refuses every example: the rule is the cause
            check_type(fact_type)
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SchemaError(
            f"{str(path)!r} cannot be loaded: {error.title} at {where!r}: {first['msg']} (got {first['input']!r})."
        ) from error
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        if isinstance(error, AttributeError) and isinstance(error.obj, type) and error.obj.__module__ == name:
            _as_fact(error.obj, f"{path}:{error.obj.__name__}")  # its examples ask it for what only a Fact has
        line = next((frame.lineno for frame in reversed(traceback.extract_tb(error.__traceback__)) if frame.filename == str(path)), None)
        where = f" line {line}" if line else ""
        raise SchemaError(f"{str(path)!r}{where} cannot be loaded: {type(error).__name__}: {error}.") from error
    return module


def _as_fact(loaded: object, what: str) -> type[Fact]:
    if not (isinstance(loaded, type) and issubclass(loaded, Fact)):
        raise SchemaError(f"{what} is not a fact type: derive the class from extractor.Fact.")
    return loaded


def _installed() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
