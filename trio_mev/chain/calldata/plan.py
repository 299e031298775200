"""What a call is being read into: its intents, and what the steps before left with the router."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

from ...model.intents import ETHER, Intent, SwapIntent, Undecoded, Unread
from ..abi import BadData, Read, TooLarge, arguments_of
from ..abi_values import MAX_BYTES

MAX_DEPTH = 4
"""Calls and plans within each other."""
MAX_STEPS = 256
"""Of a whole call: commands, actions, nested calls."""
MAX_HOPS = 32
"""Pools on one way; a block has not the gas for many more."""
WHOLE = 10_000
"""Basis points."""


class All(enum.Enum):
    """In place of a number."""

    ALL = "all"


ALL: Final = All.ALL
Moved: TypeAlias = "int | Literal[All.ALL] | None"


Handle = Callable[["Plan", tuple[Any, ...]], None]


class Method(msgspec.Struct, frozen=True):
    """How a method's arguments are read, and what becomes of them."""

    read: Read
    handle: Handle
    signature: str = ""


class Contract(msgspec.Struct, frozen=True):
    """A contract whose calls are read."""

    name: str
    methods: Mapping[bytes, Method]
    detail: Any = None
    """What its methods need to know of it, such as its factory or version."""


def methods_of(
    signatures: Mapping[str, str], handles: Mapping[str, Handle]
) -> Mapping[bytes, Method]:
    """Methods by their raw selectors: of each signature, the handle of its selector."""
    return {
        bytes.fromhex(selector[2:]): Method(
            arguments_of(signatures[selector]).read, handle, signatures[selector]
        )
        for selector, handle in handles.items()
    }


