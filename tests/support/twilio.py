"""A stand-in for Twilio's Messages resource that refuses what its documentation does not allow. Holds no tests itself.

The form: POST /2010-04-01/Accounts/{AccountSid}/Messages.json, application/x-www-form-urlencoded, HTTP Basic with the
account's SID and token; To in E.164; Body of 1 to 1,600 characters; From or MessagingServiceSid.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

ACCOUNT: Final = "AC" + "0123456789abcdef" * 2
TOKEN: Final = "a secret of the account"  # noqa: S105 - of nobody
SENDER: Final = "+15005550006"
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_FIELDS: Final = frozenset({"To", "From", "MessagingServiceSid", "Body"})


@dataclass
class StandIn:
    """sent: (To, From or MessagingServiceSid, Body). answers: replies to the next requests: status, code, headers."""

    url: str = ""
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    answers: list[tuple[int, int, dict[str, str]]] = field(default_factory=list)

    async def create(self, request: web.Request) -> web.Response:
        if self.answers:
            status, code, headers = self.answers.pop(0)
            return _error(status, code, headers)
        account = request.match_info["account"]
        if request.headers.get("Authorization") != aiohttp.encode_basic_auth(account, TOKEN):
            return _error(401, 20003)
        if request.content_type != "application/x-www-form-urlencoded":
            return _error(400, 20001)
        form = await request.post()
        to, body = str(form.get("To", "")), str(form.get("Body", ""))
        sender = str(form.get("From", form.get("MessagingServiceSid", "")))
        if not _E164.fullmatch(to):
            return _error(400, 21211)
        if not 1 <= len(body) <= 1600:
            return _error(400, 21617)
        if not sender or not form.keys() <= _FIELDS or {"From", "MessagingServiceSid"} <= form.keys():
            return _error(400, 21603)
        self.sent.append((to, sender, body))
        return web.json_response({"sid": f"SM{len(self.sent):032x}", "status": "queued", "to": to}, status=201)


def _error(status: int, code: int, headers: dict[str, str] | None = None) -> web.Response:
    """As Twilio's: its message may repeat the number."""
    document = {
        "code": code,
        "message": "The 'To' number +919876543210 is not a valid phone number.",
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return web.json_response(document, status=status, headers=headers)


@asynccontextmanager
async def twilio_stand_in() -> AsyncIterator[StandIn]:
    stand_in = StandIn()
    app = web.Application()
    app.router.add_post("/2010-04-01/Accounts/{account}/Messages.json", stand_in.create)
    async with TestServer(app) as server:
        stand_in.url = str(server.make_url("")).rstrip("/")
        yield stand_in
