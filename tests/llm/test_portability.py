"""What is asked can be asked of every engine, and nothing optional is needed for asking."""

import asyncio
import importlib.util
import json
import subprocess
import sys
from importlib.metadata import requires
from typing import Annotated

import pytest
from pydantic import Field, WithJsonSchema, create_model

from extractor.errors import SchemaError
from extractor.facts import catalog, portable
from extractor.facts.fact import Fact
from extractor.facts.portable import check_portable
from extractor.llm.client import Client
from extractor.records import Call, Prompt
from extractor.schemas import FundingSource, NegotiationProposal, WeaponsTransfer
from extractor.settings import Settings
from extractor.testing import LoopbackEndpoint

SHIPPED = {"weapons_transfer": WeaponsTransfer, "funding_source": FundingSource, "negotiation_proposal": NegotiationProposal}
llguidance_too = pytest.mark.skipif(importlib.util.find_spec("llguidance") is None, reason="llguidance is not installed: the extra `local`")


def compiles(schema):
    from llguidance import LLMatcher

    return LLMatcher.validate_grammar(LLMatcher.grammar_from_json_schema(json.dumps(schema))) == ""


class _Letters:
    """A vocabulary of the 256 bytes: it needs no model."""

    eos_token_id, bos_token_id, special_token_ids = 256, None, ()
    tokens = (*(bytes([byte]) for byte in range(256)), b"<end>")

    def __call__(self, text):
        return list(text)


def matches(schema, value):
    """Whether a grammar made of `schema` lets this value through, byte by byte."""
    from llguidance import LLMatcher, LLTokenizer
    from llguidance._tokenizer import TokenizerWrapper

    matcher = LLMatcher(LLTokenizer(TokenizerWrapper(_Letters())), LLMatcher.grammar_from_json_schema(json.dumps(schema)))
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return matcher.validate_tokens(list(text)) == len(text)


@pytest.mark.parametrize("name", SHIPPED)
@llguidance_too
def test_each_shipped_type_is_portable(name):
    """The strict subset holds, and llguidance compiles it."""
    check_portable(name, SHIPPED[name].model_json_schema())
    assert compiles(SHIPPED[name].model_json_schema())


@pytest.mark.parametrize("kind", ["extract", "repair"])
@llguidance_too
def test_what_is_sent_is_portable(kind):
    """The schema on the wire, envelope and all, compiles and stays in the subset, for extraction and for repair."""
    client = Client(Settings(base_url="http://127.0.0.1:9/v1", model="m"), SHIPPED)
    call = Call(kind=kind, article_id="a", fact_types=tuple(SHIPPED), prompt=Prompt(name="x", system="s", user="u"))
    body = client.body(call, "json_schema/strict")
    asyncio.run(client.aclose())
    schema = body["response_format"]["json_schema"]["schema"]
    check_portable("Facts", schema)
    assert compiles(schema)
    empty = {name: [] for name in SHIPPED}
    assert matches(schema, empty)
    assert not matches(schema, dict(list(empty.items())[:2]))
    assert not matches(schema, empty | {"sanction": []})


@llguidance_too
def test_a_grammar_lets_the_worked_examples_through():
    """What the types' own examples hold, in the order of the fields, is what the grammar allows; a key more or a strange word is not."""
    seen = 0
    for fact_type in SHIPPED.values():
        schema = _strict(fact_type)
        for example in fact_type.examples:
            for fact in example.facts:
                value = fact.model_dump(mode="json")
                assert matches(schema, value), value
                assert not matches(schema, value | {"note": ""})
                assert not matches(schema, value | {"evidence": "no list"})
                seen += 1
    assert seen >= 3


def _strict(fact_type):
    import openai

    return openai.pydantic_function_tool(fact_type)["function"]["parameters"]


def _with(schema):
    return create_model("Odd", __base__=Fact, __doc__="Odd.", field=(Annotated[str, WithJsonSchema(schema)], Field(description="x")))


