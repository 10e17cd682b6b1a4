"""Handing a ticket on: a code short enough for a QR code, which is good for one booking's ticket and nothing else.

A ticket itself is a kilobyte: too many squares for a paper as wide as a thumb. The code is sealed (storage/sealing.py),
so nobody else makes one, and the server keeps none.
"""

import re
import time
from typing import Final

from barberpro.domain.guests import TICKET_SECONDS, holder, minted
from barberpro.domain.identity import Identity, Tokens
from barberpro.protocol.answers import Token
from barberpro.protocol.errors import not_found
from barberpro.storage.sealing import Sealer

_SEALED: Final = re.compile(r"ticket (\S+) (\d+)")


def code_for(sealer: Sealer, booking_id: str) -> str:
    """A code for the booking's ticket, good for as long as a ticket that is made now."""
    return sealer.seal(f"ticket {booking_id} {int(time.time())}")


def ticket_for(sealer: Sealer, tokens: Tokens, booking_id: str, code: str) -> Token:
    """The booking's ticket, which ends with the code. Raises NOT_FOUND for what is no code of this booking's.

    Revoking the booking's tickets ends codes that were made before as well.
    """
    try:
        sealed = _SEALED.fullmatch(sealer.unseal(code))
    except ValueError:
        sealed = None
    if sealed is None or sealed[1] != booking_id:
        raise not_found("ticket")
    made_at, actor = int(sealed[2]), holder(booking_id)
    seconds = made_at + TICKET_SECONDS - int(time.time())
    if seconds <= 0 or tokens.revoked(Identity(actor, made_at, made_at + TICKET_SECONDS, "")):
        raise not_found("ticket")
    return minted(tokens, actor, seconds)
