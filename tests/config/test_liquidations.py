"""Liquidations in the configuration."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trio_mev.config import LENDING_TOPICS, loads, standard_processors, with_pool_logs
from trio_mev.errors import ConfigError
from trio_mev.model.settings import EthereumSettings, LiquidationSettings, Settings
from trio_mev.processors.liquidations import LiquidationDetector

ADDRESS = "0x" + "aB" * 20
NODE = """
[[feeds]]
kind = "ethereum"
name = "node"
endpoint = "ws://127.0.0.1:8545"
"""
ALL = f"""
{NODE}
chain_id = 5
[liquidations]
enabled = true
pool = "{ADDRESS}"
users = ["{ADDRESS}"]
most = 10
watch_within = 0.1
least_gain = 5
block_time = 2
check_interval = 5
batch = 20
[liquidations.contracts]
"{ADDRESS}" = "settable_feed"
"""


def test_every_setting_is_read():
    chosen = loads(ALL, {}).settings.liquidations
    assert chosen == LiquidationSettings(
        True,
        ADDRESS,
        (ADDRESS,),
        10,
        Decimal("0.1"),
        Decimal(5),
        {ADDRESS: "settable_feed"},
        2,
        5.0,
        20,
    )


def test_nothing_is_watched_where_nobody_wants_it():
    config = loads(NODE, {})
    assert with_pool_logs(config.settings) == config.settings.feeds
    assert LiquidationDetector not in {type(make()) for make in config.processors()}


def test_the_node_streams_the_logs_and_the_detector_is_made():
    (feed,) = with_pool_logs(loads(ALL, {}).settings)
    assert isinstance(feed, EthereumSettings)
    (wanted,) = feed.logs
    assert set(LENDING_TOPICS) <= set(wanted.topics[0] or ())
    assert len(LENDING_TOPICS) == len(set(LENDING_TOPICS))
    made = [make() for make in loads(ALL, {}).processors()]
    (detector,) = [one for one in made if isinstance(one, LiquidationDetector)]
    assert detector.keeper.pool == ADDRESS.lower()


def test_a_replay_whose_feeds_are_the_tapes_can_watch_positions_too():
    settings = Settings(liquidations=LiquidationSettings(enabled=True))
    assert LiquidationDetector in {type(make()) for make in standard_processors(settings)}
    assert loads("[liquidations]\nenabled = true", {}).settings.liquidations.enabled


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('pool = "0x1"', "pool: '0x1' is not 0x and 40 hexadecimal digits"),
        ('users = ["0x1"]', "users: '0x1' is not 0x and 40 hexadecimal digits"),
        ("most = 0", "most is 0; it must be over 0"),
        ("watch_within = 1", "watch_within is 1; it must be a fraction"),
        ("least_gain = -1", "least_gain is -1; it must be 0 or more"),
        ('contracts = { "0x1" = "settable_feed" }', "contracts: '0x1' is not 0x and 40"),
        (f'contracts = {{ "{ADDRESS}" = "feed" }}', "contracts: 'feed' is not one of chainlink_"),
    ],
)
def test_what_cannot_be_is_said_with_its_place(text: str, problem: str):
    with pytest.raises(ConfigError) as caught:
        loads(f"{NODE}[liquidations]\n{text}", {})
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("feed", "problem"),
    [
        (
            '[[feeds]]\nkind = "okx"\nname = "okx"\ninstruments = ["ETH/USDT"]\n',
            'liquidations: no feed is a node; add one with kind = "ethereum"',
        ),
        (f"{NODE}follow = false\n", "liquidations: they need whole blocks; set follow and heads"),
        (f"{NODE}chain_id = 5\n", "liquidations.pool: none is known on chain 5; give its address"),
    ],
)
def test_a_chain_whose_positions_cannot_be_read_is_said(feed: str, problem: str):
    with pytest.raises(ConfigError) as caught:
        loads(f"{feed}[liquidations]\nenabled = true", {})
    assert problem in str(caught.value)
