"""An export: a directory with a file a collection."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

COLLECTIONS: Final = ("users", "barbers", "bookings")
"""In the order in which they refer to each other."""
_AT_ONCE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    directory: Path

    def path(self, collection: str) -> Path:
        return self.directory / f"{collection}.jsonl"

    def present(self) -> list[str]:
        """The collections that have a file. Blocking."""
        return [each for each in COLLECTIONS if self.path(each).is_file()]

    def sizes(self) -> dict[str, int]:
        """In bytes, by collection. Blocking."""
        return {each: self.path(each).stat().st_size for each in self.present()}

    def digest(self) -> str:
        """Of the files, whole. Blocking."""
        hashed = hashlib.blake2b(digest_size=16)
        for collection, size in self.sizes().items():
            hashed.update(f"{collection} {size} ".encode())
            with self.path(collection).open("rb") as file:
                while part := file.read(_AT_ONCE):
                    hashed.update(part)
        return hashed.hexdigest()
