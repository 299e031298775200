"""A recording has what the node said, and the command takes it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import attrs
import msgspec
import pytest

from tests.devnet.__main__ import arguments
from tests.devnet.recording import FRAMES, IDS, TRUTH
from tests.devnet.rpc import Json
from trio_mev.cli.app import main

ROOT = Path(__file__).parents[2]
BLOCKS = 30


@attrs.frozen(eq=False)
class Recording:
    folder: Path
    frames: list[Json]
    truth: Json
    ids: dict[str, str]

    def results(self, name: str) -> list[Json]:
        """What one subscription announced, in its order."""
        params = [row["frame"]["params"] for row in self.frames]
        return [each["result"] for each in params if each["subscription"] == self.ids[name]]


def devnet(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.devnet", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def recording(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder = tmp_path_factory.mktemp("recording") / "new"
    done = devnet("--record", folder, "--seed", "3", "--blocks", BLOCKS)
    assert done.returncode == 0, done.stderr
    lines = (folder / FRAMES).read_bytes().splitlines()
    assert f"{len(lines)} frames" in done.stdout
    return Recording(
        folder,
        [msgspec.json.decode(line) for line in lines],
        msgspec.json.decode((folder / TRUTH).read_bytes()),
        msgspec.json.decode((folder / IDS).read_bytes()),
    )


def test_time_goes_forward_at_the_chains_pace(recording: Recording):
    times = [row["t"] for row in recording.frames]
    assert times == sorted(set(times))
    stamps = [block["timestamp"] for block in recording.truth["blocks"]]
    assert stamps[0] - 12 < times[0] / 1e9 < stamps[0]
    assert stamps[-1] <= times[-1] / 1e9 < stamps[-1] + 1


def test_every_block_is_announced_the_retracted_ones_too(recording: Recording):
    heads = [head["hash"] for head in recording.results("newHeads")]
    truth = recording.truth
    retracted = {hash_ for reorg in truth["reorgs"] for hash_ in reorg["retracted"]}
    assert set(heads) == {block["hash"] for block in truth["blocks"]} | retracted
    assert len(heads) == len(set(heads))
    assert heads[-1] == truth["blocks"][-1]["hash"]


def test_every_log_of_a_block_is_announced(recording: Recording):
    logs = Counter(log["blockHash"] for log in recording.results("logs"))
    for block in recording.truth["blocks"]:
        assert logs[block["hash"]] == block["logs"]


def test_every_transaction_is_announced_before_its_block(recording: Recording):
    announced = {body["hash"] for body in recording.results("pendingFull")}
    assert announced == {fate["hash"] for fate in recording.truth["pending"]}
    at: dict[str, int] = {}
    for row in recording.frames:
        result = row["frame"]["params"]["result"]
        at.setdefault(result.get("hash", result.get("blockHash")), row["t"])
    for block in recording.truth["blocks"]:
        assert all(at[hash_] < at[block["hash"]] for hash_ in block["transactions"])


def test_the_command_imports_and_replays_it(
    recording: Recording, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    tape = tmp_path / "devnet.tape"
    assert main(["import", "frames", str(recording.folder / FRAMES), "--out", str(tape)]) == 0
    assert main(["replay", str(tape), "--json"]) == 0
    summary = msgspec.json.decode(capsys.readouterr().out.splitlines()[-1])
    assert summary["kind"] == "summary"
    assert summary["refused"] == {}
    assert summary["events"]["block"] == len(recording.results("newHeads"))
    assert summary["events"]["log"] == len(recording.results("logs"))
    assert summary["events"]["transaction"] == len(recording.results("pendingFull"))


def test_a_recording_is_not_written_over(recording: Recording):
    done = devnet("--record", recording.folder)
    assert done.returncode == 2
    assert "has a recording already" in done.stderr


@pytest.mark.parametrize("words", [["--blocks", "-1"], ["--blocks", "many"], ["--rec", "x"]])
def test_wrong_arguments_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as refused:
        arguments(words)
    assert refused.value.code == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_without_a_recording_it_says_where_it_listens_until_it_is_told_to_end(number: int):
    command = [sys.executable, "-m", "tests.devnet", "--blocks", "0", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        where = dict(process.stdout.readline().split() for _ in range(2))
        port = int(where["HTTP"].removeprefix("http://127.0.0.1:"))
        assert where["WebSocket"] == f"ws://127.0.0.1:{port}"
        socket.create_connection(("127.0.0.1", port)).close()
        process.send_signal(number)
        assert process.wait(10) == 128 + number
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_port_that_is_taken_is_said_so():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = devnet("--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "anvil did not start" in done.stderr
    assert "Traceback" not in done.stderr
