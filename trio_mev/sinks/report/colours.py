"""Which colour is whose: the same on every chart, and to be seen on light and on dark ground."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

SOURCES = (
    "#3f83f8", "#e8710a", "#1fa774", "#d6409f", "#9061f9", "#b8941f",
    "#0e9db5", "#e5484d", "#7f9c2e", "#b0724a", "#6875f5", "#5f9ea0",
)  # fmt: skip
KINDS = {
    "arbitrage": "#3f83f8",
    "sandwich": "#e5484d",
    "liquidation": "#e8710a",
    "jit": "#9061f9",
    "cex_dex": "#0e9db5",
    "spread": "#1fa774",
    "transaction": "#b8941f",
    "simulation": "#d6409f",
}
GREY = "#8b95a1"
VERDICTS = {
    "taken": "#1fa774",
    "competed": "#0e9db5",
    "expired": "#b8941f",
    "wrong": "#e5484d",
    "over": GREY,
    "open": "#3f83f8",
    "unseen": "#d6409f",
}
STATES = {"connecting": "#b8941f", "waiting": "#b8941f", "lost": "#e5484d", "refused": "#e5484d"}
TROUBLES = {"degraded": "#b8941f", "disputed": "#e5484d", "stale": GREY}


def of_sources(names: Iterable[str]) -> Mapping[str, str]:
    """A colour for each, by its place among all of them; pools, of which there may be many, come
    after what is no pool."""
    ordered = sorted(set(names), key=lambda name: (":0x" in name, name))
    return {name: SOURCES[number % len(SOURCES)] for number, name in enumerate(ordered)}


def of_kind(name: str) -> str:
    """The colour of a kind of finding."""
    return KINDS.get(name, GREY)
