"""Letters, as the rest of the house posts them: in its own transaction, without waiting for anybody's mail server."""

from dataclasses import dataclass
from typing import Final, Literal

import orjson

from barberpro.domain.jobs import enqueue
from barberpro.domain.templates import render
from barberpro.protocol.ids import new_letter_id
from barberpro.storage.letters import insert_letter
from barberpro.storage.postgres import AnyConnection
from barberpro.storage.sealing import Sealer

JOB: Final = "letter"
"""The kind of the jobs that send letters; the argument is the letter's id."""


@dataclass(frozen=True, slots=True)
class Letter:
    """to: an email address, or a phone in E.164. template: of barberpro/domain/letters. fields: what it fills in."""

    channel: Literal["email", "sms"]
    to: str
    template: str
    fields: dict[str, str]
    language: str = "en"


async def post(connection: AnyConnection, sealer: Sealer, letter: Letter) -> None:
    """Puts a letter down in the caller's transaction; it is sent once that is committed, and tried again for long.

    Raises LookupError when there is no such template, or a field of it is missing.
    """
    render(letter.channel, letter.template, letter.language, letter.fields)
    letter_id, content = new_letter_id(), orjson.dumps({"to": letter.to, "fields": letter.fields}).decode()
    sealed = sealer.seal(content)
    await insert_letter(connection, letter_id, letter.channel, letter.template, letter.language, sealed)
    await enqueue(connection, JOB, letter_id)
