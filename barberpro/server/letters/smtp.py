"""Mails, by the operator's mail server."""

import ssl
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Final, Literal

import aiosmtplib

from barberpro.domain.delivery import Refused, Unsent
from barberpro.domain.templates import Text

_PATIENCE_SECONDS: Final = 20.0


class Smtp:
    """One connection a mail: they are few, and a server hangs up on those that idle."""

    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        security: Literal["starttls", "tls", "none"],
        tls: ssl.SSLContext,
        user: str | None = None,
        password: str | None = None,
    ) -> None:
        """sender: an address, or `Name <address>`. tls: which certificates are trusted. Raises ValueError."""
        name, address = parseaddr(sender)
        self._sender = Address(name, addr_spec=address)
        self._host, self._port, self._security, self._tls = host, port, security, tls
        self._user, self._password = user, password

    async def send(self, letter_id: str, to: str, text: Text) -> str | None:
        """None: a mail is known by its Message-ID, which is the letter's."""
        message = self._message(letter_id, to, text)
        try:
            await aiosmtplib.send(
                message,
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password,
                use_tls=self._security == "tls",
                # Not left to the server: a man in the middle would say that it has no TLS.
                start_tls=self._security == "starttls",
                tls_context=self._tls,
                timeout=_PATIENCE_SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _judged(error.recipients[0].code) from None
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError, aiosmtplib.SMTPRecipientRefused) as error:
            raise _judged(error.code) from None
        except aiosmtplib.SMTPResponseException as error:  # of the sign-in, or the greeting: an operator may mend it
            raise Unsent(f"the mail server says {error.code}") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unsent(f"no mail server ({type(error).__name__})") from None
        return None

    async def close(self) -> None:
        """Nothing is open."""

    def _message(self, letter_id: str, to: str, text: Text) -> EmailMessage:
        message = EmailMessage()
        message["To"] = _address(to)
        message["From"] = self._sender
        message["Subject"] = text.subject
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = f"<{letter_id}@{self._sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answer to it
        message.set_content(text.body + "\n")
        return message


def _address(text: str) -> Address:
    """Raises Refused when it is no address, or more than one."""
    try:
        address = Address(addr_spec=text)
    except (ValueError, IndexError, MessageError):  # IndexError: the parser trips over some of them
        address = Address()
    if not address.username or not address.domain or "@" in address.domain:
        raise Refused("the recipient's address is none")
    return address


def _judged(code: int) -> Exception:
    """What a reply to a mail means (RFC 5321): 5xx will be the same next time."""
    words = f"the mail server says {code}"
    return Refused(words) if code >= 500 else Unsent(words)
