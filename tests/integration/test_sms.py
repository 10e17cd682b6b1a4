"""SMS by Twilio, against a stand-in that refuses what its documentation does not allow."""

import pytest

from barberpro.domain.delivery import Refused, Unsent
from barberpro.domain.templates import Text
from barberpro.server.letters.twilio import Twilio
from tests.support.twilio import ACCOUNT, SENDER, TOKEN, StandIn, twilio_stand_in

TO = "+919876543210"
TEXT = Text("", "आपका कोड 424242 & more")
SERVICE = "MG" + "0123456789abcdef" * 2


async def sent(stand_in: StandIn, to: str = TO, sender: str = SENDER, token: str = TOKEN, body: str = "") -> str | None:
    way = Twilio(ACCOUNT, token, sender, stand_in.url)
    try:
        return await way.send("lt_1", to, Text("", body or TEXT.body))
    finally:
        await way.close()


async def test_a_message_is_posted_as_the_documentation_demands() -> None:
    async with twilio_stand_in() as stand_in:
        assert await sent(stand_in) == "SM" + "1".zfill(32)
        assert await sent(stand_in, sender=SERVICE) == "SM" + "2".zfill(32)
    assert stand_in.sent == [(TO, SENDER, TEXT.body), (TO, SERVICE, TEXT.body)]


async def test_a_text_that_is_too_long_is_cut() -> None:
    async with twilio_stand_in() as stand_in:
        await sent(stand_in, body="x" * 2000)
    assert len(stand_in.sent[0][2]) == 1600


async def test_a_number_that_is_none_is_refused_for_good_and_not_named() -> None:
    async with twilio_stand_in() as stand_in:
        with pytest.raises(Refused, match=r"^Twilio says 400, error 21211$"):
            await sent(stand_in, to="12")


async def test_a_wrong_token_is_for_the_operator_to_mend() -> None:
    async with twilio_stand_in() as stand_in:
        with pytest.raises(Unsent, match=r"^Twilio says 401, error 20003$"):
            await sent(stand_in, token="wrong")  # noqa: S106 - of nobody


@pytest.mark.parametrize(("status", "code"), [(400, 21606), (403, 20005), (404, 20404), (500, 20500), (503, 20503)])
async def test_what_is_not_the_recipients_fault_is_tried_again(status: int, code: int) -> None:
    async with twilio_stand_in() as stand_in:
        stand_in.answers.append((status, code, {}))
        with pytest.raises(Unsent, match=f"^Twilio says {status}, error {code}$"):
            await sent(stand_in)


async def test_it_waits_as_long_as_it_is_asked_to() -> None:
    async with twilio_stand_in() as stand_in:
        stand_in.answers.append((429, 20429, {"Retry-After": "17"}))
        with pytest.raises(Unsent) as told:
            await sent(stand_in)
    assert told.value.seconds == 17


async def test_nobody_listening_is_told_as_that() -> None:
    async with twilio_stand_in() as stand_in:
        pass
    with pytest.raises(Unsent, match="no answer from Twilio"):
        await sent(stand_in)
