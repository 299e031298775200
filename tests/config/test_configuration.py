"""The configuration: what it takes, what it refuses, and that it never shows a secret."""

from __future__ import annotations

import random
import re
from decimal import Decimal
from pathlib import Path

import cattrs
import pytest
from cattrs.errors import IterableValidationNote

from trio_mev.config import Config, load, loads, standard_processors
from trio_mev.config.explain import explain
from trio_mev.errors import ConfigError
from trio_mev.feeds.ethereum import EthereumWebSocketClient
from trio_mev.feeds.venues import VenueClient
from trio_mev.flow.processor import check_stages
from trio_mev.model.event import DataType
from trio_mev.model.identity import Endpoint, Instrument, InstrumentKind, Venue
from trio_mev.model.settings import (
    TAKER_FEES,
    AlertSettings,
    EthereumSettings,
    FilterSettings,
    LogFilter,
    Settings,
)
from trio_mev.processors.refereed import TransactionReferee
from trio_mev.wire.venues import ADAPTERS

KINDS = ", ".join(["ethereum", *ADAPTERS])
KEY = "k3y0fTheProvider"
TOKEN = "hunter2hunter2"
ADDRESS = "0x" + "aB" * 20
TOPIC = "0x" + "12" * 32

EVERYTHING = f"""
[stream]
name = "mine"
data_types = ["block", "quote"]
budget = 1
strict = true
[stream.lanes]
high = 10
[[stream.filters]]
path = "data.value"
operator = "greater_than"
value = "0x10"
[[stream.filters]]
path = "priority"
min = 1
max = 2
[[feeds]]
kind = "ethereum"
name = "node"
endpoint = "wss://node.test/v3/{KEY}"
token = "env:NODE_TOKEN"
required = true
pending = "hashes"
logs = [{{ address = ["{ADDRESS}"], topics = ["{TOPIC}", "", ["{TOPIC}"]] }}]
[feeds.connection]
restarts = 4
[[feeds]]
kind = "binance"
name = "binance"
instruments = ["ETH/USDT"]
channels = ["bookTicker"]
update_class = "high_frequency"
[[feeds]]
kind = "coinbase"
name = "coinbase"
instruments = ["ETH/USD"]
symbols = {{ "ETH-USD" = "ETH/USD" }}
[prices]
max_deviation = 0.1
fees = {{ binance = "0.00075" }}
alerts = [{{ id = "a", instrument = "ETH/USD", type = "above", price = 2000.5 }}]
[transactions]
native = "ETH/USDT:perpetual"
[mempool]
window = 60
"""


def problems_of(text, environment=None):
    with pytest.raises(ConfigError) as caught:
        loads(text, environment or {})
    return list(caught.value.problems)


def binance(**fields):
    values = {"kind": '"binance"', "name": '"b"', "instruments": '["ETH/USDT"]'} | fields
    return "[[feeds]]\n" + "\n".join(f"{name} = {value}" for name, value in values.items())


@pytest.fixture
def everything():
    return loads(EVERYTHING, {"NODE_TOKEN": TOKEN})


def test_an_empty_configuration_has_the_defaults():
    assert loads("", {}) == Config(Settings())


def test_every_table_is_read(everything):
    settings = everything.settings
    stream = settings.stream
    assert (stream.name, stream.budget, stream.strict) == ("mine", 1.0, True)
    assert stream.data_types == {DataType.BLOCK, DataType.QUOTE}
    assert (stream.lanes.high, stream.lanes.normal) == (10, 5000)
    assert stream.filters == (
        FilterSettings("data.value", "greater_than", "0x10"),
        FilterSettings("priority", min=1, max=2),
    )
    node, _, coinbase = settings.feeds
    assert isinstance(node, EthereumSettings)
    assert node.endpoint == Endpoint(f"wss://node.test/v3/{KEY}")
    assert node.token.value == TOKEN
    assert (node.required, node.pending, node.connection.restarts) == (True, "hashes", 4)
    assert node.logs == (LogFilter((ADDRESS,), (TOPIC, None, (TOPIC,))),)
    assert coinbase.symbols == {"ETH-USD": Instrument("ETH", "USD")}
    assert settings.prices.max_deviation == Decimal("0.1")
    assert settings.prices.fees == {**TAKER_FEES, "binance": Decimal("0.00075")}
    assert settings.prices.alerts == (
        AlertSettings("a", Instrument("ETH", "USD"), "above", Decimal("2000.5")),
    )
    assert settings.transactions.native == Instrument("ETH", "USDT", InstrumentKind.PERPETUAL)
    assert settings.mempool.window == 60.0


