"""Lending calls and oracle reports, method by method."""

from __future__ import annotations

import pytest

from tests.support.encoding import address, arguments, call
from trio_mev.chain.calldata import CallDecoder, Kind
from trio_mev.model.intents import (
    ETHER,
    Lending,
    LendingIntent,
    OracleUpdate,
    Undecoded,
    Unread,
)

A, B, ME, YOU, MARKET, FEED, FORWARDER = (
    address(n) for n in (0xA, 0xB, 0x3E, 0x44, 0xC7, 0xFEED, 0xF0)
)
V3, V2 = "0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2", "0x7d2768de32b0b80b7a3454c06bdac94a69ddc7a9"
COMET, MORPHO = (
    "0xc3d688b66703497daa19211eedff47f25384cdc3",
    "0xbbbbbbbbbb9cc5e90e3b3af64bdaf62c37eeffcb",
)
ALL = 2**256 - 1
DECODER = CallDecoder(
    {
        MARKET: Kind.COMPOUND_MARKET,
        FEED: Kind.CHAINLINK_AGGREGATOR,
        FORWARDER: Kind.CHAINLINK_FORWARDER,
    }
)


def read(to: str, data: bytes, value: int = 0) -> tuple:
    return DECODER.decode(to, data, ME, value)


def loan(to: str, action: Lending, account: str | None, *rest, **more) -> LendingIntent:
    return LendingIntent(DECODER.name(to), action, to, account, *rest, **more)


SIGNATURE = (1, 27, b"", b"")
BOTH = [
    (
        "liquidationCall(address,address,address,uint256,bool)",
        (A, B, YOU, 10, True),
        Lending.LIQUIDATE,
        YOU,
        (B, 10),
        {"collateral": A, "recipient": ME},
    ),
    ("deposit(address,uint256,address,uint16)", (A, 10, YOU, 0), Lending.SUPPLY, YOU, (A, 10), {}),
    (
        "withdraw(address,uint256,address)",
        (A, 10, YOU),
        Lending.WITHDRAW,
        ME,
        (A, 10),
        {"recipient": YOU},
    ),
    (
        "borrow(address,uint256,uint256,uint16,address)",
        (A, 10, 2, 0, YOU),
        Lending.BORROW,
        YOU,
        (A, 10),
        {"mode": 2, "recipient": ME},
    ),
    (
        "repay(address,uint256,uint256,address)",
        (A, 10, 2, YOU),
        Lending.REPAY,
        YOU,
        (A, 10),
        {"mode": 2},
    ),
    (
        "setUserUseReserveAsCollateral(address,bool)",
        (A, True),
        Lending.USE_AS_COLLATERAL,
        ME,
        (A,),
        {},
    ),
    (
        "setUserUseReserveAsCollateral(address,bool)",
        (A, False),
        Lending.NOT_AS_COLLATERAL,
        ME,
        (A,),
        {},
    ),
    ("swapBorrowRateMode(address,uint256)", (A, 1), Lending.SWAP_RATE, ME, (A,), {"mode": 1}),
]
THIRD = [
    ("supply(address,uint256,address,uint16)", (A, 10, YOU, 0), Lending.SUPPLY, YOU, (A, 10), {}),
    (
        "supplyWithPermit(address,uint256,address,uint16,uint256,uint8,bytes32,bytes32)",
        (A, 10, YOU, 0, *SIGNATURE),
        Lending.SUPPLY,
        YOU,
        (A, 10),
        {},
    ),
    (
        "repayWithPermit(address,uint256,uint256,address,uint256,uint8,bytes32,bytes32)",
        (A, 10, 2, YOU, *SIGNATURE),
        Lending.REPAY,
        YOU,
        (A, 10),
        {"mode": 2},
    ),
    (
        "repayWithATokens(address,uint256,uint256)",
        (A, 10, 2),
        Lending.REPAY,
        ME,
        (A, 10),
        {"mode": 2, "collateral": A},
    ),
    ("setUserEMode(uint8)", (3,), Lending.SET_MODE, ME, (None,), {"mode": 3}),
    (
        "flashLoanSimple(address,address,uint256,bytes,uint16)",
        (YOU, A, 10, b"", 0),
        Lending.FLASH_LOAN,
        ME,
        (A, 10),
        {"recipient": YOU},
    ),
]


@pytest.mark.parametrize("pool", [V3, V2])
@pytest.mark.parametrize(("method", "values", "action", "account", "rest", "more"), BOTH)
def test_calls_of_both_versions_of_aave(pool, method, values, action, account, rest, more):
    assert read(pool, call(method, *values)) == (loan(pool, action, account, *rest, **more),)


