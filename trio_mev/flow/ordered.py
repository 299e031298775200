"""Several things at once, and their results one after the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

import attrs
import trio

T = TypeVar("T")
R = TypeVar("R")


@attrs.define(eq=False)
class _Slot(Generic[T, R]):
    item: T
    done: trio.Event = attrs.Factory(trio.Event)
    result: list[R] = attrs.Factory(list)
    """One, once it is there."""


async def in_order(
    items: Iterable[T],
    work: Callable[[T], Awaitable[R]],
    deliver: Callable[[T, R], Awaitable[None]],
    ahead: int,
) -> None:
    """Work on several items at once, and deliver the results in the items' order.

    Args:
        items: taken one by one, no earlier than they are begun.
        work: makes an item's result.
        deliver: gets each item with its result, one at a time; what it waits for holds up the rest.
        ahead: how many items may be under way, or done and not delivered, at once; at least 2.
    """
    # One is with who waits for it, and one may be on its way into the channel.
    send, receive = trio.open_memory_channel[_Slot[T, R]](max(ahead - 2, 0))

    async def one(slot: _Slot[T, R]) -> None:
        slot.result.append(await work(slot.item))
        slot.done.set()

    async def begin() -> None:
        async with send:
            for item in items:
                slot = _Slot[T, R](item)
                nursery.start_soon(one, slot)
                await send.send(slot)

    async with trio.open_nursery() as nursery, receive:
        nursery.start_soon(begin)
        async for slot in receive:
            await slot.done.wait()
            await deliver(slot.item, slot.result[0])
