"""Plans of the Universal Router, version by version and command by command."""

from __future__ import annotations

import pytest

from tests.support.encoding import address, arguments, call
from trio_mev.chain.calldata import CallDecoder
from trio_mev.chain.calldata.plan import MAX_HOPS
from trio_mev.chain.contracts.uniswap_v2 import UNISWAP_FACTORY
from trio_mev.chain.contracts.uniswap_v3 import FACTORY
from trio_mev.model.intents import ETHER, WETH, Basis, Hop, PoolKind, SwapIntent, Undecoded, Unread

V10 = "0xef1c6e67703c7bd7107eed8303fbe6ec2554bf6b"
V12 = "0x3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad"
V20 = "0x66a9893cc07d91d95644aedd05d03f95e1dba8af"
V21 = "0x4c82d1fbfe28c977cbb58d8c7ff8fcf9f70a2cca"
V22 = "0xcb640a86855f1a828c27241ba364348de28abe66"
EVERY = V10, V12, V20, V21, V22
NEWER = V21, V22
A, B, ME, YOU = (address(n) for n in (0xA, 0xB, 0x3E, 0x44))
SENDER, ROUTER = address(1), address(2)
BALANCE = 1 << 255
UNTIL = 1_800_000_000
V2_HOP = Hop(PoolKind.V2, A, B, factory=UNISWAP_FACTORY)
V3_HOP = Hop(PoolKind.V3, A, B, 500, factory=FACTORY)


def run(router: str, *steps: tuple[int, bytes], until: int | None = None) -> tuple:
    commands, inputs = bytes(code for code, _ in steps), [given for _, given in steps]
    if until is None:
        data = call("execute(bytes,bytes[])", commands, inputs)
    else:
        data = call("execute(bytes,bytes[],uint256)", commands, inputs, until)
    return CallDecoder().decode(router, data, ME, 0)


def way(*parts: str | int) -> bytes:
    return b"".join(
        bytes.fromhex(one[2:]) if isinstance(one, str) else one.to_bytes(3, "big") for one in parts
    )


def swap(code: int, router: str, recipient=SENDER, one=10, two=9, path=None) -> tuple[int, bytes]:
    """A V2 or V3 swap, as the version has it."""
    flat = code in {8, 9}
    backwards = code == 1
    path = path or ((A, B) if flat else way(B, 500, A) if backwards else way(A, 500, B))
    types = f"address,uint256,uint256,{'address[]' if flat else 'bytes'},bool"
    values = [recipient, one, two, path, True]
    if router in NEWER:
        types, values = types + ",uint256[]", [*values, [1]]
    return code, arguments(types, *values)


@pytest.mark.parametrize("router", EVERY)
@pytest.mark.parametrize(
    ("code", "hop", "exact_out"),
    [(0, V3_HOP, False), (1, V3_HOP, True), (8, V2_HOP, False), (9, V2_HOP, True)],
)
def test_the_four_swaps_of_every_version(router, code, hop, exact_out):
    (found,) = run(router, swap(code, router), until=UNTIL)
    name = CallDecoder().name(router)
    assert found == SwapIntent(name, (hop,), A, B, exact_out, 10, 9, ME, UNTIL)
    (found,) = run(router, swap(code, router))
    assert found.deadline is None


@pytest.mark.parametrize("router", NEWER)
def test_an_older_swap_is_no_swap_of_the_newer_versions(router):
    (found,) = run(router, swap(8, V20))
    assert found.reason is Unread.MALFORMED


@pytest.mark.parametrize(
    ("code", "amount", "basis"),
    [
        (0, BALANCE, Basis.BALANCE),
        (8, BALANCE, Basis.BALANCE),
        (8, 0, Basis.PAID),
        (0, 0, Basis.GIVEN),
        (1, BALANCE, Basis.GIVEN),
        (9, 0, Basis.GIVEN),
    ],
)
def test_amounts_that_stand_for_something_else(code, amount, basis):
    (found,) = run(V20, swap(code, V20, one=amount))
    assert (found.basis, found.amount) == (basis, amount if basis is Basis.GIVEN else None)


def weth(code: int, recipient=ROUTER, limit=0, path=None) -> tuple[int, bytes]:
    return swap(code, V20, recipient, two=limit, path=path or (A, WETH))


def unwrap(least: int, to: str = SENDER) -> tuple[int, bytes]:
    return 0x0C, arguments("address,uint256", to, least)


def three(code: int, token: str, to: str, amount: int) -> tuple[int, bytes]:
    return code, arguments("address,address,uint256", token, to, amount)