@pytest.mark.parametrize(("method", "values", "action", "account", "rest", "more"), THIRD)
def test_calls_of_aaves_third_version_only(method, values, action, account, rest, more):
    data = call(method, *values)
    assert read(V3, data) == (loan(V3, action, account, *rest, **more),)
    assert read(V2, data)[0].reason is Unread.UNKNOWN_METHOD


@pytest.mark.parametrize(
    ("method", "values"),
    [
        ("withdraw(address,uint256,address)", (A, ALL, YOU)),
        ("repay(address,uint256,uint256,address)", (A, ALL, 2, YOU)),
        ("liquidationCall(address,address,address,uint256,bool)", (A, B, YOU, ALL, False)),
    ],
)
def test_the_largest_amount_is_all_there_is(method, values):
    (found,) = read(V3, call(method, *values))
    assert (found.amount, found.whole) == (None, True)


FLASH = "flashLoan(address,address[],uint256[],uint256[],address,bytes,uint16)"


def test_a_flash_loan_with_a_mode_stays_as_a_debt():
    one, two = read(V3, call(FLASH, YOU, [A, B], [10, 11], [0, 2], ME, b"", 0))
    assert one == loan(V3, Lending.FLASH_LOAN, ME, A, 10, mode=0, recipient=YOU)
    assert two == loan(V3, Lending.BORROW, ME, B, 11, mode=2, recipient=YOU)
    for lists in (([A], [10], []), ([A], [], [0])):
        assert read(V3, call(FLASH, YOU, *lists, ME, b"", 0))[0].reason is Unread.MALFORMED


@pytest.mark.parametrize(
    ("method", "values", "action", "account", "rest", "more"),
    [
        (
            "liquidateBorrow(address,uint256,address)",
            (YOU, 10, B),
            Lending.LIQUIDATE,
            YOU,
            (None, 10),
            {"collateral": B, "recipient": ME},
        ),
        (
            "liquidateBorrow(address,address)",
            (YOU, B),
            Lending.LIQUIDATE,
            YOU,
            (ETHER, 7),
            {"collateral": B, "recipient": ME},
        ),
        ("mint(uint256)", (10,), Lending.SUPPLY, ME, (None, 10), {}),
        ("redeem(uint256)", (10,), Lending.WITHDRAW, ME, (), {"shares": 10, "recipient": ME}),
        ("redeemUnderlying(uint256)", (10,), Lending.WITHDRAW, ME, (None, 10), {"recipient": ME}),
        ("borrow(uint256)", (10,), Lending.BORROW, ME, (None, 10), {"recipient": ME}),
        ("repayBorrow(uint256)", (10,), Lending.REPAY, ME, (None, 10), {}),
        ("repayBorrow(uint256)", (ALL,), Lending.REPAY, ME, (None, None, True), {}),
        ("repayBorrowBehalf(address,uint256)", (YOU, 10), Lending.REPAY, YOU, (None, 10), {}),
    ],
)
def test_calls_of_a_compound_market(method, values, action, account, rest, more):
    assert read(MARKET, call(method, *values), 7) == (loan(MARKET, action, account, *rest, **more),)


@pytest.mark.parametrize(
    ("method", "values", "action", "account", "rest", "more"),
    [
        (
            "buyCollateral(address,uint256,uint256,address)",
            (A, 9, 10, YOU),
            Lending.BUY_COLLATERAL,
            None,
            (None, 10),
            {"collateral": A, "collateral_amount": 9, "recipient": YOU},
        ),
        ("supply(address,uint256)", (A, 10), Lending.SUPPLY, ME, (A, 10), {}),
        ("supplyTo(address,address,uint256)", (YOU, A, 10), Lending.SUPPLY, YOU, (A, 10), {}),
        (
            "withdraw(address,uint256)",
            (A, ALL),
            Lending.WITHDRAW,
            ME,
            (A, None, True),
            {"recipient": ME},
        ),
        (
            "withdrawTo(address,address,uint256)",
            (YOU, A, 10),
            Lending.WITHDRAW,
            ME,
            (A, 10),
            {"recipient": YOU},
        ),
    ],
)
def test_calls_of_comet(method, values, action, account, rest, more):
    assert read(COMET, call(method, *values)) == (loan(COMET, action, account, *rest, **more),)


def test_comet_absorbs_several_accounts_at_once():
    found = read(COMET, call("absorb(address,address[])", ME, [YOU, A]))
    assert found == tuple(loan(COMET, Lending.ABSORB, one, recipient=ME) for one in (YOU, A))
    (none,) = read(COMET, call("absorb(address,address[])", ME, []))
    assert none == Undecoded(Unread.NO_SWAP)


