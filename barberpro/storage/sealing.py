"""Telephone numbers at rest: AES-256-GCM, with the key's id beside the value."""

import base64
import hashlib
import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NAME: Final = "sealing-key.bin"
_NONCE_BYTES: Final = 12


class SealingKeyError(Exception):
    """The key file is missing, unreadable or of another length; the message names it."""


class Sealer:
    """Seals texts with one key. A sealed text reads `<key id>.<base64 of nonce and ciphertext>`."""

    def __init__(self, key: bytes) -> None:
        """`key`: 32 bytes."""
        self._cipher = AESGCM(key)
        self._key_id = hashlib.sha256(key).hexdigest()[:8]

    def seal(self, text: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, text.encode(), self._key_id.encode())
        return f"{self._key_id}.{base64.urlsafe_b64encode(sealed).decode()}"

    def unseal(self, sealed: str) -> str:
        """Raises ValueError when it was sealed with another key, or changed since."""
        key_id, _, rest = sealed.partition(".")
        if key_id != self._key_id:
            raise ValueError(f"sealed with key {key_id}, not {self._key_id}")
        raw = base64.urlsafe_b64decode(rest)
        try:
            plain = self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], key_id.encode())
        except InvalidTag as error:
            raise ValueError("the sealed text was changed") from error
        return plain.decode()


def sealer(directory: Path, *, create: bool) -> Sealer:
    """With the key in `directory`; made there when there is none and `create` says so. Raises SealingKeyError."""
    path = directory / _NAME
    try:
        if create and not path.exists():
            directory.mkdir(parents=True, exist_ok=True)
            own = path.with_suffix(f".{os.getpid()}")
            own.touch(mode=0o600)
            own.write_bytes(AESGCM.generate_key(256))
            try:
                os.link(own, path)  # of two that start at once, one wins and both read the same key
            except FileExistsError:
                pass
            finally:
                own.unlink()
        key = path.read_bytes()
    except OSError as error:
        raise SealingKeyError(f"BARBERPRO_KEYS_DIR: cannot use {path}: {error}") from error
    if len(key) != 32:
        raise SealingKeyError(f"BARBERPRO_KEYS_DIR: {path} is not 32 bytes long")
    return Sealer(key)
