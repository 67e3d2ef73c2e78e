"""Which fact types there are, how a user's own is loaded, and which ones are refused, with what message."""

import collections
import collections.abc
import enum
import importlib.metadata
import itertools
import os
import subprocess
import sys
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, Optional
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel, create_model

from extractor.errors import SchemaError, UsageError
from extractor.evidence.validate import Judge, check_examples
from extractor.facts import catalog
from extractor.facts.fact import Attribution, Closed, Example, Fact, Name, Quote, Value, Verbatim
from extractor.facts.money import Money
from extractor.facts.party import Party
from extractor.facts.quantity import Quantity
from extractor.facts.starter import write_starter
from extractor.facts.when import When
from extractor.records import Article
from extractor.schemas import FundingSource, NegotiationProposal, WeaponsTransfer

SHIPPED = {"weapons_transfer": WeaponsTransfer, "funding_source": FundingSource, "negotiation_proposal": NegotiationProposal}


class Sanction(Fact):
    """A measure against a state."""

    target: Party


FILE = '''
"""A user's own schema file."""
from extractor.facts.fact import Fact, Verbatim

class Ban(Fact):
    """A thing that is banned."""
    thing: Verbatim
'''


@pytest.fixture
def write(tmp_path):
    """A schema file with a name of its own, which no other test has loaded."""
    numbers = itertools.count()

    def written(source):
        path = tmp_path / f"schema{next(numbers)}.py"
        path.write_text(source, encoding="utf-8")
        return path

    return written


def with_field(annotation, default=...):
    """A fact type with one field of that annotation."""
    return create_model("Made", __base__=Fact, __doc__="A made type.", field=(annotation, default))


# -- finding ---------------------------------------------------------------------------------------------------------------------------


def test_the_three_shipped_types_are_found_by_name_and_by_default():
    """Nobody said which: all three, in the house's order; named ones come in the order asked for."""
    assert catalog.load([]) == SHIPPED
    assert list(catalog.load([])) == list(SHIPPED)
    assert list(catalog.load(["negotiation_proposal", "weapons_transfer"])) == ["negotiation_proposal", "weapons_transfer"]
    assert catalog.available()[:3] == list(SHIPPED)


def test_a_class_is_known_by_its_snake_case_name():
    """A class passed in needs no registration; named twice it is one type."""
    assert catalog.load([Sanction, "weapons_transfer", Sanction]) == {"sanction": Sanction, "weapons_transfer": WeaponsTransfer}


def test_a_users_file_is_loaded_by_class_or_alone(write):
    """`FILE.py:CLASS`, or `FILE.py` where it holds one type; the same file gives the same class."""
    path = write(FILE)
    (by_class,) = catalog.load([f"{path}:Ban"]).values()
    (alone,) = catalog.load([str(path)]).values()
    assert by_class is alone
    assert (by_class.__name__, by_class.__doc__) == ("Ban", "A thing that is banned.")
    assert sys.modules[by_class.__module__].Ban is by_class


def test_a_file_may_hold_helpers_and_imported_types(write):
    """Only the types written in the file count; one that is imported into it can still be named."""
    path = write(FILE + "\nfrom extractor.schemas import FundingSource\nANSWER = 42\nclass Helper: pass\n")
    assert list(catalog.load([str(path)])) == ["ban"]
    assert catalog.load([f"{path}:FundingSource"]) == {"funding_source": FundingSource}


