"""Every setting of a run, with its default, its bounds and its environment name; the only file that reads the environment.

In: options and `os.environ`. Out: a frozen `Settings`. Floor: settings.
Before changing it: options win over the environment, which wins over the defaults; a secret is never printed or stored.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError

from extractor.errors import SettingsError
from extractor.records import Record

DEFAULT_MODEL = "gpt-5-mini"
"""Small, cheap and takes a strict JSON Schema; any other by `--model`."""

DEFAULT_OUT = "extractor-run"
"""The run folder where none is named, in the working folder."""

ENVIRONMENT: Mapping[str, tuple[str, ...]] = {
    "model": ("EXTRACTOR_MODEL",),
    "base_url": ("EXTRACTOR_BASE_URL", "OPENAI_BASE_URL"),
    "api_key": ("EXTRACTOR_API_KEY", "OPENAI_API_KEY"),
    "timeout_s": ("EXTRACTOR_TIMEOUT",),
    "concurrency": ("EXTRACTOR_CONCURRENCY",),
    "repairs": ("EXTRACTOR_REPAIRS",),
}
"""Environment variables by setting, the first that is set wins."""

ANTHROPIC_MODEL = "anthropic/"
"""A model whose name begins so is asked over Anthropic's own API, unless a base URL says that an OpenAI-compatible server offers it."""

ANTHROPIC_URL = "anthropic+"
"""A base URL that begins so is of a server that speaks Anthropic's API."""

ANTHROPIC_KEYS = ("EXTRACTOR_API_KEY", "ANTHROPIC_API_KEY")
"""Environment variables of the key for such a model: another vendor's key is never sent there."""

API = Literal["openai", "anthropic"]
"""How an endpoint is spoken to."""

_ENDPOINT = ("model", "base_url", "api_key")


Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A price: a negative one, or none at all (NaN), would let a run spend without end under `--max-cost`."""


class Settings(Record):
    """What a run may be told; the same for the command, the library and the tests."""

    model: str = Field(default=DEFAULT_MODEL, min_length=1)
    """Model name, as the endpoint knows it."""
    base_url: str | None = Field(default=None, repr=False)  # a password or a key may stand in it
    """An OpenAI-compatible endpoint such as `http://127.0.0.1:11434/v1`; None is the vendor's own. With one, no key is needed."""
    local: Path | None = None
    """A model file in GGUF to ask instead of an endpoint: llama.cpp serves it on this machine while the run lasts, its name is `model`."""
    local_context: int | None = Field(default=None, ge=1_024)
    """Tokens of the local model that one request and its answer may have; None is 24,576, or what model and memory allow."""
    local_threads: int | None = Field(default=None, ge=1)
    """Processor threads of the local model; None is half of the processors that this process may use."""
    api_key: SecretStr | None = None
    """The endpoint's key; never logged, stored or recorded."""
    timeout_s: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    """Seconds for one attempt, from sending to the last byte; a dripping answer does not extend it. A local model has 1,800 by default."""
    attempts: int = Field(default=5, ge=1, le=20)
    """HTTP requests for one call at most, when the transport fails (429, 5xx, timeouts, broken bodies)."""
    retry_budget_s: float = Field(default=300.0, ge=0, allow_inf_nan=False)
    """Seconds that one call may spend on retrying, waits included; an attempt that would start later is not made."""
    concurrency: int = Field(default=16, ge=1, le=4096)
    """Requests in flight at most, a long article's parts included; a run has twice as many articles under way. A local model has 1 to 4
    by default, by the number of processors."""
    repairs: int = Field(default=2, ge=0, le=10)
    """Rounds in which facts that were not believed go back to the model."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    """Sampling temperature; None sends none, since some models refuse any but their own."""
    max_output_tokens: int | None = Field(default=None, ge=1)
    """Tokens that one answer may have; None leaves it to the endpoint."""
    rpm: int | None = Field(default=None, ge=1)
    """Requests sent in any 60 seconds at most; None for no limit."""
    tpm: int | None = Field(default=None, ge=1)
    """Tokens sent and generated in any 60 seconds at most, estimated before and corrected after each request; None for no limit."""
    max_cost_usd: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """US dollars that the run may cost at most, reserved before each request; None for no limit. Refused when the price is unknown."""
    price_usd: tuple[Dollars, Dollars] | None = None
    """US dollars for a million tokens of request and of answer; None takes them from genai-prices. What Anthropic puts into its cache
    costs a quarter more than the first."""
    part_chars: int = Field(default=16_000, ge=1_000)
    """Code points of an article that go into one call (about 4,000 tokens of English); a longer one is asked in parts."""

    @property
    def api(self) -> API:
        """How the endpoint is spoken to: Anthropic's way for its models, OpenAI's for all others."""
        return _api(self.model, self.base_url)


def _api(model: object, base_url: object) -> API:
    is_anthropic = str(model).startswith(ANTHROPIC_MODEL) and (not base_url or str(base_url).startswith(ANTHROPIC_URL))
    return "anthropic" if is_anthropic else "openai"


_TYPED = {"local_context": "--context", "local_threads": "--threads", "max_cost_usd": "--max-cost", "price_usd": "--price"}
"""Options that the command calls by another name; the others differ in hyphens alone."""


def resolve(**options: Any) -> Settings:
    """The settings of a run: `options` that are not None, then the environment, then the defaults.

    Raises:
        SettingsError: A value is out of bounds or of the wrong type; the message names the setting and where it came from.
    """
    found: dict[str, Any] = {}
    origin: dict[str, str] = {}
    given = {name: value for name, value in options.items() if value is not None}
    # whoever names a model file has confidential articles, perhaps: no endpoint of the environment may get them
    hidden = _ENDPOINT if given.get("local") else ()
    for name, variables in ENVIRONMENT.items():  # the key last: whose it must be hangs on the model and the base URL
        chosen = {**found, **given}
        is_foreign = name == "api_key" and _api(chosen.get("model"), chosen.get("base_url")) == "anthropic"
        for variable in () if name in hidden else ANTHROPIC_KEYS if is_foreign else variables:
            if value := os.environ.get(variable, "").strip():
                found[name], origin[name] = value, variable
                break
    for name, value in given.items():
        found[name], origin[name] = value, f"option {name!r}" + (f" ({_TYPED[name]})" if name in _TYPED else "")
    try:
        return Settings.model_validate(found)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        got = "" if name == "api_key" else f" (got {first['input']!r})"
        raise SettingsError(f"Setting {name!r} from {origin.get(name, 'the defaults')}: {first['msg']}{got}.") from None


def overridden(settings: Settings | None, **chosen: Any) -> Settings:
    """What is chosen, then what `settings` was given outright, then the environment, then the defaults.

    Raises:
        SettingsError: As `resolve`.
    """
    given = settings.model_dump(exclude_unset=True) if settings else {}
    return resolve(**{**given, **chosen})


def cluster_address() -> str | None:
    """Where RAY_ADDRESS says that a cluster is; None for none, so that one is started on this machine."""
    return os.environ.get("RAY_ADDRESS", "").strip() or None
