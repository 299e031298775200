"""Who and what: venues, instruments and endpoints, spelled in one canonical way."""

from __future__ import annotations

import enum
import re
from typing import NewType
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs

from .noun import Noun

Venue = NewType("Venue", str)
"""An exchange's name in lower case, such as ``binance``."""

_ASSET = re.compile(r"[A-Z0-9]{1,20}")
_EXPIRY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class InstrumentKind(enum.Enum):
    """What is traded; a perpetual on ETH/USDT is not ETH/USDT itself."""

    SPOT = "spot"
    PERPETUAL = "perpetual"
    FUTURE = "future"
    INDEX = "index"


class Instrument(Noun, frozen=True, cache_hash=True):
    """A canonical instrument: base over quote, and its kind.

    Its text form is ``ETH/USDT`` for spot, ``ETH/USDT:perpetual`` or
    ``BTC/USD:future-2026-03-27`` otherwise. Two venues quote the same thing only if their
    instruments are equal: USDT, USDC and USD are three currencies.
    """

    base: str
    quote: str
    kind: InstrumentKind = InstrumentKind.SPOT
    expiry: str | None = None
    """Day of delivery as YYYY-MM-DD; of futures only."""

    def __post_init__(self) -> None:
        for name, asset in (("base", self.base), ("quote", self.quote)):
            if not _ASSET.fullmatch(asset):
                raise ValueError(f"{name} {asset!r} is not 1 to 20 of A-Z and 0-9")
        if (self.expiry is not None) != (self.kind is InstrumentKind.FUTURE):
            raise ValueError("a future has an expiry, nothing else has one")
        if self.expiry is not None and not _EXPIRY.fullmatch(self.expiry):
            raise ValueError(f"expiry {self.expiry!r} is not YYYY-MM-DD")

    @classmethod
    def parse(cls, text: str) -> Instrument:
        """Read the canonical text form.

        Raises:
            ValueError: the text is not ``BASE/QUOTE`` or ``BASE/QUOTE:kind``.
        """
        pair, _, kind = text.partition(":")
        base, slash, quote = pair.partition("/")
        if not slash:
            raise ValueError(f"{text!r} is not BASE/QUOTE, such as ETH/USDT")
        name, _, expiry = kind.partition("-")
        try:
            which = InstrumentKind(name or "spot")
        except ValueError:
            known = ", ".join(k.value for k in InstrumentKind)
            raise ValueError(f"{name!r} in {text!r} is not one of {known}") from None
        return cls(base, quote, which, expiry or None)

    def __str__(self) -> str:
        pair = f"{self.base}/{self.quote}"
        if self.kind is InstrumentKind.SPOT:
            return pair
        return f"{pair}:{self.kind.value}" + (f"-{self.expiry}" if self.expiry else "")


_SHOWN_SEGMENTS = frozenset({
    "eth", "mainnet", "marketdata", "public", "rpc", "stream", "websocket", "ws", "wss",
    "v1", "v2", "v3", "v5",
})  # fmt: skip


LEAST_KEY = 12
"""Characters of what may be a key: less is a word by chance."""
LEAST_PASSWORD = 6


def redact(url: str) -> str:
    """The URL with everything that may be a key replaced by ``***``.

    Providers put keys into user information, path segments and query values alike, so only
    well-known path segments and the names of query parameters that have a value are kept.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ":***"
    user = "***@" if "@" in parts.netloc else ""
    path = "/".join(s if not s or s in _SHOWN_SEGMENTS else "***" for s in parts.path.split("/"))
    fields = parse_qsl(parts.query, keep_blank_values=True)
    query = "&".join(f"{name}=***" if value else "***" for name, value in fields)
    return f"{parts.scheme}://{user}{host}{port}{path}" + (f"?{query}" if query else "")


_SAFE = re.compile(r"[^\s\x00-\x20\x7f]+")


def _nameable(host: str) -> bool:
    """Whether IDNA can encode it: no label is empty or over 63 characters."""
    try:
        return len(host.encode("idna")) <= 253
    except UnicodeError:
        return False


@attrs.frozen(repr=False)
class Endpoint:
    """A WebSocket URL; its repr and str never show what may be a key."""

    url: str

    def __attrs_post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
        except ValueError:  # whose message may quote user information
            raise ValueError("the endpoint is not a URL") from None
        if parts.scheme not in {"ws", "wss"}:
            raise ValueError(f"{redact(self.url)!r} does not begin with ws:// or wss://")
        if not parts.hostname:
            raise ValueError(f"{redact(self.url)!r} has no host")
        if parts.fragment:
            raise ValueError(f"{redact(self.url)!r} has a fragment, which a WebSocket URL has not")
        if (parts.username is None) != (parts.password is None):
            raise ValueError(f"{redact(self.url)!r} has a user without a password, or the reverse")
        self._check_address(parts.hostname)

    def _check_address(self, host: str) -> None:
        if not _SAFE.fullmatch(self.url):
            raise ValueError("the endpoint has white space or control characters")
        if not _nameable(host):
            raise ValueError(f"{redact(self.url)!r} has a host that no name look-up takes")
        try:
            port = urlsplit(self.url).port
        except ValueError:  # whose message would quote what may be a key
            port = 0
        if port == 0:
            raise ValueError(f"{redact(self.url)!r} has a port that is not 1 to 65535")

    @property
    def secrets(self) -> frozenset[str]:
        """Those parts of it that its ``str`` does not show, and that are long enough for a key."""
        parts = urlsplit(self.url)
        fields = parse_qsl(parts.query, keep_blank_values=True)
        keys = [value or name for name, value in fields]
        keys += [s for s in parts.path.split("/") if s not in _SHOWN_SEGMENTS]
        keys.append(unquote(parts.username or ""))
        password = unquote(parts.password or "")
        found = {key for key in keys if len(key) >= LEAST_KEY}
        return frozenset(found | ({password} if len(password) >= LEAST_PASSWORD else set()))

    @property
    def user(self) -> bool:
        """Whether it names a user, who is asked for by the handshake's ``Authorization``."""
        return urlsplit(self.url).username is not None

    @property
    def secure(self) -> bool:
        """Whether the connection uses TLS."""
        return urlsplit(self.url).scheme == "wss"

    @property
    def host(self) -> str:
        """The host's name or address, without brackets."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The TCP port; 443 or 80 where the URL names none."""
        return urlsplit(self.url).port or (443 if self.secure else 80)

    def __str__(self) -> str:
        return redact(self.url)

    def __repr__(self) -> str:
        return f"Endpoint({redact(self.url)!r})"


@attrs.frozen(repr=False)
class Secret:
    """A value that must not be seen: its repr and str are ``***``.

    It goes into a header, where other characters would end the header or be shown in an error.
    """

    value: str

    def __attrs_post_init__(self) -> None:
        if not (self.value.isascii() and self.value.isprintable()):
            raise ValueError("it has characters that no header can carry; is a line end in it?")

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"
