"""What a fact is: the base class of every fact type and the marks that say how a text field is checked.

In: nothing. Out: `Fact`, `Value`, the marks `Quote`, `Verbatim`, `Name`, and `walk`, which finds them in an instance. Floor: facts.
Before changing it: the JSON Schema of these classes is what the model is asked for, so a new field or description is a new version.
"""

import functools
import re
import types
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field

Role = Literal["quote", "verbatim", "name"]


class Mark(NamedTuple):
    """How the code checks a text field; it stands in the field's `Annotated`."""

    role: Role


Quote = Annotated[str, Mark("quote")]
"""A passage copied out of the article; it must be found there, or the fact is not believed."""
Verbatim = Annotated[str, Mark("verbatim")]
"""Words that must stand inside one of the fact's quotes."""
Name = Annotated[str, Mark("name")]
"""A name that must stand in the article; outside the quotes it is flagged, since texts say "he" and "the ministry"."""


class Closed(BaseModel):
    """A part of a fact: a closed object, as strict decoding needs it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


CheckResult = Literal["agrees", "disagrees", "not_understood"]


class Check(NamedTuple):
    """What a grammar says of a model's reading."""

    result: CheckResult
    """`agrees`, `disagrees` (an error: repair) or `not_understood` (kept, flagged `unverified`)."""
    message: str = ""
    """For `disagrees` and `not_understood`: the words, what they mean and what the model said."""
    assumed: str = ""
    """For `agrees`: what had to be assumed ("bare $ read as USD"); "" when nothing was. It becomes a warning."""


class Value(Closed):
    """A value with its words: the model gives both, the code checks that they agree."""

    as_written: Verbatim
    """The words of the value, verbatim."""

    def check(self, *, quote: str, start: int, published: date | None) -> Check:
        """Whether this value is what its words mean.

        Args:
            quote: The passage in which `as_written` stands, with the article's own words around it.
            start: Where in `quote` `as_written` begins, a code point; what adjoins it ("at least", "million") must not be cut off.
            published: The article's publication date; None leaves relative dates open.

        Returns:
            `not_understood` unless a subclass has a grammar.
        """
        del quote, start, published
        return Check("not_understood", f"no grammar reads {self.as_written!r}")


Certainty = Literal["asserted", "claimed", "probable", "possible", "denied", "disputed"]


class Attribution(Closed):
    """Who says so, and how surely."""

    speaker: Name | None = Field(
        default=None,
        description="Whose statement this is: a person or body in the form the article uses; null when the article itself says it.",
    )
    relayed_by: Name | None = Field(
        default=None,
        description=(
            "An outlet or person that passes on the speaker's words, such as a news agency; "
            "null otherwise. The article's own outlet and publishing platforms do not count."
        ),
    )
    certainty: Certainty = Field(
        description=(
            "asserted: the article's own voice, or an actor about its own act. claimed: a speaker about somebody else's act, "
            "or one side about a two-sided deal. probable, possible, denied, disputed: as the text has it."
        ),
    )


class Example(NamedTuple):
    """A worked example of a fact type: a short text and the facts of that type in it; it must ground in its own text."""

    text: str
    """An invented news text; it holds facts of no other shipped type."""
    published: date | None
    """Its publication date."""
    facts: tuple["Fact", ...]
    """What a right answer holds; () teaches that no fact is a right answer."""


class Fact(Closed):
    """The base of every fact type: a subclass's fields are exactly what the model is asked for.

    Its validators are pure and never see the article. A subclass sets `version` and should carry `examples`.
    """

    version: ClassVar[int] = 1
    """Raised when fields, descriptions or examples change, so that articles are asked again."""
    examples: ClassVar[tuple[Example, ...]] = ()
    """Worked examples for the prompt."""

    evidence: list[Quote] = Field(
        description=(
            "The shortest passages that prove this record, each copied character by character from the article. "
            "One passage is often enough. Every value's words stand inside one of them."
        ),
    )
    attribution: Attribution
    is_background: bool = Field(
        description="True when the article only recalls this as earlier news and adds nothing to it; otherwise false.",
    )