def test_each_entry_becomes_the_feed_of_its_kind(everything):
    feeds = everything.feeds(rng=random.Random(1))
    assert [(type(feed), feed.status.name) for feed in feeds] == [
        (EthereumWebSocketClient, "node"),
        (VenueClient, "binance"),
        (VenueClient, "coinbase"),
    ]


def test_the_processors_are_made_with_their_settings(everything):
    factories = everything.processors()
    made = [factory() for factory in factories]
    for processor in made:
        check_stages(processor)
    by_name = {type(processor).__name__: processor for processor in made}
    assert set(by_name) == {
        "PriceDataProcessor",
        "TransactionAnalyzer",
        "MempoolAnalyzer",
        "BlockAnalyzer",
    }
    assert by_name["MempoolAnalyzer"].settings.window == 60.0
    assert by_name["TransactionAnalyzer"].settings is everything.settings.transactions
    prices = by_name["PriceDataProcessor"]
    assert prices.settings is everything.settings.prices
    assert prices.aggregator.max_age(Venue("binance")) == 10.0
    assert prices.aggregator.max_age(Venue("coinbase")) == 50.0
    assert factories[0]() is not made[0]


def test_the_standard_processors_need_no_classes():
    assert len([factory() for factory in standard_processors(Settings())]) == 4


def test_a_file_is_read_and_its_name_stands_before_every_problem(tmp_path):
    path = tmp_path / "trio-mev.toml"
    path.write_text('[stream]\nname = "from a file"\n', encoding="utf-8")
    assert load(path, {}).settings.stream.name == "from a file"
    path.write_text("[stream]\nbudget = 0\nmax_age = 0\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert list(caught.value.problems) == [
        f"{path}: stream.budget: budget is 0.0; it must be over 0",
        f"{path}: stream.max_age: max_age is 0.0; it must be over 0",
    ]


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path):
    missing = tmp_path / "missing.toml"
    with pytest.raises(ConfigError, match=r"missing\.toml: No such file or directory"):
        load(missing, {})
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"binary.toml: it is not UTF-8"):
        load(binary, {})


def test_the_processs_own_environment_is_the_default(monkeypatch, tmp_path):
    monkeypatch.setenv("TRIO_MEV_STREAM__NAME", "from outside")
    path = tmp_path / "empty.toml"
    path.touch()
    assert load(Path(path)).settings.stream.name == "from outside"


def test_text_that_is_not_toml_is_a_problem():
    assert problems_of("[stream")[0].startswith("it is not TOML: ")