@pytest.mark.parametrize(
    ("steps", "limit", "recipient"),
    [
        ((weth(8), unwrap(8)), 8, ME),
        ((weth(8, limit=9), unwrap(8)), 9, ME),
        ((weth(8), three(0x04, WETH, YOU, 8)), 8, YOU),
        ((weth(8), three(0x04, WETH, YOU, 8 + (1 << 160))), 8, YOU),
        ((weth(8), three(0x05, WETH, YOU, BALANCE)), 0, YOU),
        ((weth(8), three(0x05, WETH, YOU, 3)), 0, V20),
        ((weth(8), three(0x04, A, YOU, 8)), 0, V20),
        ((weth(8, SENDER, 5), unwrap(8)), 5, ME),
        ((weth(8), unwrap(8, ROUTER)), 8, V20),
        ((weth(8), three(0x0E, YOU, WETH, 8)), 0, V20),
    ],
)
def test_the_least_amount_is_in_the_step_that_hands_over(steps, limit, recipient):
    (found,) = run(V20, *steps)
    assert (found.limit, found.recipient) == (limit, recipient)


def left(amount: int, *bips: int) -> int:
    for one in bips:
        amount -= amount * one // 10_000
    return amount


@pytest.mark.parametrize("bips", [(), (1,), (25,), (15, 30), (9_999,), (0,)])
@pytest.mark.parametrize("least", [0, 1, 7, 9_999, 10**18 + 3])
def test_a_portion_that_is_taken_before_raises_what_the_swap_must_give(bips, least):
    portions = [three(0x06, WETH, YOU, one) for one in bips]
    (found,) = run(V20, weth(8), *portions, unwrap(least))
    assert left(found.limit, *bips) >= least
    assert found.limit == 0 or left(found.limit - 1, *bips) < least


def test_a_portion_may_be_all_and_not_more():
    (found,) = run(V20, weth(8), three(0x06, WETH, YOU, 10_000), unwrap(0))
    assert found.limit == 0
    (found,) = run(V20, weth(8), three(0x06, WETH, YOU, 10_001))
    assert found.reason is Unread.MALFORMED


def test_the_newer_versions_take_portions_in_full_precision():
    step = swap(8, V21, ROUTER, two=0, path=(A, WETH))
    (found,) = run(V21, step, three(0x07, WETH, YOU, 10**17), unwrap(9 * 10**6))
    assert found.limit == 10**7 - 1
    (_, found) = run(V20, weth(8), three(0x07, WETH, YOU, 10**17))
    assert found == Undecoded(Unread.UNKNOWN_METHOD, "command 0x07")


def test_swaps_that_are_unwrapped_together_share_the_limit():
    one, two = run(V20, weth(8), swap(0, V20, ROUTER, path=way(A, 500, WETH)), unwrap(8))
    assert [(s.limit, s.joint_limit, s.recipient) for s in (one, two)] == [(0, 8, ME), (9, 8, ME)]


def test_an_unknown_command_stands_in_its_place():
    unknown = 0x80 | 0x3E, b""
    one, two, three = run(V20, swap(8, V20), unknown, swap(8, V20))
    assert isinstance(one, SwapIntent)
    assert one == three
    assert two == Undecoded(Unread.UNKNOWN_METHOD, "command 0x3e")
    (opaque,) = run(V20, (0x80 | 0x12, b""))
    assert opaque.reason is Unread.OPAQUE


def test_the_mask_of_a_version_says_which_command_it_is():
    """Bit 0x20 is none of version 1.0, bit 0x40 is none before 2.1."""
    (found,) = run(V10, (0x28, swap(8, V10)[1]))
    assert found.hops == (V2_HOP,)
    (found,) = run(V20, (0x48, swap(8, V20)[1]))
    assert found.hops == (V2_HOP,)
    (found,) = run(V21, (0x48, swap(8, V21)[1]))
    assert found == Undecoded(Unread.UNKNOWN_METHOD, "command 0x48")
    (found,) = run(V21, (0x40, b""))
    assert found.reason is Unread.OPAQUE


@pytest.mark.parametrize(
    ("router", "code", "reason"),
    [
        (V10, 0x10, Unread.OPAQUE),
        (V10, 0x0E, Unread.UNKNOWN_METHOD),
        (V12, 0x20, Unread.OPAQUE),
        (V12, 0x1F, Unread.OPAQUE),
        (V20, 0x11, Unread.OPAQUE),
        (V20, 0x22, Unread.UNKNOWN_METHOD),
        (V22, 0x14, Unread.OPAQUE),
        (V22, 0x0F, Unread.UNKNOWN_METHOD),
    ],
)
def test_commands_that_are_not_read_say_so(router, code, reason):
    (found,) = run(router, (code, bytes(128)))
    assert found.reason is reason