REFUSED = {
    "look-ahead": ({"type": "string", "pattern": "^(?=a)b$"}, r"^Odd\.field: its pattern .* has '\(\?'"),
    "digit class": ({"type": "string", "pattern": r"^\d+$"}, r"^Odd\.field: its pattern .*d'.*\[0-9\]"),
    "word class": ({"type": "string", "pattern": r"\w"}, "its pattern"),
    "format": ({"type": "string", "format": "email"}, "format 'email'"),
    "unique": ({"type": "array", "items": {"type": "string"}, "uniqueItems": True}, "'uniqueItems'"),
    "not": ({"type": "string", "not": {"const": ""}}, "'not'"),
    "oneOf": ({"oneOf": [{"type": "string"}, {"type": "null"}]}, "'oneOf'"),
    "allOf": ({"allOf": [{"type": "string"}]}, "'allOf'"),
    "if": ({"type": "string", "if": {"const": "a"}, "then": {"const": "b"}}, "'if'"),
    "deep": ({"anyOf": [{"type": "null"}, {"type": "array", "items": {"type": "array", "contains": {"type": "null"}}}]}, "^Odd.field: .*'contains'"),
    "any key": ({"type": "object", "additionalProperties": {"type": "string"}}, "keys of any name"),
    "pattern keys": ({"type": "object", "patternProperties": {"a": {}}}, "'patternProperties'"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_not_every_engine_takes_is_refused_at_load(name):
    """The message names the place, the rule and the way out, before any call."""
    schema, said = REFUSED[name]
    with pytest.raises(SchemaError, match=said):
        catalog.load([_with(schema)])


@llguidance_too
@pytest.mark.parametrize("pattern", ["[", "(a", "a**{2,1}"])
def test_what_the_compiler_refuses_is_refused_at_load(pattern):
    """What no list of ours knows, llguidance finds, in its own words."""
    with pytest.raises(SchemaError, match="cannot be compiled into a grammar"):
        check_portable("Odd", {"type": "string", "pattern": pattern})


def test_names_are_not_keywords():
    """A field may be called like a keyword, and a value may hold any words."""
    schema = {
        "type": "object",
        "properties": {"not": {"type": "string"}, "oneOf": {"enum": ["if", "\\d"], "default": {"not": 1}}},
        "required": ["not", "oneOf"],
        "additionalProperties": False,
    }
    check_portable("Odd", schema)


def test_without_the_compiler_the_subset_still_holds(monkeypatch):
    """The compiler is optional: without it the list alone decides."""
    monkeypatch.setitem(sys.modules, "llguidance", None)
    portable._refused.cache_clear()
    try:
        check_portable("Odd", {"type": "string", "pattern": "(a"})
        with pytest.raises(SchemaError):
            check_portable("Odd", {"type": "string", "pattern": "\\d"})
    finally:
        portable._refused.cache_clear()


# --- everything optional stays optional


@pytest.mark.slow
def test_without_the_extras_the_package_works(tmp_path):
    """With none of the optional libraries to import, the command runs over an article; a model file needs the extra, which is named."""
    script = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in {'xllamacpp', 'llguidance', 'ray', 'pyarrow', 'gguf', 'numpy', 'trafilatura', 'pypdf'}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        "from extractor.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    (tmp_path / "a.txt").write_text("Norway will give 13 tanks to Ukraine.")
    with LoopbackEndpoint(lambda request: {name: [] for name in SHIPPED}) as server:
        asked = ["run", str(tmp_path / "a.txt"), "--base-url", server.base_url, "--model", "m", "--out", str(tmp_path / "out")]
        ended = subprocess.run([sys.executable, "-c", script, *asked], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("package", ["ray", "xllamacpp", "llguidance", "pyarrow", "pypdf", "trafilatura", "gguf", "numpy"])
def test_a_bare_installation_pulls_no_optional_library(package):
    """They are wanted by extras alone."""
    wanted = [one.replace("-", "_").lower() for one in requires("grounded-fact-extractor")]
    assert all("extra ==" in one for one in wanted if one.startswith(package))
    assert any(not one.startswith(package) and "extra ==" not in one for one in wanted)
