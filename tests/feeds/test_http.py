"""Calls by HTTP to servers that do what servers do: a real socket, and answers of every kind."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import h11
import msgspec
import pytest
import trio

from trio_mev.errors import (
    DataStreamError,
    MalformedFrame,
    RpcFailed,
    RpcTimeout,
    StreamConnectionError,
    SubscriptionRejected,
)
from trio_mev.feeds import http
from trio_mev.feeds.asking import check_url, open_rpc, patiently
from trio_mev.feeds.http import HttpRpc, open_http
from trio_mev.model.identity import Secret

KEY = "secret0123456789"
Answer = tuple[int, bytes] | None
"""Status and body; None is a connection that is cut."""


class Server:
    """Answers each request by a script, and keeps what it was asked."""

    def __init__(self, script: Callable[[Any], Answer | Awaitable[Answer]]) -> None:
        self.script = script
        self.asked: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self.port = 0
        self.extra: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v3/{KEY}"

    async def serve(self, stream: trio.SocketStream) -> None:
        self.connections += 1
        connection = h11.Connection(h11.SERVER)
        async with stream:
            while await self._one(stream, connection):
                connection.start_next_cycle()

    async def _one(self, stream: trio.SocketStream, connection: h11.Connection) -> bool:
        body = b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await stream.receive_some(65536))
            elif isinstance(event, h11.Request):
                self.headers.append({k.decode(): v.decode() for k, v in event.headers})
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                return False
        asked = json.loads(body)
        self.asked.append(asked)
        answer = self.script(asked)
        found = answer if answer is None or isinstance(answer, tuple) else await answer
        if found is None:
            return False
        status, content = found
        headers = [("Content-Length", str(len(content))), *self.extra]
        parts = h11.Response(status_code=status, headers=headers), h11.Data(data=content)
        raw = b"".join(connection.send(part) for part in (*parts, h11.EndOfMessage()))
        await stream.send_all(raw)
        return True


@asynccontextmanager
async def serving(
    script: Callable[[Any], Answer | Awaitable[Answer]],
) -> AsyncIterator[tuple[Server, HttpRpc]]:
    server = Server(script)
    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(
            partial(trio.serve_tcp, server.serve, 0, host="127.0.0.1")
        )
        server.port = listener.socket.getsockname()[1]
        async with open_http(server.url) as rpc:
            yield server, rpc
        nursery.cancel_scope.cancel()


def result(asked: Any, value: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": value}).encode()


def error(asked: Any, code: int, message: str) -> bytes:
    body = {"jsonrpc": "2.0", "id": asked["id"], "error": {"code": code, "message": message}}
    return json.dumps(body).encode()


async def test_calls_are_answered_over_one_connection():
    async with serving(lambda asked: (200, result(asked, asked["params"]))) as (server, rpc):
        for number in range(5):
            assert await rpc.call("echo", [number, "x"]) == [number, "x"]
        assert rpc.peer is not None
    assert server.connections == 1
    assert [one["id"] for one in server.asked] == [1, 2, 3, 4, 5]


async def test_results_are_of_the_kind_that_is_wanted():
    async with serving(lambda asked: (200, result(asked, {"a": 1}))) as (_, rpc):
        assert bytes(await rpc.call("x", kind=msgspec.Raw)) == b'{"a": 1}'
        with pytest.raises(MalformedFrame, match="Expected `str`"):
            await rpc.call("x", kind=str)


async def test_a_batch_is_one_request_and_its_failures_stand_apart():
    def script(asked: Any) -> Answer:
        answers = [
            result(one, one["method"]) if one["method"] != "bad" else error(one, -32601, "no")
            for one in reversed(asked)
        ]
        return 200, b"[" + b",".join(answers) + b"]"

    async with serving(script) as (server, rpc):
        first, second, third = await rpc.batch([("a", []), ("bad", []), ("c", [1])])
        assert await rpc.batch([]) == []
        with pytest.raises(ValueError, match="1001 calls"):
            await rpc.batch([("a", [])] * 1001)
    assert (first, third) == ("a", "c")
    assert isinstance(second, RpcFailed)
    assert len(server.asked) == 1


async def test_a_batch_that_is_refused_or_cut_is_said():
    refuse = True

    def script(asked: Any) -> Answer:
        if refuse:
            return 200, error({"id": None}, -32600, "batch too large")
        return 200, b"[" + result(asked[0], 1) + b"]"

    async with serving(script) as (_, rpc):
        both = await rpc.batch([("a", []), ("b", [])])
        assert [one.code for one in both] == [-32600, -32600]
        refuse = False
        with pytest.raises(MalformedFrame, match="1 calls of a batch not answered"):
            await rpc.batch([("a", []), ("b", [])])


STATUSES = {
    401: SubscriptionRejected,
    404: SubscriptionRejected,
    429: StreamConnectionError,
    500: StreamConnectionError,
    503: StreamConnectionError,
    301: StreamConnectionError,
}


@pytest.mark.parametrize(("status", "kind"), STATUSES.items(), ids=map(str, STATUSES))
async def test_a_status_is_an_error_that_shows_no_key(status: int, kind: type[Exception]):
    async with serving(lambda _: (status, b"<html>" + KEY.encode())) as (server, rpc):
        with pytest.raises(kind) as caught:
            await rpc.call("x")
        assert str(caught.value) == f"127.0.0.1:{server.port}: the server answers HTTP {status}"


async def test_an_error_with_a_status_of_its_own_is_the_nodes_answer():
    async with serving(lambda asked: (429, error(asked, -32005, "slow down"))) as (_, rpc):
        with pytest.raises(RpcFailed, match="-32005 slow down"):
            await rpc.call("x")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"hello", "not_json"),
        (b"", "not_json"),
        (b'{"jsonrpc":"2.0","id":99,"result":1}', "unknown_reply"),
        (b'{"jsonrpc":"2.0","id":1}', "wrong_shape"),
        (b'{"id":1,"result":' + b"[" * 5000, "too_deep"),
    ],
)
async def test_what_is_no_answer_is_refused(body: bytes, reason: str):
    async with serving(lambda _: (200, body)) as (_, rpc):
        with pytest.raises(MalformedFrame) as caught:
            await rpc.call("x")
        assert caught.value.reason == reason


async def test_no_answer_in_time_is_said_and_costs_no_other_call():
    async def script(asked: Any) -> Answer:
        if asked["method"] == "slow":
            await trio.sleep_forever()
        return 200, result(asked, 1)

    async with serving(script) as (_, rpc):
        with pytest.raises(RpcTimeout, match=r"slow: no answer within 0\.05 s"):
            await rpc.call("slow", within=0.05)
        assert await rpc.call("quick") == 1


async def test_a_cut_connection_and_a_dead_port_are_lost_connections():
    async with serving(lambda _: None) as (server, rpc):
        with pytest.raises(StreamConnectionError) as caught:
            await rpc.call("x")
        url = server.url
    assert KEY not in str(caught.value)
    async with open_rpc(url) as rpc:
        with pytest.raises(StreamConnectionError, match=r"127\.0\.0\.1:\d+: ") as caught:
            await rpc.call("x")
    assert KEY not in str(caught.value)


async def test_an_answer_that_is_too_large_is_cut_off(monkeypatch):
    monkeypatch.setattr(http, "MAX_ANSWER", 1000)
    packed = gzip.compress(b"[" + b" " * 10**6 + b"]")
    async with serving(lambda _: (200, packed)) as (server, rpc):
        server.extra = [("Content-Encoding", "gzip")]
        with pytest.raises(MalformedFrame) as caught:
            await rpc.call("x")
    assert caught.value.reason == "oversized"


async def test_who_we_are_is_said_in_the_header_alone():
    async with serving(lambda asked: (200, result(asked, 1))) as (server, _):
        async with open_http(server.url, Secret("token")) as rpc:
            await rpc.call("x")
        async with open_http(server.url.replace("//", "//ann:pass@")) as rpc:
            await rpc.call("x")
    token, basic = (headers["authorization"] for headers in server.headers)
    assert token == "Bearer token"
    assert basic.startswith("Basic ")


@pytest.mark.parametrize(
    "url", ["ws://a.test", "wss://a.test/k", "http://a.test", "https://[::1]:8/"]
)
def test_urls_that_can_be_called(url: str):
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url", ["", "a.test", "ftp://a.test", "https://", "http://a b", "ws://x#f"]
)
def test_urls_that_cannot(url: str):
    with pytest.raises(ValueError, match=r"is not a URL|does not|has"):
        check_url(url)


def test_a_bad_url_is_not_shown_with_its_key():
    with pytest.raises(ValueError, match="does not begin") as caught:
        check_url(f"htp://a.test/v3/{KEY}")
    assert KEY not in str(caught.value)


async def failing(*errors: DataStreamError, value: int = 7) -> tuple[int, int]:
    """What comes of asking, and how often."""
    left, tries = list(errors), 0

    async def ask() -> int:
        nonlocal tries
        tries += 1
        if left:
            raise left.pop(0)
        return value

    return await patiently(ask, random.Random(1), 3), tries


async def test_what_may_pass_is_tried_again_with_pauses(autojump_clock):
    start = trio.current_time()
    assert await failing(RpcTimeout("t"), RpcFailed(-32005, "quota")) == (7, 3)
    assert 0.5 <= trio.current_time() - start <= 1.5


@pytest.mark.parametrize("last", [RpcFailed(-32601, "no such method"), MalformedFrame("x")])
async def test_what_another_try_would_not_mend_is_raised_at_once(autojump_clock, last):
    with pytest.raises(type(last)):
        await failing(last)
    assert trio.current_time() == 0


async def test_tries_end(autojump_clock):
    with pytest.raises(StreamConnectionError, match="third"):
        await failing(*(StreamConnectionError(n) for n in ("first", "second", "third", "fourth")))
