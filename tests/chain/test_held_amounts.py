"""Amounts that are what a router holds or is owed, and parts of a call that may fail."""

from __future__ import annotations

import pytest

from tests.chain.test_universal_calls import (
    BALANCE,
    ETHER,
    ME,
    ROUTER,
    SENDER,
    V20,
    WETH,
    YOU,
    A,
    B,
    arguments,
    portion,
    single,
    take,
    three,
    unwrap,
    v4,
    weth,
)
from tests.support.encoding import call
from trio_mev.chain.calldata import CallDecoder
from trio_mev.model.intents import Basis, Undecoded

NEW_ROUTER = "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45"
VALUE = 100


def run(*steps: tuple[int, bytes]) -> tuple:
    commands, inputs = bytes(code for code, _ in steps), [given for _, given in steps]
    data = call("execute(bytes,bytes[])", commands, inputs)
    return CallDecoder().decode(V20, data, ME, VALUE)


def flat(one: str, two: str, amount: int, to=SENDER, user=False, code=8) -> tuple[int, bytes]:
    types = "address,uint256,uint256,address[],bool"
    return code, arguments(types, to, amount, 0, (one, two), user)


def wrap(amount: int, to: str = ROUTER) -> tuple[int, bytes]:
    return 0x0B, arguments("address,uint256", to, amount)


def pull(amount: int, to: str = ROUTER) -> tuple[int, bytes]:
    return 0x02, arguments("address,address,uint160", WETH, to, amount)


def pull_many(*amounts: tuple[str, int]) -> tuple[int, bytes]:
    given = [(ME, to, amount, WETH) for to, amount in amounts]
    return 0x0D, arguments("(address,address,uint160,address)[]", given)


def sub(*steps: tuple[int, bytes], flag: int = 0x80) -> tuple[int, bytes]:
    codes, given = bytes(code for code, _ in steps), [one for _, one in steps]
    return 0x21 | flag, arguments("bytes,bytes[]", codes, given)


REST = flat(WETH, B, BALANCE)


@pytest.mark.parametrize(
    ("steps", "sources", "funded"),
    [
        ((), (), 0),
        ((wrap(7),), (), 7),
        ((wrap(BALANCE),), (), VALUE),
        ((wrap(7), wrap(BALANCE)), (), VALUE),
        ((wrap(7, ME),), (), 0),
        ((wrap(7, ME), wrap(BALANCE)), (), VALUE - 7),
        ((unwrap(0, ROUTER), wrap(BALANCE)), (), None),
        ((pull(5), pull(6, YOU), wrap(7)), (), 12),
        ((pull_many((V20, 5), (YOU, 6), (V20, 7)),), (), 12),
        ((weth(8),), (0,), 0),
        ((weth(8), weth(8), wrap(7)), (0, 1), 7),
        ((weth(8, SENDER),), (), 0),
        ((wrap(7), three(0x04, WETH, ME, 0)), (), 0),
        ((wrap(7), three(0x05, WETH, ME, 3)), (), 4),
        ((wrap(7), three(0x05, WETH, ME, BALANCE)), (), 0),
        ((wrap(7), three(0x06, WETH, ME, 30)), (), None),
        ((wrap(7), three(0x06, WETH, ME, 0)), (), 7),
        ((weth(8), unwrap(0)), (), 0),
        ((wrap(7), flat(WETH, B, 3)), (), 4),
        ((wrap(7), flat(WETH, B, 3, user=True)), (), 7),
        ((wrap(7), flat(WETH, B, 3, code=9)), (), None),
        ((wrap(7), REST), (), 0),
        ((weth(8), REST), (), 0),
    ],
)
def test_all_that_the_router_holds_is_what_the_steps_before_brought(steps, sources, funded):
    found = run(*steps, REST)[-1]
    assert (found.basis, found.amount) == (Basis.BALANCE, None)
    assert (found.sources, found.funded) == (sources, funded)


def settle(token: str, amount: int, user: bool = True) -> tuple[int, bytes]:
    return 0x0B, arguments("address,uint256,bool", token, amount, user)


def whole(first: bool = False) -> tuple[int, bytes]:
    """Of what is open: ether for B, or B for ether."""
    return single(0x06, V20, first, amount=0)


def test_ether_that_swaps_gave_is_not_said_in_numbers():
    given = v4(single(0x06, V20, first=False), take(ETHER, ROUTER, 0))
    found = run(given, wrap(BALANCE), REST)[-1]
    assert (found.sources, found.funded) == ((), None)


