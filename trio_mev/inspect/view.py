"""What the calls of one transaction move, and what they read: the ground for telling its swaps.

Tokens move by ``transfer`` and ``transferFrom``, ether by the value of a call. What a token mints,
burns or keeps as a fee of its own has no call, and is not seen here.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

from ..model.intents import ETHER
from ..model.noun import Noun
from .acts import WRAPPED
from .calls import Call, Calls, How

BALANCE_OF = "0x70a08231"
_WORD = 64
_HEAD = 10
"""Characters of a selector."""
_ZERO = "0x" + "0" * _WORD


class Move(Noun, frozen=True):
    """A token or ether from one account to another."""

    rank: int
    """When its call came to its end: a token may call others before it moves."""
    token: str
    source: str
    target: str
    amount: int


_Paid = tuple[str, str, int]
"""Source, target, amount."""


def word(text: str, number: int, head: int = _HEAD) -> int:
    """A word of a call's arguments; of its answer with a head of 2.

    Raises:
        ValueError: it is not there, or is not hexadecimal.
    """
    at = head + _WORD * number
    part = text[at : at + _WORD]
    if len(part) < _WORD or not part.isalnum():
        raise ValueError("a word is cut short")  # int() alone would take spaces and underscores
    return int(part, 16)


def account(text: str, number: int) -> str:
    """A word of a call's arguments as an address.

    Raises:
        ValueError: it is not there.
    """
    at = _HEAD + _WORD * number + 24
    part = text[at : at + 40]
    if len(part) < 40:
        raise ValueError("an address is cut short")
    return f"0x{bytes.fromhex(part).hex()}"


def _transfer(call: Call) -> _Paid | None:
    if call.output == _ZERO:
        return None  # some tokens say false where others revert
    return call.source, account(call.input, 0), word(call.input, 1)


def _transfer_from(call: Call) -> _Paid | None:
    text = call.input
    if call.output == _ZERO:
        return None
    return account(text, 0), account(text, 1), word(text, 2)


def _seize(call: Call) -> _Paid | None:
    """Shares of one of Compound's markets, on the word of another one; the answer is the code of an
    error."""
    text = call.input
    if call.output != _ZERO:
        return None
    return account(text, 1), account(text, 0), word(text, 2)


MOVES: Mapping[str, Callable[[Call], _Paid | None]] = {
    "0xa9059cbb": _transfer,
    "0x23b872dd": _transfer_from,
    "0xf866c319": _transfer_from,
    "0xb2a02ff1": _seize,
}


class View:
    """One transaction's calls.

    Args:
        calls: all of them.
        undone: whether to look at what was reverted as if it had not been.
    """

    def __init__(self, calls: Calls, undone: bool = False) -> None:
        self.calls = calls
        self.undone = undone

    def holds(self, call: Call) -> bool:
        """Whether a call is to be looked at."""
        return self.undone or not call.failed

    @cached_property
    def moves(self) -> list[Move]:
        """All of them, in the order in which their calls ended; wrapping ether is none."""
        return sorted(self._moves(), key=_rank)

    def _moves(self) -> Iterator[Move]:
        for at, call in enumerate(self.calls):
            if not self.holds(call):
                continue
            if call.value and call.target and not {call.source, call.target} & WRAPPED:
                yield Move(self.calls.rank(at), ETHER, call.source, call.target, call.value)
            made = MOVES.get(call.input[:_HEAD])
            if made is not None and call.how is How.CALL and not self.forwarded(call):
                try:
                    paid = made(call)
                except ValueError:
                    continue  # a contract that is no token may be called so
                if paid is not None:
                    yield Move(self.calls.rank(at), call.target, *paid)

    def forwarded(self, call: Call) -> bool:
        """Whether a call only hands on what the one above it was asked for, as a proxy does."""
        if call.up < 0 or len(call.input) <= _HEAD:
            return False
        above = self.calls[call.up]
        return above.input == call.input and above.how is not How.STATIC

    @cached_property
    def _into(self) -> dict[str, list[Move]]:
        return _by(self.moves, lambda move: move.target)

    @cached_property
    def _out_of(self) -> dict[str, list[Move]]:
        return _by(self.moves, lambda move: move.source)

    def into(self, who: str, place: int, first: int | None = None) -> Sequence[Move]:
        """What an account got during a call, or since a rank until the call came to its end."""
        return self._during(self._into.get(who, ()), place, first)

    def out_of(self, who: str, place: int, first: int | None = None) -> Sequence[Move]:
        """What an account gave during a call, or since a rank until the call came to its end."""
        return self._during(self._out_of.get(who, ()), place, first)

    def _during(self, moves: Sequence[Move], place: int, first: int | None) -> Sequence[Move]:
        start = self.calls.first_within(place) if first is None else first
        last = self.calls.rank(place)
        return moves[bisect_left(moves, start, key=_rank) : bisect_right(moves, last, key=_rank)]

    def balances(self, place: int, who: str) -> list[tuple[str, int]]:
        """The balances of its own that a contract reads during a call, by token, in order."""
        found = []
        for _, call in self.calls.made_by(place):
            if call.input[:_HEAD] == BALANCE_OF and call.source == who and not call.failed:
                try:
                    if account(call.input, 0) == who:
                        found.append((call.target, word(call.output, 0, 2)))
                except ValueError:
                    continue
        return found


def _by(moves: Sequence[Move], key: Callable[[Move], str]) -> dict[str, list[Move]]:
    held: dict[str, list[Move]] = {}
    for move in moves:
        held.setdefault(key(move), []).append(move)
    return held


def _rank(move: Move) -> int:
    return move.rank
