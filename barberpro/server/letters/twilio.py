"""SMS, by Twilio's Messages resource (its REST API of 2010-04-01).

The documentation asks for a POST of a form with To (E.164), Body (1,600 characters at most) and From or
MessagingServiceSid to /Accounts/{AccountSid}/Messages.json, with the account's SID and token as HTTP Basic. 201 brings
JSON with the message's `sid`; an error brings {code, message, more_info, status}; 429 asks to come again later. It has
no idempotency key: what was taken though the answer was lost is sent again.
"""

from typing import Any, Final

import aiohttp
import orjson

from barberpro.domain.delivery import Refused, Unsent
from barberpro.domain.templates import Text

_PATIENCE: Final = aiohttp.ClientTimeout(total=20)
_MOST_BYTES: Final = 65_536
_MOST_CHARACTERS: Final = 1600
_OURS: Final = frozenset({20003, 20005, 21606, 21608, 21659, 21660})
"""Codes of the account and the sender, not of the recipient: an operator may mend them, so the letter waits."""


class Twilio:
    """One session, kept: a code is waited for, and TLS handshakes take a while."""

    def __init__(self, account_sid: str, auth_token: str, sender: str, url: str = "https://api.twilio.com") -> None:
        """sender: a number (E.164), a messaging service (MG...), or an alphanumeric sender."""
        self._url = f"{url}/2010-04-01/Accounts/{account_sid}/Messages.json"
        self._headers = {"Authorization": aiohttp.encode_basic_auth(account_sid, auth_token)}
        service = sender.startswith("MG") and len(sender) == 34
        self._sender = {"MessagingServiceSid" if service else "From": sender}
        self._session: aiohttp.ClientSession | None = None

    async def send(self, _letter_id: str, to: str, text: Text) -> str | None:
        """The message's SID."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_PATIENCE, headers=self._headers)
        form = {"To": to, "Body": text.body[:_MOST_CHARACTERS], **self._sender}
        try:
            async with self._session.post(self._url, data=form, allow_redirects=False) as answer:
                document = _document(await answer.content.read(_MOST_BYTES))
                if answer.status == 201:
                    return str(document.get("sid", "")) or None
                raise _judged(answer.status, document.get("code"), answer.headers.get("Retry-After", ""))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unsent(f"no answer from Twilio ({type(error).__name__})") from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def _document(raw: bytes) -> dict[str, Any]:
    """Empty when it is no JSON object: a proxy on the way may have answered."""
    try:
        document = orjson.loads(raw)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _judged(status: int, code: object, retry_after: str) -> Exception:
    """What an error means. Its message is left out, since it repeats the recipient's number."""
    words = f"Twilio says {status}" + (f", error {code}" if isinstance(code, int) else "")
    if status == 400 and code not in _OURS:
        return Refused(words)
    return Unsent(words, float(retry_after) if retry_after.isdigit() else None)