def test_every_problem_is_reported_at_once_with_its_path_and_what_to_do():
    text = f"""
        strem = 1
        [stream]
        budgte = 1
        max_age = -1
        drain_timeout = "soon"
        data_types = ["blok"]
        [[stream.filters]]
        path = "data.gasPrize"
        operator = "equals"
        value = 1
        [[stream.filters]]
        path = "data.value"
        operator = "like"
        value = 1
        [stream.lanes]
        high = 0
        low = 1.5
        [[feeds]]
        kind = "ethereum"
        name = "node"
        [[feeds]]
        kind = "nasdaq"
        [[feeds]]
        kind = "coinbase"
        name = "spot"
        instruments = ["ETHUSD"]
        [[feeds]]
        kind = "binance"
        name = "perpetuals"
        instruments = ["ETH/USDT:perpetual"]
        [[feeds]]
        kind = "ethereum"
        name = "other"
        endpoint = "https://node.test/v3/{KEY}"
        token = "{TOKEN}"
        [prices]
        max_deviation = 1
        [transactions]
        large = 20000
    """
    problems = problems_of(text)
    for expected in (
        "configuration: unknown key strem; did you mean stream?",
        "stream: unknown key budgte; did you mean budget?",
        "stream.max_age: max_age is -1.0; it must be over 0",
        "stream.drain_timeout: 'soon' is not a number",
        "stream.data_types[0]: 'blok' is not one of block, transaction",
        "stream.filters[0]: path 'data.gasPrize': no payload has 'gasPrize'; near it are gas_price",
        "stream.filters[1]: operator 'like' is not one of equals",
        "stream.lanes.high: high is 0; it must be over 0",
        "stream.lanes.low: 1.5 is not a whole number",
        "feeds[0].endpoint: missing; name one or set ETH_RPC_URL or WEB3_WS_PROVIDER_URI",
        f"feeds[1]: kind is 'nasdaq'; it must be one of {KINDS}",
        "feeds[2].instruments[0]: 'ETHUSD' is not BASE/QUOTE, such as ETH/USDT",
        "feeds[3]: ETH/USDT:perpetual: ",
        "feeds[4].endpoint: 'https://node.test/v3/***' does not begin with ws:// or wss://",
        "feeds[4].token: a secret is written as env:NAME and set in the environment",
        "prices.max_deviation: max_deviation is 1; it must be a fraction from 0 to below 1",
        "transactions: large, very_large and mega must rise",
    ):
        assert [p for p in problems if p.startswith(expected)], (expected, problems)
    assert len(problems) == 17
    assert KEY not in "".join(problems)
    assert TOKEN not in "".join(problems)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("stream = 5", "stream: it is not a table"),
        ("feeds = 5", "feeds: it is not a list"),
        ("feeds = [5]", f"feeds[0]: kind is None; it must be one of {KINDS}"),
        ('feeds = [{kind = ["x"]}]', "feeds[0]: kind is ['x']; it must be one of "),
        ('[stream]\ndata_types = "block"', "stream.data_types: it is not a list"),
        ('[stream]\nstrict = "yes"', "stream.strict: 'yes' is not true or false"),
        ("[stream]\nbudget = true", "stream.budget: True is not a number"),
        ("[stream]\nname = 5", "stream.name: 5 is not text"),
        ("[stream]\nfilters = 5", "stream.filters: it is not a list"),
        ("[[stream.filters]]\npath = 5\nmin = 1\nmax = 2", "stream.filters[0].path: 5 is not text"),
        ("[[stream.filters]]\nmin = 1\nmax = 2", "stream.filters[0].path: path is missing"),
        (
            '[[stream.filters]]\npath = "source"\noperator = "equals"',
            "stream.filters[0]: path 'source': there is no value to compare it with",
        ),
        (
            '[[stream.filters]]\npath = "source"\nmin = 1',
            "stream.filters[0]: a filter has either operator and value, or min and max",
        ),
        ("[transactions]\nlarge = true", "transactions.large: True is not a number"),
        ("[transactions]\nlarge = nan", "transactions.large: nan is not a number"),
        ('[transactions]\nlarge = "much"', "transactions.large: 'much' is not a number"),
        ("[transactions]\ngas_window = 9", "transactions.gas_window: 'gas_window' must be >= 10"),
        (binance(instruments="[]"), "feeds[0].instruments: "),
        (binance(channels='["depth"]'), "feeds[0]: channel 'depth' is not one of bookTicker"),
        (binance(update_class='"often"'), "feeds[0].update_class: 'often' is not one of high_freq"),
        (binance(symbols="{X = 5}"), "feeds[0].symbols[X]: 5 is not text"),
        (binance(token="5"), "feeds[0].token: it must be text"),
        (binance(token='"env:ABSENT"'), "feeds[0].token: the environment has no ABSENT; set it"),
        (binance(endpoint='"env:ABSENT"'), "feeds[0].endpoint: the environment has no ABSENT"),
        (binance(endpoint="[1]"), "feeds[0].endpoint: it must be text"),
        (binance(connection='"fast"'), "feeds[0].connection: it is not a table"),
        (binance(connection="{factor = 0.5}"), "feeds[0].connection.factor: 'factor' must be >= 1"),
        (binance(connection="{zzzzzzz = 0.5}"), "feeds[0].connection: unknown key zzzzzzz; known"),
        (binance(kind='"ethereum"', instruments="1"), "feeds[0]: unknown key instruments; known"),
        (binance() + "\n" + binance(), "feeds: two feeds are named b; names must differ"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(text, problem):
    problems = problems_of(text)
    assert problems[0].startswith(problem)
    assert len(problems) == 1


def test_a_note_of_someone_else_does_not_disturb_the_path():
    error = ValueError("odd")
    error.add_note("by the way")
    error.add_note(IterableValidationNote("", 3, int))
    assert explain(cattrs.IterableValidationError("", [error], list), "feeds") == ["feeds[3]: odd"]


def test_a_value_of_the_wrong_shape_is_told_as_one():
    (problem,) = problems_of(binance(symbols="5"))
    assert problem.startswith("feeds[0].symbols: it has the wrong type: ")
    assert problems_of("[stream]\ndata_types = [[]]") == [
        "stream.data_types[0]: [] is not one of " + ", ".join(t.value for t in DataType)
    ]


@pytest.mark.parametrize(
    "text",
    [
        f'[feeds]\nendpoint = "wss://node.test/{KEY}"\ntoken = "{KEY}"',
        f'feeds = ["wss://node.test/{KEY}"]',
        f'stream = "wss://node.test/{KEY}"',
        binance(endpoint=f'"http://node.test/{KEY}"'),
        binance(endpoint=f'"wss://user:{KEY}/x@node.test"'),
        binance(endpoint=f'"wss://:{KEY}@/"'),
        binance(endpoint=f'"wss://node.test/{KEY}#{KEY}"'),
        binance(endpoint=f'["wss://node.test/{KEY}"]'),
        binance(token=f'"{KEY}"'),
        binance(token=f'["{KEY}"]'),
        binance(token='"env:SECRET"', nonsense="1"),
        binance(endpoint='"env:SECRET"'),
    ],
)
def test_no_problem_shows_what_may_be_a_secret(text):
    problems = problems_of(text, {"SECRET": KEY})
    assert KEY not in "\n".join(problems)


def test_no_representation_of_a_configuration_shows_a_secret(everything):
    for shown in (repr(everything), str(everything), repr(everything.settings.feeds[0])):
        assert "node.test" in shown
        assert KEY not in shown
        assert TOKEN not in shown


@pytest.mark.parametrize(
    ("name", "text", "path", "value"),
    [
        ("TRIO_MEV_STREAM__BUDGET", "0.25", ("stream", "budget"), 0.25),
        ("TRIO_MEV_STREAM__STRICT", "true", ("stream", "strict"), True),
        ("TRIO_MEV_STREAM__NAME", "just text", ("stream", "name"), "just text"),
        ("TRIO_MEV_STREAM__LANES__HIGH", "7", ("stream", "lanes", "high"), 7),
        ("TRIO_MEV_PRICES__MAX_AGE", "30", ("prices", "max_age"), 30.0),
        ("TRIO_MEV_TRANSACTIONS__GAS_WINDOW", "50", ("transactions", "gas_window"), 50),
        ("TRIO_MEV_MEMPOOL__WINDOW", "12", ("mempool", "window"), 12.0),
    ],
)
def test_the_environment_overrides_the_file(name, text, path, value):
    found = loads('[stream]\nname = "file"\nbudget = 9\n', {name: text}).settings
    for step in path:
        found = getattr(found, step)
    assert found == value


def test_an_override_that_is_wrong_is_a_problem_at_its_place():
    assert problems_of("", {"TRIO_MEV_STREAM__BUDGET": "-1"}) == [
        "stream.budget: budget is -1.0; it must be over 0"
    ]
    assert problems_of("", {"TRIO_MEV_STREAM__BUDGTE": "1"}) == [
        "stream: unknown key budgte; did you mean budget?"
    ]


def test_an_override_of_what_is_not_a_table_is_a_problem():
    problems = problems_of("stream = 5", {"TRIO_MEV_STREAM__BUDGET": "1"})
    assert problems[0] == "TRIO_MEV_STREAM__BUDGET: stream is not a table"


@pytest.mark.parametrize(
    "name", ["TRIO_MEV_STREAM", "TRIO_MEV_NODE__TOKEN", "OTHER_STREAM__BUDGET", "TRIO_MEV_"]
)
def test_other_variables_are_left_alone(name):
    assert loads("", {name: "x"}) == Config(Settings())


NODE = '[[feeds]]\nkind = "ethereum"\nname = "node"\n'


@pytest.mark.parametrize(
    ("environment", "host"),
    [
        ({"ETH_RPC_URL": "wss://first.test"}, "first.test"),
        ({"WEB3_WS_PROVIDER_URI": "wss://second.test"}, "second.test"),
        ({"ETH_RPC_URL": "", "WEB3_WS_PROVIDER_URI": "wss://second.test"}, "second.test"),
        (
            {"ETH_RPC_URL": "wss://first.test", "WEB3_WS_PROVIDER_URI": "wss://second.test"},
            "first.test",
        ),
    ],
)
def test_a_node_without_an_endpoint_takes_it_from_the_usual_variables(environment, host):
    assert loads(NODE, environment).settings.feeds[0].endpoint.host == host


def test_an_endpoint_of_its_own_comes_first_and_venues_take_no_nodes():
    environment = {"ETH_RPC_URL": "wss://node.test"}
    text = NODE + 'endpoint = "wss://own.test"\n' + binance()
    node, venue = loads(text, environment).settings.feeds
    assert node.endpoint.host == "own.test"
    assert venue.endpoint is None


def test_odd_entries_do_not_disturb_the_fallback():
    problems = problems_of("feeds = [5]", {"ETH_RPC_URL": "wss://node.test"})
    assert problems[0].startswith("feeds[0]: kind is None")
    problems = problems_of("feeds = 5", {"ETH_RPC_URL": "wss://node.test"})
    assert problems == ["feeds: it is not a list"]


def test_a_secret_comes_from_the_environment():
    feed = loads(binance(token='"env:MINE"'), {"MINE": TOKEN}).settings.feeds[0]
    assert feed.token.value == TOKEN
    text = binance(endpoint='"env:URL"')
    assert loads(text, {"URL": "wss://venue.test"}).settings.feeds[0].endpoint.host == "venue.test"


def test_channels_of_two_addresses_need_an_endpoint_that_has_both():
    given = {"kind": '"binance_usdm"', "instruments": '["ETH/USDT:perpetual"]'}
    text = binance(channels='["bookTicker", "aggTrade"]', **given)
    (problem,) = problems_of(text)
    assert problem.startswith("feeds[0]: Binance's USD-M market has bookTicker and aggTrade at")
    assert loads(f'{text}\nendpoint = "wss://proxy.test/stream"').settings.feeds


@pytest.mark.parametrize("kind", ["binance", "coinbase"])
def test_an_instrument_that_the_venue_cannot_spell_is_a_problem(kind):
    text = binance(kind=f'"{kind}"', instruments='["ETH/USDT:perpetual"]')
    (problem,) = problems_of(text)
    assert problem.startswith("feeds[0]: ")
    assert "ETH/USDT:perpetual" in problem


def test_a_filter_is_checked_even_where_its_neighbour_is_wrong():
    text = """
        [[stream.filters]]
        path = 5
        [[stream.filters]]
        path = "data.nothing_such"
        operator = "equals"
        value = 1
    """
    problems = problems_of(text)
    assert problems[0] == "stream.filters[0].path: 5 is not text"
    assert problems[-1].startswith("stream.filters[1]: path 'data.nothing_such': no payload has")


DEEP = "[" * 3000 + "]" * 3000
LONG = "1" + "0" * 5000


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"a = {DEEP}", "its values are nested too deeply"),
        ("stream.name" + ".a" * 3000 + " = 1", "stream.name: its values are nested too deeply"),
        (f"a = {LONG}", "it is not TOML: a number in it has too many digits"),
        (f"stream.lanes.high = 0x{'f' * 5000}", "stream.lanes.high: the number is too large"),
        (f"stream.budget = 0x{'f' * 5000}", "stream.budget: the number is too large"),
        (f"transactions.mega = 0x{'f' * 5000}", "transactions.mega: the number is too large"),
        (
            "stream.budget = inf",
            "stream.budget: budget is too large; it must be at most 1000000000",
        ),
        (binance(name='"a\\nb"'), "feeds[0].name: name 'a\\nb' is not 1 to 64 printable"),
    ],
)
def test_what_is_too_deep_or_too_long_is_one_clear_line(text, problem):
    (found,) = problems_of(text)
    assert found.startswith(problem)


