"""A real SMTP server for letters to arrive at: aiosmtpd, in the test's own event loop. Holds no tests itself."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "barberpro", "a secret of the mail server"


class Mailbox:
    """What came, and what is answered to the next recipients: a reply a mail, then 250."""

    def __init__(self) -> None:
        self.port = 0
        self.replies: list[str] = []
        self.refused = 0
        self._came: asyncio.Queue[EmailMessage] = asyncio.Queue()

    async def mail(self) -> EmailMessage:
        """The next mail that came."""
        async with asyncio.timeout(30):
            return await self._came.get()

    def empty(self) -> bool:
        return self._came.empty()

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.replies:
            self.refused += 1
            return self.replies.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self._came.put_nowait(mail)
        return "250 OK"


def _signs_in(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object) -> AuthResult:
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=known, handled=False)


@asynccontextmanager
async def mail_server(tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[Mailbox]:
    """Listens on 127.0.0.1. tls: then STARTTLS and a sign-in are demanded."""
    box = Mailbox()
    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        return SMTP(
            box,
            hostname="mail.test",
            loop=loop,
            tls_context=tls,
            require_starttls=tls is not None,
            auth_required=tls is not None,
            auth_require_tls=True,
            authenticator=_signs_in,
        )

    server = await loop.create_server(protocol, "127.0.0.1", port)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
