"""The keys that sign tokens. Development keys are made on first start; production brings its own."""

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

_NAME = "signing-key.pem"


class KeyFileError(Exception):
    """A key file is missing, unreadable, or no RSA key; the message names it."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """kid: names the key in a token's header; it follows from the public key."""

    private: RSAPrivateKey
    kid: str


def signing_key(directory: Path, *, create: bool) -> SigningKey:
    """The RSA key in `directory`; made there when there is none and `create` says so. Raises KeyFileError."""
    path = directory / _NAME
    try:
        if create and not path.exists():
            _make(path)
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise KeyFileError(f"BARBERPRO_KEYS_DIR: cannot use {path}: {error}") from error
    if not isinstance(private, RSAPrivateKey):
        raise KeyFileError(f"BARBERPRO_KEYS_DIR: {path} is no RSA key")
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(public)
    return SigningKey(private, digest.finalize().hex()[:16])


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # Two processes may start at once: the one that links first wins, and both read the same key.
    own = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    try:
        os.link(own, path)
    except FileExistsError:
        pass
    finally:
        own.unlink()
