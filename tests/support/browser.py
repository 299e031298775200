"""A real browser without a network, spoken to in its own protocol over a WebSocket.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio_websocket import WebSocketConnection, open_websocket_url

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE = 60.0
"""Seconds for anything that the browser is asked."""
LARGEST = 256 * 2**20


def require_browser() -> str:
    """The browser's program; the test is skipped where there is none, but never in CI."""
    for name in (os.environ.get("CHROMIUM", ""), *NAMES):
        if name and (program := shutil.which(name)):
            return program
    message = "no Chromium to look at pages with: install it, or set CHROMIUM to its program"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@attrs.define(eq=False)
class Page:
    """One page, and what the browser has said of it."""

    socket: WebSocketConnection
    session: str = ""
    said: list[str] = attrs.Factory(list)
    """Errors and warnings of the console."""
    requests: list[str] = attrs.Factory(list)
    """What it asked for."""
    _number: int = 0
    _answers: dict[int, Any] = attrs.Factory(dict)
    _loaded: bool = False
    _moved: trio.Event = attrs.Factory(trio.Event)

    async def read(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Take what the browser says, until cancelled."""
        task_status.started()
        while True:
            message = json.loads(await self.socket.get_message())
            if "id" in message:
                self._answers[message["id"]] = message
            else:
                self._note(message["method"], message["params"])
            self._moved.set()
            self._moved = trio.Event()

    def _note(self, method: str, told: Any) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.said.append(json.dumps(told["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and told["type"] in {"error", "warning"}:
            self.said.append(json.dumps(told["args"]))
        elif method == "Log.entryAdded" and told["entry"]["level"] in {"error", "warning"}:
            self.said.append(json.dumps(told["entry"]))
        elif method == "Page.loadEventFired":
            self._loaded = True

    async def call(self, method: str, **parameters: Any) -> Any:
        """Ask for something, and wait for the answer."""
        self._number += 1
        number = self._number
        asked = {"id": number, "method": method, "params": parameters}
        if self.session:
            asked["sessionId"] = self.session
        with trio.fail_after(PATIENCE):
            await self.socket.send_message(json.dumps(asked))
            while number not in self._answers:
                await self._moved.wait()
        answer = self._answers.pop(number)
        assert "error" not in answer, answer
        return answer["result"]

    async def open(self, path: Path, width: int, height: int = 900, dark: bool = False) -> None:
        """Show a file as on a screen of that width."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        await self.call("Emulation.setDeviceMetricsOverride", **screen)
        self._loaded = False
        await self.call("Page.navigate", url=path.as_uri())
        with trio.fail_after(PATIENCE):
            while not self._loaded:
                await self._moved.wait()

    async def value(self, script: str) -> Any:
        """What an expression is."""
        told = await self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")


@asynccontextmanager
async def open_page(program: str, profile: Path) -> AsyncIterator[Page]:
    """A page of a browser of its own, which finds no host and ends with the block.

    Args:
        program: of the browser.
        profile: a folder for what it writes.
    """
    command = [
        program,
        "--headless=new",
        "--no-sandbox",  # tests may run as root
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--remote-debugging-port=0",
        "--remote-allow-origins=*",
        f"--user-data-dir={profile}",
        "about:blank",
    ]
    run = partial(
        trio.run_process, command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, check=False
    )
    async with trio.open_nursery() as nursery:
        process: trio.Process = await nursery.start(run)
        with trio.fail_after(PATIENCE):
            address = await _address(process)
        nursery.start_soon(_drain, process)
        async with open_websocket_url(address, max_message_size=LARGEST) as socket:
            page = Page(socket)
            await nursery.start(page.read)
            target = await page.call("Target.createTarget", url="about:blank")
            told = await page.call(
                "Target.attachToTarget", targetId=target["targetId"], flatten=True
            )
            page.session = told["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                await page.call(f"{domain}.enable")
            yield page
            nursery.cancel_scope.cancel()


async def _address(process: trio.Process) -> str:
    """Where it listens, which it says on standard error."""
    assert process.stderr is not None
    said = b""
    async for piece in process.stderr:
        said += piece
        for line in said.split(b"\n")[:-1]:
            if line.startswith(b"DevTools listening on "):
                return line.removeprefix(b"DevTools listening on ").decode().strip()
    raise AssertionError(f"the browser ended: {said.decode(errors='replace')}")


async def _drain(process: trio.Process) -> None:
    assert process.stderr is not None
    async for _ in process.stderr:
        pass
