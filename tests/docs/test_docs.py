"""The documentation is true: its code runs, its links lead somewhere, its lists are complete."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from trio_mev import (
    DataEvent,
    DataType,
    PriceDataProcessor,
    ReplayFeed,
    StreamStats,
    TransactionAnalyzer,
    errors,
    open_stream,
    replay_clock,
)
from trio_mev.chain.calldata import ROUTERS
from trio_mev.cli.app import app
from trio_mev.cli.importing import FORMATS
from trio_mev.cli.live import EVENT_KINDS
from trio_mev.cli.summary import summary_line
from trio_mev.config import loads
from trio_mev.feeds.tapes import Tape
from trio_mev.loopback.demo import TAPE
from trio_mev.model import settings
from trio_mev.model.chain import TransactionAnalysis, Urgency
from trio_mev.model.event import EventPriority, Stage
from trio_mev.model.export import PAYLOADS
from trio_mev.model.health import HealthIssue
from trio_mev.model.identity import Instrument
from trio_mev.model.noun import field_types
from trio_mev.model.settings import AlertSettings, PriceSettings
from trio_mev.model.simulation import SimulatedTransaction
from trio_mev.wire.lines import encode, line_of
from trio_mev.wire.tape import encode_header, encode_record
from trio_mev.wire.venues import ADAPTERS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ENVIRONMENT = {"ETH_RPC_URL": "wss://node.example.org", "NODE_URL": "wss://node.example.org"}


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[tuple[int, str]]:
    """The page's blocks whose fence says exactly this, with the lines that they begin at."""
    text = page.read_text(encoding="utf-8")
    return [
        (text.count("\n", 0, found.start()) + 1, found[2])
        for found in FENCE.finditer(text)
        if found[1].strip() == language
    ]


def pages_with(language: str) -> list[Any]:
    return [pytest.param(page, id=name_of(page)) for page in PAGES if blocks(page, language)]


def section(page: str, heading: str) -> str:
    """The text under a heading, up to the next one of the same or a higher level."""
    text = FENCE.sub("", (DOCS / page).read_text(encoding="utf-8"))
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert found is not None, f"{page} has no heading {heading!r}"
    end = re.search(rf"^#{{1,{len(found[1])}}} ", text[found.end() :], re.MULTILINE)
    return text[found.end() : found.end() + end.start()] if end else text[found.end() :]


# Code


@pytest.mark.no_cover
@pytest.mark.parametrize("page", pages_with("python"))
def test_python_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "docs"}
    for line, code in blocks(page, "python"):
        # The empty lines make a traceback name the page's own lines.
        compiled = compile("\n" * line + code, str(page), "exec", dont_inherit=True)
        exec(compiled, namespace)


@pytest.mark.parametrize("page", pages_with("toml"))
def test_toml_loads(page: Path) -> None:
    for _, text in blocks(page, "toml"):
        assert loads(text, ENVIRONMENT).settings.feeds


@pytest.mark.parametrize("page", pages_with("toml fragment"))
def test_toml_fragments_name_known_keys(page: Path) -> None:
    for _, text in blocks(page, "toml fragment"):
        loads(text, {**ENVIRONMENT, "NODE_TOKEN": "secret"})


@pytest.mark.parametrize("name", ["public.toml", "own-node.toml"])
def test_the_examples_load(name: str) -> None:
    text = (ROOT / "trio_mev" / "cli" / name).read_text(encoding="utf-8")
    assert loads(text, ENVIRONMENT).settings.feeds


COMMAND = re.compile(r"(?:scripts/run|python -m trio_mev)\b([^|\n#]*)")


def commands(page: Path) -> Iterator[list[str]]:
    for language in ("sh", "text"):
        for _, text in blocks(page, language):
            for found in COMMAND.finditer(text):
                yield re.split(r"\s(?:\d?>|&)|\s{3,}", found[1])[0].split()


@pytest.mark.parametrize(
    "page", [pytest.param(p, id=name_of(p)) for p in PAGES if any(commands(p))]
)
def test_commands_are_known(page: Path) -> None:
    for words in commands(page):
        sub = words[0] if words and re.fullmatch(r"[a-z][a-z-]*", words[0]) else ""
        assert not sub or sub in OPTIONS, f"there is no command {sub}"
        unknown = {w for w in words if w.startswith("--")} - OPTIONS[sub] - {"--help", "--version"}
        assert not unknown, f"{sub or 'the demo'} has no {unknown}"


