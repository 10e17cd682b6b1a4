"""The address that a server listens on: kept for its workers, and what to say when it cannot be had."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager


class CannotListenError(Exception):
    """The address cannot be listened on; the message says why, and which setting to change."""


def cannot_listen(host: str, port: int, setting: str, error: OSError) -> CannotListenError:
    """In one line, for an error that listening there raised. setting: the port's."""
    why = error.strerror or str(error)
    if isinstance(error, socket.gaierror):
        return CannotListenError(f"--host (BARBERPRO_HOST) is {host}: it has no address ({why})")
    if error.errno == errno.EADDRNOTAVAIL:
        return CannotListenError(f"--host (BARBERPRO_HOST) is {host}: this machine has no such address")
    if error.errno == errno.EADDRINUSE:
        why = f"{setting} is taken: end the program that listens there, or give another"
    return CannotListenError(f"cannot listen on {host}:{port} ({why})")


@asynccontextmanager
async def reserved(host: str, port: int, setting: str) -> AsyncIterator[None]:
    """Keeps an address for sockets of this user's that share it (SO_REUSEPORT). Raises CannotListenError.

    The system looks at the options that two sockets have when the later one is bound. Ours is bound while it shares
    with nobody, so it is refused where anybody listens; then it shares, so the workers are let in; and it never
    listens, so no connection comes to it.
    """
    with ExitStack() as held:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
            for family, _, _, _, address in found:
                if family in _families():
                    held.enter_context(_reservation(family, address))
        except OSError as error:
            raise cannot_listen(host, port, setting, error) from error
        yield


def _families() -> set[socket.AddressFamily]:
    """Those that this machine speaks: a name may have an IPv6 address where there is no IPv6."""
    return {socket.AF_INET, socket.AF_INET6} if socket.has_dualstack_ipv6() else {socket.AF_INET}


def _reservation(family: socket.AddressFamily, address: tuple[object, ...]) -> socket.socket:
    kept = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6:
            kept.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # For what the last server's connections have left behind (TIME_WAIT), but not for the next reservation.
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(address)
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except BaseException:
        kept.close()
        raise
    return kept
