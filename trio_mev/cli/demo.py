"""The embedded demo: servers that play the tape that ships, and a stream that connects to them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from ..config import Config, load, played_by
from ..feeds.rpc import SocketRpc
from ..feeds.tapes import Tape
from ..flow.status import FeedState
from ..loopback.demo import SETTINGS, TAPE
from ..loopback.servers import LoopbackServers, open_loopback
from ..model.settings import Settings
from ..stream import RealtimeDataStream
from .live import Beside, watch
from .shows import Options

TITLE = "trio_mev demo: real contracts on a private chain, simulated quotes; nothing of mainnet"


def example(name: str) -> Path:
    """Where an example configuration is: ``public.toml`` or ``own-node.toml``."""
    path = Path(str(files(__package__) / name))
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def how_to_go_live() -> tuple[str, ...]:
    """What to type next."""
    run = "python -m trio_mev run --config"
    return (
        f"go live, without a key: {run} {example('public.toml')}",
        f"with your own node: ETH_RPC_URL=wss://... {run} {example('own-node.toml')}",
    )


def demo_config() -> Config:
    """What the demo watches, and its tape was recorded with."""
    return load(SETTINGS, {})


def default_config(tapes: Sequence[Path]) -> Config:
    """What tapes are replayed with where nothing is said: the demo's with what the demo watches."""
    demos = {TAPE.resolve()}
    return demo_config() if {tape.resolve() for tape in tapes} == demos else Config(Settings())


async def demo(options: Options) -> int:
    """Run the demo; the exit code."""
    config = demo_config()
    async with open_loopback([Tape(TAPE)]) as servers:
        feeds = played_by(servers.wall, servers.settings(), servers.called)
        begin = conductor(servers)

        async def conduct(stream: RealtimeDataStream) -> None:
            count_calls(servers, stream)
            await begin(stream)

        stream = config.settings.stream
        return await watch(feeds, config.processors(), stream, options, conduct)


def count_calls(servers: LoopbackServers, stream: RealtimeDataStream) -> None:
    """Let the servers know how many calls are on their way, and count what no tape has."""
    rpc = stream.rpc
    if isinstance(rpc, SocketRpc):
        servers.calls.asked = lambda: rpc.sent
        servers.calls.names = rpc.names
        servers.calls.statuses = {status.name: status for status in stream.manager.statuses}


def conductor(servers: LoopbackServers) -> Beside:
    """What begins the play when every feed is ready, and ends the stream when it is over.

    Where only what is played confirms a feed, it need have asked, no more.
    """

    async def conduct(stream: RealtimeDataStream) -> None:
        for status in stream.manager.statuses:
            if servers.confirms(status.name):
                await status.wait_for(FeedState.READY, FeedState.REFUSED)
            else:
                await servers.asked[status.name].wait()
        servers.begin.set()
        await servers.finished.wait()
        stream.leave()

    return conduct
