"""Pools in the configuration."""

from __future__ import annotations

import pytest

from trio_mev.chain.pools.changes import SYNC, V4_SWAP
from trio_mev.chain.pools.learning import PAIR_CREATED
from trio_mev.config import loads, standard_processors, with_pool_logs
from trio_mev.errors import ConfigError
from trio_mev.model.settings import EthereumSettings, PoolSettings, Settings
from trio_mev.processors.pools import PoolTracker
from trio_mev.processors.prices import PriceDataProcessor

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
logs = [{{ address = ["{ADDRESS}"] }}]
[pools]
tokens = ["{ADDRESS}"]
addresses = ["{ADDRESS}"]
v4_view = "{ADDRESS}"
prices = false
most = 10
check_interval = 5
batch = 20
correction_gas = 1000
[[pools.factories]]
address = "{ADDRESS}"
[[pools.factories]]
address = "{ADDRESS}"
kind = "v3"
fees = [400]
[pools.assets]
"{ADDRESS}" = "WBTC"
"""


def test_every_setting_is_read():
    pools = loads(ALL, {}).settings.pools
    assert pools.tokens == (ADDRESS,)
    assert pools.addresses == (ADDRESS,)
    assert [(one.kind, one.tiers) for one in pools.factories] == [("v2", (3000,)), ("v3", (400,))]
    assert pools.assets == {ADDRESS: "WBTC"}
    assert (pools.v4_view, pools.prices, pools.most) == (ADDRESS, False, 10)
    assert (pools.check_interval, pools.batch, pools.correction_gas) == (5, 20, 1000)
    assert pools.enabled


def test_without_tokens_and_addresses_nothing_is_watched():
    assert not PoolSettings().enabled
    config = loads(NODE, {})
    assert config.settings.pools == PoolSettings()
    assert with_pool_logs(config.settings) == config.settings.feeds
    assert PoolTracker not in {type(make()) for make in config.processors()}


def test_the_first_node_streams_the_pools_logs_beside_its_own():
    second = NODE.replace("node", "other")
    config = loads(ALL.replace("[pools]", second + "[pools]"), {})
    first, other = with_pool_logs(config.settings)
    assert isinstance(first, EthereumSettings)
    own, added = first.logs
    assert own.address == (ADDRESS,)
    assert {SYNC, V4_SWAP, PAIR_CREATED} <= set(added.topics[0] or ())
    assert other == config.settings.feeds[1]
    assert config.feeds()[0].settings == first


def test_the_processors_are_made_of_it():
    made = [make() for make in loads(ALL, {}).processors()]
    (tracker,) = [one for one in made if isinstance(one, PoolTracker)]
    assert tracker.keeper.missing == (ADDRESS.lower(),)
    assert len(tracker.keeper.learner.factories) == 1
    (prices,) = [one for one in made if isinstance(one, PriceDataProcessor)]
    assert prices._pools is None
    heard = [make() for make in loads(ALL.replace("prices = false", ""), {}).processors()]
    (prices,) = [one for one in heard if isinstance(one, PriceDataProcessor)]
    assert prices._pools is not None


def test_a_replay_whose_feeds_are_the_tapes_can_have_pools_too():
    made = [make() for make in standard_processors(Settings(pools=PoolSettings(("WETH",))))]
    assert PoolTracker in {type(one) for one in made}
    assert loads('[pools]\ntokens = ["WETH"]', {}).settings.pools.enabled


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('tokens = ["DOGE"]', "pools.tokens[0]: DOGE is not one of WETH, USDC"),
        ('tokens = ["not a token"]', "tokens: 'not a token' is neither an address nor"),
        (f"tokens = {['A'] * 101}", "pools: tokens: 101 are too many; at most 100"),
        ('addresses = ["0x1"]', "addresses: '0x1' is not 0x and 40 hexadecimal digits"),
        ('v4_view = "0x1"', "v4_view: '0x1' is not 0x and 40 hexadecimal digits"),
        ('assets = { "0x1" = "ETH" }', "assets: '0x1' is not 0x and 40 hexadecimal digits"),
        (f'assets = {{ "{ADDRESS}" = "eth" }}', "assets: 'eth' is not 1 to 20 of A-Z and 0-9"),
        ("most = 0", "most is 0; it must be over 0"),
        (
            f'factories = [{{ address = "{ADDRESS}", fees = [0] }}]',
            "fees must be at most 16, from 1",
        ),
        (
            f'factories = [{{ address = "{ADDRESS}", fees = [1, 2] }}]',
            "fees: a factory of V2 has one fee for all of its pairs",
        ),
        ('factories = [{ address = "0x1" }]', "address: '0x1' is not 0x and 40"),
    ],
)
def test_what_cannot_be_is_said_with_its_place(text, problem):
    with pytest.raises(ConfigError) as caught:
        loads(f"{NODE}[pools]\n{text}", {})
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("feed", "problem"),
    [
        (
            '[[feeds]]\nkind = "okx"\nname = "okx"\ninstruments = ["ETH/USDT"]\n',
            'pools: no feed is a node; add one with kind = "ethereum"',
        ),
        (
            NODE + "follow = false\n",
            "pools: they need whole blocks; set follow and heads of the node's feed to true",
        ),
        (NODE + "heads = false\n", "pools: they need whole blocks"),
        (
            NODE + "chain_id = 5\n",
            "pools.factories: none is known on chain 5; name those whose pools are to be looked "
            "for",
        ),
    ],
)
def test_pools_that_nobody_can_read_are_refused(feed, problem):
    with pytest.raises(ConfigError) as caught:
        loads(f'{feed}[pools]\ntokens = ["{ADDRESS}"]', {})
    assert problem in str(caught.value)


def test_the_environment_overrides_them():
    config = loads(NODE, {"TRIO_MEV_POOLS__TOKENS": '["WETH"]'})
    assert config.settings.pools.tokens == ("WETH",)


def test_a_symbol_is_of_the_main_network():
    with pytest.raises(ConfigError) as caught:
        loads(f'{NODE}chain_id = 8453\n[pools]\ntokens = ["WETH"]', {})
    assert "pools.tokens[0]: the WETH that is known is on chain 1" in str(caught.value)
