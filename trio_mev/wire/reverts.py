"""Why a call reverts, from what it reverts with; and what a node's errors mean.

Sources: the Contract ABI Specification of Solidity, its page of control structures for the codes
of panics; JSON-RPC 2.0, EIP-1474, and the error texts that nodes and providers are known by.
"""

from __future__ import annotations

import enum
import re

from ..errors import RpcFailed

LONGEST = 200
"""Characters of a reason."""
_WORD = 32
_ERROR = bytes.fromhex("08c379a0")  # Error(string)
_PANIC = bytes.fromhex("4e487b71")  # Panic(uint256)
_PANICS = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow or underflow",
    0x12: "division by zero",
    0x21: "value out of an enumeration",
    0x22: "badly encoded storage",
    0x31: "pop of an empty array",
    0x32: "index out of bounds",
    0x41: "too much memory",
    0x51: "call of an uninitialised function",
}


def decode_revert(returned: bytes) -> str:
    """The reason in what a call reverts with: its text, its panic, or its error's selector.

    Empty where there is none, which is also how a call ends that runs out of gas.
    """
    if returned[:4] == _ERROR:
        text = _text(returned)
        if text is not None:
            return shown(text.decode(errors="replace"))
    if returned[:4] == _PANIC and len(returned) == 4 + _WORD:
        code = int.from_bytes(returned[4:])
        meaning = _PANICS.get(code, "of an unknown kind")
        return f"panic 0x{code:02x}: {meaning}" if code < 256 else f"panic: {meaning}"
    if len(returned) >= 4:
        return f"error 0x{returned[:4].hex()}"
    return f"0x{returned.hex()}" if returned else ""


def _text(returned: bytes) -> bytes | None:
    """The argument of ``Error(string)``, as far as is shown; None where it is not well-formed."""
    offset = int.from_bytes(returned[4 : 4 + _WORD])
    begin = 4 + offset + _WORD
    if begin > len(returned):
        return None
    length = int.from_bytes(returned[begin - _WORD : begin])
    if begin + length > len(returned):
        return None
    return returned[begin : begin + min(length, 4 * LONGEST)]


def shown(text: str) -> str:
    """A stranger's text in one line, without what is not printable, cut where it is too long."""
    line = "".join(c if c.isprintable() else " " for c in text[: 2 * LONGEST])
    line = " ".join(line.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


class Refusal(enum.Enum):
    """What a node's error is about."""

    METHOD = "method"
    """The node does not have it, or not for us: asking again would not help."""
    RATE = "rate"
    """We ask too much; later it may answer."""
    CALL = "call"
    """This call, on this block."""


_NOT_THERE = frozenset({-32601, -32604, -32605, -32004, -32053, -32403, 401, 403})
"""Method not found; not supported; not in the plan; access denied."""
_TOO_MUCH = frozenset({-32005, -32012, -32029, -32097, 429})
_INVALID_PARAMETERS = -32602
_ABOUT_THE_METHOD = re.compile(
    r"\b(?:methods?|namespace|endpoint|module|tracer|eth_simulatev1|debug_tracecall)\b.{0,80}?"
    r"\b(?:does not exist|not available|unavailable|not supported|unsupported|not allowed"
    r"|not found|not enabled|disabled|not whitelisted|not implemented|forbidden)\b"
    r"|\b(?:unsupported|unknown|invalid) (?:rpc )?(?:method|tracer)\b"
    r"|\b(?:free|your|current) (?:tier|plan)\b"
    r"|^(?:forbidden|unauthorized|access denied)\b"
)
_ABOUT_THE_RATE = re.compile(r"\b(?:rate limit|too many requests|capacity|quota)")


def meaning(error: RpcFailed, proven: bool) -> Refusal:
    """What a node's error to a simulation is about.

    Args:
        error: the node's.
        proven: whether the method has answered before. Where it has not, a node that takes its
            parameters for wrong does not know it, or not in this form: anvil says that of every
            method that it has not.
    """
    text = error.message[:300].lower()
    if text.startswith("execution reverted"):
        return Refusal.CALL
    if error.code in _TOO_MUCH or _ABOUT_THE_RATE.search(text):
        return Refusal.RATE
    if error.code in _NOT_THERE or _ABOUT_THE_METHOD.search(text):
        return Refusal.METHOD
    if error.code == _INVALID_PARAMETERS and not proven:
        return Refusal.METHOD
    return Refusal.CALL
