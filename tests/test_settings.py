"""Every setting: which source wins, what is refused with which message, and that a key is never shown."""

import pickle
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError

from extractor.errors import SettingsError
from extractor.settings import DEFAULT_MODEL, ENVIRONMENT, Settings, resolve

SECRET = "sk-very-secret-0123456789"  # noqa: S105 - an invented one

VALUES = {
    "model": ("from-option", "from-environment"),
    "base_url": ("http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"),
    "api_key": ("option-key", "environment-key"),
    "timeout_s": (7.0, "8"),
    "concurrency": (3, "4"),
    "repairs": (5, "6"),
}


def plain(settings, name):
    value = getattr(settings, name)
    return value.get_secret_value() if name == "api_key" and value else value


def test_nothing_set_gives_the_defaults():
    """The clean machine: the named model, no endpoint, no key."""
    assert resolve() == Settings()
    assert (Settings().model, Settings().base_url, Settings().api_key) == (DEFAULT_MODEL, None, None)


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_an_option_wins_over_the_environment_which_wins_over_the_default(name, monkeypatch):
    """For every setting that the environment can give, under each of its names."""
    option, given = VALUES[name]
    default = plain(resolve(), name)
    for variable in ENVIRONMENT[name]:
        with monkeypatch.context() as context:
            context.setenv(variable, given)
            assert str(plain(resolve(), name)).removesuffix(".0") == given
            assert plain(resolve(**{name: None}), name) == plain(resolve(), name) != default
            assert plain(resolve(**{name: option}), name) == option


@pytest.mark.parametrize("name", [name for name, variables in ENVIRONMENT.items() if len(variables) > 1])
def test_our_own_variable_wins_over_the_vendors(name, monkeypatch):
    """The first of a setting's variables that is set wins; an empty one is not set."""
    own, vendors = ENVIRONMENT[name]
    monkeypatch.setenv(own, "http://own")
    monkeypatch.setenv(vendors, "http://vendor")
    assert plain(resolve(), name) == "http://own"
    monkeypatch.setenv(own, "  ")
    assert plain(resolve(), name) == "http://vendor"


def test_every_variable_is_named_for_one_setting():
    """No variable feeds two settings, and each setting exists."""
    variables = [variable for names in ENVIRONMENT.values() for variable in names]
    assert len(variables) == len(set(variables))
    assert set(ENVIRONMENT) <= set(Settings.model_fields)
    assert set(ENVIRONMENT) == set(VALUES)


@pytest.mark.parametrize(
    ("name", "wrong", "limit"),
    [
        ("timeout_s", 0, "greater than 0"),
        ("timeout_s", float("nan"), "finite|greater than 0"),
        ("attempts", 0, "greater than or equal to 1"),
        ("attempts", 21, "less than or equal to 20"),
        ("retry_budget_s", -1, "greater than or equal to 0"),
        ("concurrency", 0, "greater than or equal to 1"),
        ("concurrency", 5000, "less than or equal to 4096"),
        ("concurrency", 1.5, "valid integer"),
        ("repairs", -1, "greater than or equal to 0"),
        ("repairs", 11, "less than or equal to 10"),
        ("temperature", 2.1, "less than or equal to 2"),
        ("max_output_tokens", 0, "greater than or equal to 1"),
        ("part_chars", 999, "greater than or equal to 1000"),
        ("price_usd", (-1, 2), "greater than or equal to 0"),
        ("price_usd", (float("nan"), 2), "finite"),
        ("price_usd", (1, float("inf")), "finite"),
        ("max_cost_usd", 0, "greater than 0"),
        ("max_cost_usd", float("inf"), "finite"),
        ("rpm", 0, "greater than or equal to 1"),
        ("tpm", -1, "greater than or equal to 1"),
        ("model", "", "at least 1 character"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_its_limit_and_origin(name, wrong, limit):
    """Before any call: the message names the setting, the option, the limit and the value."""
    with pytest.raises(SettingsError, match=rf"^Setting '{name}' from option '{name}'( \(--[a-z-]+\))?: .*({limit}).*\(got .*\)\.$"):
        resolve(**{name: wrong})


@pytest.mark.parametrize(
    ("variable", "name"), [("EXTRACTOR_TIMEOUT", "timeout_s"), ("EXTRACTOR_CONCURRENCY", "concurrency"), ("EXTRACTOR_REPAIRS", "repairs")]
)
def test_a_wrong_variable_is_named(variable, name, monkeypatch):
    """What stands in the environment is told by its own name, so that it can be found."""
    monkeypatch.setenv(variable, "many")
    with pytest.raises(SettingsError, match=rf"Setting '{name}' from {variable}: .*\(got 'many'\)\."):
        resolve()
    assert resolve(**{name: 2})


def test_an_option_that_does_not_exist_is_refused():
    """A misspelt option is not ignored."""
    with pytest.raises(SettingsError, match="Setting 'modle' from option 'modle': Extra inputs are not permitted"):
        resolve(modle="x")


def test_bounds_themselves_are_taken():
    """Limits are inclusive where they say so."""
    settings = resolve(attempts=20, retry_budget_s=0, concurrency=4096, repairs=0, temperature=0, part_chars=1000)
    assert (settings.attempts, settings.repairs, settings.temperature, settings.part_chars) == (20, 0, 0, 1000)


# -- the key ---------------------------------------------------------------------------------------------------------------------------


def test_the_key_is_in_no_text_of_the_settings(monkeypatch):
    """Neither repr nor str nor a dump shows it; it is there for the client alone."""
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    settings = resolve()
    assert settings.api_key.get_secret_value() == SECRET
    for text in (repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump()), f"{settings.api_key}"):
        assert SECRET not in text
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 - our own bytes


@pytest.mark.parametrize("options", [{"repairs": 99}, {"modle": "x"}, {"api_key": [SECRET]}, {"api_key": {"key": SECRET}, "model": ""}])
def test_the_key_is_in_no_error(options, monkeypatch):
    """Whatever is wrong, the message and the printed traceback do not show the key."""
    monkeypatch.setenv("EXTRACTOR_API_KEY", SECRET)
    with pytest.raises(SettingsError) as caught:
        resolve(**options)
    error = caught.value
    assert SECRET not in str(error) + repr(error) + "".join(traceback.format_exception(error))


def test_settings_are_frozen():
    """A run's settings do not change under it."""
    with pytest.raises(ValidationError, match="frozen"):
        resolve().model = "other"


def test_the_settings_page_is_up_to_date():
    """docs/settings.md is made from the code; after a change, docs/generate_settings.py makes it anew."""
    script = Path(__file__).parent.parent / "docs" / "generate_settings.py"
    assert subprocess.run([sys.executable, str(script), "--check"], check=False).returncode == 0, f"run {script.name}"
    page = script.with_name("settings.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in page for name in Settings.model_fields)
    assert all(f"`{variable}`" in page for variables in ENVIRONMENT.values() for variable in variables)


def test_no_secret_is_in_the_settings_own_words():
    """Settings in a log line or a traceback give away neither the key nor the password of a base URL."""
    settings = Settings(api_key="a-secret-key", base_url="http://user:password@host/v1?key=hidden")
    assert not any(secret in f"{settings!r} {settings}" for secret in ("a-secret-key", "password", "hidden"))
