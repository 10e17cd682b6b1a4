"""Settings and the file that lists them."""

import re
from pathlib import Path

import orjson
import pytest

from barberpro.queue.trim import EVERYTHING
from barberpro.server.settings import Settings, SettingsError, load_settings
from barberpro.server.stores import kept

EXAMPLE = Path(__file__).parents[2] / ".env.example"


def test_the_example_lists_every_setting_and_nothing_else() -> None:
    listed = {line.lower() for line in re.findall(r"^# (?:BARBERPRO_)?(\w+)=", EXAMPLE.read_text(), re.MULTILINE)}
    assert listed - {"postgres_password"} == set(Settings.model_fields)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"keep_events_days": 2}, "--keep-events-days is 2: must be at least 3, or 0 for ever"),
        ({"keep_audit_days": 364}, "--keep-audit-days is 364: must be at least 365, or 0 for ever"),
        ({"keep_events_days": -1}, "--keep-events-days is -1: Input should be greater than or equal to 0"),
    ],
)
def test_what_is_kept_for_too_short_a_time_is_refused_by_name(given: dict[str, int], words: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(words)):
        load_settings(**given)


def test_nothing_is_trimmed_with_0() -> None:
    assert kept(load_settings(keep_events_days=0, keep_audit_days=0)) == EVERYTHING


TWILIO = {"twilio_account_sid": "AC" + "0" * 32, "twilio_auth_token": "t", "twilio_from": "+15005550006"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"smtp_host": "mail.test"}, "BARBERPRO_MAIL_FROM is missing"),
        ({"smtp_user": "u"}, "BARBERPRO_SMTP_USER and BARBERPRO_SMTP_PASSWORD are given together"),
        (
            {"smtp_user": "u", "smtp_password": "p", "smtp_security": "none"},
            "BARBERPRO_SMTP_SECURITY is 'none': a password is not sent in the clear",
        ),
        ({**TWILIO, "twilio_from": None}, "BARBERPRO_TWILIO_FROM belong together"),
        ({**TWILIO, "twilio_from": "12"}, "--twilio-from is '12'"),
        ({**TWILIO, "twilio_account_sid": "SK1"}, "--twilio-account-sid is 'SK1'"),
    ],
)
def test_letters_that_could_not_be_sent_are_refused_by_name(given: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(words)):
        load_settings(**given)


def test_a_secret_is_told_to_our_own_workers_and_to_nobody_else() -> None:
    settings = load_settings(smtp_user="u", smtp_password="s3cret", **TWILIO)  # noqa: S106 - of nobody
    assert "s3cret" not in repr(settings)
    assert Settings(**orjson.loads(settings.model_dump_json())) == settings
    with pytest.raises(SettingsError) as refused:
        load_settings(smtp_user="u", smtp_password=["s3cret"])
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("given", ["queue.example", "ftp://queue.example", "https://", "https://queue.example/?x=1"])
def test_a_public_address_that_opens_nothing_is_refused_by_name(given: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"--public-url is {given!r}") + ".*https://queue.example"):
        load_settings(public_url=given)


def test_a_public_address_is_kept_without_its_last_slash() -> None:
    assert load_settings(public_url="https://queue.example/").public_url == "https://queue.example"


def test_letters_of_production_lead_somewhere(tmp_path: Path) -> None:
    given = {"environment": "production", "keys_dir": tmp_path, "smtp_host": "mail.test", "mail_from": "a@mail.test"}
    for address in (None, "http://queue.example"):
        with pytest.raises(SettingsError, match="BARBERPRO_PUBLIC_URL must begin with https://"):
            load_settings(**given, public_url=address)
    assert load_settings(**given, public_url="https://queue.example").smtp_host == "mail.test"


def test_an_empty_variable_is_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("BARBERPRO_KEYS_DIR=\n")
    for name in ("BARBERPRO_EMBEDDED", "BARBERPRO_HOST", "DATABASE_URL"):
        monkeypatch.setenv(name, "")
    settings = load_settings()
    assert (settings.embedded, settings.database_url, settings.host) == (None, None, "127.0.0.1")
    assert settings.keys_directory == Path(".barberpro/keys")
