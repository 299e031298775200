"""A node on real sockets, in this process or another, every byte of which is ours.

As a program it prints its port, confirms what is asked, and announces heads.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Awaitable, Callable
from functools import partial

import trio

from tests.support.peer import PeerConnection

HEAD = {
    "number": "0x1",
    "hash": f"0x{1:064x}",
    "parentHash": f"0x{0:064x}",
    "timestamp": "0x65000000",
    "gasLimit": "0x1c9c380",
    "gasUsed": "0xe4e1c0",
    "baseFeePerGas": "0x3b9aca00",
    "transactions": [],
}


async def confirm(peer: PeerConnection) -> None:
    """Accept the connection and its only subscription.

    Raises:
        trio.BrokenResourceError: the client has gone.
    """
    await peer.accept()
    text = await peer.receive()
    if text is None:
        raise trio.BrokenResourceError
    await peer.send(json.dumps({"id": json.loads(text)["id"], "result": "0x1"}))


def note(number: int) -> str:
    """The head of a number, as announced."""
    result = HEAD | {
        "number": hex(number),
        "hash": f"0x{number:064x}",
        "parentHash": f"0x{number - 1:064x}",
    }
    return json.dumps({"params": {"subscription": "0x1", "result": result}})


_numbers = itertools.count(1)


async def announce(peer: PeerConnection) -> None:
    """A whole life: confirm, announce the next head, and answer pings."""
    await confirm(peer)
    await peer.send(note(next(_numbers)))
    await peer.hold()


async def listen(nursery: trio.Nursery, script: Callable[[PeerConnection], Awaitable[None]]) -> int:
    """The port of a server on 127.0.0.1 that runs the script for each connection."""

    async def handle(stream: trio.SocketStream) -> None:
        try:
            await script(PeerConnection(stream))
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client has gone
        finally:
            await trio.aclose_forcefully(stream)

    listeners = await nursery.start(partial(trio.serve_tcp, handle, 0, host="127.0.0.1"))
    return listeners[0].socket.getsockname()[1]


async def main() -> None:
    """Serve until killed."""
    async with trio.open_nursery() as nursery:
        sys.stdout.write(f"{await listen(nursery, announce)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    trio.run(main)
