"""The keys that sign tokens: a ring, of which one signs and all verify.

They lie in one directory: `signing-key.pem`, the first, and `signing-key-<second>.pem`, made in that second (UTC, since
the epoch). The newest signs, once every node had time to read it; those before it verify until the last token is over
that they can have signed. Development keys are made on first start; production brings its own.
"""

import base64
import os
import re
import time
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key

FIRST: Final = "signing-key.pem"
_LATER: Final = re.compile(r"signing-key-([0-9]{1,12})\.pem")
_DEVELOPMENT: Final = b"BarberPro development key: made on first start, refused in production.\n"
SETTLE_SECONDS: Final = 360
"""A new key is known to every node, and to whoever keeps the key set for its five minutes, before it signs."""
OVERLAP_SECONDS: Final = 48 * 3600
"""After which an old key no longer verifies: twice the longest token that a server mints by itself, a screen's."""


class KeyFileError(Exception):
    """A key file is missing, unreadable, no RSA key, or not for production; the message names it."""


@dataclass(frozen=True)
class SigningKey:
    """kid: names the key in a token's header; it follows from the public key. made_at: seconds since the epoch."""

    private: RSAPrivateKey
    kid: str
    made_at: int = 0

    @cached_property
    def public(self) -> RSAPublicKey:
        return self.private.public_key()

    @cached_property
    def jwk(self) -> dict[str, str]:
        """The public half, as RFC 7517 writes it."""
        numbers = self.public.public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "n": _base64(numbers.n),
            "e": _base64(numbers.e),
        }


@dataclass(frozen=True, slots=True)
class KeyRing:
    """keys: at least one, the oldest first."""

    keys: tuple[SigningKey, ...]

    @property
    def kids(self) -> tuple[str, ...]:
        return tuple(key.kid for key in self.keys)

    def signing(self, now: float) -> SigningKey:
        """The newest that everybody knows by now; while there is none, the oldest."""
        settled = [key for key in self.keys if key.made_at + SETTLE_SECONDS <= now]
        return settled[-1] if settled else self.keys[0]

    def verifying(self, kid: object, now: float) -> SigningKey | None:
        """The key of that name, unless all that it signed is over."""
        for key, successor in zip(self.keys, (*self.keys[1:], None), strict=True):
            if key.kid == kid:
                over = successor is not None and now > successor.made_at + SETTLE_SECONDS + OVERLAP_SECONDS
                return None if over else key
        return None


def key_ring(directory: Path, *, create: bool, production: bool = False) -> KeyRing:
    """The keys in `directory`. Blocking. Raises KeyFileError.

    create: whether to make a development key where there is none. production: whether to refuse those.
    """
    files = _files(directory)
    if not files:
        if not create:
            raise KeyFileError(
                f"BARBERPRO_KEYS_DIR: there is no {directory / FIRST}; `barberpro keys rotate signing` makes it"
            )
        _write(directory / FIRST, _DEVELOPMENT + _new_pem())
        files = _files(directory)
    return KeyRing(tuple(_read(path, made_at, production=production) for made_at, path in files))


def signing_key(directory: Path, *, create: bool) -> SigningKey:
    """The key in `directory` that signs now. Blocking. Raises KeyFileError."""
    return key_ring(directory, create=create).signing(time.time())


def add_key(directory: Path, *, development: bool, at_once: bool = False) -> tuple[str, list[str]]:
    """Makes the next key, and removes those that verify nothing any more. Blocking. Raises KeyFileError.

    The new file's name, and those that were removed. at_once: it signs now, and all others go: they were stolen.
    """
    now, files = int(time.time()), _files(directory)
    # As if it had been made so long ago that everybody knows it.
    made_at = now - SETTLE_SECONDS if at_once else now
    path = directory / (f"signing-key-{made_at}.pem" if files else FIRST)
    _write(path, (_DEVELOPMENT if development else b"") + _new_pem())
    over = [old for (_, old), (then, _) in pairwise(files) if now > then + SETTLE_SECONDS + OVERLAP_SECONDS]
    gone = [old for _, old in files] if at_once else over
    for old in gone:
        old.unlink(missing_ok=True)
    return path.name, [old.name for old in gone]


def names(directory: Path) -> tuple[str, ...]:
    """Of the ring's files: whether it has changed. Blocking. Raises KeyFileError."""
    return tuple(path.name for _, path in _files(directory))


def _files(directory: Path) -> list[tuple[int, Path]]:
    """(made at, path), the oldest first."""
    try:
        found = [(match, path) for path in directory.glob("signing-key*.pem") if (match := _made(path)) is not None]
    except OSError as error:
        raise KeyFileError(f"BARBERPRO_KEYS_DIR: cannot read {directory}: {error}") from error
    return sorted(found)


def _made(path: Path) -> int | None:
    later = _LATER.fullmatch(path.name)
    return 0 if path.name == FIRST else int(later.group(1)) if later is not None else None


def _read(path: Path, made_at: int, *, production: bool) -> SigningKey:
    try:
        pem = path.read_bytes()
        private = serialization.load_pem_private_key(pem, password=None)
    except (OSError, ValueError) as error:
        raise KeyFileError(f"BARBERPRO_KEYS_DIR: cannot use {path}: {error}") from error
    if not isinstance(private, RSAPrivateKey):
        raise KeyFileError(f"BARBERPRO_KEYS_DIR: {path} is no RSA key")
    if private.key_size < 2048:
        raise KeyFileError(f"BARBERPRO_KEYS_DIR: {path} has {private.key_size} bits; 2048 are the least")
    if production and pem.startswith(_DEVELOPMENT.strip()):
        raise KeyFileError(f"BARBERPRO_KEYS_DIR: {path} is a development key, and BARBERPRO_ENVIRONMENT is production")
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(public)
    return SigningKey(private, digest.finalize().hex()[:16], made_at)


def _new_pem() -> bytes:
    return generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, pem: bytes) -> None:
    """Whole or not at all, and never over another: of two that write at once, one wins and both read the same key."""
    own = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        try:
            os.link(own, path)
        except FileExistsError:
            pass
        finally:
            own.unlink()
    except OSError as error:
        raise KeyFileError(f"BARBERPRO_KEYS_DIR: cannot write {path}: {error}") from error


def _base64(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
