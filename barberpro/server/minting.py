"""Tokens for trying things: `barberpro token`, and the people of a simulated day."""

from barberpro.domain.identity import Tokens
from barberpro.domain.keys import FIRST, SETTLE_SECONDS, add_key, names, signing_key
from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.errors import BarberProError
from barberpro.protocol.ids import new_user_id
from barberpro.server.errors import CommandError
from barberpro.server.settings import Settings
from barberpro.storage.sealing_keys import read_ring


def own_tokens(settings: Settings) -> Tokens:
    """What mints with this deployment's key. Blocking. Raises KeyFileError."""
    return Tokens(signing_key(settings.keys_directory, create=settings.makes_keys))


def rotate_signing_key(settings: Settings, *, at_once: bool) -> list[str]:
    """What was done, in words. Blocking. Raises KeyFileError."""
    development = settings.environment == "development"
    name, removed = add_key(settings.keys_directory, development=development, at_once=at_once)
    when = "at once" if at_once or name == FIRST else f"in {SETTLE_SECONDS // 60} minutes"
    words = [f"made {settings.keys_directory / name}; it signs {when}"]
    return words + [f"removed {each}: nothing that it signed is good any more" for each in removed]


def make_missing_keys(settings: Settings) -> list[str]:
    """What is there now, in words. Blocking. Raises KeyFileError and SealingKeyError."""
    directory = settings.keys_directory
    signing = names(directory)
    if not signing:
        signing = (add_key(directory, development=settings.environment == "development")[0],)
    read_ring(directory, create=True)
    return [f"{directory} has {', '.join(signing)}, keys that seal, and a key for looking up"]


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
        id=new_user_id() if user is None else user,
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
