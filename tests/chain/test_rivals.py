"""Which pending transactions compete, by what their calls say."""

from __future__ import annotations

import pytest

from trio_mev.chain.calldata import Kind
from trio_mev.chain.mempool.rivals import MOST_GROUPS, MOST_NAMED, RivalGroups, _at
from trio_mev.model.chain import Transaction
from trio_mev.model.intents import Hop, PoolKind
from trio_mev.model.mempool import Rivalry

V2_ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"
SUSHI_ROUTER = "0xd9e1ce17f2641f24ae83637ab66a2cca9c378b9f"
V3_ROUTER = "0xe592427a0aece92de3edee1f18e0157c05861564"
AAVE = "0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2"
PAIR, V3_POOL, CURVE = "0x" + "aa" * 20, "0x" + "bb" * 20, "0x" + "cc" * 20
WETH, USDC, DAI = (
    "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2",
    "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
    "0x6b175474e89094c44da98b954eedeac495271d0f",
)
ALICE, BOB = "0x" + "a1" * 20, "0x" + "b0" * 20


def words(*values: int | str) -> bytes:
    numbers = (int(one, 16) if isinstance(one, str) else one for one in values)
    return b"".join((one % 2**256).to_bytes(32, "big") for one in numbers)


def call(name: int, to: str | None, selector: str, data: bytes = b"", sender: str = ALICE, nonce=0):
    body = bytes.fromhex(selector) + data
    return Transaction(f"0x{name}", sender, to, nonce, 0, 21_000, body)


def swap(name: int, sender: str, path: list[str], to: str = V2_ROUTER, amount: int = 10**18):
    data = words(amount, 1, 160, sender, 2_000_000_000, len(path), *path)
    return call(name, to, "38ed1739", data, sender, name)


def single(name: int, sender: str, fee: int):
    """A swap of V3's first router, at a pool of a fee."""
    data = words(WETH, USDC, fee, sender, 2_000_000_000, 10**18, 1, 0)
    return call(name, V3_ROUTER, "414bf389", data, sender, name)


def groups(*bodies: Transaction, **contracts) -> RivalGroups:
    made = RivalGroups(**contracts)
    for body in bodies:
        made.add(body)
    return made


def test_swaps_at_one_pool_in_one_direction_compete_whatever_their_amounts_and_ways():
    made = groups(
        swap(1, ALICE, [WETH, USDC]),
        swap(2, BOB, [WETH, USDC, DAI], amount=5),
        swap(3, BOB, [USDC, WETH]),
        swap(4, BOB, [WETH, USDC], to=SUSHI_ROUTER),
    )
    (found,) = made.largest()
    assert (found.rivalry, found.count, found.transactions) == (Rivalry.POOL, 2, ("0x1", "0x2"))
    assert found.over.startswith(f"{WETH} into v2 of 0x")
    assert found.over.endswith(f"{USDC} and {WETH}")


def test_pools_of_another_fee_are_others():
    made = groups(single(1, ALICE, 500), single(2, BOB, 3000), single(3, BOB, 500))
    (found,) = made.largest()
    assert found.transactions == ("0x1", "0x3")
    assert found.over.endswith(", 500")


def test_one_senders_swaps_do_not_compete_with_each_other():
    assert len(groups(swap(1, ALICE, [WETH, USDC]), swap(2, ALICE, [WETH, USDC]))) == 0


def test_pools_that_are_called_by_their_address_are_known_by_it():
    contracts = {V3_POOL: Kind.V3_POOL, CURVE: Kind.CURVE_POOL}
    way = words(1, 10**18, 2**160 - 1, 160, 0)
    at_pool = [
        call(n, V3_POOL, "128acb08", words(who) + way, who, n) for n, who in enumerate([ALICE, BOB])
    ]
    other_way = call(2, V3_POOL, "128acb08", words(BOB, 0, 5, 2**160 - 1, 160, 0), BOB, 9)
    at_curve = [
        call(n, CURVE, "3df02124", words(2, 0, 7, 1), who, n) for n, who in ((5, ALICE), (6, BOB))
    ]
    made = groups(*at_pool, other_way, *at_curve, contracts=contracts)
    assert {one.over for one in made.largest()} == {
        f"coin 0 into {V3_POOL}",
        f"coin 2 into {CURVE}",
    }


