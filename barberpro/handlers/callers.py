"""Where a request comes from: the address, seen through the proxies that are trusted, and whether it came over TLS.

aiohttp-remotes was looked at: its strict form wants a list for each hop and refuses what differs, its relaxed form
believes whoever sends the header, and both copy the request, which loses what middlewares have written on it.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_UNKNOWN: Final = "unknown"
_IPV6_HOME: Final = 64
"""Bits of an IPv6 address that name a household or a server; the rest are its own to change at will."""


@dataclass(frozen=True, slots=True)
class Proxies:
    """The networks whose word is taken for where a request came from; of none by default."""

    trusted: tuple[Network, ...] = ()

    def address(self, request: web.Request) -> str | None:
        """The caller's: the last hop of X-Forwarded-For that is none of the proxies. None on a Unix socket.

        Each proxy appends whom it saw, so from the right up to the first stranger the list was written by proxies;
        what stands left of that, the stranger may have made up.
        """
        seen = _plain(request.remote or "")
        for hop in reversed(_hops(request.headers.getall(hdrs.X_FORWARDED_FOR, ()))):
            if seen is None or not self._trusts(seen):
                break
            before = _plain(hop)
            if before is None:
                break  # no address: the proxy itself is the last who is known
            seen = before
        return str(seen) if seen is not None else None

    def secure(self, request: web.Request) -> bool:
        """Whether the caller's connection is TLS, here or at a proxy that is trusted."""
        peer = _plain(request.remote or "")
        told = request.headers.get(hdrs.X_FORWARDED_PROTO, "").rpartition(",")[2].strip().lower()
        return request.secure or (peer is not None and self._trusts(peer) and told == "https")

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self.trusted)


def network_of(address: str | None) -> str:
    """What is counted and blocked as one: an address; of an IPv6 one the /64. `unknown` for what is none."""
    plain = _plain(address or "")
    if plain is None:
        return _UNKNOWN  # a Unix socket
    if isinstance(plain, ipaddress.IPv4Address):
        return str(plain)
    return str(ipaddress.IPv6Network((int(plain), _IPV6_HOME), strict=False))


def _hops(headers: Iterable[str]) -> list[str]:
    return [hop.strip() for header in headers for hop in header.split(",")]


def _plain(text: str) -> Address | None:
    """An address as it is compared: without a zone, and IPv4 as such where a socket for both shows it as IPv6."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
