"""Where settings come from: the environment, with lists as people write them, and one file."""

import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from fastapi_easy.domain.errors import DeclarationError

PREFIX: Final = "FASTAPI_EASY_"
DELIMITER: Final = "__"
SETTINGS_FILE: Final = "fastapi-easy.toml"

_LISTS: Final = (tuple, list, set, frozenset)


class EnvironmentSource(EnvSettingsSource):
    """Environment variables, of which a list may be written with commas: `default,archive`."""

    def __call__(self) -> dict[str, Any]:
        """Return what the variables say.

        Without any of the prefix, as in most tests, nothing is looked up field by field; a subclass may have fields
        whose variables are called otherwise.
        """
        prefix = self.env_prefix.lower()
        fields = self.settings_cls.model_fields.values()
        if (
            prefix
            and not any(name.lower().startswith(prefix) for name in self.env_vars)
            and all(each.validation_alias is None for each in fields)
        ):
            return {}
        return super().__call__()

    def decode_complex_value(self, field_name: str, field: FieldInfo | None, value: Any) -> Any:
        """Return what *value* means for *field*: JSON, or the members of a list.

        What is neither is returned as it is, so that the setting can be named with what it takes.
        """
        is_list = field is not None and _is_list_of_scalars(field.annotation)
        try:
            decoded = super().decode_complex_value(field_name, field, value)  # type: ignore[arg-type]
        except ValueError:
            decoded = value
        if is_list and not isinstance(decoded, list | dict):
            return [part.strip() for part in str(value).split(",") if part.strip()]
        return decoded


class FileSource(PydanticBaseSettingsSource):
    """The file `fastapi-easy.toml` in the working directory."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return what the file says of one setting, its name, and that it needs no decoding."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return everything in the file; nothing when there is none."""
        return read_file()


def read_file() -> dict[str, Any]:
    """Return the content of the file; nothing when there is none.

    Raises:
        DeclarationError: It cannot be read; says where in it.
    """
    try:
        # Editors on Windows put a mark in front.
        return tomllib.loads(Path(SETTINGS_FILE).read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        said = "is not written in UTF-8: save it in that encoding"
    except OSError as error:
        said = f"cannot be read ({error.strerror}): make it a file that this user may read"
    except tomllib.TOMLDecodeError as error:
        form = 'write sections as [http], and below them entries as title = "Shop", with texts in quotes'
        said = f"is not valid TOML: {error}; {form}"
    raise DeclarationError([f"{SETTINGS_FILE} {said}"], subject="settings") from None


def written_value(name: str, environment: Mapping[str, str]) -> str | None:
    """Return the text of the setting *name* of the top of the tree, whatever else is written there; `None` for none.

    Raises:
        DeclarationError: The file cannot be read.
    """
    for variable, text in environment.items():
        if variable.upper() == f"{PREFIX}{name.upper()}":
            return text
    value = read_file().get(name)
    return None if value is None else str(value)


def members_of(annotation: Any) -> Any:
    """Return the type of the members of a list or of a mapping by name; `None` for any other."""
    for each in _alternatives(annotation):
        origin, arguments = typing.get_origin(each), typing.get_args(each)
        if origin in _LISTS:
            return arguments[0]
        if origin in {dict, Mapping}:
            return arguments[1]
    return None


def section_of(annotation: Any) -> type[BaseModel] | None:
    """Return the section that *annotation* stands for, itself or as one of several alternatives."""
    for each in _alternatives(annotation):
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
    return None


def is_list(annotation: Any) -> bool:
    """Return whether *annotation* stands for a list."""
    return any(typing.get_origin(each) in _LISTS for each in _alternatives(annotation))


def leaves_of(
    kind: type[BaseSettings] | type[BaseModel], path: tuple[str, ...] = ()
) -> list[tuple[str, ...]]:
    """Return the paths of all settings of *kind*; a mapping by name has the member `default` in them."""
    found = []
    for name, field in kind.model_fields.items():
        here = (*path, name)
        member = members_of(field.annotation)
        section = section_of(field.annotation)
        if section is None and member is not None and not is_list(field.annotation):
            section, here = section_of(member), (*here, "default")
        found += [(*path, name)] if section is None else leaves_of(section, here)
    return found


def _is_list_of_scalars(annotation: Any) -> bool:
    member = members_of(annotation)
    return is_list(annotation) and section_of(member) is None and members_of(member) is None


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """Return what may stand in the place of *annotation*."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _alternatives(typing.get_args(annotation)[0])
    # Unions have one of two origins, by how they are written.
    if origin is typing.Union or getattr(origin, "__name__", "") == "UnionType":
        return tuple(found for each in typing.get_args(annotation) for found in _alternatives(each))
    return (annotation,)
