"""The ledger: what became of each prediction, and what is counted of it."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from trio_mev.model.chain import Block, Life, PendingLife, Reorg
from trio_mev.model.event import DataType
from trio_mev.model.opportunity import (
    CexDex,
    Exposure,
    Grounds,
    JustInTime,
    Kind,
    Landed,
    Liquidation,
    Liquidity,
    Opportunity,
    Path,
    Score,
    Status,
    SwapRecord,
    Verdict,
)
from trio_mev.processors import scores
from trio_mev.processors.ledger import PredictionLedger
from trio_mev.processors.scores import Ledger

WETH, USDC = "0xweth", "0xusdc"
A, B, C = "0xa", "0xb", "0xc"
NAME = "Detector"


def swap(pool: str, transaction: str | None = None, token_in: str = WETH) -> SwapRecord:
    token_out = USDC if token_in == WETH else WETH
    return SwapRecord(pool, "uniswap_v2", token_in, 10, token_out, 20, transaction)


def predicted(
    cause: str = "tx",
    pools: tuple[str, ...] = (A, B),
    name: str = "1",
    block: int = 10,
    **more: Any,
) -> Opportunity:
    usual: dict[str, Any] = {"gross": {WETH: 100}, "detail": Path(tuple(map(swap, pools)))}
    fields = {"kind": Kind.ARBITRAGE} | usual | more
    return Opportunity(
        id=name,
        detector=NAME,
        status=Status.PREDICTED,
        grounds=Grounds.ARITHMETIC,
        cause=cause,
        block=block,
        pools=pools,
        **fields,
    )


def landed(
    transactions: tuple[str, ...] = ("by",),
    pools: tuple[str, ...] = (A, B),
    kind: Kind = Kind.ARBITRAGE,
    **more: Any,
) -> Opportunity:
    fields: dict[str, Any] = {"gross": {WETH: 80}, "detail": Path(tuple(map(swap, pools)))} | more
    return Opportunity(
        kind=kind,
        id=f"{kind.value}:{transactions[-1]}",
        detector="BlockInspector",
        status=Status.LANDED,
        grounds=Grounds.ARITHMETIC,
        transactions=transactions,
        pools=pools,
        **fields,
    )


def block(
    number: int,
    *transactions: str,
    swaps: tuple[SwapRecord, ...] = (),
    found: tuple[Opportunity, ...] = (),
    fork: str = "",
) -> Landed:
    return Landed(number, f"h{number}{fork}", transactions, swaps, found)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def score_of(ledger: Ledger, detector: str = NAME) -> Score:
    (score,) = [one for one in ledger.scores() if one.detector == detector]
    return score


def test_an_arbitrage_behind_its_cause_through_the_same_pools_is_taken(ledger: Ledger):
    ledger.predict(predicted(), 1.0)
    (told,) = ledger.land(block(11, "tx", "by", swaps=(swap(A, "tx"),), found=(landed(),)), 13.0)
    assert told.status is Status.LANDED
    assert told.outcome is not None
    assert (told.outcome.verdict, told.outcome.by) == (Verdict.TAKEN, "by")
    assert (told.outcome.their_gross, told.outcome.lead) == ({WETH: 80}, 12.0)
    score = score_of(ledger)
    assert (score.predicted, score.taken, score.open) == (1, 1, 0)
    assert (score.precision, score.recall, score.error, score.lead) == (1, 1, 0.25, 12.0)


def test_through_some_of_them_it_is_competed_away(ledger: Ledger):
    ledger.predict(predicted(), 1.0)
    other = landed(pools=(B, C))
    (told,) = ledger.land(block(11, "tx", "by", swaps=(swap(A, "tx"),), found=(other,)), 13.0)
    assert (told.status, told.outcome.verdict) == (Status.MISSED, Verdict.COMPETED)
    score = score_of(ledger)
    assert (score.competed, score.error, score.lead) == (1, None, None)


def test_what_comes_before_the_cause_did_not_take_it(ledger: Ledger):
    ledger.predict(predicted(), 1.0)
    told = ledger.land(block(11, "by", "tx", swaps=(swap(A, "tx"),), found=(landed(),)), 13.0)
    assert [one.outcome.verdict for one in told] == [Verdict.EXPIRED, Verdict.UNSEEN]
    assert told[1].status is Status.LANDED
    assert score_of(ledger).precision == 0
    assert score_of(ledger, "BlockInspector").unseen == 1
    assert score_of(ledger, "BlockInspector").recall is None
    assert score_of(ledger, "BlockInspector").precision is None


def test_a_cause_that_did_not_swap_there_makes_it_wrong(ledger: Ledger):
    ledger.predict(predicted(), 1.0)
    (told,) = ledger.land(block(11, "tx", swaps=(swap(C, "tx"),)), 13.0)
    assert told.outcome.verdict is Verdict.WRONG
    assert told.outcome.why == "its cause swapped at none of these pools"
    assert score_of(ledger).wrong == 1


def test_a_cause_that_is_not_in_the_block_waits_for_the_next(ledger: Ledger):
    ledger.predict(predicted(), 1.0)
    assert ledger.land(block(11, "other", swaps=(swap(A, "other"),)), 13.0) == []
    assert score_of(ledger).open == 1
    assert score_of(ledger).precision is None
    assert len(ledger) == 1


def test_new_amounts_are_the_same_prediction(ledger: Ledger):
    ledger.predict(predicted(), 1.0)
    ledger.predict(predicted(block=11, gross={WETH: 160}), 13.0)
    (told,) = ledger.land(block(12, "tx", "by", swaps=(swap(A, "tx"),), found=(landed(),)), 25.0)
    assert told.gross == {WETH: 160}
    assert told.outcome.lead == 24.0
    assert (score_of(ledger).predicted, score_of(ledger).error) == (1, 1.0)


def test_a_prediction_that_comes_after_its_block_is_judged_at_once(ledger: Ledger):
    ledger.land(block(11, "tx", "by", swaps=(swap(A, "tx"),), found=(landed(),)), 13.0)
    (told,) = ledger.predict(predicted(), 13.5)
    assert told.outcome.verdict is Verdict.TAKEN
    assert told.outcome.lead == -0.5


@pytest.mark.parametrize(
    ("life", "closed"),
    [
        (Life.REPLACED, True),
        (Life.DROPPED, True),
        (Life.EXPIRED, True),
        (Life.INCLUDED, False),
        (Life.ANNOUNCED, False),
    ],
)
def test_a_cause_that_will_not_come_supersedes_it(ledger: Ledger, life: Life, closed: bool):
    ledger.predict(predicted(), 1.0)
    ledger.predict(predicted(cause="another", name="2"), 1.0)
    told = ledger.lived("tx", life)
    assert [(one.id, one.status) for one in told] == ([("1", Status.SUPERSEDED)] if closed else [])
    assert score_of(ledger).superseded == closed
    assert ledger.lived("unknown", life) == []


def test_a_detector_may_take_it_back(ledger: Ledger):
    ledger.predict(predicted(), 1.0)
    (told,) = ledger.drop(predicted())
    assert told.status is Status.SUPERSEDED
    assert ledger.drop(predicted()) == []
    assert score_of(ledger).superseded == 1


def test_recall_counts_what_landed_once_and_whoever_predicted_it(ledger: Ledger):
    """One sandwich of two victims, each predicted, and one of which only another detector knew."""
    sandwich = {"kind": Kind.SANDWICH, "detail": EXPOSURE}
    for name in ("1", "2"):
        ledger.predict(predicted(f"tx{name}", name=name, **sandwich), 1.0)
    other = attrs.evolve(predicted("tx3", name="3", **sandwich), detector="Another")
    ledger.predict(other, 1.0)
    found = (
        landed(("front", "back"), kind=Kind.SANDWICH, victims=("tx1", "tx2")),
        landed(("first", "last"), kind=Kind.SANDWICH, victims=("tx3",)),
        landed(("by",), pools=(C,), reverted=True),
    )
    names = "front", "tx1", "tx2", "back", "first", "tx3", "last", "by"
    swaps = tuple(swap(A, name) for name in ("tx1", "tx2", "tx3"))
    ledger.land(block(11, *names, swaps=swaps, found=found), 13.0)
    mine, theirs = score_of(ledger), score_of(ledger, "Another")
    assert (mine.taken, mine.foreseen, mine.landed, mine.recall) == (2, 1, 2, 0.5)
    assert (theirs.taken, theirs.foreseen, theirs.landed, theirs.recall) == (1, 1, 2, 0.5)
    ledger.retract([Block(11, "h11", "h10", 0, 0, 0)])
    assert (score_of(ledger).foreseen, score_of(ledger).landed) == (0, 0)
    assert score_of(ledger).recall is None


def test_what_lands_under_another_label_counts_as_what_was_predicted(ledger: Ledger):
    ledger.predict(predicted(kind=Kind.SANDWICH, detail=EXPOSURE), 1.0)
    found = (landed(alternatives=(Kind.SANDWICH,), victims=("tx",)),)
    ledger.land(block(11, "tx", "by", swaps=(swap(A, "tx"),), found=found), 13.0)
    assert (score_of(ledger).foreseen, score_of(ledger).recall) == (1, 1)


def on_state(cause: str = "h10", **more: Any) -> Opportunity:
    return predicted(cause, on_state=True, **more)


def test_on_a_blocks_state_it_stands_until_its_pools_change(ledger: Ledger):
    ledger.predict(on_state(), 1.0)
    assert ledger.land(block(10, "by", swaps=(swap(A, "by"),), found=()), 1.0) == []
    assert ledger.land(block(11, "x", swaps=(swap(C, "x"),)), 13.0) == []
    (told,) = ledger.land(block(12, "x", swaps=(swap(B, "x"),)), 25.0)
    assert told.outcome.verdict is Verdict.EXPIRED
    ledger.predict(on_state(name="2"), 1.0)
    (told,) = ledger.land(block(13, "by", swaps=(swap(B, "by"),), found=(landed(),)), 37.0)
    assert told.outcome.verdict is Verdict.TAKEN


def test_but_not_for_ever(ledger: Ledger):
    ledger.predict(on_state(), 1.0)
    assert ledger.land(block(10 + scores.MOST_AGE), 13.0) == []
    (told,) = ledger.land(block(11 + scores.MOST_AGE), 13.0)
    assert told.outcome.verdict is Verdict.EXPIRED


EXPOSURE = Exposure(swap(A), 5, 1, 2, 3, None, 0)
JIT = JustInTime(Liquidity(A, "me", 0, 60, 5, 1, 1), (), Liquidity(A, "me", 0, 60, 5, 1, 1))


def liquidation(user: str = "user", debt: str = USDC) -> Liquidation:
    return Liquidation("aave_v3", user, debt, 5, WETH, 6, None)


@pytest.mark.parametrize(
    ("mine", "theirs", "verdict"),
    [
        (
            {"kind": Kind.SANDWICH, "detail": EXPOSURE},
            {"kind": Kind.SANDWICH, "transactions": ("front", "back"), "victims": ("tx",)},
            Verdict.TAKEN,
        ),
        (
            {"kind": Kind.SANDWICH, "detail": EXPOSURE},
            {"kind": Kind.SANDWICH, "transactions": ("front", "back"), "victims": ("other",)},
            Verdict.EXPIRED,
        ),
        (
            {"kind": Kind.SANDWICH, "detail": EXPOSURE},
            {"kind": Kind.ARBITRAGE, "alternatives": (Kind.SANDWICH,), "victims": ("tx",)},
            Verdict.TAKEN,
        ),
        (
            {"kind": Kind.JIT, "detail": JIT, "transactions": ("mint", "burn")},
            {"kind": Kind.JIT, "transactions": ("mint", "burn")},
            Verdict.TAKEN,
        ),
        (
            {"kind": Kind.JIT, "detail": JIT, "transactions": ("mint",)},
            {"kind": Kind.JIT, "transactions": ("others", "burn")},
            Verdict.EXPIRED,
        ),
        (
            {"kind": Kind.LIQUIDATION, "detail": liquidation()},
            {"kind": Kind.LIQUIDATION, "detail": liquidation()},
            Verdict.TAKEN,
        ),
        (
            {"kind": Kind.LIQUIDATION, "detail": liquidation()},
            {"kind": Kind.LIQUIDATION, "detail": liquidation(debt=WETH)},
            Verdict.COMPETED,
        ),
        (
            {"kind": Kind.LIQUIDATION, "detail": liquidation()},
            {"kind": Kind.LIQUIDATION, "detail": liquidation("another")},
            Verdict.EXPIRED,
        ),
        (
            {"kind": Kind.LIQUIDATION, "detail": liquidation()},
            {
                "kind": Kind.LIQUIDATION,
                "detail": attrs.evolve(liquidation(), collateral_token=USDC),
            },
            Verdict.COMPETED,
        ),
        ({"kind": Kind.ARBITRAGE}, {"reverted": True}, Verdict.EXPIRED),
        ({"kind": Kind.SWAP, "detail": swap(A)}, {}, Verdict.EXPIRED),
    ],
)
def test_each_kind_has_its_rule(ledger: Ledger, mine: Any, theirs: Any, verdict: Verdict):
    ledger.predict(predicted(**mine), 1.0)
    found = (landed(**{"transactions": ("by",)} | theirs),)
    order = ("front", "mint", "tx", "by", "back", "burn")
    told = ledger.land(block(11, *order, swaps=(swap(A, "tx"),), found=found), 13.0)
    assert told[0].outcome.verdict is verdict


@pytest.mark.parametrize(
    ("mine", "verdict"),
    [
        ({"kind": Kind.ARBITRAGE}, Verdict.WRONG),
        ({"kind": Kind.SANDWICH, "detail": EXPOSURE}, Verdict.WRONG),
        ({"kind": Kind.JIT, "detail": JIT}, Verdict.EXPIRED),
        ({"kind": Kind.LIQUIDATION, "detail": liquidation()}, Verdict.EXPIRED),
    ],
)
def test_only_what_needs_its_causes_own_swap_is_wrong_without_it(ledger: Ledger, mine, verdict):
    """Others that swap there do not count."""
    ledger.predict(predicted(**mine), 1.0)
    swaps = swap(A, "other"), swap(B, "other"), swap(C, "tx")
    (told,) = ledger.land(block(11, "other", "tx", swaps=swaps), 13.0)
    assert told.outcome.verdict is verdict


def test_who_did_it_is_who_was_last(ledger: Ledger):
    ledger.predict(predicted(kind=Kind.SANDWICH, detail=EXPOSURE), 1.0)
    other = landed(("front", "back"), kind=Kind.SANDWICH, victims=("tx",))
    (told,) = ledger.land(block(11, "front", "tx", "back", found=(other,)), 13.0)
    assert (told.outcome.verdict, told.outcome.by) == (Verdict.TAKEN, "back")


@pytest.mark.parametrize(
    ("transactions", "verdict"),
    [
        (("by",), Verdict.TAKEN),
        (("tx",), Verdict.EXPIRED),
        (("early", "by"), Verdict.EXPIRED),
        (("unlisted",), Verdict.TAKEN),
    ],
    ids=["behind it", "itself", "partly before it", "nobody knows where"],
)
def test_an_arbitrage_took_it_only_if_all_of_it_may_be_behind_the_cause(
    ledger: Ledger, transactions, verdict
):
    ledger.predict(predicted(), 1.0)
    found = (landed(transactions),)
    told = ledger.land(block(11, "early", "tx", "by", swaps=(swap(A, "tx"),), found=found), 13.0)
    assert told[0].outcome.verdict is verdict


def test_of_a_deal_with_an_exchange_only_the_pools_side_shows(ledger: Ledger):
    from decimal import Decimal

    detail = CexDex(Decimal(1), Decimal(1), Decimal(1), Decimal(1))
    deal = {"kind": Kind.CEX_DEX, "detail": detail, "gross": {WETH: -10, USDC: 30}}
    ledger.predict(on_state(pools=(A,), **deal), 1.0)
    ledger.predict(on_state(pools=(A,), name="2", **deal | {"gross": {USDC: -10}}), 1.0)
    ledger.predict(on_state(pools=(B,), name="3", **deal), 1.0)
    told = ledger.land(block(11, "x", swaps=(swap(A, "x"),)), 13.0)
    assert [one.outcome.verdict for one in told] == [Verdict.COMPETED, Verdict.EXPIRED]
    assert told[0].outcome.their_gross == {WETH: -10, USDC: 20}


def test_a_liquidation_of_a_blocks_state_stands_whatever_is_swapped(ledger: Ledger):
    ledger.predict(on_state(kind=Kind.LIQUIDATION, detail=liquidation()), 1.0)
    assert ledger.land(block(11, "x", swaps=(swap(A, "x"),)), 13.0) == []


def test_a_reorganisation_withdraws_and_opens_again(ledger: Ledger):
    ledger.predict(predicted(), 1.0)
    gone = block(11, "tx", "by", swaps=(swap(A, "tx"),), found=(landed(), landed(("else",), (C,))))
    ledger.land(gone, 13.0)
    ledger.predict(on_state("h11", name="2", block=11), 13.0)
    assert (score_of(ledger).taken, score_of(ledger, "BlockInspector").unseen) == (1, 1)
    told = ledger.retract((Block(11, "h11", "h10", 0, 0, 0), Block(9, "h9", "h8", 0, 0, 0)))
    assert [(one.id, one.status) for one in told] == [("2", Status.WITHDRAWN)]
    assert (score_of(ledger).taken, score_of(ledger).open) == (0, 1)
    assert [score.detector for score in ledger.scores()] == [NAME]
    assert (score_of(ledger).error, score_of(ledger).lead) == (None, None)
    (told,) = ledger.land(block(11, "tx", swaps=(swap(A, "tx"),), fork="x"), 14.0)
    assert told.outcome.verdict is Verdict.EXPIRED


def test_what_ended_with_its_cause_stays_so_though_its_block_is_given_up(ledger: Ledger):
    ledger.predict(predicted(), 1.0)
    ledger.land(block(11, "tx", swaps=(swap(A, "tx"),)), 13.0)
    assert ledger.lived("tx", Life.REPLACED) == []
    (told,) = ledger.retract((Block(11, "h11", "h10", 0, 0, 0),))
    assert told.status is Status.SUPERSEDED
    assert (score_of(ledger).superseded, score_of(ledger).open, len(ledger)) == (1, 0, 0)


def test_what_was_predicted_again_after_its_block_is_one_when_that_is_given_up(ledger: Ledger):
    joint = {"kind": Kind.SANDWICH, "detail": EXPOSURE, "victims": ("tx", "other")}
    ledger.predict(predicted(**joint), 1.0)
    (told,) = ledger.land(block(11, "other", swaps=(swap(A, "other"),)), 13.0)
    assert told.outcome.verdict is Verdict.EXPIRED  # a part of it is in
    ledger.predict(predicted(block=11, **joint), 14.0)
    assert score_of(ledger).predicted == 2
    assert ledger.retract((Block(11, "h11", "h10", 0, 0, 0),)) == []
    assert (score_of(ledger).predicted, score_of(ledger).open, len(ledger)) == (1, 1, 1)
    found = (landed(("front", "back"), kind=Kind.SANDWICH, victims=("other", "tx")),)
    order = ("front", "other", "tx", "back")
    (told,) = ledger.land(block(12, *order, swaps=(swap(A, "tx"),), found=found), 25.0)
    assert told.outcome.lead == 24.0


def test_a_prediction_of_a_cause_that_has_ended_is_over_at_once(ledger: Ledger, monkeypatch):
    """It was under way; what had been told already is not told again."""
    ledger.predict(predicted(), 1.0)
    assert len(ledger.lived("tx", Life.DROPPED)) == 1
    assert ledger.predict(predicted(), 2.0) == []
    (told,) = ledger.predict(predicted(name="2"), 2.0)
    assert (told.id, told.status) == ("2", Status.SUPERSEDED)
    assert (score_of(ledger).predicted, score_of(ledger).superseded) == (2, 2)
    ledger.lived("tx", Life.RETURNED)
    assert ledger.predict(predicted(name="3"), 3.0) == []
    assert score_of(ledger).open == 1
    monkeypatch.setattr(scores, "MOST_OVER", 1)
    for cause in ("one", "two"):
        ledger.lived(cause, Life.EXPIRED)
    assert ledger.predict(predicted("one", name="4"), 4.0) == []
    assert score_of(ledger).open == 2  # so long ago is not remembered


def test_only_so_many_are_open(ledger: Ledger, monkeypatch):
    monkeypatch.setattr(scores, "MOST_OPEN", 2)
    assert ledger.predict(predicted(name="1"), 1.0) == []
    assert ledger.predict(predicted(name="2"), 1.0) == []
    (told,) = ledger.predict(predicted(name="3"), 1.0)
    assert (told.id, told.outcome.verdict) == ("1", Verdict.EXPIRED)
    assert len(ledger) == 2


@pytest.mark.parametrize(
    ("mine", "theirs", "error"),
    [
        ({WETH: 100}, {WETH: 80}, 0.25),
        ({WETH: 100}, {WETH: 80, USDC: 3}, 0.25),
        ({WETH: 100, USDC: -5}, {WETH: 80}, None),
        ({WETH: 100}, {USDC: 80}, None),
        ({WETH: 100}, {WETH: -80}, None),
        ({WETH: 100}, None, None),
        (None, {WETH: 80}, None),
    ],
)
def test_an_error_is_of_one_token(ledger: Ledger, mine, theirs, error):
    ledger.predict(predicted(gross=mine), 1.0)
    found = (landed(gross=theirs),)
    ledger.land(block(11, "tx", "by", swaps=(swap(A, "tx"),), found=found), 13.0)
    assert score_of(ledger).error == error


async def test_as_a_processor_it_takes_findings_blocks_reorganisations_and_lives(feed, make_event):
    processor = PredictionLedger()
    gone = Block(11, "h11", "h10", 0, 0, 0)
    late = landed(("else",), (C,))
    events = await feed(
        processor,
        make_event(DataType.ARBITRAGE, predicted(), at=1.0),
        make_event(DataType.FINDING, predicted(cause="tx2", name="2"), at=1.0),
        make_event(DataType.FINDING, predicted(cause="tx3", name="3"), at=1.0),
        make_event(DataType.FINDING, "something of a plug-in's"),
        make_event(DataType.FINDING, landed()),
        make_event(DataType.LANDED, block(11, "tx", swaps=(swap(A, "tx"),), found=(late,)), at=9.0),
        make_event(DataType.MEMPOOL, PendingLife("tx2", Life.DROPPED)),
        make_event(
            DataType.FINDING,
            attrs.evolve(predicted(cause="tx3", name="3"), status=Status.SUPERSEDED),
        ),
        make_event(DataType.ARBITRAGE, predicted("h11", name="4", block=11, on_state=True)),
        make_event(DataType.REORG, Reorg(10, "h10", (gone,), ())),
    )
    told = [(event.data.id, event.data.status) for event in events]
    assert told == [
        ("1", Status.MISSED),
        ("arbitrage:else", Status.LANDED),
        ("2", Status.SUPERSEDED),
        ("3", Status.SUPERSEDED),
        ("4", Status.WITHDRAWN),
    ]
    assert {event.event_type for event in events} == {DataType.VERDICT}
    assert [score.predicted for score in processor.scores()] == [4]


class Bookkeeping(RuleBasedStateMachine):
    """Whatever comes: each prediction is open or has one verdict that counts."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger, self.number, self.made = Ledger(), 10, 0
        self.blocks: list[Landed] = []

    @rule(
        cause=st.sampled_from(["t1", "t2", "t3", "head"]), pools=st.sampled_from([(A, B), (B, C)])
    )
    def predict(self, cause: str, pools: tuple[str, ...]) -> None:
        self.made += 1
        state = cause == "head"
        name = f"h{self.number}" if state else cause
        one = predicted(name, pools, str(self.made), self.number, on_state=state)
        self.ledger.predict(one, float(self.number))

    @rule(
        included=st.lists(st.sampled_from(["t1", "t2", "t3", "by"]), unique=True),
        pool=st.sampled_from([A, B, C]),
        arbitrage=st.booleans(),
    )
    def land(self, included: list[str], pool: str, arbitrage: bool) -> None:
        self.number += 1
        found = (landed(),) if arbitrage and "by" in included else ()
        swaps = tuple(swap(pool, one) for one in included)
        made = block(self.number, *included, swaps=swaps, found=found, fork=str(self.made))
        self.blocks.append(made)
        self.ledger.land(made, float(self.number))

    @rule(depth=st.integers(1, 3))
    def retract(self, depth: int) -> None:
        gone = [self.blocks.pop() for _ in range(min(depth, len(self.blocks)))]
        self.number -= len(gone)
        self.ledger.retract([Block(b.number, b.hash, "", 0, 0, 0) for b in gone])

    @rule(cause=st.sampled_from(["t1", "t2", "t3"]))
    def drop(self, cause: str) -> None:
        self.ledger.lived(cause, Life.DROPPED)

    @invariant()
    def nothing_is_lost_or_counted_twice(self) -> None:
        for score in self.ledger.scores():
            ended = score.taken + score.competed + score.expired + score.wrong
            ended += score.withdrawn + score.superseded
            assert score.predicted == ended + score.open
            assert min(score.taken, score.competed, score.expired, score.unseen) >= 0
            assert score.landed == sum(len(one.opportunities) for one in self.blocks)
            assert 0 <= score.foreseen <= score.landed


TestBookkeeping = Bookkeeping.TestCase
TestBookkeeping.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