PERMIT = ((A, 1, 2, 3), ROUTER, 4)
KEY = (ETHER, B, 500, 10, ETHER)


@pytest.mark.parametrize(
    ("router", "code", "types", "values"),
    [
        (V20, 0x02, "address,address,uint160", (A, YOU, 5)),
        (
            V20,
            0x03,
            "((address,uint160,uint48,uint48)[],address,uint256),bytes",
            (
                ([(A, 1, 2, 3)], ROUTER, 4),
                b"signature",
            ),
        ),
        (V20, 0x0A, "((address,uint160,uint48,uint48),address,uint256),bytes", (PERMIT, b"")),
        (V20, 0x0B, "address,uint256", (ROUTER, 7)),
        (V20, 0x0D, "(address,address,uint160,address)[]", ([(ME, YOU, 5, A)],)),
        (V20, 0x13, "(address,address,uint24,int24,address),uint160", (KEY, 2**96)),
        (V12, 0x22, "address,uint256", (A, 0)),
    ],
)
def test_commands_that_exchange_nothing(router, code, types, values):
    assert run(router, (code, arguments(types, *values))) == (Undecoded(Unread.NO_SWAP),)


def test_a_plan_has_an_input_for_each_command():
    data = call("execute(bytes,bytes[])", b"\x08\x08", [b""])
    (found,) = CallDecoder().decode(V20, data, ME, 0)
    assert (found.reason, found.detail) == (Unread.MALFORMED, "not one input for each command")


@pytest.mark.parametrize("router", [V12, V20, V21])
def test_a_plan_within_a_plan(router):
    inner = arguments("bytes,bytes[]", bytes([8]), [swap(8, router, ROUTER, two=0)[1]])
    (found,) = run(router, (0x21, inner), three(0x04, B, SENDER, 8))
    assert (found.limit, found.recipient) == (8, ME)


SIGNED = "executeSigned(bytes,bytes[],bytes32,bytes32,bool,bytes32,bytes,uint256)"


@pytest.mark.parametrize("router", EVERY)
def test_a_signed_plan_is_of_the_newer_versions(router):
    code, given = swap(8, router)
    data = call(SIGNED, bytes([code]), [given], b"", b"", True, b"", b"", UNTIL)
    (found,) = CallDecoder().decode(router, data, ME, 0)
    if router in NEWER:
        assert (found.hops, found.deadline) == ((V2_HOP,), UNTIL)
    else:
        assert found.reason is Unread.UNKNOWN_METHOD


# V4

POOL_KEY = "(address,address,uint24,int24,address)"
PATH_KEYS = "(address,uint24,int24,address,bytes)[]"


def v4(*actions: tuple[int, bytes]) -> tuple[int, bytes]:
    codes, given = bytes(code for code, _ in actions), [one for _, one in actions]
    return 0x10, arguments("bytes,bytes[]", codes, given)


def single(code: int, router: str, first: bool, amount=10, limit=9) -> tuple[int, bytes]:
    least, values = ("", []) if router == V20 else (",uint256", [0])
    types = f"({POOL_KEY},bool,uint128,uint128{least},bytes)"
    return code, arguments(types, (KEY, first, amount, limit, *values, b"hook"))


def path(code: int, router: str, token: str, *tokens: str, amount=10, limit=9) -> tuple[int, bytes]:
    keys = [(one, 500, 10, ETHER, b"") for one in tokens]
    least, values = ("", []) if router == V20 else (",uint256[]", [[]])
    types = f"(address,{PATH_KEYS}{least},uint128,uint128)"
    return code, arguments(types, (token, keys, *values, amount, limit))


def hop(one: str, two: str) -> Hop:
    return Hop(PoolKind.V4, one, two, 500, tick_spacing=10, hooks=ETHER, zero_for_one=one < two)


@pytest.mark.parametrize("router", [V20, *NEWER])
@pytest.mark.parametrize(("code", "exact_out"), [(0x06, False), (0x08, True)])
@pytest.mark.parametrize("first", [True, False])
def test_a_single_v4_pool(router, code, exact_out, first):
    one, two = (ETHER, B) if first else (B, ETHER)
    (found,) = run(router, v4(single(code, router, first)), until=UNTIL)
    name = CallDecoder().name(router)
    expected = SwapIntent(name, (hop(one, two),), one, two, exact_out, 10, 9, None, UNTIL)
    assert found == expected


