"""Settings: typed, from the environment and `.env`, checked when they are built.

Every setting is `BARBERPRO_<NAME>`; the two URLs also go by their customary names DATABASE_URL and REDIS_URL. A name
with _FILE behind it stands for a file that holds the value. An empty variable is as none.
"""

from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    Field,
    PlainSerializer,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from barberpro.domain.identity import LONGEST_ACCESS_SECONDS
from barberpro.server.secret_files import SUFFIX, SecretFileError, SecretFiles, names_of

_HOME = Path(".barberpro")
_SENDER_OF_SMS = r"^(\+[1-9][0-9]{6,14}|MG[0-9a-fA-F]{32}|[A-Za-z0-9 ]{3,11})$"

Secret = Annotated[SecretStr, PlainSerializer(SecretStr.get_secret_value)]
"""Told to nobody but our own workers."""


class SettingsError(Exception):
    """A setting does not hold; the message names its key and its value."""


class Settings(BaseSettings):
    """Everything that can be set. `.env.example` lists it for operators."""

    model_config = SettingsConfigDict(
        env_prefix="BARBERPRO_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        populate_by_name=True,
        frozen=True,
    )

    environment: Literal["development", "production"] = "development"
    embedded: Path | None = None
    """Directory of embedded stores; set: they are started there, and URLs are refused."""
    database_url: str | None = Field(None, validation_alias=AliasChoices("BARBERPRO_DATABASE_URL", "DATABASE_URL"))
    redis_url: str | None = Field(None, validation_alias=AliasChoices("BARBERPRO_REDIS_URL", "REDIS_URL"))
    redis_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")] = "bp"
    shards: Annotated[int, Field(ge=1, le=4096)] = 64
    max_backlog: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    pool_size: Annotated[int, Field(ge=2, le=500)] = 10
    patience_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    keep_events_days: Annotated[int, Field(ge=0, le=36_500)] = 400
    """Events of older business days are trimmed; 0: none ever. Bookings stay."""
    keep_audit_days: Annotated[int, Field(ge=0, le=36_500)] = 3650
    """Older entries of the audit log that are no events of a queue are trimmed; 0: none ever."""
    keys_dir: Path | None = None
    """Where signing and sealing keys lie; by default beside the embedded stores, else in .barberpro/keys."""

    access_seconds: Annotated[int, Field(ge=60, le=LONGEST_ACCESS_SECONDS)] = 3600
    """How long an access token is good."""
    refresh_days: Annotated[int, Field(ge=1, le=365)] = 30
    """How long a session lasts that is not used."""
    google_client_ids: Annotated[tuple[str, ...], NoDecode] = ()
    """Apps whose users sign in with Google, separated by commas; none: nobody does."""
    firebase_project: Annotated[str, Field(pattern=r"^[a-z0-9-]{4,40}$")] | None = None
    """The Firebase project whose users sign in."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    metrics_port: Annotated[int, Field(ge=1, le=65000)] | None = None
    """The first of the ports, one a worker, on which each answers alone: the shared port reaches any of them."""
    public_url: str | None = None
    """Where people reach the pages, such as https://queue.example: it stands in QR codes and letters."""
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Web origins that may ask and connect, separated by commas; `*` for all. The server's own pages always may."""
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """Addresses or networks, separated by commas, whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    never_blocked: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """Addresses or networks that no flood from them has blocked: a shop's own, for instance."""
    block_minutes: Annotated[float, Field(ge=0, le=10_080)] = 15.0
    """For how long an address is blocked from which strangers go on after refusals; 0: never."""
    no_shows: Annotated[int, Field(ge=0, le=1000)] = 3
    """After so many missed bookings a customer needs a confirmed telephone for another; 0: never."""
    no_show_days: Annotated[int, Field(ge=1, le=3650)] = 30
    requests_per_minute: Annotated[int, Field(ge=0)] = 100
    rooms_per_connection: Annotated[int, Field(ge=1)] = 64
    connections_per_user: Annotated[int, Field(ge=1)] = 20
    """On one server process."""
    commands_per_10_seconds: Annotated[int, Field(ge=1)] = 30
    """Of one live connection."""
    message_bytes: Annotated[int, Field(ge=1024)] = 65_536
    waiting_bytes: Annotated[int, Field(ge=1024)] = 262_144
    """What may wait for a slow client; beyond it, only the newest state of each room."""
    slow_seconds: Annotated[float, Field(gt=0)] = 5.0
    """How long a client may be slower than that before it is cut off."""
    handshake_seconds: Annotated[float, Field(gt=0)] = 10.0
    """How long a connection may take to send its first request, and to say who it is."""
    body_seconds: Annotated[float, Field(gt=0)] = 10.0
    mail_from: str | None = None
    """Who mails come from: an address, or `Name <address>`."""
    smtp_host: str | None = None
    """Without one, mails are printed in development, and wait in production."""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password: Secret | None = None
    twilio_account_sid: Annotated[str, Field(pattern=r"^AC[0-9a-fA-F]{32}$")] | None = None
    """Without one, SMS are printed in development, and wait in production."""
    twilio_auth_token: Secret | None = None
    twilio_from: Annotated[str, Field(pattern=_SENDER_OF_SMS)] | None = None
    """A number of the account (E.164), a messaging service (MG...), or an alphanumeric sender."""
    twilio_url: Annotated[str, Field(pattern=r"^https?://[^/?#]+$")] = "https://api.twilio.com"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"
    """auto: words for a terminal, JSON for everything else."""

    @classmethod
    def settings_customise_sources(  # type: ignore[override]  # these two have the variables, as sources in general do not
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: EnvSettingsSource,
        dotenv_settings: DotEnvSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        files = SecretFiles(settings_cls, {**dotenv_settings.env_vars, **env_settings.env_vars})
        return init_settings, env_settings, dotenv_settings, files

    @field_validator("cors_origins", "google_client_ids", "trusted_proxies", "never_blocked", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(each.strip() for each in value.split(",") if each.strip())
        return value

    @field_validator("public_url")
    @classmethod
    def _web_origin(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "")
        if value is not None and not (parts.scheme in {"http", "https"} and parts.hostname and not parts.query):
            raise ValueError("must be an address such as https://queue.example")
        return value.rstrip("/") if value is not None else None

    @field_validator("keep_events_days", "keep_audit_days")
    @classmethod
    def _long_enough(cls, value: int, info: ValidationInfo) -> int:
        # The database refuses to lose anything younger.
        least = 3 if info.field_name == "keep_events_days" else 365
        if 0 < value < least:
            raise ValueError(f"must be at least {least}, or 0 for ever")
        return value

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        return _with_ports(value)

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return _with_ports(value)

    @model_validator(mode="after")
    def _stores_fit(self) -> Self:
        if self.embedded is not None and (self.database_url, self.redis_url) != (None, None):
            raise ValueError(
                "both embedded stores and URLs of stores are given: give either --embedded (BARBERPRO_EMBEDDED), "
                "or --database-url and --redis-url (DATABASE_URL and REDIS_URL)"
            )
        if self.embedded is None and (self.database_url is None) != (self.redis_url is None):
            missing = "DATABASE_URL" if self.database_url is None else "REDIS_URL"
            raise ValueError(f"{missing} is missing: give both DATABASE_URL and REDIS_URL, or BARBERPRO_EMBEDDED")
        if self.environment == "production" and self.keys_dir is None:
            raise ValueError("BARBERPRO_KEYS_DIR is missing: production brings its own keys")
        return self

    @model_validator(mode="after")
    def _letters_fit(self) -> Self:
        letters = self.smtp_host is not None or self.twilio_account_sid is not None
        if self.environment == "production" and letters and not (self.public_url or "").startswith("https://"):
            raise ValueError("BARBERPRO_PUBLIC_URL must begin with https:// in production: letters have links to it")
        if self.smtp_host is not None and self.mail_from is None:
            raise ValueError("BARBERPRO_MAIL_FROM is missing: BARBERPRO_SMTP_HOST needs a sender")
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("BARBERPRO_SMTP_USER and BARBERPRO_SMTP_PASSWORD are given together, or neither is")
        if self.smtp_password is not None and self.smtp_security == "none":
            raise ValueError("BARBERPRO_SMTP_SECURITY is 'none': a password is not sent in the clear")
        given = {self.twilio_account_sid is None, self.twilio_auth_token is None, self.twilio_from is None}
        if len(given) > 1:
            raise ValueError(
                "BARBERPRO_TWILIO_ACCOUNT_SID, BARBERPRO_TWILIO_AUTH_TOKEN and BARBERPRO_TWILIO_FROM belong together"
            )
        return self

    @property
    def keys_directory(self) -> Path:
        return self.keys_dir or (self.embedded or _HOME) / "keys"

    @property
    def pages_url(self) -> str:
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def makes_keys(self) -> bool:
        """Whether missing keys are made: for development only."""
        return self.environment == "development"


def load_settings(**given: Any) -> Settings:  # noqa: ANN401 - each is checked by its own field
    """Settings from the environment and `.env`; `given` (from the command line, None: not given) goes first.

    Stores that are named on the command line replace those of the environment altogether. Raises SettingsError.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    names = _environment_names() | {field: f"--{field.replace('_', '-')}" for field in chosen}
    if "embedded" in chosen:
        chosen.setdefault("database_url", None)
        chosen.setdefault("redis_url", None)
    elif "database_url" in chosen or "redis_url" in chosen:
        chosen.setdefault("embedded", None)
    try:
        return Settings(**chosen)
    except SecretFileError as error:
        raise SettingsError(str(error)) from None
    except ValidationError as error:
        raise SettingsError("; ".join(_words(problem, names) for problem in error.errors(include_url=False))) from None


def _environment_names() -> dict[str, str]:
    """By field, the name of its variable: of a URL the customary one, unless ours is in the environment or `.env`.

    Raises SettingsError for a BARBERPRO_... that is no setting: a slip would otherwise be passed over in silence.
    """
    names = {field: names_of(Settings, field)[0] for field in Settings.model_fields}
    known = [name + more for name in names.values() for more in ("", SUFFIX)]
    present = {
        name.upper() for source in (EnvSettingsSource, DotEnvSettingsSource) for name in source(Settings).env_vars
    }
    for name in sorted(present.difference(known)):
        if name.startswith("BARBERPRO_"):
            near = get_close_matches(name, known, 1)
            raise SettingsError(f"{name}: there is no such setting" + "".join(f"; is it {other}?" for other in near))
    return {field: _given_name(names_of(Settings, field), present) for field in names}


def _given_name(names: list[str], present: set[str]) -> str:
    """By which of its names a setting was given; the customary one when by none."""
    candidates = (name + more for name in names for more in ("", SUFFIX))
    return next((name for name in candidates if name in present), names[-1])


def _with_ports(url: str | None) -> str | None:
    """The URL; raises ValueError when the port of a host is none, without repeating what may be a password."""
    for host in urlsplit(url or "").netloc.rpartition("@")[2].split(","):
        try:
            _ = urlsplit(f"//{host}").port
        except ValueError:
            raise ValueError(
                "a port is no number from 0 to 65535 (in a password, write : / ? # @ as %3A %2F %3F %23 %40)"
            ) from None
    return url


def _words(problem: Any, names: dict[str, str]) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    """One problem, under the name by which its setting was given."""
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return str(message)
    field = str(problem["loc"][0]).lower().removeprefix("barberpro_")
    # A store's URL may hold a password, and a file any secret.
    secret = field in {"database_url", "redis_url"} or field.endswith(("_password", "_token"))
    shown = "" if secret or names[field].endswith(SUFFIX) else f" is {problem['input']!r}"
    return f"{names[field]}{shown}: {message}"
