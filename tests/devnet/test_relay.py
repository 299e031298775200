"""The relay does what it is told to, and nothing else, on real sockets to a real node."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection

from tests.devnet.link import ERROR
from tests.devnet.node import Node
from tests.devnet.programme import EMITTER, TOPIC, Programme
from tests.devnet.relay import Relay, open_relay
from tests.devnet.rpc import Rpc, open_rpc, open_socket
from tests.devnet.weather import Calm, Decision, Fault, Passing, Storm, corrupted

SOON = 5.0
SILENCE = 0.15


@attrs.define
class Once(Calm):
    """One fault for the first frame of a kind."""

    fault: Fault
    kind: str = "newHeads"
    amount: float = 0.0
    removals: tuple[int, ...] = ()
    left: int = 1

    def connection(self, life: int) -> Decision:
        return Decision(self.fault if self.fault is Fault.REFUSED and life == 0 else None)

    def frame(self, life: int, number: int, passing: Passing) -> Decision:
        if passing.way != "down" or passing.kind != self.kind or not self.left:
            return Decision()
        self.left -= 1
        return Decision(self.fault, self.amount)

    def removal(self, life: int, number: int) -> tuple[int, ...]:
        return self.removals


class Client:
    """Somebody behind a relay who wants heads and logs."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self.socket = socket
        self.frames: list[str] = []

    async def ask(self, method: str, *params: Any) -> None:
        request = {"jsonrpc": "2.0", "id": len(self.frames), "method": method, "params": params}
        await self.socket.send_message(json.dumps(request))

    async def subscribe(self) -> None:
        await self.ask("eth_subscribe", "newHeads")
        await self.next()
        await self.ask("eth_subscribe", "logs", {"address": EMITTER, "topics": [TOPIC]})
        await self.next()

    async def next(self) -> Any:
        with trio.fail_after(SOON):
            self.frames.append(await self.socket.get_message())
        return self.frames[-1]

    async def head(self) -> int:
        """The number of the next head."""
        while "parentHash" not in (text := await self.next()):
            pass
        return int(json.loads(text)["params"]["result"]["number"], 16)

    async def silent(self) -> bool:
        with trio.move_on_after(SILENCE):
            await self.socket.get_message()
            return False
        return True

    async def alive(self) -> bool:
        with trio.move_on_after(SILENCE):
            await self.socket.ping()
            return True
        return False


@pytest.fixture
async def programme(rpc: Rpc) -> Programme:
    made = Programme(rpc, 1)
    await made.prepare(3)
    return made


@pytest.fixture
async def behind(
    node: Node, programme: Programme, request: pytest.FixtureRequest
) -> AsyncIterator[tuple[Relay, Client]]:
    async with open_relay(node.ws_url, request.param) as relay, open_socket(relay.url) as socket:
        client = Client(socket)
        await client.subscribe()
        yield relay, client


async def mine(rpc: Rpc, blocks: int = 1) -> None:
    for _ in range(blocks):
        await rpc.call("evm_mine")


def through(*weathers: Calm) -> Any:
    names = [getattr(weather, "fault", Fault.DROP).value for weather in weathers]
    return pytest.mark.parametrize("behind", weathers, indirect=True, ids=names)


@through(Calm())
async def test_without_weather_it_is_not_there(behind, rpc, programme):
    relay, client = behind
    await mine(rpc, 3)
    assert [await client.head() for _ in range(3)] == [4, 5, 6]
    assert await client.alive()
    assert (relay.done, relay.withheld, relay.lives) == ([], [], 1)


@through(Once(Fault.DROP))
async def test_a_dropped_frame_does_not_come_and_is_on_record(behind, rpc, programme):
    relay, client = behind
    await mine(rpc, 2)
    assert await client.head() == 5
    (kept,) = relay.withheld
    assert (kept.fault, kept.kind, kept.frame, b'"number":"0x4"' in kept.text) == (
        Fault.DROP,
        "newHeads",
        2,
        True,
    )
    assert relay.counts() == {"drop": 1}


@through(Once(Fault.DUPLICATE))
async def test_a_duplicate_comes_twice(behind, rpc, programme):
    await mine(rpc, 2)
    assert [await behind[1].head() for _ in range(3)] == [4, 4, 5]


@through(*(Once(Fault.CORRUPT, amount=amount / 8) for amount in (0, 3, 7)))
async def test_a_corrupt_frame_is_no_json_and_the_next_is_sound(behind, rpc, programme):
    await mine(rpc, 2)
    with pytest.raises((json.JSONDecodeError, RecursionError)):
        json.loads(await behind[1].next())
    assert await behind[1].head() == 5


def test_corruption_can_always_be_told():
    text = json.dumps({"a": "0x12", "b": [1, 2]}).encode()
    for step in range(100):
        with pytest.raises((ValueError, RecursionError)):
            json.loads(corrupted(text, step / 100).decode())


@through(Once(Fault.DELAY, amount=0.9))
async def test_a_delay_holds_up_what_is_behind_it(behind, rpc, programme):
    begun = trio.current_time()
    await mine(rpc, 2)
    assert [await behind[1].head() for _ in range(2)] == [4, 5]
    assert trio.current_time() - begun >= 0.045


