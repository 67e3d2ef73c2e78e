"""Where requests go, and how that is told to people: without keys, accounts and passwords.

In: settings. Out: `Endpoint`. Floor: llm.
Before changing it: every text that came from outside passes `scrub` before it is stored, shown or raised.
"""

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from extractor.errors import SettingsError
from extractor.settings import ANTHROPIC_MODEL, ANTHROPIC_URL, API, Settings

OPENAI_URL = "https://api.openai.com/v1"
"""Where requests go when no base URL is set; said outright, since the SDK would read OPENAI_BASE_URL past the settings."""

ANTHROPIC_API_URL = "https://api.anthropic.com"
"""The same for Anthropic's models; its SDK adds the version to it."""

ERROR_CHARS = 500
"""Characters of an error text that are kept: an HTML error page may be of any size, and its beginning says what it is."""

_SECRET_CHARS = 8  # a shorter key is a placeholder, and hiding it would tear words apart
_SECRET = re.compile(
    r"(?P<before>Bearer\s+)\S+|(?P<user>://)[^/\s@]+@"
    r"|\b(?:org-|proj_)\w+|\b(?:sk|rk|pk|gsk|xai|hf|nvapi)[-_*][\w*-]+(?:\.[\w*-]+)*|\bAIza[\w-]+",
    re.IGNORECASE,
)


class Endpoint(NamedTuple):
    """One model at one address."""

    url: str
    """The base URL as requests need it, without a slash at its end."""
    shown: str
    """The same without user and password."""
    host: str
    """Of the URL."""
    model: str
    """Model name, as it is sent."""
    secrets: tuple[str, ...]
    """Texts that no message may hold."""
    api: API = "openai"
    """How it is spoken to."""

    @property
    def key_variable(self) -> str:
        """The vendor's own name for the environment variable of its key."""
        return _key_variable(self.api)

    is_local_file: bool = False
    """Whether it is a model file, served while the run lasts."""

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine, where no proxy leads."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_openai(self) -> bool:
        """Whether it is OpenAI's own."""
        return self.host == "api.openai.com"

    def scrub(self, text: str) -> str:
        """`text` on one line without keys, accounts and passwords, at most `ERROR_CHARS` characters, which any file can carry."""
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")  # a lone surrogate becomes its escape
        for secret in self.secrets:
            text = text.replace(secret, "[secret]")
        text = " ".join(_SECRET.sub(_hide, text).split())
        return text if len(text) <= ERROR_CHARS else text[: ERROR_CHARS - 1] + "…"


def endpoint(settings: Settings) -> Endpoint:
    """The endpoint that the settings name.

    Raises:
        SettingsError: There is neither a key nor a base URL nor a model file, or the base URL is none.
    """
    if settings.local is not None:  # the server's port and token are new each time: the model's name says what is asked
        return Endpoint("http://127.0.0.1:0/v1", f"local:{settings.model}", "127.0.0.1", settings.model, (), is_local_file=True)
    if settings.api_key is None and settings.base_url is None:
        raise SettingsError(
            f"No model to ask. Set {_key_variable(settings.api)}, or name an OpenAI-compatible server with base_url / --base-url (Ollama, "
            "vLLM, llama.cpp; no key needed), or a model file with local / --local FILE.gguf, or replay recorded answers with "
            "replay / --replay DIR.",
        )
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    own_url = ANTHROPIC_API_URL if settings.api == "anthropic" else OPENAI_URL
    url = (settings.base_url or own_url).rstrip("/")
    model = settings.model
    if settings.api == "anthropic":
        url, model = url.removeprefix(ANTHROPIC_URL).removesuffix("/v1"), model.removeprefix(ANTHROPIC_MODEL)
    shown = _SECRET.sub(_hide, url)
    if "?" in shown:  # keys travel in queries too
        shown = f"{shown.partition('?')[0]}?[secret]"
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https"):
        hint = f"; for Anthropic's API name a model '{ANTHROPIC_MODEL}…'" if shown.startswith(ANTHROPIC_URL) else ""
        raise SettingsError(f"Base URL {shown!r} is not one; expected a URL such as 'http://127.0.0.1:11434/v1'{hint}.")
    return Endpoint(url, shown, host, model, (key,) if len(key) >= _SECRET_CHARS else (), settings.api)


def _key_variable(api: API) -> str:
    return "ANTHROPIC_API_KEY" if api == "anthropic" else "OPENAI_API_KEY"


def _hide(found: re.Match[str]) -> str:
    if found["user"]:
        return "://[secret]@"
    return (found["before"] or "") + "[secret]"
