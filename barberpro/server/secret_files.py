"""Settings whose values are in files: NAME_FILE is the path of one that holds what NAME would."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

SUFFIX: Final = "_FILE"
_MOST_BYTES: Final = 65_536


class SecretFileError(Exception):
    """A file cannot be used; the message names the variable and the file, and nothing of what it holds."""


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the files that the environment, or `.env`, names; once, when settings are built."""

    def __init__(self, settings: type[BaseSettings], variables: Mapping[str, str | None]) -> None:
        """variables: of the environment and `.env`, by their names in small letters."""
        super().__init__(settings)
        self._variables = variables

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The text of the field's file, and what the field goes by. Raises SecretFileError."""
        names = names_of(self.settings_cls, field_name)
        paths = {name: path for name in names if (path := self._variables.get(f"{name}{SUFFIX}".lower()))}
        for name, path in paths.items():
            twice = [other for other in names if other.lower() in self._variables] or list(paths)[1:]
            if twice:
                raise SecretFileError(f"{name}{SUFFIX} and {twice[0]} are both given: give one of them")
            return _text(f"{name}{SUFFIX}", Path(path)), self._key(field, field_name), False
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        found = (self.get_field_value(field, name) for name, field in self.settings_cls.model_fields.items())
        return {key: value for value, key, _ in found if value is not None}

    @staticmethod
    def _key(field: FieldInfo, field_name: str) -> str:
        alias = field.validation_alias
        return str(alias.choices[0]) if isinstance(alias, AliasChoices) else field_name


def names_of(settings: type[BaseSettings], field_name: str) -> list[str]:
    """The variables that a field goes by, the customary ones last."""
    alias = settings.model_fields[field_name].validation_alias
    if isinstance(alias, AliasChoices):
        return [str(choice) for choice in alias.choices]
    return [f"{settings.model_config['env_prefix']}{field_name.upper()}"]


def _text(name: str, path: Path) -> str:
    """Without the line break that editors put at the end. Raises SecretFileError."""
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise SecretFileError(f"{name} is {path}: the file has more than {_MOST_BYTES} bytes")
        return text.decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SecretFileError(f"{name} is {path}: cannot be read: {why}") from None
