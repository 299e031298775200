"""``record`` and ``run --record`` against servers on this machine."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from tests.cli.test_against_servers import config, endpoints, in_a_terminal  # noqa: F401
from tests.cli.test_command import schemas  # noqa: F401
from tests.support.peer import PeerConnection
from tests.support.served import ServedNode
from trio_mev.cli.app import main
from trio_mev.cli.recording import chosen
from trio_mev.errors import ConfigError
from trio_mev.feeds.tapes import Tape, open_tapes
from trio_mev.model.settings import RecordSettings
from trio_mev.wire.tape import Direction


def summary_of(out: str) -> dict:
    return json.loads(out.splitlines()[-1])


def test_a_run_that_is_recorded_shows_its_findings_and_the_tape(
    capfd,
    config,  # noqa: F811
    schemas,  # noqa: F811
    tmp_path,
):
    path = tmp_path / "live.tape"
    arguments = ["run", "--config", str(config), "--record", str(path), "--for", "3", "--json"]
    assert main(arguments) == 0
    live = summary_of(capfd.readouterr().out)
    for schema in schemas:
        schema.validate(live)
    tape = Tape(path)
    assert len(list(tape.records())) == live["tape"]["records"]
    assert not tape.problems
    assert live["tape"]["bytes"] == path.stat().st_size
    assert live["tape"]["lost"] == {}
    assert main(["replay", str(path), "--json"]) == 0
    replayed = summary_of(capfd.readouterr().out)
    for kind in ("quote", "trade", "transaction"):
        assert replayed["events"][kind] == live["events"][kind] > 0
    assert "tape" not in replayed


class Node(ServedNode):
    """Answers calls, many at once or one, that there is no such contract."""

    async def _answer(self, peer, ids, request) -> None:
        if isinstance(request, list):
            several = [{"jsonrpc": "2.0", "id": one["id"], "result": "0x"} for one in request]
            await peer.send(json.dumps(several))
        else:
            await super()._answer(peer, ids, request)
            if request["params"] == ["newHeads"]:
                await self.announce(*self.grow())


@pytest.fixture
def node() -> Iterator[int]:
    """A node in another thread, with a new block for whoever subscribes; its port."""
    ports: list[int] = []
    ready, done = threading.Event(), trio.Event()
    token: list[trio.lowlevel.TrioToken] = []
    script = Node()
    script.grow(3)
    script.bend = lambda method, _: {"result": "0x"} if method == "eth_call" else None

    async def serve_one(stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await script(PeerConnection(stream))

    async def serve() -> None:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        ports.append(listener.socket.getsockname()[1])
        token.append(trio.lowlevel.current_trio_token())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, serve_one, [listener])
            ready.set()
            await done.wait()
            nursery.cancel_scope.cancel()

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    assert ready.wait(20)
    yield ports[0]
    trio.from_thread.run_sync(done.set, trio_token=token[0])
    thread.join(20)
    assert not thread.is_alive()


@pytest.mark.parametrize("command", ["record", "run"])
def test_what_processors_ask_is_on_the_tape(capfd, node, tmp_path, command):
    config, path = tmp_path / "node.toml", tmp_path / "live.tape"  # noqa: F811
    config.write_text(f"""
        [[feeds]]
        name = "node"
        kind = "ethereum"
        endpoint = "ws://127.0.0.1:{node}"
        pending = "off"
        [pools]
        addresses = ["0x{"cd" * 20}"]
    """)
    where = "--out" if command == "record" else "--record"
    assert main([command, "--config", str(config), where, str(path), "--for", "3"]) == 0
    out, err = capfd.readouterr()
    if command == "record":
        assert out == ""
        assert re.search(r"\d+ records, \d+ bytes, 0 lost", err)
    asked: dict[int, str] = {}
    answered: set[str] = set()
    for record in Tape(path).records():
        message = json.loads(record.frame or b"[]")
        for one in message if isinstance(message, list) else [message]:
            if record.direction is Direction.OUT:
                asked[one["id"]] = one["method"]
            elif one.get("id") in asked:
                answered.add(asked[one["id"]])
    assert "eth_call" in answered


def test_a_folder_of_tapes_replays_as_one(capfd, config, tmp_path):  # noqa: F811
    folder = tmp_path / "tapes"
    arguments = ["--rotate-every", "1s", "--rotate-size", "1G", "--keep", "100"]
    code = main(["record", "--config", str(config), "--out", str(folder), "--for", "4", *arguments])
    assert code == 0
    said = capfd.readouterr().err
    files = sorted(folder.iterdir())
    assert len(files) > 1
    assert f"in {len(files)} tapes" in said
    (tape,) = open_tapes([folder])
    assert f"{len(list(tape.records()))} records" in said
    assert main(["replay", str(folder), "--json", "--events", "quote"]) == 0
    whole = capfd.readouterr().out
    assert summary_of(whole)["refused"] == {}
    assert main(["replay", *map(str, reversed(files)), "--json", "--events", "quote"]) == 0
    again = capfd.readouterr().out
    assert summary_of(again)["digest"] == summary_of(whole)["digest"]
    assert summary_of(again)["events"] == summary_of(whole)["events"]
    # A part by itself: subscriptions are known, and quotes come.
    assert main(["replay", str(files[1]), "--json"]) == 0
    part = summary_of(capfd.readouterr().out)
    assert part["events"]["quote"] > 0
    assert "unknown_subscription" not in part["refused"]


def test_the_view_of_a_recording(config, tmp_path):  # noqa: F811
    path = tmp_path / "live.tape"
    arguments = ["record", "--config", str(config), "--out", str(path), "--for", "4"]
    shown = in_a_terminal(*arguments, rows=50)
    for words in ("trio_mev records", "node", "binance", "ready", "records", "of 4 s", "lost"):
        assert words in shown, words
    assert f"{len(list(Tape(path).records()))} records" in re.sub(r"\s+", " ", shown)


def test_the_view_of_a_recording_in_several_tapes(config, tmp_path):  # noqa: F811
    path = tmp_path / "tapes"
    arguments = ["record", "--config", str(config), "--out", str(path), "--for", "4"]
    shown = in_a_terminal(*arguments, "--rotate-every", "1", "--keep", "2", rows=50)
    assert "older ones deleted" in shown
    assert len(list(path.iterdir())) == 2


@pytest.mark.parametrize(
    ("size", "every", "keep", "expected"),
    [
        ("5", None, None, RecordSettings(rotate_size=5)),
        ("3K", None, None, RecordSettings(rotate_size=3 * 1024)),
        ("2G", "90", 7, RecordSettings(rotate_size=2 * 2**30, rotate_every=90.0, keep_files=7)),
        (None, "1.5m", None, RecordSettings(rotate_every=90.0)),
        (None, "2d", None, RecordSettings(rotate_every=172_800.0)),
    ],
)
def test_the_command_line_has_the_last_word(size, every, keep, expected):
    assert chosen(RecordSettings(), size, every, keep) == expected


@pytest.mark.parametrize(
    ("size", "every", "keep", "words"),
    [
        ("5 MB", None, None, "--rotate-size 5 MB: it is a number, or one with a unit of K, M, G"),
        ("-1", None, None, "--rotate-size -1"),
        (None, "soon", None, "--rotate-every soon: .* unit of s, m, h, d"),
        ("0", None, None, "rotate_size is 0; it must be over 0"),
        ("9999T", None, None, "rotate_size is too large"),
        (None, None, 3, "set a rotation, too"),
    ],
)
def test_what_cannot_be_meant_is_said(size, every, keep, words):
    with pytest.raises(ConfigError, match=words):
        chosen(RecordSettings(), size, every, keep)


def test_a_rotation_without_a_recording_is_refused(capfd, tmp_path):
    path = Path(tmp_path / "a.toml")
    path.write_text('[[feeds]]\nkind = "binance"\nname = "b"\ninstruments = ["ETH/USDT"]\n')
    assert main(["run", "--config", str(path), "--keep", "3"]) == 2
    assert "are of --record" in capfd.readouterr().err
