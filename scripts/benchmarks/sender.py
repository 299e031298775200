"""The other end: a plain socket program that writes frames made beforehand.

It reads its orders, one JSON object, from the first argument, prints its port, serves the
handshakes and subscriptions of so many connections, and then sends on the first of them:

flood
    ``count`` frames, ``window`` of them in one write, at most ``ahead`` windows before the
    receiver has finished one: a byte on standard input says that it has.
paced
    for every ``[rate, count]`` of ``phases`` so many frames at so many a second. Each bears the
    time at which it was due, not the one at which it was sent: what the sender is late by counts.
quiet
    nothing.
"""

from __future__ import annotations

import base64
import ctypes
import hashlib
import json
import os
import re
import socket
import sys
import time
from typing import Any

from .frames import SERVER_ID, Template

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
GAP = 0.1
"""Seconds before each phase."""
CLOSE = b"\x88\x02\x03\xe8"
SPIN = 60_000
"""Nanoseconds before a frame is due within which the sender does not sleep."""


def receive_exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def read_message(connection: socket.socket) -> Any:
    """A client's message: masked, whole, below 64 KiB."""
    first, second = receive_exactly(connection, 2)
    size = second & 0x7F
    if size == 126:
        size = int.from_bytes(receive_exactly(connection, 2), "big")
    mask = receive_exactly(connection, 4)
    payload = receive_exactly(connection, size)
    plain = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return json.loads(plain) if first & 0x0F == 1 else None


def shake_hands(connection: socket.socket) -> None:
    """Upgrade, and confirm the one subscription that the client asks for."""
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        request += receive_exactly(connection, 1)
    found = re.search(rb"(?i)\r\nsec-websocket-key: *([^\r]+)\r\n", request)
    assert found is not None, request
    accept = base64.b64encode(
        hashlib.sha1(found[1].strip() + GUID, usedforsecurity=False).digest()
    ).decode()
    connection.sendall(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )
    asked = None
    while asked is None:
        asked = read_message(connection)
    answer = {"jsonrpc": "2.0", "id": asked["id"], "result": SERVER_ID}
    if asked["method"] == "SUBSCRIBE":
        answer = {"result": None, "id": asked["id"]}
    text = json.dumps(answer).encode()
    connection.sendall(bytes([0x81, len(text)]) + text)


def flood(connection: socket.socket, windows: list[bytes], ahead: int) -> None:
    for number, window in enumerate(windows):
        if number >= ahead and not os.read(0, 1):
            return
        connection.sendall(window)


def sleep_exactly() -> None:
    """Have Linux end sleeps on time and not up to 50 microseconds later."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(29, 1, 0, 0, 0)  # PR_SET_TIMERSLACK, in nanoseconds


def pace(connection: socket.socket, template: Template, phases: list[list[int]]) -> None:
    sleep_exactly()
    clock, frame, send = time.monotonic_ns, template.frame, connection.sendall
    for rate, count in phases:
        time.sleep(GAP)
        start = clock()
        sent = 0
        while sent < count:
            due = start + sent * 1_000_000_000 // rate
            while (left := due - clock()) > 0:
                if left > SPIN:
                    time.sleep((left - SPIN) / 1e9)
            # Whoever is late catches up in one write.
            until = min(count, (clock() - start) * rate // 1_000_000_000 + 1)
            send(b"".join(frame(start + n * 1_000_000_000 // rate) for n in range(sent, until)))
            sent = until


def say_goodbye(connection: socket.socket) -> None:
    """Wait for the client's closing frame and answer it."""
    connection.settimeout(60)
    try:
        while True:
            data = connection.recv(4096)
            if not data or data[0] == CLOSE[0]:
                break
        connection.sendall(CLOSE)
    except OSError:
        pass  # it went without a word
    connection.close()


def main() -> None:
    orders = json.loads(sys.argv[1])
    template = Template(orders["kind"])
    windows: list[bytes] = []
    if orders["mode"] == "flood":
        numbers = range(10**15, 10**15 + orders["count"])
        size = orders["window"]
        frames = [template.frame(number) for number in numbers]
        windows = [b"".join(frames[at : at + size]) for at in range(0, len(frames), size)]
        del frames
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        server.settimeout(60)
        sys.stdout.write(f"{server.getsockname()[1]}\n")
        sys.stdout.flush()
        connections = []
        for _ in range(orders.get("connections", 1)):
            connection = server.accept()[0]
            connection.settimeout(60)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            shake_hands(connection)
            connections.append(connection)
    if orders["mode"] == "flood":
        flood(connections[0], windows, orders["ahead"])
    elif orders["mode"] == "paced":
        pace(connections[0], template, orders["phases"])
    for connection in connections:
        say_goodbye(connection)


if __name__ == "__main__":
    main()