@through(Once(Fault.REORDER))
async def test_other_subscriptions_overtake_and_its_own_does_not(behind, rpc, programme):
    _, client = behind
    await rpc.call("eth_sendTransaction", programme._body() | {"to": EMITTER})
    await mine(rpc, 2)
    frames = [json.loads(await client.next())["params"]["result"] for _ in range(5)]
    kinds = ["head" if "parentHash" in frame else "log" for frame in frames]
    assert kinds.index("head") > 0
    assert [int(f["number"], 16) for f in frames if "parentHash" in f] == [4, 5]


@through(Once(Fault.ERROR))
async def test_an_error_without_an_id_comes_before_the_frame(behind, rpc, programme):
    await mine(rpc)
    assert (await behind[1].next()).encode() == ERROR
    assert await behind[1].head() == 4


@through(Once(Fault.CLOSED, amount=0.99), Once(Fault.CLOSED, amount=0.4), Once(Fault.CUT))
async def test_a_connection_ends_with_a_close_frame_or_without(behind, rpc, programme):
    relay, client = behind
    await mine(rpc)
    with pytest.raises(ConnectionClosed) as closed:
        await client.next()
    wanted = {0.99: 1013, 0.4: 1006}.get(relay.weather.amount, 1006)
    assert closed.value.reason.code == wanted
    assert [kept.fault for kept in relay.withheld] == [relay.weather.fault]


@through(Once(Fault.STALL), Once(Fault.HALF_OPEN))
async def test_a_stalled_connection_stays_open_and_answers_no_ping(behind, rpc, programme):
    await mine(rpc, 2)
    assert await behind[1].silent()
    assert not await behind[1].alive()


@through(Once(Fault.MUTE))
async def test_a_mute_connection_answers_pings_only(behind, rpc, programme):
    await mine(rpc, 2)
    assert await behind[1].silent()
    assert await behind[1].alive()


@through(Once(Fault.TOO_BIG, "range"))
async def test_a_reply_about_a_range_may_be_too_large_for_the_node(behind, rpc, programme):
    client = behind[1]
    await client.ask("eth_getLogs", {"fromBlock": "0x1", "toBlock": "0x1"})
    assert json.loads(await client.next())["result"] == []
    await client.ask("eth_getLogs", {"fromBlock": "0x1", "toBlock": "0x3"})
    with pytest.raises(ConnectionClosed) as closed:
        await client.next()
    assert closed.value.reason.code == 1009


@through(Once(Fault.OVERSIZED, "range"))
async def test_a_reply_about_a_range_may_be_too_large_for_the_client(behind, rpc, programme):
    relay, client = behind
    await client.ask("eth_getLogs", {"fromBlock": "0x1", "toBlock": "0x3"})
    assert len(await client.next()) == relay.oversize + 1


@through(Once(Fault.DROP, "nothing", removals=(0, 1)))
async def test_logs_are_taken_back_as_often_and_as_late_as_is_asked_for(behind, rpc, programme):
    _, client = behind
    await rpc.call("eth_sendTransaction", programme._body() | {"to": EMITTER})
    await mine(rpc)
    await rpc.call("anvil_reorg", 1, [])
    await mine(rpc, 2)
    logs: list[bool] = []
    heads = 0
    while heads < 4 or len(logs) < 9:
        result = json.loads(await client.next())["params"]["result"]
        if "parentHash" in result:
            heads += 1
        else:
            logs.append(result["removed"])
    assert logs == [False] * 3 + [True] * 6


async def test_a_refused_connection_ends_before_its_handshake(node: Node, rpc: Rpc):
    async with open_relay(node.ws_url, Once(Fault.REFUSED)) as relay:
        with trio.fail_after(SOON):
            stream = await trio.open_tcp_stream("127.0.0.1", relay.port)
            async with stream:
                assert await stream.receive_some() == b""
            async with open_rpc(relay.url) as client:
                assert await client.number("eth_blockNumber") == 0
        assert relay.counts() == {"refused": 1}


async def test_who_calms_down_lets_everything_pass(node: Node, rpc: Rpc, programme: Programme):
    async with open_relay(node.ws_url, Storm(1, force=100)) as relay:
        relay.calm()
        async with open_rpc(relay.url) as client:
            for number in range(4, 24):
                await client.call("evm_mine")
                assert await client.number("eth_blockNumber") == number
        assert relay.done == []


async def test_nothing_is_left_of_stalled_connections(node: Node, rpc: Rpc):
    with trio.fail_after(SOON):
        async with open_relay(node.ws_url) as relay, open_socket(relay.url) as socket:
            client = Client(socket)
            await client.subscribe()
            relay.stall()
            assert not await client.alive()


def test_a_storm_follows_from_its_seed_and_the_frames_number_alone():
    frame = Passing("down", b"{}", "newHeads", {})

    def decisions(seed: int) -> list[Decision]:
        storm = Storm(seed)
        return [storm.frame(life, number, frame) for life in range(3) for number in range(300)]

    assert decisions(5) == decisions(5) != decisions(6)
    faults = {one.fault for one in decisions(5)}
    assert {Fault.CUT, Fault.DROP, Fault.DUPLICATE, Fault.CORRUPT, None} <= faults
