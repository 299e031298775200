"""The configuration: TOML and the environment into frozen settings, and what is made from them.

Every problem is reported at once, with its key path and what to do. A secret is written as
``env:NAME`` and read from the environment; an endpoint may be.
"""

from .making import (
    LENDING_TOPICS,
    Config,
    make_feed,
    played_by,
    standard_processors,
    with_pool_logs,
)
from .reading import RPC_VARIABLES, load, loads

__all__ = [
    "LENDING_TOPICS",
    "RPC_VARIABLES",
    "Config",
    "load",
    "loads",
    "make_feed",
    "played_by",
    "standard_processors",
    "with_pool_logs",
]
