"""How often who may do what: the one table of rates.

Rates that protect secrets (passwords, codes, the owner of a telephone that is sent codes) hold always, and refuse
while Redis cannot count. The others can be switched off, and let pass meanwhile.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Rated(StrEnum):
    REQUEST = "request"
    HANDSHAKE = "handshake"
    JOIN = "join"
    SIGN_IN = "sign_in"
    CODE = "code"
    LETTER = "letter"
    PAIRING = "pairing"
    REFUSED = "refused"


class Per(StrEnum):
    """Of whom there are so many.

    CALLER: the user, or without a good token of one's own the network. NETWORK: the network, whoever asks from it. What
    is tried on one account, from whatever networks, is counted with the account.
    """

    CALLER = "caller"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `limit` in `seconds`, all at once if need be; each comes back after its share of the time.

    guards: holds always, and refuses while it cannot be counted.
    """

    rated: Rated
    per: Per
    limit: int
    seconds: int
    guards: bool = False


def rules(requests_per_minute: int) -> tuple[Rule, ...]:
    """The table. requests_per_minute: of a caller; 0 leaves only the rules that guard secrets."""
    n = requests_per_minute
    table = (
        Rule(Rated.REQUEST, Per.CALLER, n, 60),
        # A shop's customers share its Wi-Fi: a network may hold many people who come back at once.
        Rule(Rated.HANDSHAKE, Per.NETWORK, 5 * n, 60),
        Rule(Rated.JOIN, Per.CALLER, 10, 60),
        Rule(Rated.JOIN, Per.NETWORK, 2 * n, 60),
        Rule(Rated.PAIRING, Per.NETWORK, 20, 600),
        Rule(Rated.SIGN_IN, Per.NETWORK, 20, 300, guards=True),
        Rule(Rated.CODE, Per.NETWORK, 20, 300, guards=True),
        Rule(Rated.LETTER, Per.NETWORK, 20, 3600, guards=True),
        # Who is refused and goes on is blocked.
        Rule(Rated.REFUSED, Per.NETWORK, 100, 600),
    )
    return tuple(rule for rule in table if n > 0 or rule.guards or rule.rated is Rated.REFUSED)


_AUTH: Final = "/api/v1/auth"
RATED: Final = {
    ("POST", f"{_AUTH}/login"): Rated.SIGN_IN,
    ("POST", f"{_AUTH}/login/google"): Rated.SIGN_IN,
    ("POST", f"{_AUTH}/login/firebase"): Rated.SIGN_IN,
    ("POST", f"{_AUTH}/verify-otp"): Rated.CODE,
    ("POST", f"{_AUTH}/verify-email"): Rated.CODE,
    ("POST", f"{_AUTH}/reset-password"): Rated.CODE,
    ("POST", f"{_AUTH}/contacts/verify"): Rated.CODE,
    ("POST", "/api/v1/invitations/accept"): Rated.CODE,
    ("POST", f"{_AUTH}/contacts"): Rated.LETTER,
    ("POST", f"{_AUTH}/register"): Rated.LETTER,
    ("POST", f"{_AUTH}/resend-otp"): Rated.LETTER,
    ("POST", f"{_AUTH}/forgot-password"): Rated.LETTER,
    ("POST", "/api/v1/devices"): Rated.PAIRING,
}
"""What a request to a path is, beside a request, by method and path: counted before it is looked at."""