def test_an_installed_packages_types_are_found_by_their_entry_points(monkeypatch, write):
    """Another package's type stands beside the shipped ones, after them."""
    path = write(FILE)
    (ban,) = catalog.load([str(path)]).values()
    points = [
        importlib.metadata.EntryPoint("zebra", f"{ban.__module__}:Ban", catalog.ENTRY_POINT_GROUP),
        importlib.metadata.EntryPoint("broken", "no_such_module_anywhere:Nothing", catalog.ENTRY_POINT_GROUP),
        importlib.metadata.EntryPoint("number", "math:pi", catalog.ENTRY_POINT_GROUP),
        *importlib.metadata.entry_points(group=catalog.ENTRY_POINT_GROUP),
    ]
    monkeypatch.setattr(catalog, "entry_points", lambda group: importlib.metadata.EntryPoints(points).select(group=group))
    assert catalog.available() == [*SHIPPED, "broken", "number", "zebra"]
    assert catalog.load(["zebra"]) == {"ban": ban}
    with pytest.raises(SchemaError, match=r"'broken' cannot be loaded from 'no_such_module_anywhere:Nothing': ModuleNotFoundError"):
        catalog.load(["broken"])
    with pytest.raises(SchemaError, match="'number' is not a fact type"):
        catalog.load(["number"])


def test_a_package_that_is_really_installed_brings_its_types(tmp_path):
    """Its metadata on the path of a fresh process is all that it takes: the command lists, shows and asks for the type by name."""
    (tmp_path / "bans.py").write_text(FILE, encoding="utf-8")
    metadata = tmp_path / "bans-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: bans\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[extractor.schemas]\nban = bans:Ban\n")
    (tmp_path / "article.txt").write_text("Oslo bans the thing.")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

    def said(*arguments):
        command = [sys.executable, "-m", "extractor", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=tmp_path).stdout

    assert [line.split()[0] for line in said("schemas").splitlines()] == [*SHIPPED, "ban"]
    assert "A thing that is banned." in said("prompt", "article.txt", "--schema", "ban", "--json")


# -- a file to begin with --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "file", "class_name"),
    [
        ("Sanction", "sanction.py", "Sanction"),
        ("port-closure", "port_closure.py", "PortClosure"),
        ("un_vote", "un_vote.py", "UnVote"),
        ("UNVote", "un_vote.py", "UNVote"),
    ],
)
def test_a_starter_file_loads_as_it_is(name, file, class_name, tmp_path, monkeypatch):
    """Its class has the name asked for, its description reaches the model, and its example holds without a single doubt."""
    monkeypatch.chdir(tmp_path)
    assert write_starter(name) == Path(file)
    ((registered, made),) = catalog.load([f"{tmp_path / file}:{class_name}"]).items()
    assert f"{registered}.py" == file
    assert made.__doc__
    assert all(field.description for field in made.model_fields.values() if field.annotation is not Attribution)
    check_examples({registered: made})
    (example,) = made.examples
    judge = Judge(Article(id="x", text=example.text, published=example.published))
    assert [judge.judge(fact.model_dump_json(), made).issues for fact in example.facts] == [()]