def test_an_override_that_is_too_deep_or_too_long_is_one_clear_line():
    name = "TRIO_MEV_STREAM__BUDGET"
    assert problems_of("", {name: DEEP}) == ["its values are nested too deeply"]
    (problem,) = problems_of("", {name: LONG})
    assert problem.startswith("stream.budget: '1000")
    assert len(problem) < 600


def test_a_problem_is_one_line_of_a_length_that_can_be_read():
    (problem,) = problems_of(f'stream.budget = "{"x" * 9999}"')
    assert len(problem) == 501
    (problem,) = problems_of('stream = """\na\nb"""')
    assert "\n" not in problem


@pytest.mark.parametrize("tail", ["\n", "\u00e9", "\x07"])
def test_a_token_that_no_header_can_carry_is_refused_without_showing_it(tail):
    (problem,) = problems_of(binance(token='"env:MINE"'), {"MINE": TOKEN + tail})
    assert problem.startswith("feeds[0].token: ")
    assert TOKEN not in problem


def test_a_user_in_the_endpoint_beside_a_token_is_refused():
    endpoint = f'"wss://me:{KEY}@node.test"'
    problems = problems_of(binance(endpoint=endpoint, token='"env:MINE"'), {"MINE": TOKEN})
    assert problems == [
        "feeds[0]: both a token and a user in the endpoint; the handshake takes one"
    ]


