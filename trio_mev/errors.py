"""One small tree of errors; each name says whose fault it is.

Library errors are renamed once, at the socket (``feeds/transport.py``); nothing above it sees a
Trio or a WebSocket error.
"""

from __future__ import annotations


class DataStreamError(Exception):
    """Base of every error that trio_mev raises on purpose."""


class StreamConnectionError(DataStreamError):
    """The network or the peer failed; a new connection may mend it."""


class HeartbeatLost(StreamConnectionError):
    """The peer did not answer a ping in time, or a subscription fell silent."""


class SubscriptionLost(StreamConnectionError):
    """A subscription was not confirmed in time, or the server ended it."""


class SubscriptionRejected(DataStreamError):
    """The server refuses what was asked for; asking again would not help."""


class MalformedFrame(DataStreamError):
    """A frame cannot be decoded.

    Args:
        reason: the short name under which the loss is counted, such as ``not_json``.
        detail: what was wrong, without the frame's content.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class RpcFailed(DataStreamError):
    """A node answered a call with an error.

    Args:
        code: JSON-RPC's.
        message: the node's words.
        data: what it added, such as the reason of a revert.
    """

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(f"{code} {message[:200]}")
        self.code = code
        self.message = message
        self.data = data


class RpcUnmatched(RpcFailed):
    """A replay's tape does not have this call, so nobody knows what the node would have said.

    Args:
        what: the call's method, or what the message holds.
        tapes: their names.
    """

    def __init__(self, what: str, tapes: str) -> None:
        super().__init__(-32001, f"{tapes}: the tape does not have this call: {what}")


class RpcTimeout(DataStreamError):
    """A node did not answer a call in time."""


class ProcessingTimeoutError(DataStreamError):
    """A processor did not finish an event within its budget."""


class ProcessorFailed(DataStreamError):
    """A processor raised; after several times in a row it is made anew."""


class RestartLimitReached(DataStreamError):
    """A required feed could not be regained within its restarts."""


class ConfigError(DataStreamError):
    """A configuration, filter or tape cannot be used.

    Args:
        problems: one line a problem, each with where it is and what to do.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