PARAMETERS = "(address,address,address,address,uint256)"
GIVEN = (A, B, FEED, MARKET, 86 * 10**16)
OF_MARKET = {"collateral": B, "oracle": FEED, "rate_model": MARKET, "lltv": 86 * 10**16}


@pytest.mark.parametrize(
    ("method", "values", "action", "rest", "more"),
    [
        (
            f"liquidate({PARAMETERS},address,uint256,uint256,bytes)",
            (YOU, 5, 0, b""),
            Lending.LIQUIDATE,
            (A,),
            {"collateral_amount": 5, "recipient": ME},
        ),
        (
            f"liquidate({PARAMETERS},address,uint256,uint256,bytes)",
            (YOU, 0, 6, b""),
            Lending.LIQUIDATE,
            (A,),
            {"shares": 6, "recipient": ME},
        ),
        (
            f"supply({PARAMETERS},uint256,uint256,address,bytes)",
            (10, 0, YOU, b""),
            Lending.SUPPLY,
            (A, 10),
            {},
        ),
        (
            f"withdraw({PARAMETERS},uint256,uint256,address,address)",
            (0, 6, YOU, ME),
            Lending.WITHDRAW,
            (A,),
            {"shares": 6, "recipient": ME},
        ),
        (
            f"borrow({PARAMETERS},uint256,uint256,address,address)",
            (10, 0, YOU, ME),
            Lending.BORROW,
            (A, 10),
            {"recipient": ME},
        ),
        (
            f"repay({PARAMETERS},uint256,uint256,address,bytes)",
            (0, 6, YOU, b""),
            Lending.REPAY,
            (A,),
            {"shares": 6},
        ),
        (
            f"supplyCollateral({PARAMETERS},uint256,address,bytes)",
            (10, YOU, b""),
            Lending.SUPPLY_COLLATERAL,
            (B, 10),
            {},
        ),
        (
            f"withdrawCollateral({PARAMETERS},uint256,address,address)",
            (10, YOU, ME),
            Lending.WITHDRAW_COLLATERAL,
            (B, 10),
            {"recipient": ME},
        ),
    ],
)
def test_calls_of_morpho_name_their_market(method, values, action, rest, more):
    data = call(method, GIVEN, *values)
    assert read(MORPHO, data) == (loan(MORPHO, action, YOU, *rest, **OF_MARKET, **more),)


# Chainlink

NEW = "transmit(bytes32[3],bytes,bytes32[],bytes32[],bytes32)"
SECONDARY = "transmitSecondary(bytes32[3],bytes,bytes32[],bytes32[],bytes32)"
OLD = "transmit(bytes,bytes32[],bytes32[],bytes32)"
CONTEXT = (b"", b"", b"")


def report(*observations: int) -> bytes:
    return arguments("uint32,bytes32,int192[],int192", 1_700_000_000, b"", observations, 5)


def first_report(*observations: int) -> bytes:
    return arguments("bytes32,bytes32,int192[]", b"", b"", observations)


def new(given: bytes, method: str = NEW) -> bytes:
    return call(method, CONTEXT, given, [], [], b"")


@pytest.mark.parametrize("method", [NEW, SECONDARY])
def test_the_answer_of_a_report_is_the_one_in_the_middle(method):
    data = new(report(-5, 1, 2, 8), method)
    expected = OracleUpdate(FEED, 2, 4, 1_700_000_000)
    assert read(FEED, data) == (expected,)
    assert read(FORWARDER, call("forward(address,bytes)", FEED, data)) == (expected,)


def test_a_report_of_the_first_generation_does_not_say_when():
    data = call(OLD, first_report(1, 2, 3), [], [], b"")
    assert read(FEED, data) == (OracleUpdate(FEED, 2, 3),)
    assert read(FORWARDER, call("forward(address,bytes)", FEED, data)) == (
        OracleUpdate(FEED, 2, 3),
    )


@pytest.mark.parametrize(
    ("observations", "words"), [((), "without observations"), ((2, 1), "not sorted")]
)
def test_a_report_that_the_contract_would_refuse_is_malformed(observations, words):
    (found,) = read(FEED, new(report(*observations)))
    assert found.reason is Unread.MALFORMED
    assert words in found.detail


def test_something_else_that_is_forwarded_is_not_read():
    data = call("forward(address,bytes)", FEED, b"\xde\xad\xbe\xef")
    assert read(FORWARDER, data) == (Undecoded(Unread.UNKNOWN_METHOD, f"0xdeadbeef of {FEED}"),)