@pytest.mark.parametrize(
    "host", ["n\u00f6de..test", f"{'a' * 64}.test", "node.test:0"], ids=["idna", "label", "port"]
)
def test_an_endpoint_that_cannot_be_dialled_is_refused_without_showing_a_key(host):
    (problem,) = problems_of(binance(endpoint=f'"wss://{host}/{KEY}"'))
    assert problem.startswith("feeds[0].endpoint: ")
    assert KEY not in problem


VENUES = """
[[feeds]]
kind = "binance"
name = "b"
instruments = ["ETH/USDT"]

[[feeds]]
kind = "kraken"
name = "k"
instruments = ["ETH/USDT", "USDT/USD"]
"""


def test_settings_that_go_together_raise_nothing():
    alerts = """
    [[prices.alerts]]
    id = "joined"
    instrument = "ETH/USD"
    type = "disputed"
    """
    trades = """
    [[feeds]]
    kind = "binance"
    name = "trades"
    instruments = ["ETH/USDT"]
    channels = ["aggTrade"]
    """
    config = loads(VENUES + trades + alerts, environment={})
    made = config.processors()[0]()
    assert {(venue, str(one)) for venue, one in made.quality._expected} == {
        ("binance", "ETH/USDT"),
        ("kraken", "ETH/USDT"),
        ("kraken", "USDT/USD"),
    }


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (
            '[[feeds]]\nkind = "kraken"\nname = "k2"\ninstruments = ["ETH/USDT"]',
            "feeds[2].instruments: feeds[1] brings kraken's quotes of ETH/USDT already",
        ),
        (
            '[[feeds]]\nkind = "okx"\nname = "o"\ninstruments = ["ETH/USDT"]\n'
            'channels = ["bbo-tbt", "tickers"]',
            "feeds[2]: channels bbo-tbt and tickers both bring quotes; name one of them",
        ),
        ('[prices]\nfees = { binanse = "0.001" }', "no venue binanse; did you mean binance?"),
        ('[prices]\nfees = { nyse = "0.001" }', "prices.fees: there is no venue nyse; known are"),
        (
            '[[prices.alerts]]\nid = "a"\ninstrument = "EHT/USDT"\ntype = "stale"',
            "prices.alerts[0].instrument: no feed quotes EHT/USDT, and no two others make it",
        ),
        ('[prices]\nspread_high = "0.0001"', "spread_high is below spread_report"),
    ],
)
def test_settings_that_do_not_go_together_are_told(more, problem):
    with pytest.raises(ConfigError, match=re.escape(problem)):
        loads(VENUES + more, environment={})


