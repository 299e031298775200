"""Calls to a node by HTTP: httpx, with the bounds and the errors of the calls by a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import trio

from ..errors import (
    MalformedFrame,
    RpcFailed,
    RpcTimeout,
    StreamConnectionError,
    SubscriptionRejected,
)
from ..model.identity import Secret
from ..wire.jsonrpc import RpcBook, parse_batch, parse_message
from ..wire.session import decode
from .rpc import CALLS, MOST, TIMEOUT, result_as, result_of
from .transport import REFUSALS
from .websocket import system_tls

MAX_ANSWER = 512 * 2**20
"""Bytes of one answer."""
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_ANY = msgspec.json.Decoder(Any)


class HttpRpc:
    """As ``Rpc``, each message a request of its own over connections that are kept.

    Args:
        client: open.
        url: where to; it may hold a key, and is never shown.
        calls: how many requests may be under way at once.
        timeout: seconds for one, the wait for its turn included.
    """

    def __init__(
        self, client: httpx.AsyncClient, url: str, calls: int = CALLS, timeout: float = TIMEOUT
    ) -> None:
        self._client = client
        self._url = url
        self._limit = trio.CapacityLimiter(calls)
        self._timeout = timeout
        self._book = RpcBook()

    @property
    def peer(self) -> object | None:
        """As ``Rpc.peer``; HTTP has no connection whose end would mean anything."""
        return self._client

    async def call(
        self,
        method: str,
        params: Sequence[Any] = (),
        kind: Any = Any,
        within: float | None = None,
    ) -> Any:
        """As ``Rpc.call``."""
        number, text = self._book.request(method, params)
        self._book.pending.clear()
        message = parse_message(await self._post(text, method, within))
        # Some answer an error without saying to which call; there is only one here.
        if message.id not in {number, None}:
            raise MalformedFrame("unknown_reply", str(message.id)[:40])
        return result_as(message, kind)

    async def batch(
        self,
        calls: Sequence[tuple[str, Sequence[Any]]],
        within: float | None = None,
    ) -> list[Any]:
        """As ``Rpc.batch``."""
        if len(calls) > MOST:
            raise ValueError(f"{len(calls)} calls in one batch; at most {MOST} are")
        if len(calls) < 2:
            return [await self.call(*one, within=within) for one in calls]
        numbers, text = self._book.calls(calls)
        self._book.called.clear()
        raw = await self._post(text, f"a batch of {len(calls)} calls", within)
        if not raw.lstrip().startswith(b"["):  # refused as a whole
            whole = result_of(parse_message(raw))
            if isinstance(whole, RpcFailed):
                return [whole] * len(calls)
            raise MalformedFrame("wrong_shape", "one answer to a batch")
        found = {message.id: message for message in parse_batch(raw)}
        missing = [number for number in numbers if number not in found]
        if missing:
            raise MalformedFrame("wrong_shape", f"{len(missing)} calls of a batch not answered")
        results = [result_of(found[number]) for number in numbers]
        return [one if isinstance(one, RpcFailed) else decode(_ANY, one) for one in results]

    async def _post(self, text: str, what: str, within: float | None) -> bytes:
        limit = self._timeout if within is None else within
        with trio.move_on_after(limit):
            async with self._limit:
                return await self._answer(text, what)
        raise RpcTimeout(f"{what}: no answer within {limit:g} s")

    async def _answer(self, text: str, what: str) -> bytes:
        body, size = bytearray(), 0
        try:
            async with self._client.stream("POST", self._url, content=text) as response:
                status = response.status_code
                # To its end, within the deadline: the library's iterators do not close one
                # another, and would be left behind.
                async for chunk in response.aiter_bytes():
                    size += len(chunk)
                    if size <= MAX_ANSWER:
                        body += chunk
        except httpx.TransportError as error:
            # Whose text never has the URL, other than that of its relatives.
            detail = str(error) or type(error).__name__
            raise StreamConnectionError(f"{self._where}: {detail}") from error
        if size > MAX_ANSWER:
            raise MalformedFrame("oversized", f"{what}: over {MAX_ANSWER} bytes")
        if status == 200 or _is_answer(body):
            return bytes(body)
        kind = SubscriptionRejected if status in REFUSALS else StreamConnectionError
        raise kind(f"{self._where}: the server answers HTTP {status}")

    @property
    def _where(self) -> str:
        parts = urlsplit(self._url)
        return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def _is_answer(body: bytearray) -> bool:
    """Whether it is JSON-RPC all the same: many servers send errors with a status of their own."""
    try:
        return parse_message(bytes(body)).error is not None
    except MalformedFrame:
        return False


@asynccontextmanager
async def open_http(url: str, token: Secret | None = None) -> AsyncIterator[HttpRpc]:
    """Calls by HTTP, with certificates checked, as long as the block lasts."""
    headers = dict(_JSON)
    if token is not None:
        headers["Authorization"] = f"Bearer {token.value}"
    limits = httpx.Limits(max_connections=CALLS, max_keepalive_connections=CALLS)
    # Our own deadlines bound each call; proxies of the environment are nobody's choice here.
    async with httpx.AsyncClient(
        headers=headers,
        verify=system_tls(),
        timeout=httpx.Timeout(None),
        limits=limits,
        trust_env=False,
    ) as client:
        yield HttpRpc(client, url)
