"""The files of the sealing keys.

| file | is |
|---|---|
| sealing-key.bin | the first key: 32 random bytes, as all of them. It may go when nothing is sealed with it any more |
| sealing-key-<n>.bin | the n-th, from 2 on; the highest n seals, all unseal |
| sealing-key-<n>.coming | the next one: unseals already, so that every server knows it before the first of them seals |
| lookup-key.bin | the key of the hashes by which sealed texts are found; never rotated |
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_FIRST: Final = "sealing-key.bin"
_LATER: Final = re.compile(r"sealing-key-([0-9]{1,6})\.(bin|coming)")
_LOOKUP: Final = "lookup-key.bin"
_KEY_BYTES: Final = 32


class SealingKeyError(Exception):
    """A key file is missing, unreadable or of another length; the message names it."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """32 bytes a key. sealing: oldest first, the last one seals. coming: only unseals as yet."""

    sealing: tuple[bytes, ...]
    lookup: bytes
    coming: bytes | None = None

    @property
    def unsealing(self) -> tuple[bytes, ...]:
        return (*self.sealing, self.coming) if self.coming is not None else self.sealing


def read_ring(directory: Path, *, create: bool) -> KeyRing:
    """The keys in `directory`; missing ones are made when `create` says so. Blocking. Raises SealingKeyError."""
    try:
        if create:
            directory.mkdir(parents=True, exist_ok=True)
            if not _files(directory)[0]:
                _make(directory / _FIRST)
            if not (directory / _LOOKUP).exists():
                _make(directory / _LOOKUP)
        files, coming = _files(directory)
        # Without any, the first is what is asked for: the error names it.
        sealing = tuple(_read(path) for path in files or [directory / _FIRST])
        return KeyRing(sealing, _read(directory / _LOOKUP), _read(coming) if coming is not None else None)
    except OSError as error:
        raise SealingKeyError(f"BARBERPRO_KEYS_DIR: cannot use {error.filename or directory}: {error}") from error


def announce(directory: Path) -> None:
    """Makes the next key, which only unseals as yet; nothing when there is one. Blocking. Raises SealingKeyError."""
    try:
        files, coming = _files(directory)
        if coming is None:
            number = _number(files[-1]) + 1 if files else 2
            _make(directory / f"sealing-key-{number}.coming")
    except OSError as error:
        raise SealingKeyError(f"BARBERPRO_KEYS_DIR: cannot write in {directory}: {error}") from error


def take_up(directory: Path) -> None:
    """Has the key that was announced seal from now on; nothing when there is none. Blocking. Raises SealingKeyError."""
    try:
        _, coming = _files(directory)
        if coming is not None:
            coming.rename(coming.with_suffix(".bin"))
    except OSError as error:
        raise SealingKeyError(f"BARBERPRO_KEYS_DIR: cannot write in {directory}: {error}") from error


def _files(directory: Path) -> tuple[list[Path], Path | None]:
    """Those of the keys that seal or did, oldest first, and that of the one to come."""
    named = (path for path in directory.iterdir() if path.name == _FIRST or _LATER.fullmatch(path.name))
    found = sorted(named, key=_number)
    coming = [path for path in found if path.suffix == ".coming"]
    return [path for path in found if path.suffix == ".bin"], coming[-1] if coming else None


def _number(path: Path) -> int:
    match = _LATER.fullmatch(path.name)
    return int(match.group(1)) if match else 1


def _read(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise SealingKeyError(f"BARBERPRO_KEYS_DIR: {path} is not {_KEY_BYTES} bytes long")
    return key


def _make(path: Path) -> None:
    own = path.with_suffix(f".{os.getpid()}")
    own.touch(mode=0o600)
    own.write_bytes(os.urandom(_KEY_BYTES))
    try:
        os.link(own, path)  # of two that start at once, one wins and both read the same key
    except FileExistsError:
        pass
    finally:
        own.unlink()
