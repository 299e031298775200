"""ExposureWatch and SandwichDetector where nothing is said: of other pools than the head's, of
what the whole call does not confirm, and of what was told too long ago."""

from __future__ import annotations

from tests.processors.conftest import event_of
from tests.processors.test_sandwich_detector import (
    DOLLARS,
    ETHERS,
    FACTS,
    FLAT,
    ROUTER,
    UNIVERSAL,
    USDC,
    entry,
    pending,
    plan,
    sale,
    transaction,
    view_of,
)
from tests.support.encoding import address, arguments
from trio_mev.chain.effects.outcome import Verdict
from trio_mev.chain.effects.pending import PendingBook, PendingEffect
from trio_mev.chain.pools.view import PoolsView
from trio_mev.model.event import DataType
from trio_mev.model.intents import WETH
from trio_mev.model.opportunity import Exposure
from trio_mev.processors import sandwich
from trio_mev.processors.exposures import ExposureWatch
from trio_mev.processors.sandwich import SandwichDetector

SALE = sale(10 * ETHERS, 19545729080)


def pool(number: int = 7) -> PoolsView:
    return view_of(entry(1, USDC, WETH, FACTS), number=number)


def test_an_effect_on_pools_of_another_block_leaves_nothing_open():
    watch, effect = ExposureWatch(), pending(pool(), ROUTER, SALE)
    assert watch.look(effect) == []
    watch.advance(pool(8))
    assert watch.look(effect) == []
    watch.advance(pool())
    assert len(watch.look(effect)) == 1


async def test_only_so_many_causes_are_remembered(feed, monkeypatch):
    """One that was forgotten is told again; one that was not is not."""
    monkeypatch.setattr(sandwich, "MOST_CAUSES", 2)
    view, detector = pool(), SandwichDetector()
    await feed(detector, event_of(DataType.POOLS, view))

    def effect(number: int) -> PendingEffect:
        found = PendingBook(10).add(transaction(ROUTER, SALE, number), view)
        assert found is not None
        return found

    told = [
        len(await feed(detector, event_of(DataType.EFFECT, effect(number))))
        for number in (1, 2, 2, 1, 3, 1, 2)
    ]
    assert told == [1, 1, 0, 0, 1, 0, 1]


def looked(data: bytes) -> tuple[list[Exposure], int]:
    """What is open of a call on one pool, and how much the whole call did not confirm."""
    watch, view = ExposureWatch(), pool()
    watch.advance(view)
    effect = pending(view, UNIVERSAL, data)
    assert effect.effect.verdict is Verdict.SUCCEEDS
    return [one.exposure for one in watch.look(effect)], watch.unknown["unconfirmed"]


def may_fail(swap: bytes) -> tuple[int, bytes]:
    """A part of the call that is undone if the swap in it fails."""
    return 0xA1, arguments("bytes,bytes[]", bytes([8]), [swap])


SOLD = arguments(FLAT, address(1), 10 * ETHERS, 19545729080, (WETH, USDC), True)


def test_a_part_that_is_undone_anyway_is_not_in_the_way():
    undone = arguments(FLAT, address(1), 10 * ETHERS, 2**100, (WETH, USDC), True)
    alone, found = looked(plan((8, SOLD))), looked(plan(may_fail(undone), (8, SOLD)))
    assert len(alone[0]) == 1
    assert found == alone


def test_a_front_run_that_lets_another_part_through_is_none():
    """It makes ether so cheap that somebody's limit is met, who then makes it dearer again: the
    sale is not what was reckoned."""
    bought = arguments(FLAT, address(1), 2000 * DOLLARS, ETHERS, (USDC, WETH), True)
    assert looked(plan(may_fail(bought), (8, SOLD))) == ([], 1)
