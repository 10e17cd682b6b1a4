"""Settings that are given as files."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from barberpro.server.settings import SettingsError, load_settings

POSTGRES = "postgresql://barber:hunter2@db/shop"
Given = Callable[[str, str], Path]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Given:
    """Sets a variable to the path of a file that holds the text."""
    monkeypatch.chdir(tmp_path)  # there is no .env

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        monkeypatch.setenv(name, str(path))
        return path

    return write


def test_a_url_is_read_from_the_file_that_is_named(given: Given) -> None:
    given("DATABASE_URL_FILE", f"{POSTGRES}\n")
    given("BARBERPRO_REDIS_URL_FILE", "redis://cache\r\n")
    settings = load_settings()
    assert (settings.database_url, settings.redis_url) == (POSTGRES, "redis://cache")


def test_any_setting_may_be_in_a_file(given: Given) -> None:
    given("BARBERPRO_TRUSTED_PROXIES_FILE", "10.0.0.0/8, ::1\n")
    assert [str(network) for network in load_settings().trusted_proxies] == ["10.0.0.0/8", "::1/128"]


def test_a_file_may_be_named_in_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "port").write_text("8123")
    (tmp_path / ".env").write_text("BARBERPRO_PORT_FILE=port\n")
    assert load_settings().port == 8123


def test_the_command_line_goes_before_a_file(given: Given) -> None:
    given("DATABASE_URL_FILE", POSTGRES)
    given("REDIS_URL_FILE", "redis://cache")
    settings = load_settings(embedded=Path("data"))
    assert (settings.database_url, settings.redis_url) == (None, None)


def test_a_value_and_a_file_are_one_too_many(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    given("DATABASE_URL_FILE", POSTGRES)
    monkeypatch.setenv("BARBERPRO_DATABASE_URL", POSTGRES)
    with pytest.raises(SettingsError, match="DATABASE_URL_FILE and BARBERPRO_DATABASE_URL are both given"):
        load_settings()


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    monkeypatch.setenv("REDIS_URL_FILE", str(missing))
    with pytest.raises(SettingsError, match=re.escape(f"REDIS_URL_FILE is {missing}: cannot be read: No such file")):
        load_settings()


def test_what_a_file_holds_is_never_told(given: Given) -> None:
    given("BARBERPRO_PORT_FILE", "hunter2")
    with pytest.raises(SettingsError, match="BARBERPRO_PORT_FILE: Input should be a valid integer") as refused:
        load_settings()
    assert "hunter2" not in str(refused.value)


def test_a_misspelt_file_is_no_setting(given: Given) -> None:
    given("BARBERPRO_PROT_FILE", "8000")
    with pytest.raises(SettingsError, match="BARBERPRO_PROT_FILE: there is no such setting; is it BARBERPRO_PORT_FILE"):
        load_settings()
