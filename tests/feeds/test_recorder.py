"""What a recorder does where the disk is slow, full or gone, and where one tape follows another."""

from __future__ import annotations

import os
import random
import resource
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest
import trio

from trio_mev.config import loads
from trio_mev.errors import ConfigError
from trio_mev.feeds import recorder as recording
from trio_mev.feeds import tapefiles
from trio_mev.feeds.record import open_recorder, secrets_of, tape_header
from trio_mev.feeds.tapes import Recording, Tape, open_tapes
from trio_mev.model.health import HealthIssue
from trio_mev.model.identity import Endpoint, Instrument, Secret
from trio_mev.model.settings import (
    EthereumSettings,
    NodeSettings,
    RecordSettings,
    VenueSettings,
)
from trio_mev.stream import open_stream
from trio_mev.wire.node import EthereumSession
from trio_mev.wire.tape import Direction, FeedHeader, Header, encode_header, pack
from trio_mev.wire.venues import ADAPTERS

HEADER = Header(2, {"a": FeedHeader("binance"), "n": FeedHeader("ethereum")})
SMALL = RecordSettings(rotate_size=1, sync=False)
"""Every write is followed by another tape."""


def frames(tape) -> list[bytes]:
    return [r.frame for r in tape.records() if r.direction is Direction.IN]


async def fill(path: Path, settings: RecordSettings, texts: list[bytes]):
    """A tape each."""
    async with open_recorder(path, HEADER, settings) as recorder:
        for text in texts:
            recorder.tap("a", Direction.IN, text)
            await recorder.flush()
    return recorder


# Losses


async def test_what_does_not_fit_is_counted_and_told_by_the_tape(tmp_path):
    path = tmp_path / "a.tape"
    async with open_recorder(path, HEADER, RecordSettings(max_waiting=1000)) as recorder:
        for number in range(10):
            recorder.tap("a", Direction.IN, b"%d" % number * 300)
        assert list(recorder.health(0.0)) == []
        await recorder.flush()
        recorder.tap("a", Direction.IN, b"room again")
        recorder.tap("n", Direction.IN, b"x" * 800)
        recorder.tap("n", Direction.IN, b"x" * 800)
        (issue,) = recorder.health(0.0)
        assert (issue.kind, issue.where) == ("lane_full", "tape")
    tape = Tape(path)
    assert frames(tape) == [b"0" * 300, b"1" * 300, b"room again", b"x" * 800]
    assert tape.problems == {"lost": 9}
    assert tape.lost == {("a", "full"): 8, ("n", "full"): 1}
    assert (recorder.records, recorder.lost) == (4, 9)
    assert recorder.stats().lost == {"full": 9}


async def test_the_streams_health_tells_of_the_tape(tmp_path):
    small = RecordSettings(max_waiting=200)
    async with open_recorder(tmp_path / "a.tape", HEADER, small) as recorder:
        async with open_stream() as stream:
            stream.add_report(recorder.health)
            assert stream.health().issues == ()
            recorder.tap("a", Direction.IN, b"x" * 100)
            (issue,) = stream.health().issues
            assert (issue.kind, issue.where) == ("lane_full", "tape")
            await recorder.flush()
            assert stream.health().issues == ()


async def test_a_frame_that_no_tape_takes_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "MAX_LINE", 100)
    async with open_recorder(tmp_path / "a.tape", HEADER) as recorder:
        recorder.tap("a", Direction.IN, b"x" * 100)
        recorder.tap("a", Direction.IN, b"x")
    assert recorder.stats().lost == {"too_long": 1}
    assert frames(Tape(tmp_path / "a.tape")) == [b"x"]


async def test_what_comes_after_the_end_is_counted(tmp_path):
    async with open_recorder(tmp_path / "a.tape", HEADER) as recorder:
        recorder.tap("a", Direction.IN, b"x")
        await recorder.finish()
        recorder.tap("a", Direction.IN, b"y")
    assert recorder.stats().lost == {"closed": 1}
    tape = Tape(tmp_path / "a.tape")
    assert frames(tape) == [b"x"]
    assert not tape.problems


async def test_a_large_frame_is_written_without_waiting_for_more(tmp_path, mock_clock):
    path = tmp_path / "a.tape"
    async with open_recorder(path, HEADER) as recorder:
        before = recorder.written
        recorder.tap("a", Direction.IN, random.Random(1).randbytes(2**20))
        with trio.fail_after(1000):  # of a clock that stands still
            while recorder.written == before:
                await trio.testing.wait_all_tasks_blocked(0.001)