def test_a_starter_file_never_overwrites(tmp_path):
    """What stands there stays, and another file can be named."""
    path = tmp_path / "mine.py"
    path.write_text("mine")
    with pytest.raises(UsageError, match=r"exists already and is left as it is\. Name another file with -o"):
        write_starter("Sanction", path)
    assert path.read_text() == "mine"
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        write_starter("Sanction", tmp_path / "no" / "folder.py")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "no name for a fact type"),
        ("1st", "no name for a fact type"),
        ("a b", "no name for a fact type"),
        ("../x", "no name for a fact type"),
        ("_x", "no name for a fact type"),
        ("Fünf", "no name for a fact type"),
        ("WeaponsTransfer", "'weapons_transfer' is taken"),
        ("weapons-transfer", "'weapons_transfer' is taken"),
        ("fact", "'fact' is taken"),
        ("none", "'none' is taken"),
        ("when", "'when' is taken"),
    ],
)
def test_a_name_that_cannot_be_a_types_is_refused(name, said, tmp_path, monkeypatch):
    """Before a file is written."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=said):
        write_starter(name)
    assert list(tmp_path.iterdir()) == []


# -- not found -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("weapon_transfer", "Did you mean 'weapons_transfer'?"),
        ("fundingsource", "Did you mean 'funding_source'?"),
        ("xyz", "Installed: weapons_transfer, funding_source, negotiation_proposal"),
        ("", "Installed: "),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one_or_all(name, said):
    """The message says what was meant, and that a file is another way."""
    with pytest.raises(SchemaError) as caught:
        catalog.load([name])
    assert f"No fact type {name!r}" in str(caught.value)
    assert said in str(caught.value)
    assert "FILE.py:CLASS" in str(caught.value)


def test_a_file_that_is_not_there_is_named():
    """The path as it was given stands in the message."""
    with pytest.raises(SchemaError, match=r"No file 'nowhere/my.py'"):
        catalog.load(["nowhere/my.py:Ban"])


def test_a_class_that_the_file_does_not_have_is_refused_with_those_it_has(write):
    """What could have been meant is listed."""
    path = write(FILE)
    with pytest.raises(SchemaError, match="has no class 'Bann'; it has Ban"):
        catalog.load([f"{path}:Bann"])


@pytest.mark.parametrize(
    ("more", "said"), [("\nclass Veto(Ban):\n    '''A veto.'''\n", r"has 2 fact types \(Ban, Veto\)"), (None, r"has 0 fact types \(none\)")]
)
def test_a_file_without_exactly_one_type_needs_a_class(write, more, said):
    """Two types, or none: the message lists them and asks for one."""
    path = write("x = 1\n" if more is None else FILE + more)
    with pytest.raises(SchemaError, match=said):
        catalog.load([str(path)])


def test_a_syntax_error_is_told_with_its_line(write):
    """The user sees where the file is broken, and no traceback of ours."""
    path = write('"""Doc."""\n\nclass Broken:\n    x = = 1\n')
    with pytest.raises(SchemaError, match=r"schema0\.py' line 4: invalid syntax"):
        catalog.load([str(path)])


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_module_anywhere\n", "ModuleNotFoundError: No module named 'no_such_module_anywhere'"),
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("from extractor.facts.fact import Fact\nclass A(Fact):\n    'doc'\n    x: object()\n", "cannot be loaded"),
        ("raise SystemExit('bye')\n", "SystemExit: bye"),
    ],
    ids=["import", "raises", "no schema", "exits"],
)
def test_a_file_that_fails_to_load_is_told_with_its_error_and_can_be_tried_again(write, source, said):
    """The error of the file stands in the message; mended, the same path loads."""
    path = write(source)
    for _ in range(2):
        with pytest.raises(SchemaError) as caught:
            catalog.load([str(path)])
        assert said in str(caught.value)
    path.write_text(FILE, encoding="utf-8")
    assert list(catalog.load([str(path)])) == ["ban"]


@pytest.mark.parametrize("wrong", [Party, BaseModel, int, dict])
def test_a_class_that_is_no_fact_is_refused(wrong):
    """The message names the class and says what to derive it from."""
    with pytest.raises(SchemaError, match=rf"'{wrong.__name__}' is not a fact type: derive the class from extractor.Fact"):
        catalog.load([wrong])


def test_a_name_in_a_file_that_is_no_fact_is_refused(write):
    """A helper class or a constant cannot be asked for."""
    path = write(FILE + "\nANSWER = 42\n")
    with pytest.raises(SchemaError, match="ANSWER is not a fact type"):
        catalog.load([f"{path}:ANSWER"])


def test_two_types_of_one_name_are_refused(write):
    """Arrays are named by type: two classes `Ban` cannot be told apart."""
    with pytest.raises(SchemaError, match="Two fact types are called 'ban': rename one"):
        catalog.load([str(write(FILE)), str(write(FILE))])


# -- what a type may hold --------------------------------------------------------------------------------------------------------------


class Inner(Closed):
    """A closed part."""

    words: Verbatim


class Speed(Value):
    """A user's own value: numbers are allowed beside their words."""

    low: int | None = None
    high: float | None = None
    sum: Annotated[Decimal, Field(ge=0)] | None = None
    day: date | None = None
    at: datetime | None = None
    rows: list[int] = Field(default_factory=list)


