"""Resources and databases that are written in files: in the settings, and in a container's own `Configuration`."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from dependency_injector import providers
from pydantic import ValidationError

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.resources.declaration import Declaration
from fastapi_easy.settings import DatabaseSettings, ResourceSettings, Settings

__all__ = ["configurations_in", "find_configuration_mistakes", "read_declarations", "with_databases"]

_SECTIONS: Final = {"databases": "url", "resources": "entity"}
"""What is read of a `Configuration`, and what each member of it has to have."""

_SIMILARITY: Final = 0.88
"""How alike two names are of which one may be the other misspelt."""


def configurations_in(container: Any) -> dict[str, providers.Configuration]:
    """Return the `Configuration` providers of an instance of a container, by name."""
    return {
        name: provider
        for name, provider in container.providers.items()
        if isinstance(provider, providers.Configuration)
    }


def read_declarations(
    settings: Settings, configurations: Mapping[str, providers.Configuration]
) -> dict[str, Declaration[Any]]:
    """Return the declarations written in files, by name.

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
            mistakes += _describe_errors(f"{where}.{name}", error)
        except (ImportError, AttributeError, TypeError, ValueError) as error:
            mistakes.append(f"{where}.{name}: {error}")
    if mistakes:
        raise DeclarationError(mistakes)
    return found


def with_databases(settings: Settings, configurations: Mapping[str, Any]) -> Settings:
    """Add to *settings* what *configurations* say of databases that the settings do not say themselves.

    Args:
        settings: What they say goes before.

        configurations: The content of each.

    Raises:
        DeclarationError: A configuration says what no database has, or a wrong value; names each, never its value.
    """
    mistakes: list[str] = []
    explicit = {name: each.model_dump(exclude_unset=True) for name, each in settings.databases.items()}
    databases = dict(settings.databases)
    for where, content in configurations.items():
        for name, options in _section(where, content, "databases").items():
            try:
                written = DatabaseSettings.model_validate(options).model_dump(exclude_unset=True)
                databases[name] = DatabaseSettings.model_validate(_merge(written, explicit.get(name, {})))
            except ValidationError as error:
                mistakes += _describe_errors(f"{where}.databases.{name}", error)
    if mistakes:
        raise DeclarationError(mistakes)
    return settings.model_copy(update={"databases": databases})


def find_configuration_mistakes(
    configurations: Mapping[str, providers.Configuration], declared: Mapping[str, Any]
) -> Iterator[str]:
    """Return a sentence for each entry of *configurations* that would not be read, with its mend.

    Args:
        configurations: By the names of their providers.

        declared: The resources that the application has.
    """
    for where, configuration in configurations.items():
        content, used = configuration(), configuration.get_children()
        for name in _section(where, content, "resources"):
            if name not in declared:
                yield (
                    f"{where}.resources.{name} was set after the container was created, when its resources were "
                    "read: pass "
                    f"the file to Configuration(yaml_files=[…]), or the values to the container ({where}={{…}})"
                )
        for name, value in content.items() if isinstance(content, Mapping) else ():
            section = _find_misspelt_section(name, value)
            # An option that a provider refers to is the user's own.
            if section is not None and name not in used:
                yield f"{where}.{name} is not read: did you mean {section!r}?"


def _section(where: str, content: Any, name: str) -> Mapping[str, Any]:
    section = content.get(name) if isinstance(content, Mapping) else None
    if section is None:
        return {}
    if not isinstance(section, Mapping):
        member = _SECTIONS[name]
        raise DeclarationError(
            [f"{where}.{name} is not a mapping: use one entry per name, each with {member!r}"]
        )
    return section


def _describe_errors(where: str, error: ValidationError) -> list[str]:
    return [
        f"{'.'.join(map(str, (where, *fault['loc'])))}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False)
    ]


def _merge(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Merge both; *upper* takes precedence."""
    merged = dict(lower)
    for name, value in upper.items():
        below = lower.get(name)
        are_both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[name] = _merge(below or {}, value) if are_both else value
    return merged


def _find_misspelt_section(name: Any, value: Any) -> str | None:
    """Return the section that *name* misspells, if what is in it looks like one."""
    if name in _SECTIONS or not isinstance(name, str) or not isinstance(value, Mapping):
        return None
    for section, member in _SECTIONS.items():
        spellings = (section, section.removesuffix("s"))
        reads_so = any(member in each for each in (value, *value.values()) if isinstance(each, Mapping))
        if reads_so and difflib.get_close_matches(name.lower(), spellings, 1, _SIMILARITY):
            return section
    return None