@contextmanager
def full_disk(size: int):
    """Files of this process grow to so many bytes and no further."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_loses_frames_and_nothing_else(tmp_path):
    path, noise = tmp_path / "a.tape", random.Random(1)
    texts = [noise.randbytes(3000) for _ in range(8)]
    async with open_recorder(path, HEADER) as recorder:
        recorder.tap("a", Direction.IN, texts[0])
        await recorder.flush()
        with full_disk(path.stat().st_size + 5000):
            for number in (1, 2, 3):
                recorder.tap("a", Direction.IN, texts[number])
                recorder.tap("n", Direction.IN, b"small")
                await recorder.flush()
            (issue,) = recorder.health(0.0)
            assert issue == HealthIssue("tape_unwritable", "tape", "File too large; 4 lost")
        for text in texts[4:]:
            recorder.tap("a", Direction.IN, text)
        await recorder.flush()
        assert list(recorder.health(0.0)) == []
    tape = Tape(path)
    assert frames(tape) == [*texts[:2], b"small", *texts[4:]]
    assert tape.problems == {"lost": 4}
    assert tape.lost == {("a", "write_failed"): 2, ("n", "write_failed"): 2}
    assert recorder.records == 7


async def test_a_disk_that_is_full_at_the_end_leaves_a_tape_that_says_so(tmp_path):
    path = tmp_path / "a.tape"
    async with open_recorder(path, HEADER) as recorder:
        recorder.tap("a", Direction.IN, b"x")
        await recorder.flush()
        with full_disk(path.stat().st_size):
            await recorder.finish()
    assert recorder.problem == "File too large"
    tape = Tape(path)
    assert frames(tape) == [b"x"]
    assert tape.problems == {"unfinished": 1}


async def test_a_disk_that_hangs_at_the_end_is_waited_for_within_bounds(tmp_path, monkeypatch):
    hangs = threading.Event()
    monkeypatch.setattr(recording, "CLOSE_TIMEOUT", 0.05)
    monkeypatch.setattr(tapefiles.os, "fdatasync", lambda _: hangs.wait(60))
    monkeypatch.setattr(tapefiles, "SYNC_INTERVAL", 0.0)
    async with open_recorder(tmp_path / "a.tape", HEADER) as recorder:
        recorder.tap("a", Direction.IN, b"x")
        recorder.tap("n", Direction.IN, b"y")
        await trio.lowlevel.checkpoint()
    assert recorder.stats().lost == {"close_timeout": 2}
    assert recorder.records == 0
    hangs.set()
    # The thread that was left to its disk lets go of the file.
    recorder._files._file.close()


@pytest.mark.parametrize("sync", [True, False])
async def test_what_is_written_is_synced_where_it_shall_be(tmp_path, monkeypatch, sync):
    synced: list[int] = []
    real = os.fdatasync

    def note(descriptor: int) -> None:
        synced.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(tapefiles.os, "fdatasync", note)
    monkeypatch.setattr(tapefiles, "SYNC_INTERVAL", 0.0)
    await fill(tmp_path / "a.tape", RecordSettings(sync=sync), [b"x", b"y"])
    assert len(synced) == (3 if sync else 0)


async def test_the_header_is_written_again_now_and_then(tmp_path, monkeypatch):
    monkeypatch.setattr(tapefiles, "HEADER_INTERVAL", 0.0)
    path = tmp_path / "a.tape"
    await fill(path, RecordSettings(), [b"1", b"2"])
    first = len(pack([encode_header(HEADER)]))
    path.write_bytes(path.read_bytes()[2 * first :])
    tape = Tape(path)
    assert frames(tape) == [b"1", b"2"]
    assert not tape.problems


async def test_what_is_raised_in_the_block_is_raised_as_it_is(tmp_path):
    async def main() -> None:
        async with open_recorder(tmp_path / "a.tape", HEADER) as recorder:
            recorder.tap("a", Direction.IN, b"x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await main()
    assert frames(Tape(tmp_path / "a.tape")) == [b"x"]


async def test_a_recorder_that_is_cancelled_ends_its_tape(tmp_path):
    with trio.CancelScope() as scope:
        async with open_recorder(tmp_path / "a.tape", HEADER) as recorder:
            recorder.tap("a", Direction.IN, b"x")
            scope.cancel()
            await trio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    tape = Tape(tmp_path / "a.tape")
    assert frames(tape) == [b"x"]
    assert not tape.problems


# Tapes that follow each other


async def test_tapes_that_follow_each_other_play_as_one(tmp_path):
    folder = tmp_path / "tapes"
    texts = [b"%d" % number for number in range(7)]
    recorder = await fill(folder, SMALL, texts)
    files = sorted(folder.iterdir())
    assert len(files) == recorder.stats().files == 8
    assert [Tape(file).header.part for file in files] == list(range(1, 9))
    (tape,) = open_tapes([folder])
    assert isinstance(tape, Recording)
    assert frames(tape) == texts
    assert (tape.size, tape.read) == (recorder.written, recorder.written)
    assert tape.size == sum(file.stat().st_size for file in files)
    assert not tape.problems
    assert not tape.lost
    # In whatever order, and twice.
    (tape,) = open_tapes([*reversed(files), files[2]])
    assert frames(tape) == texts
    assert not tape.problems


async def test_a_tape_that_is_missing_between_others_is_counted(tmp_path):
    await fill(tmp_path / "tapes", SMALL, [b"1", b"2", b"3", b"4"])
    files = sorted((tmp_path / "tapes").iterdir())
    files[1].unlink()
    files[2].unlink()
    (tape,) = open_tapes([tmp_path / "tapes"])
    assert frames(tape) == [b"1", b"4"]
    assert tape.problems == {"missing_part": 2}


async def test_a_tape_that_cannot_be_read_is_left_out_and_counted(tmp_path):
    folder = tmp_path / "tapes"
    await fill(folder, SMALL, [b"1", b"2"])
    files = sorted(folder.iterdir())
    files[-1].write_bytes(b"")
    (tape,) = open_tapes([folder])
    assert frames(tape) == [b"1", b"2"]
    assert tape.problems == {"unreadable_tape": 1}
    for file in files:
        file.write_bytes(b"")
    with pytest.raises(ConfigError) as caught:
        open_tapes([folder])
    assert len(caught.value.problems) == 3


async def test_recordings_in_one_folder_are_told_apart(tmp_path):
    await fill(tmp_path / "tapes", SMALL, [b"1", b"2"])
    await fill(tmp_path / "tapes", SMALL, [b"3"])
    await fill(tmp_path / "tapes" / "old.tape", RecordSettings(), [b"4"])
    tapes = open_tapes([tmp_path / "tapes"])
    assert sorted(map(frames, tapes)) == [[b"1", b"2"], [b"3"], [b"4"]]


def test_a_folder_without_tapes_is_said(tmp_path):
    with pytest.raises(ConfigError, match=r"no file in it ends in \.tape"):
        open_tapes([tmp_path])
    with pytest.raises(ConfigError, match="No such file"):
        open_tapes([tmp_path / "absent"])


def test_a_folder_that_cannot_be_read_is_said(tmp_path, monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ConfigError, match="Permission denied"):
        open_tapes([tmp_path])


def test_a_folder_of_too_many_tapes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("trio_mev.feeds.tapes.MOST_PARTS", 1)
    (tmp_path / "a.tape").touch()
    (tmp_path / "b.tape").touch()
    with pytest.raises(ConfigError, match="it has 2 tapes; at most 1"):
        open_tapes([tmp_path])


async def test_each_tape_can_be_played_by_itself(tmp_path):
    asked = b'{"id":1,"method":"eth_subscribe","params":["newHeads"]}'
    told = b'{"id":1,"result":"0xa"}'
    async with open_recorder(tmp_path / "tapes", HEADER, SMALL) as recorder:
        recorder.tap("n", Direction.OPEN, b"")
        recorder.tap("n", Direction.OUT, asked)
        recorder.tap("n", Direction.IN, told)
        await recorder.flush()
        recorder.tap("n", Direction.IN, b"head one")
        await recorder.flush()
        recorder.tap("n", Direction.CLOSE, b"")
        await recorder.flush()
    one, two, three, four = sorted((tmp_path / "tapes").iterdir())
    begun = [(Direction.OPEN, b""), (Direction.OUT, asked), (Direction.IN, told)]
    play = {
        one: begun,
        two: [*begun, (Direction.IN, b"head one")],
        three: [*begun, (Direction.CLOSE, b"")],
        four: [],
    }
    for path, expected in play.items():
        assert [(r.direction, r.frame) for r in Tape(path).records()] == expected
    (whole,) = open_tapes([tmp_path / "tapes"])
    assert [(r.direction, r.frame) for r in whole.records()] == [
        *begun,
        (Direction.IN, b"head one"),
        (Direction.CLOSE, b""),
    ]


async def test_a_tape_is_followed_when_it_is_old_enough(tmp_path):
    recorder = await fill(tmp_path / "a", RecordSettings(rotate_every=1e-9), [b"1", b"2"])
    assert recorder.stats().files == 3
    recorder = await fill(tmp_path / "b", RecordSettings(rotate_every=1e9), [b"1", b"2"])
    assert recorder.stats().files == 1


@pytest.mark.parametrize(
    ("kept", "left"),
    [({"keep_files": 3}, 3), ({"keep_bytes": 1}, 1), ({"keep_age": 3600.0}, 6)],
    ids=str,
)
async def test_old_tapes_are_deleted(tmp_path, kept, left):
    folder = tmp_path / "tapes"
    await fill(folder, SMALL, [b"old"])
    other = folder / "mine.tape"
    shutil.copy(next(folder.iterdir()), other)
    for file in folder.iterdir():
        os.utime(file, (0, 0))
    texts = [b"%d" % number for number in range(5)]
    recorder = await fill(folder, attrs.evolve(SMALL, **kept), texts)
    files = sorted(folder.iterdir())
    assert other in files  # its name is none of a recording's
    assert len(files) == left + 1
    assert recorder.stats().deleted == 2 + 6 - left
    (tape,) = open_tapes([file for file in files if file != other])
    assert frames(tape) == texts[6 - left :]
    assert not tape.problems


async def test_what_another_recording_is_writing_is_not_deleted(tmp_path):
    folder = tmp_path / "tapes"
    only = attrs.evolve(SMALL, keep_files=1)
    async with open_recorder(folder, HEADER, RecordSettings(rotate_every=1e9)) as other:
        other.tap("a", Direction.IN, b"early")
        await other.flush()
        await fill(folder, only, [b"1", b"2"])
        other.tap("a", Direction.IN, b"late")
    first, second = open_tapes([folder])
    assert sorted([frames(first), frames(second)]) == [[], [b"early", b"late"]]
    await fill(folder, only, [b"3"])  # now it is one of earlier
    assert len(list(folder.iterdir())) == 1


async def test_tapes_that_cannot_be_deleted_or_looked_at_are_left(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    kept = attrs.evolve(SMALL, keep_files=1)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        recorder = await fill(tmp_path / "a", kept, [b"1", b"2"])
    assert recorder.stats().deleted == 0
    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", refuse)
        recorder = await fill(tmp_path / "b", kept, [b"1", b"2"])
    assert recorder.stats().deleted == 0
    assert len(list((tmp_path / "b").iterdir())) == 3


async def test_where_no_other_tape_can_be_begun_the_present_one_goes_on(tmp_path):
    folder = tmp_path / "tapes"
    async with open_recorder(folder, HEADER, SMALL) as recorder:
        moved = folder.rename(tmp_path / "moved")
        recorder.tap("a", Direction.IN, b"1")
        await recorder.flush()
        assert recorder.problem == "No such file or directory"
        folder.mkdir()
        recorder.tap("a", Direction.IN, b"2")
        await recorder.flush()
        assert recorder.problem == ""
    assert recorder.lost == 0
    (tape,) = open_tapes([folder, moved])
    assert frames(tape) == [b"1", b"2"]
    assert not tape.problems


async def test_a_tape_that_cannot_be_begun_leaves_nothing(tmp_path):
    with full_disk(10), pytest.raises(ConfigError, match="File too large"):
        async with open_recorder(tmp_path / "a.tape", HEADER):
            pass
    assert list(tmp_path.iterdir()) == []


async def test_names_sort_by_time_and_are_taken_once(tmp_path, monkeypatch):
    monkeypatch.setattr(tapefiles.time, "time_ns", lambda: 1_700_000_000_123_000_000)
    await fill(tmp_path / "tapes", SMALL, [b"1"])
    await fill(tmp_path / "tapes", SMALL, [b"2"])
    assert sorted(file.name for file in (tmp_path / "tapes").iterdir()) == [
        "20231114T221320.123Z-000001.tape",
        "20231114T221320.124Z-000001.tape",
        "20231114T221320.124Z-000002.tape",
        "20231114T221320.125Z-000002.tape",
    ]
    monkeypatch.setattr(tapefiles, "MOST_TRIES", 1)
    with pytest.raises(ConfigError, match="tapes: it is a folder"):
        async with open_recorder(tmp_path / "tapes", HEADER, SMALL):
            pass


async def test_a_folder_is_none_of_one_tape(tmp_path):
    with pytest.raises(ConfigError, match=r"it is a folder; .* set a rotation"):
        async with open_recorder(tmp_path, HEADER):
            pass


def test_what_is_kept_needs_a_rotation():
    with pytest.raises(ConfigError, match="set a rotation, too"):
        loads("[record]\nkeep_files = 3")
    assert loads("[record]\nkeep_files = 3\nrotate_every = 60").settings.record.rotates


# Secrets


KEY = "c0ffee00c0ffee00"


def settings_with(endpoint: str, token: str | None = None) -> VenueSettings:
    return VenueSettings(
        kind="binance",
        name="a",
        endpoint=Endpoint(endpoint),
        token=None if token is None else Secret(token),
        instruments=(Instrument("ETH", "USDT"),),
    )


@pytest.mark.parametrize(
    ("settings", "secret"),
    [
        (settings_with(f"wss://host.test/v2/{KEY}"), KEY),
        (settings_with(f"wss://host.test/stream?key={KEY}"), KEY),
        (settings_with(f"wss://host.test/stream?{KEY}"), KEY),
        (settings_with(f"wss://{KEY}:pass%20word@host.test/"), KEY),
        (settings_with("wss://user:pass%20word@host.test/"), "pass word"),
        (settings_with("wss://host.test/", "secret"), "secret"),
    ],
    ids=str,
)
async def test_secrets_that_a_peer_repeats_or_that_we_send_are_not_written(
    tmp_path, settings, secret
):
    path = tmp_path / "a.tape"
    secrets = secrets_of([settings])
    async with open_recorder(path, tape_header([settings]), secrets=secrets) as recorder:
        recorder.tap("a", Direction.IN, b'{"error":"no such project: %s"}' % secret.encode())
        recorder.tap("a", Direction.OUT, b'{"op":"login","key":"%s"}' % secret.encode())
        recorder.tap("a", Direction.IN, b'{"u":1}')
    tape = Tape(path)
    assert [record.frame for record in tape.records()] == [
        b'{"error":"no such project: ***"}',
        b'{"op":"login","key":"***"}',
        b'{"u":1}',
    ]
    assert secret not in str(tape.header)
    assert recorder.stats().redacted == 2


def test_no_feed_sends_what_must_not_be_written():
    node = EthereumSettings(
        name="n", endpoint=Endpoint(f"wss://host.test/v2/{KEY}"), token=Secret("token12")
    )
    sent = EthereumSession(node).opening()
    for kind, adapter in ADAPTERS.items():
        instruments = (Instrument("ETH", "USDT"),)
        # It is given neither an address nor a token.
        sent += adapter(kind, instruments, adapter.usual_channels, {"X": instruments[0]}).opening()
    assert len(sent) > len(ADAPTERS)
    for secret in secrets_of([node])["n"]:
        assert secret not in "".join(sent).encode()


def test_words_that_are_too_short_for_a_key_are_left_in_frames():
    assert secrets_of([settings_with("wss://host.test/stream/trades?x=1", "abc")]) == {"a": set()}
    assert secrets_of([EthereumSettings(name="n")]) == {"n": set()}


def test_each_of_several_nodes_has_its_own_secrets():
    nodes = tuple(
        NodeSettings(f"n{i}", Endpoint(f"wss://h{i}.test/v2/{KEY}{i}"), Secret(f"token{i}"))
        for i in (1, 2)
    )
    assert secrets_of([EthereumSettings(name="n", nodes=nodes)]) == {
        "n1": {f"{KEY}1".encode(), b"token1"},
        "n2": {f"{KEY}2".encode(), b"token2"},
    }