JUDGE = '[[feeds]]\nkind = "ethereum"\nname = "n"\nendpoint = "wss://n.test"\n'


def test_the_referee_is_one_for_each_call_that_may_be_under_way_and_of_one_budget():
    config = loads(JUDGE + "[referee]\nenabled = true\nunder_way = 3\ndeadline = 2", {})
    made = [factory() for factory in config.processors()]
    referees = [one for one in made if isinstance(one, TransactionReferee)]
    assert len(made) == 4 + 3
    assert len({id(one.referee) for one in referees}) == 1
    assert [one._part for one in referees] == [(0, 3), (1, 3), (2, 3)]
    assert [one.budget for one in referees] == [2.5] * 3
    for one in referees:
        check_stages(one)
    # Each run has a budget of its own.
    assert config.processors()[4]().referee is not referees[0].referee


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (VENUES, "referee.enabled: no feed is a node that could be asked"),
        (JUDGE + 'pending = "off"\n', "referee.enabled: every node's pending is off"),
        (
            JUDGE + "[referee]\ncalls_per_second = 0",
            "referee.calls_per_second: calls_per_second is",
        ),
        (JUDGE + "[referee]\ndeadline = 61", "referee.deadline: deadline is too large"),
        (JUDGE + "[referee]\nunder_way = 65", "referee.under_way: under_way is too large"),
        (JUDGE + "[referee]\nunderway = 5", "did you mean under_way?"),
    ],
)
def test_a_referee_that_could_not_work_is_a_problem(text, problem):
    text = text if "[referee]" in text else f"{text}\n[referee]\n"
    with pytest.raises(ConfigError, match=re.escape(problem)):
        loads(text.replace("[referee]", "[referee]\nenabled = true"), {})


def test_a_referee_without_any_feed_waits_for_a_replay():
    assert loads("[referee]\nenabled = true", {}).settings.referee.enabled
    assert loads("", {"TRIO_MEV_REFEREE__ENABLED": "true"}).settings.referee.enabled
    assert not loads("", {}).settings.referee.enabled


def test_an_alert_without_any_exchange_waits_for_a_replay():
    alert = '[[prices.alerts]]\nid = "a"\ninstrument = "ETH/USD"\ntype = "stale"'
    assert loads(alert, environment={}).settings.prices.alerts[0].type == "stale"
