"""Names in Redis. Every key of a shard carries the shard's hash tag, so that one script may touch them all."""

import binascii
from dataclasses import dataclass


def shard_of(shop_id: str, shards: int) -> int:
    """CRC-16/XMODEM, the one that Redis Cluster uses for slots, modulo the number of shards."""
    return binascii.crc_hqx(shop_id.encode(), 0) % shards


@dataclass(frozen=True, slots=True)
class Keys:
    """prefix: tells deployments on one Redis apart. shards: fixed when the data was created."""

    prefix: str
    shards: int

    def shard_of(self, shop_id: str) -> int:
        return shard_of(shop_id, self.shards)

    def root(self, shard: int) -> str:
        return f"{self.prefix}:{{s{shard}}}:"

    def epoch(self, shard: int) -> str:
        """The key whose absence says that the shard is cold."""
        return f"{self.root(shard)}epoch"

    def generation(self, shard: int, epoch: int) -> str:
        """What all other keys of the shard begin with; a rebuild starts a new generation."""
        return f"{self.root(shard)}e{epoch}:"

    def channel(self, shard: int) -> str:
        """Where committed events of the shard are published."""
        return f"{self.root(shard)}committed"