def registered_name(fact_type: type[Fact]) -> str:
    """The name by which a type is known everywhere: the class's name in snake case, `weapons_transfer` for `WeaponsTransfer`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", fact_type.__name__).lower()


class Leaf(NamedTuple):
    """One marked text inside a fact."""

    path: str
    """Such as `suppliers[0].name`."""
    role: Role | None
    """None for a text field without a mark."""
    text: str
    """The text itself."""


class Part(NamedTuple):
    """One closed object inside a fact (a `Value`, a `Party`, …)."""

    path: str
    """Such as `quantity`."""
    value: Closed
    """The object."""


def walk(value: BaseModel) -> list[Leaf | Part]:
    """Every text and every closed object inside `value`, depth first, in field order; `value` itself is not given."""
    found: list[Leaf | Part] = []
    _walk_fields(value, "", found)
    return found


class _Place(NamedTuple):
    """What an annotation says of the texts that may stand at it: read once for each class, since every item of a reply is walked."""

    role: Role | None
    fixed: frozenset[str]
    """The texts that the type's author wrote down; any other is the model's."""
    item: "_Place | None"
    """Of the elements, where it may be a list."""


def _walk_fields(value: BaseModel, prefix: str, found: list[Leaf | Part]) -> None:
    for name, place in _places(type(value)):
        if (inner := getattr(value, name)) is not None:
            _walk(inner, place, prefix + name, found)


def _walk(value: object, place: _Place, path: str, found: list[Leaf | Part]) -> None:
    if isinstance(value, str):
        if value not in place.fixed:
            found.append(Leaf(path, place.role, value))
    elif isinstance(value, Closed):
        found.append(Part(path, value))
        _walk_fields(value, f"{path}.", found)
    elif isinstance(value, (list, tuple)):
        inner = place.item or _ANY_TEXT
        for index, item in enumerate(value):
            _walk(item, inner, f"{path}[{index}]", found)


_TEXTLESS = (bool, int, float, Decimal, date, types.NoneType)
_ANY_TEXT = _Place(None, frozenset(), None)


@functools.lru_cache(maxsize=1024)  # classes: a service's fact types and their values are far fewer
def _places(kind: type[BaseModel]) -> tuple[tuple[str, _Place], ...]:
    fields = kind.model_fields.items()
    return tuple((name, _place(field.annotation, field.metadata)) for name, field in fields if _may_hold_text(field.annotation))


def _may_hold_text(annotation: Any) -> bool:
    """Whether a field may hold a text of the model's own, and not only numbers, days and the type's fixed words."""
    return not all(arm in _TEXTLESS or get_origin(arm) is Literal for arm, _ in _unwrapped(annotation))


def _place(annotation: Any, metadata: Iterable[Any] = ()) -> _Place:
    arms = list(_unwrapped(annotation))
    marks = (*metadata, *(mark for _, found in arms for mark in found))
    role = next((mark.role for mark in marks if isinstance(mark, Mark)), None)
    fixed = frozenset(value for arm, _ in arms if get_origin(arm) is Literal for value in get_args(arm) if isinstance(value, str))
    items = (get_args(arm)[0] for arm, _ in arms if get_origin(arm) in (list, tuple))
    item = next(items, None)
    return _Place(role, fixed, None if item is None else _place(item))


def _unwrapped(annotation: Any) -> Iterator[tuple[Any, list[Any]]]:
    """The alternatives of an annotation, each with the marks that stand on it."""
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *marks = get_args(annotation)
        yield from ((inner, [*more, *marks]) for inner, more in _unwrapped(base))
    elif origin in (Union, types.UnionType):
        for arm in get_args(annotation):
            yield from _unwrapped(arm)
    else:
        yield annotation, []
