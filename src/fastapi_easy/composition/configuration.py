"""Resources that are written in files: in the settings, and in a container's own `Configuration`."""

from collections.abc import Mapping
from typing import Any, Final

from dependency_injector import providers
from pydantic import ValidationError

from fastapi_easy.domain.declaration import Declaration
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.settings import ResourceSettings, Settings

__all__ = ["configurations_in", "read_declarations"]

_SECTIONS: Final = {"resources": "entity"}
"""What is read of a `Configuration`, and what each member of it has to have."""


def configurations_in(container: Any) -> dict[str, providers.Configuration]:
    """The `Configuration` providers of an instance of a container, by name."""
    return {
        name: provider
        for name, provider in container.providers.items()
        if isinstance(provider, providers.Configuration)
    }


def read_declarations(
    settings: Settings, configurations: Mapping[str, providers.Configuration]
) -> dict[str, Declaration[Any]]:
    """The declarations written in files, by name.

    Args:
        settings: Theirs.

        configurations: Theirs come before those of the settings.

    Raises:
        DeclarationError: A class cannot be found, or an option is unknown.
    """
    mistakes: list[str] = []
    found: dict[str, Declaration[Any]] = {}
    written: dict[str, tuple[str, Any]] = {
        name: ("resources", options) for name, options in settings.resources.items()
    }
    for where, each in configurations.items():
        section = _section(where, each(), "resources")
        written |= {name: (f"{where}.resources", options) for name, options in section.items()}
    for name, (where, options) in written.items():
        try:
            found[name] = ResourceSettings.model_validate(options).declaration()
        except ValidationError as error:
            mistakes += _worded(f"{where}.{name}", error)
        except (ImportError, AttributeError, TypeError, ValueError) as error:
            mistakes.append(f"{where}.{name}: {error}")
    if mistakes:
        raise DeclarationError(mistakes)
    return found


def _section(where: str, content: Any, name: str) -> Mapping[str, Any]:
    section = content.get(name) if isinstance(content, Mapping) else None
    if section is None:
        return {}
    if not isinstance(section, Mapping):
        member = _SECTIONS[name]
        raise DeclarationError(
            [f"{where}.{name} is not a mapping: name each in it, and give it its {member!r}"]
        )
    return section


def _worded(where: str, error: ValidationError) -> list[str]:
    return [
        f"{'.'.join(map(str, (where, *fault['loc'])))}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False)
    ]
