"""The providers of ID tokens that are set up."""

from barberpro.domain.accounts.federated import Verify
from barberpro.server.settings import Settings, SettingsError
from barberpro.storage.users import Provider


def id_token_providers(settings: Settings) -> dict[Provider, Verify]:
    """Blocking: their libraries take seconds to load. Raises SettingsError when these are not installed, or unsafe."""
    if not settings.google_client_ids and settings.firebase_project is None:
        return {}
    try:
        from barberpro.domain.accounts.google import EmulatedError, firebase_verifier, google_verifier
    except ImportError as error:
        raise SettingsError(
            f"BARBERPRO_GOOGLE_CLIENT_IDS, BARBERPRO_FIREBASE_PROJECT: pip install barberpro[google] ({error})"
        ) from None
    providers: dict[Provider, Verify] = {}
    if settings.google_client_ids:
        providers["google"] = google_verifier(settings.google_client_ids)
    if settings.firebase_project is not None:
        try:
            providers["firebase"] = firebase_verifier(settings.firebase_project)
        except EmulatedError as error:
            raise SettingsError(f"BARBERPRO_FIREBASE_PROJECT is {settings.firebase_project!r}: {error}") from None
    return providers