def test_one_sender_and_nonce_is_a_contest():
    made = groups(call(1, None, ""), call(2, BOB, ""), call(3, BOB, "", nonce=1))
    (found,) = made.largest()
    assert found.rivalry is Rivalry.NONCE
    assert (found.over, found.transactions) == (f"nonce 0 of {ALICE}", ("0x1", "0x2"))


def liquidation(name: int, sender: str, user: str, amount: int) -> Transaction:
    return call(name, AAVE, "00a718a9", words(WETH, USDC, user, amount, 0), sender)


def test_liquidations_of_one_position_compete_whatever_they_pay():
    user = "0x" + "dd" * 20
    made = groups(
        liquidation(1, ALICE, user, 5),
        liquidation(2, BOB, user, 6),
        liquidation(3, "0x" + "c4" * 20, "0x" + "ee" * 20, 6),
    )
    (found,) = made.largest()
    assert (found.rivalry, found.transactions) == (Rivalry.LIQUIDATION, ("0x1", "0x2"))
    assert found.over == f"the position of {user} at {AAVE}"


@pytest.mark.parametrize(
    ("selector", "data", "compete"),
    [
        ("deadbeef", words(7), True),
        ("deadbeef", b"", False),  # a call without arguments is everybody's own
        ("095ea7b3", words(V2_ROUTER, 2**256 - 1), False),
        ("", b"", False),
    ],
)
def test_the_same_call_by_several_is_a_contest_unless_it_is_about_themselves(
    selector: str, data: bytes, compete: bool
):
    made = groups(call(1, PAIR, selector, data), call(2, PAIR, selector, data, BOB))
    assert len(made) == compete
    for found in made.largest():
        assert (found.rivalry, found.over) == (Rivalry.CALL, f"0xdeadbeef at {PAIR}")
    assert len(groups(call(1, PAIR, selector, data), call(2, CURVE, selector, data, BOB))) == 0


def test_who_leaves_competes_no_more():
    bodies = [swap(n, who, [WETH, USDC]) for n, who in enumerate([ALICE, BOB, BOB])]
    made = groups(*bodies)
    assert [one.count for one in made.largest()] == [3]
    made.remove(bodies[1])
    assert [one.transactions for one in made.largest()] == [("0x0", "0x2")]
    made.remove(bodies[0])
    assert (len(made), made.largest()) == (0, ())
    made.remove(bodies[2])
    assert made._groups == made._keys == made._sizes == {}


def test_a_swap_that_hides_its_pools_is_in_no_group():
    opaque = [
        call(n, "0x111111125421ca6dc452d289314280a0f8842a65", "07ed2379", words(n), who)
        for n, who in enumerate([ALICE, BOB])
    ]
    assert len(groups(*opaque)) == 0
    assert list(_at(Hop(PoolKind.V2, WETH, USDC))) == []


def test_the_largest_groups_come_first_and_what_is_told_is_bounded():
    bodies = []
    for place in range(MOST_GROUPS + 5):
        for _ in range(2 if place != 3 else MOST_NAMED + 7):
            sender = f"0x{len(bodies):040x}"
            bodies.append(call(len(bodies), PAIR, "deadbeef", words(place), sender))
    made = groups(*bodies)
    told = made.largest()
    assert (len(made), len(told)) == (MOST_GROUPS + 5, MOST_GROUPS)
    assert (told[0].count, len(told[0].transactions)) == (MOST_NAMED + 7, MOST_NAMED)
    assert {one.count for one in told[1:]} == {2}
