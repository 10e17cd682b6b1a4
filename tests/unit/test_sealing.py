"""Sealed texts, the ring of keys that opens them, and the hashes that they are found by."""

import base64
import re
from pathlib import Path

import pytest

from barberpro.storage.sealing import key_id, sealer
from barberpro.storage.sealing_keys import SealingKeyError, announce, read_ring, take_up

PHONE = "+919876543210"


def test_what_was_sealed_is_unsealed_and_reads_like_nothing(tmp_path: Path) -> None:
    seals = sealer(tmp_path, create=True)
    sealed = seals.seal(PHONE)
    assert seals.unseal(sealed) == PHONE
    assert PHONE[4:] not in sealed
    assert seals.seal(PHONE) != sealed


def test_a_changed_text_is_not_unsealed(tmp_path: Path) -> None:
    seals = sealer(tmp_path, create=True)
    name, _, rest = seals.seal(PHONE).partition(".")
    raw = bytearray(base64.urlsafe_b64decode(rest))
    raw[-1] ^= 1
    with pytest.raises(ValueError, match="was changed"):
        seals.unseal(f"{name}.{base64.urlsafe_b64encode(raw).decode()}")


def test_a_key_that_is_not_in_the_ring_is_named(tmp_path: Path) -> None:
    sealed = sealer(tmp_path / "theirs", create=True).seal(PHONE)
    with pytest.raises(ValueError, match=re.escape(f"sealed with key {sealed[:8]}")):
        sealer(tmp_path / "ours", create=True).unseal(sealed)


def test_the_next_key_unseals_before_it_seals(tmp_path: Path) -> None:
    early = sealer(tmp_path, create=True)
    first = early.key_id
    announce(tmp_path)
    announce(tmp_path)  # again, as after a rotation that was stopped: still the same key
    early.use(read_ring(tmp_path, create=False))
    assert early.key_id == first
    take_up(tmp_path)
    late = sealer(tmp_path, create=False)
    assert late.key_id != first
    assert early.unseal(late.seal(PHONE)) == PHONE
    assert late.unseal(early.seal(PHONE)) == PHONE


def test_each_rotation_adds_a_key_and_all_of_them_unseal(tmp_path: Path) -> None:
    sealed = [sealer(tmp_path, create=True).seal(PHONE)]
    for _ in range(11):
        announce(tmp_path)
        take_up(tmp_path)
        sealed.append(sealer(tmp_path, create=False).seal(PHONE))
    ring = read_ring(tmp_path, create=False)
    assert [text.partition(".")[0] for text in sealed] == [key_id(key) for key in ring.sealing]
    assert {sealer(tmp_path, create=False).unseal(text) for text in sealed} == {PHONE}


def test_a_hash_is_the_same_for_the_same_kind_and_text_alone(tmp_path: Path) -> None:
    seals = sealer(tmp_path, create=True)
    found = seals.lookup("phone", PHONE)
    assert re.fullmatch("[0-9a-f]{64}", found)
    assert sealer(tmp_path, create=False).lookup("phone", PHONE) == found
    assert seals.lookup("email", PHONE) != found
    assert seals.lookup("phone", PHONE + "0") != found
    assert sealer(tmp_path / "theirs", create=True).lookup("phone", PHONE) != found


def test_rotation_leaves_the_hashes_alone(tmp_path: Path) -> None:
    found = sealer(tmp_path, create=True).lookup("phone", PHONE)
    announce(tmp_path)
    take_up(tmp_path)
    assert sealer(tmp_path, create=False).lookup("phone", PHONE) == found


@pytest.mark.parametrize("name", ["sealing-key.bin", "lookup-key.bin"])
def test_a_missing_or_short_key_is_named(tmp_path: Path, name: str) -> None:
    read_ring(tmp_path, create=True)
    (tmp_path / name).write_bytes(b"short")
    with pytest.raises(SealingKeyError, match=f"BARBERPRO_KEYS_DIR: .*{name} is not 32 bytes long"):
        read_ring(tmp_path, create=True)
    (tmp_path / name).unlink()
    with pytest.raises(SealingKeyError, match=f"BARBERPRO_KEYS_DIR: .*{name}"):
        read_ring(tmp_path, create=False)


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    read_ring(tmp_path, create=True)
    announce(tmp_path)
    assert {oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == {"0o600"}


def test_the_first_key_may_go_when_a_later_one_seals(tmp_path: Path) -> None:
    sealer(tmp_path, create=True)
    announce(tmp_path)
    take_up(tmp_path)
    (tmp_path / "sealing-key.bin").unlink()
    seals = sealer(tmp_path, create=True)  # and none is made in its place
    assert not (tmp_path / "sealing-key.bin").exists()
    assert seals.unseal(seals.seal(PHONE)) == PHONE
    announce(tmp_path)
    assert (tmp_path / "sealing-key-3.coming").exists()