# Links


LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", [pytest.param(page, id=name_of(page)) for page in PAGES])
def test_links_lead_to_files(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    targets = [t for t in LINK.findall(text) if not re.match(r"[a-z]+:", t)]
    dead = [t for t in targets if not (page.parent / t.partition("#")[0]).exists()]
    assert not dead


def test_every_page_is_in_the_index() -> None:
    index = DOCS / "index.md"
    linked = {(DOCS / t).resolve() for t in LINK.findall(index.read_text(encoding="utf-8"))}
    missing = {p.resolve() for p in PAGES[1:]} - linked - {index.resolve()}
    assert not missing


@pytest.mark.parametrize("page", [pytest.param(page, id=name_of(page)) for page in PAGES])
def test_it_is_plain_text(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert "\t" not in text
    assert text.startswith("# ")
    assert not re.search("[\U0001f000-\U0001faff☀-➿]", text)


# The configuration


VENUES = "`[[feeds]]`: exchanges"
SECTIONS: dict[type, str] = {
    settings.StreamConfig: "`[stream]`",
    settings.FilterSettings: "`[[stream.filters]]`",
    settings.LaneSettings: "`[stream.lanes]`",
    settings.FeedSettings: "`[[feeds]]`: every kind",
    settings.EthereumSettings: '`[[feeds]]`: `kind = "ethereum"`',
    settings.NodeSettings: "`[[feeds.nodes]]`",
    settings.LogFilter: "`[[feeds.logs]]`",
    settings.VenueSettings: VENUES,
    settings.ConnectionSettings: "`[feeds.connection]`",
    settings.PriceSettings: "`[prices]`",
    settings.AlertSettings: "`[[prices.alerts]]`",
    settings.TransactionSettings: "`[transactions]`",
    settings.MempoolSettings: "`[mempool]`",
    settings.PoolSettings: "`[pools]`",
    settings.FactorySettings: "`[[pools.factories]]`",
    settings.ArbitrageSettings: "`[arbitrage]`",
    settings.RefereeSettings: "`[referee]`",
    settings.LiquidationSettings: "`[liquidations]`",
    settings.ExposureSettings: "`[exposure]`",
    settings.RecordSettings: "`[record]`",
    settings.StoreSettings: "`[store]`",
}


def test_every_settings_class_has_a_section() -> None:
    classes = {
        cls
        for _, cls in inspect.getmembers(settings, inspect.isclass)
        if cls.__module__.startswith(settings.__name__) and attrs.has(cls)
    }
    assert classes - {settings.Settings} == set(SECTIONS)


@pytest.mark.parametrize("kind", ADAPTERS)
def test_configuration_names_every_exchange_with_its_channels(kind: str) -> None:
    adapter = ADAPTERS[kind]
    usual = ", ".join(f"`{channel}`" for channel in adapter.usual_channels)
    known = ", ".join(f"`{channel}`" for channel in adapter.known_channels)
    row = f"| `{kind}` | {usual} | {known} |"
    assert row in section("reference/configuration.md", VENUES)


def own_fields(cls: type) -> list[attrs.Attribute[Any]]:
    return [f for f in attrs.fields(cls) if not f.inherited]


def cell_of(cls: type, field: str) -> str:
    return f"`{field}`"


def as_toml(value: Any) -> str:
    """A default as the page writes it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, str | Decimal | Instrument):
        return f'`"{value}"`'
    if isinstance(value, tuple | frozenset):
        items = ", ".join(as_toml(item).strip("`") for item in value)
        return f"`[{items}]`"
    if isinstance(value, dict):
        pairs = ", ".join(f"{k} = {as_toml(v).strip('`')}" for k, v in value.items())
        return f"`{{ {pairs} }}`" if value else "`{}`"
    if attrs.has(type(value)):
        return "see below"
    return f"`{value}`"


@pytest.mark.parametrize(
    ("cls", "field"),
    [
        pytest.param(cls, field, id=f"{cls.__name__}.{field.name}")
        for cls in SECTIONS
        for field in own_fields(cls)
        # ``kind`` is named once, for all feeds.
        if not (field.name == "kind" and cls is not settings.FeedSettings)
    ],
)
def test_configuration_names_every_key(cls: type, field: attrs.Attribute[Any]) -> None:
    text = section("reference/configuration.md", SECTIONS[cls])
    cell = cell_of(cls, field.name)
    row = next((r for r in text.splitlines() if r.startswith(f"| {cell} |")), None)
    assert row is not None, f"no row for {cell} under {SECTIONS[cls]}"
    default = field.default
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        default = default.factory()
    if field.converter is not None and default is not attrs.NOTHING:
        default = field.converter(default)
    expected = "required" if default is attrs.NOTHING else as_toml(default)
    assert row.split(" | ")[2] == expected


def test_configuration_names_nothing_else() -> None:
    known = {f.name for cls in SECTIONS for f in attrs.fields(cls)}
    text = (DOCS / "reference" / "configuration.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(\w+)`", text, re.MULTILINE))
    assert named <= known | set(ADAPTERS)


# Errors


ERRORS = [
    cls
    for _, cls in inspect.getmembers(errors, inspect.isclass)
    if issubclass(cls, errors.DataStreamError)
]


@pytest.mark.parametrize("error", ERRORS)
def test_errors_names_every_error(error: type) -> None:
    text = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8")
    assert f"| `{error.__name__}` |" in text
    assert re.search(rf"^[ │├└─]*{error.__name__}$", text, re.MULTILINE)


def reasons() -> set[str]:
    """Reasons that the code gives for what it refuses, as far as they are written out."""
    found: set[str] = set()
    for path in (ROOT / "trio_mev").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for first in re.findall(r'MalformedFrame\(\s*("\w+"[^,)]*)', text):
            found |= set(re.findall(r'"(\w+)"', first))
        found |= set(re.findall(r'refused\["(\w+)"\]', text))
    return found


def test_errors_names_every_reason() -> None:
    text = section("reference/errors.md", "Reasons under `refused`")
    known = reasons()
    assert len(known) > 20
    assert {reason for reason in known if f"`{reason}`" not in text} == set()


# The command


def options_of(name: str) -> set[str]:
    arguments = (app[name] if name else app).assemble_argument_collection()
    return {n for argument in arguments for n in argument.names}


COMMANDS = sorted(name for name in app if not name.startswith("-"))
OPTIONS = {name: options_of(name) for name in ("", *COMMANDS)}


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_command_names_every_option(name: str) -> None:
    text = section("reference/command.md", name or "The demo")
    rows = [row.split("|")[1].strip() for row in text.splitlines() if row.startswith("| `")]
    named = {row.strip("`").split()[0] for row in rows}
    assert named == OPTIONS[name]


def test_command_names_every_command_and_value() -> None:
    text = (DOCS / "reference" / "command.md").read_text(encoding="utf-8")
    synopsis = blocks(DOCS / "reference" / "command.md", "text")[0][1]
    shown = set(re.findall(r"^python -m trio_mev ([a-z][a-z-]*)", synopsis, re.MULTILINE))
    assert shown == set(COMMANDS)
    for value in (*EVENT_KINDS, *FORMATS):
        assert f"`{value}`" in text


# Lines of JSON


def recorded_lines() -> list[dict[str, Any]]:
    """Every kind of line: the demo's tape, with alerts on its prices."""
    eth = Instrument.parse("ETH/USDT")
    alerts = (
        AlertSettings("up", eth, "above", Decimal(1)),
        AlertSettings("down", eth, "below", Decimal(1_000_000)),
    )
    prices = PriceSettings(alerts=alerts)
    lines: list[dict[str, Any]] = []

    feed = ReplayFeed([TAPE], end=60.0)

    def take(event: DataEvent) -> None:
        line = line_of(event, feed.wall)
        if line is not None:
            lines.append(line)

    async def main() -> None:
        processors = [lambda: PriceDataProcessor(prices), TransactionAnalyzer]
        async with open_stream([feed], processors) as stream:
            for kind in DataType:
                stream.add_event_handler(kind, take)
            await stream.ended.wait()

    trio.run(main, clock=replay_clock(None))
    issue = HealthIssue("feed_down", "node", "waiting")
    take(DataEvent(DataType.HEALTH, EventPriority.HIGH, issue, "health", 1.0))
    analysis = TransactionAnalysis(
        "0x01", "0x02", "0x03", None, None, None, 0, None, None, None, Urgency.NORMAL
    )
    tried = SimulatedTransaction(analysis, "latest", None, "eth_simulateV1", False, "no", 1, ())
    take(DataEvent(DataType.FINDING, EventPriority.HIGH, tried, "TransactionReferee", 1.0))
    return lines


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    return recorded_lines()


PRICE_ALERTS = (
    "`price_above`, `price_below`, `price_change`, `price_spread`, `price_disputed` and "
    "`price_stale`"
)
LINES = {
    ("quote", None): ["`quote`"],
    ("trade", None): ["`trade`"],
    ("transaction", None): ["`transaction` as an event"],
    ("log", None): ["`log`"],
    ("block", None): ["`block`"],
    ("price", None): ["`price`"],
    ("alert", "health"): ["`alert`", "`health`"],
    ("alert", "spread"): ["`alert`", "`spread`"],
    ("alert", "transaction"): ["`alert`", "`transaction`"],
    ("alert", "simulation"): ["`alert`", "`simulation`"],
    ("alert", "price_above"): ["`alert`", PRICE_ALERTS],
    ("alert", "price_below"): ["`alert`", PRICE_ALERTS],
}


def kind_of(line: dict[str, Any]) -> tuple[str, str | None]:
    return line["kind"], line["type"] if line["kind"] == "alert" else None


def test_every_kind_of_line_is_known(lines: list[dict[str, Any]]) -> None:
    assert {kind_of(line) for line in lines} == set(LINES)


def first_table(heading: str) -> set[str]:
    """The fields in a section's first table; its subsections have others."""
    text = section("reference/json.md", heading).partition("\n### ")[0]
    rows = re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


@pytest.mark.parametrize("kind", list(LINES), ids=str)
def test_json_names_every_field(kind: tuple[str, str | None], lines: list[dict[str, Any]]) -> None:
    line = next(line for line in lines if kind_of(line) == kind)
    assert set(line) == set().union(*(first_table(heading) for heading in LINES[kind]))


def test_the_readme_shows_real_lines(lines: list[dict[str, Any]]) -> None:
    [(_, shown)] = blocks(ROOT / "README.md", "json")
    real = [encode(line) for line in lines]
    assert [line for line in shown.splitlines() if line not in real] == []


def test_the_page_of_tapes_shows_real_lines() -> None:
    shown = [text for _, text in blocks(DOCS / "reference" / "tape.md", "json")]
    tape = Tape(TAPE)
    real = {
        encode_header(tape.header).decode(),
        *(encode_record(r).decode() for r in tape.records()),
    }
    assert [text for text in shown if text not in real] == []
    assert len(shown) == 2


def test_json_names_every_field_of_the_summary() -> None:
    async def main() -> StreamStats:
        async with open_stream() as stream:
            pass
        return stream.get_stats()

    line = summary_line(trio.run(main), 1.0)
    text = section("reference/json.md", "`summary`")
    named = re.findall(r"^\| `(\w+)` \|", text.partition("Reasons for")[0], re.MULTILINE)
    assert set(named) == set(line)
    books = next(row for row in text.splitlines() if row.startswith("| `books`"))
    assert set(re.findall(r"`(\w+)`", books)) - {"books"} == set(line["books"])


# Events, processors


@pytest.mark.parametrize("kind", list(DataType))
def test_events_names_every_type(kind: DataType) -> None:
    text = section("reference/events.md", "Types")
    assert f"| `{kind.name}` | `{kind.value}` | {kind.stage.name} |" in text


def test_events_names_every_field() -> None:
    text = (DOCS / "reference" / "events.md").read_text(encoding="utf-8")
    for name in field_types(DataEvent):
        assert f"| `{name}` |" in text
    for name in (*(p.name for p in EventPriority), *(s.name for s in Stage)):
        assert f"`{name}`" in text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_events_names_every_payload_field(payload: type) -> None:
    text = (DOCS / "reference" / "events.md").read_text(encoding="utf-8")
    row = next(r for r in text.splitlines() if r.startswith(f"| `{payload.__name__}` | `"))
    for name in field_types(payload):
        assert f"`{name}`" in row


def test_transactions_names_every_router() -> None:
    text = (DOCS / "detectors" / "transactions.md").read_text(encoding="utf-8")
    assert {name for name in ROUTERS.values() if name not in text} == set()
