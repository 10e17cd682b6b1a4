"""Personal texts at rest: AES-256-GCM with the key's id beside the value, and keyed hashes to find them by."""

import base64
import hashlib
import hmac
import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from barberpro.storage.sealing_keys import KeyRing, read_ring

_NONCE_BYTES: Final = 12


class Sealer:
    """Seals with the newest key of a ring, and unseals what any of its keys sealed.

    A sealed text reads `<key id>.<base64 of nonce and ciphertext>`.
    """

    def __init__(self, ring: KeyRing) -> None:
        self.use(ring)

    def use(self, ring: KeyRing) -> None:
        """Goes on with these keys."""
        self.ring = ring
        self._ciphers = {key_id(key): AESGCM(key) for key in ring.unsealing}
        self.key_id = key_id(ring.sealing[-1])
        """Of the key that seals."""

    def seal(self, text: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._ciphers[self.key_id].encrypt(nonce, text.encode(), self.key_id.encode())
        return f"{self.key_id}.{base64.urlsafe_b64encode(sealed).decode()}"

    def unseal(self, sealed: str) -> str:
        """Raises ValueError when no key of the ring sealed it, or it was changed since."""
        name, _, rest = sealed.partition(".")
        if name not in self._ciphers:
            raise ValueError(f"sealed with key {name[:8]}, which is not in the ring")
        raw = base64.urlsafe_b64decode(rest)
        try:
            plain = self._ciphers[name].decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], name.encode())
        except InvalidTag as error:
            raise ValueError("the sealed text was changed") from error
        return plain.decode()

    def lookup(self, kind: str, text: str) -> str:
        """What a text is found by, without telling it: the hex HMAC-SHA256, with a key of its own, of kind and text.

        kind keeps an email's hashes apart from a phone's. The caller normalises the text (protocol/accounts.py):
        two texts that differ at all have nothing in common here.
        """
        return hmac.new(self.ring.lookup, f"{kind}\0{text}".encode(), hashlib.sha256).hexdigest()


def sealer(directory: Path, *, create: bool) -> Sealer:
    """With the keys in `directory`, as read_ring makes or refuses them. Blocking. Raises SealingKeyError."""
    return Sealer(read_ring(directory, create=create))


def key_id(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:8]
