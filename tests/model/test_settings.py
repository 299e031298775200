"""Settings: the text's defaults, and refusals that name the field."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from trio_mev.model.identity import Endpoint, Instrument, Secret
from trio_mev.model.settings import (
    AlertSettings,
    ConnectionSettings,
    EthereumSettings,
    FilterSettings,
    LaneSettings,
    LogFilter,
    MempoolSettings,
    PriceSettings,
    Settings,
    StreamConfig,
    TransactionSettings,
    VenueSettings,
)

ETH = Instrument("ETH", "USDT")
ADDRESS = "0xE592427A0AEce92De3Edee1F18E0157C05861564"
TOPIC = "0x" + "aB" * 32


def test_the_defaults_of_the_stream():
    config = StreamConfig()
    assert (config.lanes.high, config.lanes.normal, config.lanes.low) == (1000, 5000, 2000)
    assert config.lanes.max_bytes == 67_108_864
    assert config.budget == 0.1
    assert (config.health_interval, config.log_interval) == (30.0, 60.0)


def test_the_defaults_of_a_connection():
    connection = ConnectionSettings()
    assert (connection.connect_timeout, connection.ping_interval, connection.silence) == (
        10.0,
        30.0,
        90.0,
    )
    assert (connection.first_delay, connection.factor, connection.restarts) == (5.0, 1.5, 10)
    assert connection.subscribe_interval == 0.1


def test_the_defaults_of_prices_and_transactions():
    prices = PriceSettings()
    assert prices.max_deviation == Decimal("0.05")
    assert (prices.max_age, prices.history, prices.retention) == (60.0, 1000, 3600.0)
    assert (prices.rule, prices.bases) == ("calibrated", ("USDT", "USDC"))
    assert (prices.spread_report, prices.spread_high) == (Decimal("0.001"), Decimal("0.005"))
    transactions = TransactionSettings()
    assert (transactions.large, transactions.very_large, transactions.mega) == (
        1000,
        10_000,
        100_000,
    )
    assert (transactions.gas_window, MempoolSettings().window) == (100, 300.0)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: LaneSettings(high=0), "high is 0; it must be over 0"),
        (lambda: StreamConfig(budget=-1.0), "budget is -1.0; it must be over 0"),
        (lambda: StreamConfig(max_age=float("nan")), "max_age is nan; it must be over 0"),
        (
            lambda: ConnectionSettings(subscribe_interval=-0.1),
            "subscribe_interval is -0.1; it must be 0 or more",
        ),
        (lambda: ConnectionSettings(factor=0.9), "factor"),
        (
            lambda: PriceSettings(max_deviation=Decimal(1)),
            "max_deviation is 1; it must be a fraction from 0 to below 1",
        ),
        (lambda: PriceSettings(spread_report=Decimal("-0.1")), "spread_report is -0.1"),
        (lambda: PriceSettings(min_sources=0), "min_sources is 0; it must be over 0"),
        (lambda: PriceSettings(clock_slack=-1), "clock_slack is -1; it must be 0 or more"),
        (lambda: PriceSettings(bases=("usdt",)), "bases: 'usdt' is not 1 to 20 of A-Z and 0-9"),
        (lambda: PriceSettings(bases=("USDT", "USDT")), "bases must be at most eight different"),
        (lambda: PriceSettings(bases=tuple("ABCDEFGHI")), "bases must be at most eight different"),
        (lambda: TransactionSettings(gas_window=9), "gas_window"),
        (lambda: TransactionSettings(large=Decimal(10_000)), "must rise"),
        (lambda: AlertSettings("a", ETH, "above", Decimal(0)), "price is 0; it must be over 0"),
        (lambda: VenueSettings(kind="binance", name="b", instruments=()), "instruments"),
        (lambda: LogFilter((ADDRESS[:-1],)), "is not 0x and 40 hexadecimal digits"),
        (lambda: LogFilter(topics=(TOPIC + "0",)), "is not 0x and 64 hexadecimal digits"),
        (lambda: LogFilter(topics=((TOPIC, "0x"),)), "topic '0x' is not"),
    ],
)
def test_a_setting_out_of_its_bounds_is_refused_by_name(make, complaint):
    with pytest.raises(ValueError, match=complaint):
        make()


@pytest.mark.parametrize("interval", [0.0, 0.5])
def test_an_interval_may_be_zero(interval):
    assert PriceSettings(publish_interval=interval).publish_interval == interval


def test_a_log_filter_takes_addresses_and_topics_by_place():
    wanted = LogFilter((ADDRESS,), (None, TOPIC, (TOPIC, TOPIC)))
    assert wanted.topics == (None, TOPIC, (TOPIC, TOPIC))


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"value": 1},
        {"min": 1},
        {"max": 1},
        {"operator": "equals", "value": 1, "min": 0},
        {"operator": "equals", "value": 1, "min": 0, "max": 2},
        {"min": 0, "max": 2, "value": 1},
    ],
)
def test_a_filter_that_is_neither_a_comparison_nor_a_range_is_refused(parts):
    with pytest.raises(ValueError, match="either operator and value, or min and max"):
        FilterSettings("data.value", **parts)


@pytest.mark.parametrize(
    "parts",
    [{"operator": "equals", "value": 1}, {"operator": "equals"}, {"min": 0, "max": 2}],
)
def test_a_filter_is_a_comparison_or_a_range(parts):
    settings = FilterSettings("data.value", **parts)
    assert {name: getattr(settings, name) for name in parts} == parts


def test_two_feeds_of_one_name_are_refused():
    feeds = (
        EthereumSettings(name="main"),
        VenueSettings(kind="binance", name="spot", instruments=(ETH,)),
        VenueSettings(kind="coinbase", name="spot", instruments=(ETH,)),
    )
    with pytest.raises(ValueError, match="two feeds are named spot; names must differ"):
        Settings(feeds=feeds)
    assert Settings(feeds=feeds[:2]).feeds == feeds[:2]


@pytest.mark.parametrize(
    "make",
    [
        lambda: LaneSettings(high=10**7 + 1),
        lambda: LaneSettings(max_bytes=10**9 + 1),
        lambda: StreamConfig(failures_before_restart=10**40),
        lambda: StreamConfig(drain_timeout=float("inf")),
        lambda: ConnectionSettings(max_message=2**31),
        lambda: ConnectionSettings(subscribe_interval=1e10),
        lambda: ConnectionSettings(factor=float("inf")),
        lambda: EthereumSettings(name="n", backlog=10**8),
        lambda: EthereumSettings(name="n", fetches=10**8),
        lambda: PriceSettings(history=10**8),
        lambda: PriceSettings(volatility_half_life=1e10),
        lambda: PriceSettings(retention=1e10),
        lambda: TransactionSettings(gas_window=10**8),
        lambda: TransactionSettings(mega=Decimal("1E+999999")),
        lambda: MempoolSettings(max_transactions=10**8),
        lambda: AlertSettings("a", ETH, "above", Decimal("1E+999999")),
    ],
)
def test_a_setting_over_what_its_use_can_bear_is_refused(make):
    with pytest.raises(ValueError, match="is too large; it must be at most 10"):
        make()


@pytest.mark.parametrize(
    "cls",
    [LaneSettings, StreamConfig, ConnectionSettings, PriceSettings, MempoolSettings],
)
def test_every_whole_number_and_time_has_an_upper_bound(cls):
    numbers = [f.name for f in attrs.fields(cls) if type(f.default) in {int, float}]
    assert numbers
    for name in numbers:
        with pytest.raises(ValueError, match=f"{name} is too large"):
            cls(**{name: 10**12})


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "a\x1b[31m", "a\u202eb", "x" * 65])
def test_a_name_that_cannot_be_shown_in_a_line_is_refused(name):
    with pytest.raises(ValueError, match="is not 1 to 64 printable characters"):
        VenueSettings(kind="binance", name=name, instruments=(ETH,))
    with pytest.raises(ValueError, match="is not 1 to 64 printable characters"):
        AlertSettings(name, ETH, "above", Decimal(1))


def test_a_fee_is_a_fraction():
    with pytest.raises(ValueError, match="fees: that of binance is not between -1 and 1"):
        PriceSettings(fees={"binance": Decimal("1E+999999")})


def test_a_user_in_the_endpoint_beside_a_token_is_refused_without_showing_either():
    endpoint = Endpoint("wss://me:hunter2@node.example/ws")
    with pytest.raises(ValueError, match="both a token and a user") as caught:
        EthereumSettings(name="n", endpoint=endpoint, token=Secret("hunter2"))
    assert "hunter2" not in str(caught.value)
    assert EthereumSettings(name="n", endpoint=endpoint).endpoint == endpoint


def test_the_chains_first_block_is_named_by_its_hash():
    assert EthereumSettings(name="n", genesis="0x" + "ab" * 32).genesis == "0x" + "ab" * 32
    with pytest.raises(ValueError, match="genesis '0x12' is not 0x and 64 hexadecimal digits"):
        EthereumSettings(name="n", genesis="0x12")
