"""The report in a real browser, without a network, as wide as a desk's screen and as a phone's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from tests.sinks.report.test_page import EVIL, SECTIONS, everything
from tests.support.browser import Page, open_page, require_browser
from tests.support.reports import report_of
from trio_mev.cli.app import main
from trio_mev.loopback.demo import TAPE
from trio_mev.sinks.report.page import render

DESK, PHONE = 1280, 375
SCREENS = [
    pytest.param(DESK, False, id="desk"),
    pytest.param(DESK, True, id="desk, dark"),
    pytest.param(PHONE, False, id="phone"),
    pytest.param(PHONE, True, id="phone, dark"),
]
POOLS = '[pools]\ntokens = ["WETH", "USDC", "USDT", "DAI", "WBTC"]\n'
UNFOLD = "document.querySelectorAll('details').forEach(one => { one.open = true; })"
CHARTS = "[...document.querySelectorAll('.chart')]"
TURNED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Toggled elements are told so before the next frame is drawn."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of the demo's tape, one with all that there can be, and one with nothing."""
    folder = tmp_path_factory.mktemp("pages")
    paths = {name: folder / f"{name}.html" for name in ("demo", "everything", "nothing")}
    (folder / "pools.toml").write_text(POOLS)
    arguments = ["--config", str(folder / "pools.toml"), "--json", "--report", str(paths["demo"])]
    assert main(["replay", str(TAPE), *arguments]) == 0
    paths["everything"].write_text(render(everything(EVIL)), encoding="utf-8")
    paths["nothing"].write_text(render(report_of()), encoding="utf-8")
    return paths


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    program = require_browser()
    async with open_page(program, tmp_path) as opened:
        yield opened


async def sound(page: Page) -> None:
    """No error, and nothing asked for but the file and pictures that are in it."""
    assert page.said == []
    assert page.requests
    assert all(url.startswith(("file:", "data:")) for url in page.requests)


@pytest.mark.parametrize(("width", "dark"), SCREENS)
@pytest.mark.parametrize("name", ["demo", "everything", "nothing"])
async def test_it_is_whole_on_any_screen(page: Page, pages, name, width, dark):
    await page.open(pages[name], width, dark=dark)
    await page.value(UNFOLD)
    await page.value(TURNED)
    for section in SECTIONS:
        height = await page.value(f"document.getElementById('{section}').offsetHeight")
        assert height > 50, section
    wide = await page.value("document.documentElement.scrollWidth")
    assert wide <= width, "the page itself is wider than the screen"
    count = await page.value(f"{CHARTS}.length")
    drawn = f"{CHARTS}.filter(one => one.querySelector('.main-svg')?.clientWidth > 200).length"
    assert await page.value(drawn) == count
    assert count >= {"demo": 10, "everything": 7, "nothing": 0}[name]
    over = f"{CHARTS}.filter(one => one.scrollWidth > one.clientWidth).length"
    assert await page.value(over) == 0
    ground = await page.value("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(17, 22, 28)" if dark else "rgb(255, 255, 255)")
    await sound(page)


async def test_tables_scroll_within_themselves(page: Page, pages):
    await page.open(pages["demo"], PHONE)
    wider = "[...document.querySelectorAll('.scroll')].filter(t => t.scrollWidth > t.clientWidth)"
    assert await page.value(f"{wider}.length") > 3


async def test_what_is_folded_is_drawn_when_it_is_opened(page: Page, pages):
    await page.open(pages["demo"], DESK)
    drawn = f"{CHARTS}.filter(one => one.dataset.drawn).length"
    before = await page.value(drawn)
    await page.value("document.querySelectorAll('#prices details')[1].open = true")
    await page.value(TURNED)
    assert await page.value(drawn) == before + 1


async def test_text_from_elsewhere_runs_nothing(page: Page, pages):
    await page.open(pages["everything"], DESK)
    await page.value(UNFOLD)
    await page.value(TURNED)
    assert await page.value("typeof window.hacked") == "undefined"
    assert await page.value("document.querySelectorAll('.chart a, section img').length") == 0
    row = "[...document.querySelectorAll('#feed-chart .ytick text')].map(t => t.textContent)"
    assert (await page.value(row))[0].startswith("<img src=x onerror=")
    await sound(page)


async def test_a_script_that_slipped_in_would_not_run(page: Page, pages, tmp_path: Path):
    """The page allows its own scripts and no others."""
    text = pages["nothing"].read_text(encoding="utf-8")
    odd = trio.Path(tmp_path / "odd.html")
    await odd.write_text(text.replace("<header>", f"{EVIL}<header>", 1), encoding="utf-8")
    await page.open(Path(odd), DESK)
    assert await page.value("typeof window.hacked") == "undefined"
    assert any("Content Security Policy" in one for one in page.said)


async def test_it_turns_dark_while_it_is_looked_at(page: Page, pages):
    await page.open(pages["demo"], DESK)
    colour = "document.querySelector('#feed-chart .ytick text').style.fill"
    light = await page.value(colour)
    scheme = {"name": "prefers-color-scheme", "value": "dark"}
    await page.call("Emulation.setEmulatedMedia", features=[scheme])
    await page.value(TURNED)
    assert light == "rgb(22, 32, 43)"
    assert await page.value(colour) == "rgb(232, 237, 242)"
    await sound(page)