@pytest.mark.parametrize(
    "annotation",
    [
        str,
        bool,
        Verbatim,
        Name,
        Quote | None,
        Optional[Verbatim],  # noqa: UP045 - both spellings are in use
        Literal["a", "b"],
        Literal["a", "b"] | None,
        Literal[1, 2],
        list[Verbatim],
        list[Literal["a"]],
        list[list[Name]] | None,
        list[Inner | None],
        list[Annotated[Inner, Field(description="one")]] | None,
        Annotated[list[Annotated[str, Field(max_length=9)]], Field(max_length=3)] | None,
        Quantity,
        Money | When | None,
        Party | Literal["nobody"],
        Speed,
        list[Speed] | None,
        None,
    ],
    ids=str,
)
def test_closed_models_texts_lists_and_fixed_words_are_taken(annotation):
    """In any nesting, optional or not."""
    made = with_field(annotation)
    assert catalog.load([made]) == {"made": made}


@pytest.mark.parametrize(
    ("annotation", "use"),
    [(int, "Quantity"), (float, "Quantity"), (Decimal, "Money or Quantity"), (date, "When"), (datetime, "When")],
)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda bare: bare,
        lambda bare: bare | None,
        lambda bare: list[bare],
        lambda bare: list[list[bare] | None],
        lambda bare: Annotated[bare, Field(description="x")],
        lambda bare: Annotated[bare, Field(description="x")] | None,
        lambda bare: list[Annotated[bare, Field(description="x")]],
    ],
    ids=["bare", "optional", "list", "nested", "annotated", "annotated optional", "list of annotated"],
)
def test_a_bare_number_or_date_is_refused_with_what_to_use(annotation, use, wrap):
    """A number without its words could not be checked: the message names the field, the type and the value class."""
    with pytest.raises(SchemaError) as caught:
        catalog.load([with_field(wrap(annotation))])
    assert str(caught.value).startswith(
        f"Made.field is a bare {annotation.__name__}: its words could not be checked. Use {use}, which keeps them."
    )


@pytest.mark.parametrize(
    "wrap",
    [
        lambda part: part,
        lambda part: part | None,
        lambda part: list[part],
        lambda part: list[Annotated[part, Field(description="x")]],
        lambda part: Annotated[part, Field(description="x")] | None,
    ],
    ids=["bare", "optional", "list", "list of annotated", "annotated optional"],
)
def test_a_bare_number_is_found_in_parts_of_any_depth(wrap):
    """A closed part that is no value has no words for its numbers either; the message names the part's field."""
    deep = create_model("Deep", __base__=Closed, count=(int, ...))
    middle = create_model("Middle", __base__=Closed, deep=(wrap(deep), ...))
    with pytest.raises(SchemaError, match=r"Deep\.count is a bare int"):
        catalog.load([with_field(wrap(middle))])


class Open(BaseModel):
    """A model that is not closed."""

    x: str


class Loose(Closed):
    """Derived from the closed base, and opened again."""

    model_config = ConfigDict(extra="allow")


class Shade(enum.Enum):
    """A choice that would need Literal."""

    DARK = "dark"


@pytest.mark.parametrize(
    "annotation",
    [
        dict,
        dict[str, str],
        Any,
        list[Any],
        object,
        list,
        set[str],
        frozenset[str],
        tuple[str, str],
        tuple[str, ...],
        collections.OrderedDict[str, str],
        collections.abc.Sequence[str],
        collections.abc.Mapping[str, str],
        bytes,
        time,
        timedelta,
        UUID,
        Path,
        Fraction,
        JsonValue,
        Shade,
        enum.IntEnum("Three", "A B C"),
        Open,
        list[Open] | None,
        RootModel[list[str]],
        Loose,
        list[Loose],
    ],
    ids=str,
)
def test_anything_else_is_refused_by_field(annotation):
    """What strict decoding cannot take, or the checks cannot follow, names the field and what to write instead."""
    with pytest.raises(SchemaError, match=r"^Made\.field is .*(closed|Use one of these)"):
        catalog.load([with_field(annotation)])


