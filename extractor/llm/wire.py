"""One HTTP request through a vendor's SDK: bytes go out, `Heard` comes back, whatever happens on the way.

In: request bodies. Out: what was heard. Floor: llm.
The only file that imports openai for sending, and it does so when it is opened: that costs a second.
Before changing it: one `send` is one request. The SDK's own retries are off, and each of its errors is sorted here, where alone its
classes are known.
"""

import asyncio
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from extractor.errors import ExtractorError, SettingsError
from extractor.llm import anthropic
from extractor.llm.endpoint import Endpoint
from extractor.llm.responses import Heard, of_completion, of_status, unless_truncated
from extractor.settings import Settings

_CONNECT_S = 10.0  # a host that takes longer to accept is not there: SYN is sent again after 1, 3 and 7 seconds
_NO_KEY = "no-key"  # the SDK wants some key; local servers want none


class Wire:
    """The connections to one endpoint; to be opened before the first request, and closed.

    Args:
        settings: Key, times, and how many connections are kept.
        endpoint: Where they lead.
        key: In place of the settings' own, for a server of our own.

    Raises:
        SettingsError: The SDK is an extra that is not installed.
    """

    def __init__(self, settings: Settings, endpoint: Endpoint, *, key: str | None = None) -> None:
        self._settings = settings
        self._endpoint = endpoint
        given = settings.api_key.get_secret_value() if settings.api_key and not endpoint.is_local_file else ""
        self._key = given if key is None else key
        self._is_anthropic = endpoint.api == "anthropic"
        if self._is_anthropic:
            anthropic.require()
        self._sdk: Any = None
        self._aiohttp: Any = None
        self.is_closed = False

    def open(self) -> None:
        """Import the SDK and make its client; nothing is sent.

        Raises:
            SettingsError: The proxy of the environment cannot be used.
        """
        if self._sdk is not None:
            return
        import httpx2
        import openai

        self._http = httpx2
        self._vendor = anthropic.vendor() if self._is_anthropic else openai
        timeout = self._timeout(self._settings.timeout_s)
        http = self._connections(timeout)
        make: Any = self._vendor.AsyncAnthropic if self._is_anthropic else openai.AsyncOpenAI
        sdk = make(
            api_key=self._key or _NO_KEY,
            base_url=self._endpoint.url,
            max_retries=0,
            timeout=timeout,
            http_client=http,
            default_headers={"Accept-Encoding": "gzip"},  # what cassettes can store as text
        )
        if not self._is_anthropic and not self._endpoint.is_openai:
            sdk.organization = sdk.project = None  # OPENAI_ORG_ID is for OpenAI alone
        self._sdk = sdk
        # the path, the class that answers are put into unchecked, and what beside: an admin key from the environment is not for this
        self._where = (
            ("/v1/messages", self._vendor.types.Message, {})
            if self._is_anthropic
            else ("/chat/completions", openai.types.chat.ChatCompletion, {"security": {"bearer_auth": True}})
        )

    def _connections(self, timeout: Any) -> Any:
        """The HTTP client under the SDK's: over aiohttp, for less CPU, unless a proxy or a password is in play, which only httpx does."""
        # a proxy from the environment cannot reach this machine's own loopback
        trusts = not self._endpoint.is_loopback
        # no cap on connections (0 for aiohttp): the driver bounds the calls, and a call that waits for one would seem to time out
        kept = {"max_keepalive_connections": self._settings.concurrency}
        if self._is_plain(trusts):
            import aiohttp

            self._aiohttp = aiohttp
            limits = self._http.Limits(max_connections=0, **kept)
            return self._vendor.DefaultAioHttpClient(timeout=timeout, limits=limits, trust_env=trusts)
        limits = self._http.Limits(max_connections=None, **kept)
        try:
            return self._vendor.DefaultAsyncHttpxClient(timeout=timeout, limits=limits, trust_env=trusts)
        except (ImportError, ValueError) as unusable:
            raise SettingsError(f"The proxy in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY cannot be used: {unusable}") from None

    def _is_plain(self, trusts_environment: bool) -> bool:  # noqa: FBT001 - its caller's word
        has_password = "@" in urlsplit(self._endpoint.url).netloc
        return not (self._is_anthropic or has_password or (trusts_environment and getproxies()))

    @property
    def sdk(self) -> Any:
        """The SDK's client, for requests of another kind."""
        self.open()
        return self._sdk

    def completion(self, body: Mapping[str, Any]) -> Any:
        """A parsed answer as the SDK's unchecked object."""
        self.open()
        return self._where[1].construct(**body)

    async def aclose(self) -> None:
        """Closes the connections; nothing can be sent after this."""
        self.is_closed = True
        if self._sdk is not None:
            await self._sdk.close()

    async def send(self, content: bytes, chars: int, timeout_s: float) -> Heard:
        """What came back for one request; the wire is open.

        Args:
            content: The JSON body, UTF-8.
            chars: Code points of the texts in it.
            timeout_s: Seconds for the whole answer.

        Raises:
            CassetteMiss: Replaying, and it is not recorded. Other errors of ours from below the HTTP layer pass likewise.
        """
        path, answers, beside = self._where
        # only where it differs: the SDK also tells it in a header
        timed = {} if timeout_s == self._settings.timeout_s else {"timeout": self._timeout(timeout_s)}
        try:
            async with asyncio.timeout(timeout_s):  # the read timeout starts anew with each byte of a dripping body
                # as bytes: the SDK would walk through each message and the schema to look for keys to rename, and write the same rules
                # and schema as JSON for each article: a quarter of a call's CPU; bench/cpu_client.py measures it
                answer = await self._sdk.post(path, cast_to=answers, content=content, options={**beside, **timed})
        except Exception as error:  # noqa: BLE001 - no list says what the vendors raise on a hostile body; `of_error` sorts them
            return self.of_error(error, timeout_s)
        if self._is_anthropic:
            return anthropic.of_message(self._endpoint, answer)
        return unless_truncated(of_completion(self._endpoint, answer), chars)

    def of_error(self, error: Exception, timeout_s: float) -> Heard:
        """A vendor's error as ours; an error of ours that it wraps is raised."""
        chain = list(_chain(error))
        for link in chain:
            if isinstance(link, ExtractorError):  # a cassette miss, raised below the HTTP layer and wrapped by the SDK
                raise link
        if isinstance(error, self._vendor.APIStatusError):
            return of_status(self._endpoint, error.status_code, error.response.headers, error.body)
        # the system's own words say it best; what else stands in the chain may be asyncio's bookkeeping
        said = [str(link).strip() for link in (*(link for link in chain if isinstance(link, OSError)), *chain)]
        cause = self._endpoint.scrub(next((text for text in said if text), repr(error))).rstrip(".") + "."
        http, aio = self._http, self._aiohttp
        # aiohttp's own errors first: the SDK's bridge to it calls a connection that broke one that did not come about
        unmade = (
            (aio.ClientConnectorError, aio.ConnectionTimeoutError) if aio else (http.ConnectError, http.ConnectTimeout, http.ProxyError)
        )
        if any(isinstance(link, unmade) for link in chain):
            return Heard("no_connection", cause, again=True)
        if aio and any(isinstance(link, aio.ClientConnectionError) and not isinstance(link, TimeoutError) for link in chain):
            return Heard("reset", f"The connection broke: {cause}", again=True)
        if isinstance(error, (self._vendor.APITimeoutError, TimeoutError)):
            return Heard("timeout", f"No whole answer within {timeout_s:g} s (--timeout).", again=True)
        broken = isinstance(error, self._vendor.APIConnectionError) and not any(isinstance(link, http.DecodingError) for link in chain)
        if broken:
            return Heard("reset", f"The connection broke: {cause}", again=True)
        return Heard("not_json", f"The answer cannot be read: {cause}", status=HTTPStatus.OK, again=True)

    def _timeout(self, timeout_s: float) -> Any:
        return self._http.Timeout(timeout_s, connect=min(_CONNECT_S, timeout_s), pool=None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """`error` and what it came from, outermost first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
