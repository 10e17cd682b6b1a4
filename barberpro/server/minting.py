"""Tokens for trying things: `barberpro token`, and the people of a simulated day."""

from barberpro.domain.identity import Tokens
from barberpro.domain.keys import FIRST, SETTLE_SECONDS, add_key, signing_key
from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.errors import BarberProError
from barberpro.protocol.ids import new_user_id
from barberpro.server.errors import CommandError
from barberpro.server.settings import Settings


def own_tokens(settings: Settings) -> Tokens:
    """What mints with this deployment's key. Blocking. Raises KeyFileError."""
    return Tokens(signing_key(settings.keys_directory, create=settings.makes_keys))


def rotate_signing_key(settings: Settings) -> list[str]:
    """What was done, in words. Blocking. Raises KeyFileError."""
    name, removed = add_key(settings.keys_directory, development=settings.environment == "development")
    when = "at once" if name == FIRST else f"in {SETTLE_SECONDS // 60} minutes"
    words = [f"made {settings.keys_directory / name}; it signs {when}"]
    return words + [f"removed {each}: nothing that it signed is good any more" for each in removed]


def development_token(
    settings: Settings,
    role: Role,
    user: str | None,
    barber: str | None,
    shop: str | None,
    name: str | None,
    seconds: int,
) -> str:
    """A token, good for `seconds`. Blocking. Raises KeyFileError, and CommandError when the role needs more."""
    if role in {Role.DISPLAY, Role.KIOSK} and shop is None:
        raise CommandError(f"--role {role} needs --shop")
    if role is Role.BARBER and barber is None and shop is None:
        raise CommandError("--role barber needs --barber, or --shop")
    actor = Actor(
        id=user or new_user_id(),
        role=role,
        name=name,
        barber_id=barber,
        shop_ids=frozenset({shop} if shop else ()),
    )
    tokens = own_tokens(settings)
    token = tokens.mint(actor, seconds)
    try:
        tokens.verify(token)
    except BarberProError:
        raise CommandError(
            "--user, --barber and --shop take letters, digits, - and _ (at most 64);"
            " --name takes 1 to 80 characters that can be shown"
        ) from None
    return token