class Tree(Closed):
    """A part that holds itself."""

    branches: "list[Tree]"


class Left(Closed):
    """A part that holds itself by way of another."""

    right: "list[Right]"


class Right(Closed):
    """The other."""

    left: Annotated[Left, Field(description="back")] | None


Left.model_rebuild()


@pytest.mark.parametrize("part", [Tree, Left])
def test_a_type_that_contains_itself_is_refused(part):
    """A fact is of bounded depth."""
    with pytest.raises(SchemaError, match="contains itself: a fact is of bounded depth"):
        catalog.load([with_field(part)])


def test_one_part_in_two_fields_is_no_recursion():
    """Only a part inside itself is endless."""
    catalog.check_type(create_model("Twice", __base__=Fact, __doc__="Two.", one=(Inner, ...), two=(list[Inner], ...)))


def test_a_type_without_a_docstring_is_refused():
    """The docstring tells the model what counts as one; the base's does not."""
    for doc in (None, "", "   "):
        with pytest.raises(SchemaError, match="Silent has no docstring; the model reads it"):
            catalog.load([create_model("Silent", __base__=Fact, __doc__=doc)])


def test_evidence_cannot_be_taken_out_of_the_chain():
    """A field of that name that is no list of quotes would leave a type unchecked."""
    with pytest.raises(SchemaError, match=r"Made\.evidence must stay the base's list of quotes"):
        catalog.load([create_model("Made", __base__=Fact, __doc__="x", evidence=(list[str], ...))])


def test_a_type_that_is_opened_for_more_keys_is_refused():
    """Unknown keys would be exported without any check."""
    made = type("Made", (Fact,), {"__doc__": "x", "__module__": __name__, "model_config": ConfigDict(extra="allow")})
    with pytest.raises(SchemaError, match="Made is not closed"):
        catalog.load([made])


@pytest.mark.parametrize("keyword", ["oneOf", "allOf", "patternProperties", "prefixItems", "not", "if", "propertyNames"])
def test_a_schema_keyword_that_strict_decoding_lacks_is_refused_by_field(keyword):
    """What a field adds to the JSON Schema by hand is looked at too, at any depth of any part."""
    by_hand = Annotated[str, Field(json_schema_extra={"anyOf": [{keyword: {"const": "x"}}]})]
    with pytest.raises(SchemaError, match=rf"^Made\.field: its JSON Schema has '{keyword}'"):
        catalog.load([with_field(by_hand)])
    part = create_model("Part", __base__=Closed, deep=(list[by_hand], ...))
    with pytest.raises(SchemaError, match=rf"^Part\.deep: its JSON Schema has '{keyword}'"):
        catalog.load([with_field(part)])


def test_words_of_a_field_are_no_keywords():
    """A fixed word or a field may be called `not` or `if`."""
    catalog.load(
        [
            create_model(
                "Made", __base__=Fact, __doc__="x", **{"not": (Literal["if", "oneOf"], Field(json_schema_extra={"examples": [{"not": 1}]}))}
            )
        ]
    )


@pytest.mark.parametrize("pattern", [r"\d+", r"^[A-Z]\w*$", r"\bno\b"])
def test_a_pattern_that_engines_drop_is_refused(pattern):
    """llama.cpp takes any text for a pattern with an escape for a class of characters, and says so in its log alone."""
    with pytest.raises(SchemaError, match=r"^Made\.field: its pattern .* some engines drop in silence; write it out, such as '\[0-9\]'"):
        catalog.load([with_field(Annotated[str, Field(pattern=pattern)])])
    catalog.load([with_field(Annotated[str, Field(pattern=r"^[0-9]+\.[A-Za-z]*$")])])