class Plan(msgspec.Struct):
    """The intents of one call while it is read."""

    contract: Contract
    to: str
    sender: str
    value: int
    intents: list[Intent] = []
    kept: list[int] = []
    """Places of the swaps whose result the router holds."""
    portions: dict[str, list[tuple[int, int]]] = {}
    """By token, what fractions are taken of it before the rest is handed over."""
    deadline: int | None = None
    """That a multicall sets for what is in it."""
    parent: str | None = None
    """Hash of the block that a multicall wants to follow on."""
    moves: list[tuple[str, Moved]] = []
    """What the router gets of a token besides results of swaps, or pays where it is below zero;
    None is a number that the call does not say, ``ALL`` all that it holds. They are only added up
    where somebody wants to know: most calls do not."""
    funds: dict[str, int | None] = {}
    """By token, the sum of the moves that were added up. Of ether it begins with the call's
    value."""
    _depth: int = 0
    _steps: int = 0
    _bytes: int = 0
    _parts: int = 0

    def step(self, count: int = 1) -> None:
        """So many more steps are read.

        Raises:
            TooLarge: they are too many.
        """
        self._steps += count
        if self._steps > MAX_STEPS:
            raise TooLarge(f"more than {MAX_STEPS} steps")

    def enter(self, nested: tuple[bytes, ...]) -> None:
        """Nested calls, or the steps of a nested plan, begin.

        Raises:
            TooLarge: they are too deep, too many, or, each level counted, too long.
        """
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TooLarge(f"deeper than {MAX_DEPTH}")
        self.step(len(nested))
        for one in nested:
            self._bytes += len(one)
        if self._bytes > MAX_BYTES:
            raise TooLarge(f"more than {MAX_BYTES} bytes of nested data")

    def leave(self) -> None:
        """Nested calls or a plan end."""
        self._depth -= 1

    def call(self, data: bytes) -> None:
        """Read a call to the contract.

        Raises:
            BadData: its data is not what its method takes.
            TooLarge: it goes beyond the bounds.
        """
        method = self.contract.methods.get(data[:4])
        if method is None:
            self.say(Unread.UNKNOWN_METHOD, f"0x{data[:4].hex()}")
        else:
            method.handle(self, method.read(data, 4))

    def nested(self, calls: tuple[bytes, ...]) -> None:
        """Read calls that the contract makes to itself."""
        self.enter(calls)
        for one in calls:
            self.call(one)
        self.leave()

    def say(self, reason: Unread, detail: str = "") -> None:
        """A part that says nothing."""
        self.intents.append(Undecoded(reason, detail))

    def keep(self) -> None:
        """What the swap that comes next gives stays with the router, for the steps that follow."""
        self.kept.append(len(self.intents))

    def fund(self, token: str, amount: int | None) -> None:
        """The router gets so much of a token, or pays it where it is below zero; None is a number
        that the call does not say."""
        self.moves.append((token, amount))

    def _held(self, token: str) -> int | None:
        funds, ether = self.funds, ETHER
        for one, amount in self.moves:
            if amount is ALL:
                funds[one] = 0
                continue
            held = funds.get(one, self.value if one == ether else 0)
            funds[one] = None if held is None or amount is None else held + amount
        self.moves.clear()
        return funds.get(token, self.value if token == ether else 0)

    def spend(self, token: str) -> tuple[tuple[int, ...], int | None]:
        """All that the router holds of a token is put into something: the places of the swaps
        that it is from, and what it is besides."""
        places = tuple(self.swaps_into(self.kept, token))
        self.kept[:] = [place for place in self.kept if place not in places]
        held, self.funds[token] = self._held(token), 0
        return places, held

    def may_fail(self, before: int) -> None:
        """What was read from a place on is a part of the call that may fail."""
        self._parts += 1
        for place, intent in enumerate(self.intents[before:], before):
            if isinstance(intent, SwapIntent):
                parts = (self._parts, *intent.parts)
                self.intents[place] = msgspec.structs.replace(intent, may_fail=True, parts=parts)

    def hand_over(self, places: list[int], token: str, least: int, to: str) -> None:
        """What is held of a token goes to somebody, who wants no less than so much.

        Args:
            places: of the swaps whose results are held; those of the token are taken out.
            token: its address.
            least: what is demanded of all of them together, after portions were taken.
            to: who gets it.
        """
        if places is self.kept:
            self.moves.append((token, ALL))
        swaps = self.swaps_into(places, token) if places else None
        if not swaps:
            return
        places[:] = [place for place in places if place not in swaps]
        for numerator, denominator in self.portions.pop(token, ()):
            least = _before(least, numerator, denominator)
        for place, swap in swaps.items():
            self.intents[place] = _received(swap, least, to, alone=len(swaps) == 1)
        if to == self.to and places is not self.kept:
            self.kept += swaps

    def swaps_into(self, places: list[int], token: str) -> dict[int, SwapIntent]:
        """Of the swaps at these places, those that end in a token."""
        found = {}
        for place in places:
            swap = self.intents[place]
            if isinstance(swap, SwapIntent) and swap.token_out == token:
                found[place] = swap
        return found

    def take_portion(self, token: str, numerator: int, denominator: int = WHOLE) -> None:
        """A fraction of what is held of a token goes to somebody else."""
        if numerator > denominator:
            raise BadData("a portion of more than there is")
        if numerator:
            self.moves.append((token, None))
        if numerator < denominator:
            self.portions.setdefault(token, []).insert(0, (numerator, denominator))


def _received(swap: SwapIntent, least: int, to: str, alone: bool) -> SwapIntent:
    if not least or (alone and swap.exact_out):
        return msgspec.structs.replace(swap, recipient=to)
    # What is demanded after a part that may fail is demanded of the call, not of the part.
    if not alone or swap.may_fail:
        return msgspec.structs.replace(swap, recipient=to, joint_limit=least)
    return msgspec.structs.replace(swap, recipient=to, limit=max(least, swap.limit or 0))


def _before(least: int, numerator: int, denominator: int) -> int:
    """The smallest amount of which at least so much is left after a fraction of it, rounded
    down, is taken."""
    amount = -(-least * denominator // (denominator - numerator))
    while amount and amount - 1 - (amount - 1) * numerator // denominator >= least:
        amount -= 1
    return amount
