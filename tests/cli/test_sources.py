"""What ``sources`` prints of answers that nobody sensible would give."""

from __future__ import annotations

import io

from rich.console import Console

from trio_mev.cli.sources import CHAIN, CLIENT, HEAD, Answer, _words
from trio_mev.flow.status import FeedState


def test_what_a_node_calls_itself_moves_no_cursor_and_is_no_markup():
    said = {CHAIN: "1", HEAD: "7", CLIENT: "\x1b[2J[red]evil\r\n\x9b1A[/]"}
    answer = Answer("node", "ws://x", FeedState.READY, subscriptions=["newHeads"], said=said)
    out = io.StringIO()
    Console(file=out, force_terminal=True, no_color=True, width=200).print(_words([answer]))
    shown = out.getvalue()
    assert "[red]evil" in shown
    assert not {"\x1b", "\x9b", "\r"} & set(shown)