@pytest.mark.parametrize(
    ("actions", "sources", "funded"),
    [
        ((), (), 0),
        ((settle(B, 9),), (), 9),
        ((settle(B, 9), single(0x06, V20, first=False, amount=4)), (), 5),
        ((settle(B, 9), single(0x08, V20, first=False, amount=4)), (), None),
        ((settle(B, 9), single(0x06, V20, first=True, amount=4)), (0,), 9),
        ((single(0x06, V20, first=False, amount=4), settle(B, 0)), (), 0),
        ((settle(B, 9), (0x0C, arguments("address,uint256", B, 10))), (), 0),
        ((settle(B, 9), take(B, ME, 3)), (), None),
        ((settle(B, 9), portion(B, 30)), (), None),
    ],
)
def test_what_is_open_is_what_was_paid_in_and_not_used(actions, sources, funded):
    found = run(v4(*actions, whole()))[-1]
    assert (found.basis, found.sources, found.funded) == (Basis.OPEN, sources, funded)


def test_what_somebody_else_pays_in_place_of_the_router_is_not_said():
    (found,) = run(v4(settle(B, BALANCE), whole()))
    assert (found.basis, found.funded) == (Basis.BALANCE, None)


def test_what_an_exact_output_owes_is_not_said():
    (found,) = run(v4(single(0x08, V20, first=True, amount=0)))
    assert (found.basis, found.funded) == (Basis.OPEN, None)


def test_all_that_the_router_holds_may_be_paid_into_v4():
    into = flat(A, B, 5, to=ROUTER)
    one, two, three_ = run(
        into, v4(settle(B, BALANCE, user=False), whole()), flat(B, WETH, BALANCE)
    )
    assert (two.basis, two.sources, two.funded) == (Basis.BALANCE, (0,), 0)
    assert (three_.sources, three_.funded) == ((), 0)
    assert one.recipient == V20
    for amount, funded in ((4, -4), (0, None)):
        found = run(v4(settle(B, amount, user=False)), flat(B, WETH, BALANCE))[-1]
        assert found.funded == funded


def test_the_newer_router_holds_what_it_wraps_and_pulls():
    rest = call(
        "swapExactTokensForTokens(uint256,uint256,address[],address)", 0, 0, (WETH, B), SENDER
    )
    steps = [call("wrapETH(uint256)", 7), call("pull(address,uint256)", WETH, 5), rest]
    (found,) = CallDecoder().decode(NEW_ROUTER, call("multicall(bytes[])", steps), ME, 7)
    assert (found.basis, found.funded, found.parent) == (Basis.BALANCE, 12, None)
    after = call("multicall(bytes32,bytes[])", b"\x01" * 32, steps)
    (found,) = CallDecoder().decode(NEW_ROUTER, after, ME, 7)
    assert found.parent == "0x" + "01" * 32


def test_only_a_plan_within_a_plan_may_fail():
    """A swap that reverts takes the plan with it, whatever its own flag says."""
    code, given = flat(A, B, 5)
    one, two, three_, four = run(
        (code | 0x80, given), sub((code, given), sub((code, given))), sub((code, given), flag=0)
    )
    assert [one.may_fail, two.may_fail, three_.may_fail, four.may_fail] == [
        False,
        True,
        True,
        False,
    ]
    assert (one.parts, four.parts) == ((), ())
    assert len(two.parts) == 1
    assert three_.parts[0] == two.parts[0]
    assert len(three_.parts) == 2


def test_parts_that_follow_each_other_are_not_one():
    one, two = run(sub(flat(A, B, 5)), sub(flat(A, B, 5)))
    assert one.parts != two.parts
    one, unread = run(sub(flat(A, B, 5), (0x3E, b"")))
    assert one.may_fail
    assert isinstance(unread, Undecoded)


def test_what_is_demanded_after_a_part_is_demanded_of_the_call():
    (found,) = run(sub(weth(8)), three(0x04, WETH, SENDER, 8))
    assert (found.limit, found.joint_limit) == (0, 8)
    (found,) = run(sub(weth(8), three(0x04, WETH, SENDER, 8)))
    assert (found.limit, found.joint_limit) == (8, None)


def test_an_exact_output_counts_towards_what_is_demanded_together():
    exact = flat(A, WETH, 5, to=ROUTER, code=9)
    found = run(exact, weth(8), unwrap(8))
    assert [one.joint_limit for one in found] == [8, 8]
    (found,) = run(exact, unwrap(5))
    assert found.joint_limit is None