def test_a_field_has_one_name():
    """An alias would be what the model is asked for, and nothing else would call it so."""
    with pytest.raises(SchemaError, match=r"^Made\.field has an alias.*Rename the field"):
        catalog.load([with_field(Annotated[str, Field(alias="other")])])


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("version", "2", "Made.version is '2'; expected a whole number"),
        ("version", True, "Made.version is True"),
        ("examples", "text", "Made.examples is a str; expected a tuple of Example"),
        ("examples", ({"text": "x"},), "Worked example 1 of Made is no Example"),
        ("examples", (Example("x", None, ()), Example("x", None, 5)), "Worked example 2 of Made is no Example"),
        (
            "examples",
            (Example("x", None, ({"evidence": []},)),),
            "Worked example 1 of Made has a dict among its facts; expected Made alone",
        ),
    ],
)
def test_what_stands_beside_the_fields_is_checked_too(name, value, said):
    """Version and examples, by name and number, before anything reads them."""
    made = with_field(str)
    setattr(made, name, value)
    with pytest.raises(SchemaError) as caught:
        catalog.load([made])
    assert str(caught.value).startswith(said)


def test_an_example_that_is_no_fact_is_told_by_its_field(write):
    """The file's own class refuses it: the message has the field and the value, in one line."""
    source = (
        FILE
        + "\nBan.examples = (Ban.model_validate({'evidence': ['x'], 'attribution': {'certainty': 'sure'}, 'is_background': False, 'thing': 'x'}),)\n"
    )
    with pytest.raises(
        SchemaError, match=r"cannot be loaded: Ban at 'attribution.certainty': Input should be .*\(got 'sure'\)\.$"
    ) as caught:
        catalog.load([str(write(source))])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("quantity: Quantity | None", "quantity: int | None", "Kind.quantity is a bare int: its words could not be checked. Use Quantity"),
        ("action: Verbatim", "action: dict", "Kind.action is <class 'dict'>: strict decoding takes"),
        ("    action: Verbatim", "    evidence: str\n    action: Verbatim", "Kind.evidence must stay the base's list of quotes"),
        ("class Kind(Fact)", "class Kind(object)", "kind.py:Kind is not a fact type: derive the class from extractor.Fact"),
        (
            "version: ClassVar[int]",
            "version: int",
            "Kind.version is a field, which the model would fill; write `version: ClassVar[int] = …`",
        ),
        ("action: Verbatim", "action: Verbatin", "kind.py' line 31 cannot be loaded: NameError: name 'Verbatin' is not defined"),
    ],
    ids=["bare number", "dict", "evidence", "no fact", "version", "unknown name"],
)
def test_a_starter_file_that_is_edited_wrongly_is_told_the_rule(old, new, said, tmp_path):
    """The rule that the class breaks, and not the example that then no longer fits it."""
    path = write_starter("Kind", tmp_path / "kind.py")
    source = path.read_text(encoding="utf-8")
    assert old in source
    path.write_text(source.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SchemaError) as caught:
        catalog.load([str(path)])
    assert said in str(caught.value)


def test_a_file_named_without_its_suffix_is_proposed(tmp_path, monkeypatch):
    """The starter file lies there under the type's own name."""
    monkeypatch.chdir(tmp_path)
    write_starter("ShipVisit")
    with pytest.raises(SchemaError, match=r"No fact type 'ship_visit'\. Did you mean 'ship_visit\.py'\?"):
        catalog.load(["ship_visit"])


# -- fingerprints ----------------------------------------------------------------------------------------------------------------------


def test_a_types_fingerprint_changes_with_whatever_the_model_sees():
    """Version, field, description, docstring and examples: a change of any asks articles again; the same type does not."""

    def made(doc="x", description="d", version=1, text="t", name="Made"):
        fact_type = create_model(name, __base__=Fact, __doc__=doc, field=(str, Field(description=description)))
        fact_type.version = version
        fact_type.examples = (Example(text=text, published=None, facts=()),)
        return catalog.type_fingerprint(fact_type)

    assert made() == made()
    changed = [made(doc="y"), made(description="e"), made(version=2), made(text="u"), made(name="Other")]
    assert len({made(), *changed}) == 6
