"""What a node's error means for the request that it answers: split it, wait, ask again, or give up.

Nodes and providers agree on few codes: -32005 alone is "too many results", "too wide a range" and
"too many requests". So the words decide before the code does. Where the words come from: issues
of INFURA/infura (237), ethers-io/ethers.js (4703), BobTheBuidler/dank_mids (772) and the sources
of alloy; geth's, Erigon's, reth's and Nethermind's are in their filter APIs.
"""

from __future__ import annotations

import enum
import re
from typing import Any

MAX_READ = 1000
"""Characters of a message that are looked at."""


class Answer(enum.Enum):
    """What to do about an error."""

    SPLIT = "split"
    """The range or its result is too large: ask for less."""
    WAIT = "wait"
    """Too many requests: ask the same again, but later."""
    LATER = "later"
    """The node does not have it yet, or is in trouble: it may have it soon."""
    GIVE_UP = "give up"
    """Asking again would not help."""


_QUOTA_WORDS = re.compile(
    r"rate.?limit|rate exceeded|too many requests|request count|requests? limit|request rate"
    r"|credits|capacity|quota|throttl|compute units|max usage|call rate|per second"
)
_SIZE_WORDS = re.compile(
    r"more than \S+ (?:results|logs)|too many (?:results|logs)|max(?:imum)? results"
    r"|response size|response (?:is )?too (?:large|big)|result (?:set )?(?:is )?too (?:large|big)"
    r"|response exceeded|block range|range limit|range \S+ exceeds|ranges? over"
    r"|range (?:is )?too (?:large|wide|big|high)|range exceeds|max(?:imum)? .*range|limited to a "
    r"|exceeds? (?:the )?(?:max|limit|range)|blocks? distance|block span|query timeout exceeded"
    r"|limit exceeded"
)
_BEYOND_WORDS = re.compile(
    r"beyond (?:the )?(?:current )?(?:head|latest)|beyond current head|invalid block range params"
)
_LATER_WORDS = re.compile(
    r"unknown block|header not found|block not found|missing trie node|not (?:yet )?available"
    r"|time(?:d )?.?out|internal error|temporar|try again|overloaded|resource not found"
)
_QUOTA_CODES = frozenset({429, -32005, -32007, -32016, -32029, -32097})
_SIZE_CODES = frozenset({35, -32008, -32614, -32616})
_LATER_CODES = frozenset({-32000, -32001, -32002, -32603})


def classify(code: int, message: str, data: Any = None) -> Answer:
    """What to do about a node's error.

    Args:
        code: JSON-RPC's.
        message: the node's words.
        data: what some providers add, such as the range that would work.
    """
    words = message[:MAX_READ].lower()
    if _BEYOND_WORDS.search(words):
        return Answer.LATER
    if _QUOTA_WORDS.search(words):
        return Answer.WAIT
    if _SIZE_WORDS.search(words) or (isinstance(data, dict) and {"from", "to"} <= data.keys()):
        return Answer.SPLIT
    if _LATER_WORDS.search(words):
        return Answer.LATER
    if code in _QUOTA_CODES:
        return Answer.WAIT
    if code in _SIZE_CODES:
        return Answer.SPLIT
    return Answer.LATER if code in _LATER_CODES else Answer.GIVE_UP


def pause(attempt: int, jitter: float, first: float = 0.5, most: float = 30.0) -> float:
    """Seconds to wait before the n-th try again.

    Args:
        attempt: how often it failed so far, from 1.
        jitter: from 0 to below 1, drawn by the caller; the pause is between a half of the full
            one and all of it.
        first: the first full pause.
        most: the longest.
    """
    return min(most, first * 2.0 ** min(attempt - 1, 30)) * (0.5 + jitter / 2)