@pytest.mark.parametrize("router", [V20, *NEWER])
def test_a_way_of_v4_pools_names_the_other_tokens(router):
    (found,) = run(router, v4(path(0x07, router, A, ETHER, B)))
    assert found.hops == (hop(A, ETHER), hop(ETHER, B))
    assert (found.token_in, found.token_out, found.exact_out) == (A, B, False)
    (found,) = run(router, v4(path(0x09, router, B, A, ETHER)))
    assert found.hops == (hop(A, ETHER), hop(ETHER, B))
    assert (found.token_in, found.token_out, found.exact_out) == (A, B, True)


@pytest.mark.parametrize("code", [0x07, 0x09])
def test_a_way_of_v4_pools_has_one_and_not_too_many(code):
    (found,) = run(V20, v4(path(code, V20, A)))
    assert found.reason is Unread.MALFORMED
    (found,) = run(V20, v4(path(code, V20, A, *[B, A] * (MAX_HOPS // 2))))
    assert len(found.hops) == MAX_HOPS
    (found,) = run(V20, v4(path(code, V20, A, *[B] * (MAX_HOPS + 1))))
    assert found.reason is Unread.TOO_LARGE


def test_an_amount_of_zero_is_what_is_open():
    (found,) = run(V20, v4(single(0x06, V20, True, amount=0)))
    assert (found.amount, found.basis) == (None, Basis.OPEN)


def take(token: str, to: str, amount: int) -> tuple[int, bytes]:
    return 0x0E, arguments("address,address,uint256", token, to, amount)


def all_of(code: int, token: str, amount: int) -> tuple[int, bytes]:
    return code, arguments("address,uint256", token, amount)


SETTLE = 0x0B, arguments("address,uint256,bool", ETHER, 0, True)


def portion(token: str, bips: int) -> tuple[int, bytes]:
    return 0x10, arguments("address,address,uint256", token, YOU, bips)


@pytest.mark.parametrize(
    ("after", "limit", "recipient"),
    [
        ((all_of(0x0F, B, 8),), 8, ME),
        ((take(B, SENDER, 0),), 0, ME),
        ((take(B, YOU, 7),), 7, YOU),
        ((SETTLE, take(B, ROUTER, 0)), 0, V20),
        ((all_of(0x0F, A, 8),), 0, None),
        ((portion(B, 1000), all_of(0x0F, B, 90)), 99, ME),
    ],
)
def test_what_is_taken_says_who_gets_it_and_how_much_it_must_be(after, limit, recipient):
    (found,) = run(V20, v4(single(0x06, V20, True, limit=0), *after))
    assert (found.limit, found.recipient) == (limit, recipient)


def test_what_the_router_took_may_be_handed_over_by_the_plan():
    steps = v4(single(0x06, V20, True, limit=0), take(B, ROUTER, 0)), three(0x04, B, SENDER, 8)
    (found,) = run(V20, *steps)
    assert (found.limit, found.recipient) == (8, ME)


@pytest.mark.parametrize(("most", "limit"), [(8, 8), (10, 9)])
def test_what_may_be_paid_bounds_an_exact_output(most, limit):
    (found,) = run(V20, v4(single(0x08, V20, True), all_of(0x0C, ETHER, most)))
    assert found.limit == limit
    (found,) = run(V20, v4(single(0x06, V20, True), all_of(0x0C, ETHER, most)))
    assert found.limit == 9
    both = run(V20, v4(*[single(0x08, V20, True)] * 2, all_of(0x0C, ETHER, most)))
    assert [one.limit for one in both] == [9, 9]


def test_an_unknown_action_stands_in_its_place():
    one, two = run(V20, v4((0x02, b""), single(0x06, V20, True)))
    assert one == Undecoded(Unread.UNKNOWN_METHOD, "action 0x02")
    assert isinstance(two, SwapIntent)


def test_an_action_has_its_parameters():
    given = arguments("bytes,bytes[]", b"\x06\x06", [b""])
    (found,) = run(V20, (0x10, given))
    assert (found.reason, found.detail) == (Unread.MALFORMED, "not one parameter for each action")
    code, given = single(0x06, V20, True)
    (found,) = run(V20, v4((code, given[:-33])))
    assert found.reason is Unread.MALFORMED
