"""Files the embedded stores are found through: locks that tell who is alive, and short socket paths."""

import asyncio
import fcntl
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from barberpro.server.embedded.errors import EmbeddedServicesError

P = ParamSpec("P")
T = TypeVar("T")

# sockaddr_un holds 104 bytes on macOS and 108 on Linux, the closing NUL included; take the smaller.
LONGEST_SOCKET_PATH = 103
LONGEST_SOCKET_NAME = len("/postgres/.s.PGSQL.5432")


class FileLock:
    """A lock on a file, which is made if missing: held alone, or shared with others who share it.

    The kernel lets go of it when the last copy of its descriptor closes, so also when its holder is killed: a
    lock, other than a pid file, cannot be stale and cannot name a stranger. All calls block; OSError.
    """

    def __init__(self, path: Path) -> None:
        """Take the file's path. Nothing is touched or held yet."""
        self._path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether we hold it, alone or shared."""
        return self._descriptor is not None

    def fileno(self) -> int:
        """Return the descriptor, for a child to inherit: it holds the lock then as well. ValueError if not held."""
        if self._descriptor is None:
            raise ValueError(f"the lock of {self._path} is not held")
        return self._descriptor

    def try_alone(self) -> bool:
        """Hold it alone from now on; False, and not even shared any more, when others hold it."""
        try:
            self._take(fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def share(self) -> None:
        """Hold it together with others from now on; waits while somebody holds it alone."""
        self._take(fcntl.LOCK_SH)

    def release(self) -> None:
        """Let go of it, if it is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _take(self, how: int) -> None:
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, how)
        except BaseException:
            self.release()
            raise


def is_locked(path: Path) -> bool:
    """Say whether someone holds the lock of this file. Blocking; OSError."""
    lock = FileLock(path)
    try:
        return not lock.try_alone()
    finally:
        lock.release()


def reachable_by_socket(directory: Path) -> Path:
    """Return a path of the directory through which the sockets in it can be reached. Blocking.

    That is the directory itself, unless its name is too long for a socket address or has characters that the
    URLs of the clients give a meaning to (a comma separates hosts). Then it is a symbolic link to it in /tmp,
    always the same one for the same user and directory. Raises EmbeddedServicesError when somebody else has
    taken the link's name.
    """
    if len(os.fsencode(directory)) + LONGEST_SOCKET_NAME <= LONGEST_SOCKET_PATH and is_plain(directory):
        return directory
    link = socket_link(directory)
    try:
        link.symlink_to(directory)
    except FileExistsError:
        # /tmp is everyone's: a link that is not ours could lead our clients to another's server.
        if link.lstat().st_uid != os.geteuid() or os.readlink(link) != str(directory):
            raise EmbeddedServicesError(
                f"The path of {directory} is too long for a socket, and its short name {link} is taken by "
                f"something else. Remove {link}, or choose a directory with a shorter name."
            ) from None
    return link


def is_plain(directory: Path) -> bool:
    """Say whether the path reads the same in a URL and outside of it."""
    return all(char.isascii() and (char.isalnum() or char in "/._-") for char in str(directory))


def socket_link(directory: Path) -> Path:
    """Return the short name that this user's processes give to a directory whose own name is too long."""
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    # The name must be short whatever TMPDIR says; see above for why its being public does no harm.
    return Path("/tmp") / f"barberpro-{os.geteuid()}-{digest}"  # noqa: S108 - its owner is checked before use


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function off the event loop, to its end even when the caller is cancelled.

    Otherwise a cancelled start could leave behind a process, or hold a lock, that nobody knows of.
    """
    call = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(call)
    except asyncio.CancelledError:
        await asyncio.wait([call])
        raise
