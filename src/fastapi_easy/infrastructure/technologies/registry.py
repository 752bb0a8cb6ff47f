"""All technologies: those of this package, in one table, and those of other packages, by entry points.

One of this package is imported when the library whose classes it reads has been imported, or when its URL is chosen;
those of other packages when none of these fits.
"""

import functools
import importlib
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports import Technology

__all__ = ["imported_technologies", "installed_technologies", "technologies_for_url"]

GROUP: Final = "fastapi_easy.technologies"
"""The group of entry points in which other packages name their technologies."""


@dataclass(frozen=True, slots=True)
class _BuiltIn:
    """A technology of this package, and when it is imported.

    Attributes:
        module: The name of its module, beside this one.

        library: The library of the classes that it reads, and of the databases that it opens; empty for neither.

        schemes: The URL schemes of the technology.

        extra: The extra of this package to install for it.
    """

    module: str
    library: str = ""
    schemes: tuple[str, ...] = ()
    extra: str = ""


_SQL: Final = ("sqlite", "postgresql", "postgres", "mysql", "mariadb")

_EXTRAS: Final = {
    "sqlite": "sqlite",
    "postgresql": "postgres",
    "postgres": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
}
"""The extras that bring a driver for a scheme, with the library that all drivers of SQL need."""

_BUILT_IN: Final = (
    _BuiltIn("sqlmodel", library="sqlmodel"),
    _BuiltIn("tortoise", library="tortoise", schemes=_SQL, extra="tortoise"),
    _BuiltIn("sqlalchemy", library="sqlalchemy", schemes=_SQL, extra="sqlalchemy"),
    _BuiltIn("memory", library="pydantic", schemes=("memory",)),
    _BuiltIn("mongo", library="pymongo", schemes=("mongodb",), extra="mongo"),
    _BuiltIn("redis", schemes=("redis", "rediss", "unix"), extra="redis"),
    _BuiltIn("file", schemes=("file",)),
)
"""In the order in which they are asked whether they support a class or a database: the more special come first."""


def technologies_for_url(url: str, kept: Sequence[type[Any]] = ()) -> Iterator[Technology]:
    """Yield the technologies that open *url*, the more special first; at least one.

    Args:
        url: Like that of a database.

        kept: The classes whose entities are stored there.

    Raises:
        DeclarationError: The URL cannot be read, nothing opens it, or what would is not installed.
    """
    match = _SCHEME.match(url)
    # The URL may hold a password, so no message repeats it.
    if match is None:
        raise DeclarationError(["the database URL cannot be read; it looks like postgresql://user@host/name"])
    scheme = match[1].lower()
    built_in = [each for each in _BUILT_IN if scheme in each.schemes]
    if built_in and (
        foreign_classes := [
            each for each in kept if not any(known.recognises(each) for known in imported_technologies())
        ]
    ):
        yield from (
            each
            for each in installed_technologies()
            if scheme in each.schemes and each.recognises(foreign_classes[0])
        )
    for each in built_in:
        # All but the last read classes of a library, which whoever declared such a class has imported.
        if each is built_in[-1] or each.library in sys.modules:
            yield _load(each, _EXTRAS.get(scheme, each.extra))
    if not built_in:
        found = [each for each in installed_technologies() if scheme in each.schemes]
        if not found:
            known = ", ".join(sorted({scheme for each in _BUILT_IN for scheme in each.schemes}))
            raise DeclarationError(
                [
                    (
                        f"no technology supports the URL scheme {scheme!r}: use one of {known}, or one that an "
                        f"installed package provides (entry points {GROUP})"
                    )
                ]
            )
        yield from found


_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9]*)(?:\+[A-Za-z0-9+]+)?:")


def imported_technologies() -> Iterator[Technology]:
    """Yield the technologies of this package whose library is imported already."""
    for each in _BUILT_IN:
        if each.library in sys.modules:
            yield _load(each)


@functools.cache
def _load(built_in: _BuiltIn, extra: str = "") -> Technology:
    try:
        module = importlib.import_module(f"{__package__}.{built_in.module}")
    except ModuleNotFoundError as error:
        library = str(error.name).partition(".")[0]
        raise DeclarationError(
            [f'{library} is not installed: pip install "fastapi_easy[{extra or built_in.extra}]"']
        ) from error
    technology: Technology = module.TECHNOLOGY
    return technology


def installed_technologies() -> tuple[Technology, ...]:
    """Return the technologies of other packages, which are loaded once."""
    return _load_entry_points(tuple(sys.path))


@functools.cache
def _load_entry_points(_path: tuple[str, ...]) -> tuple[Technology, ...]:
    # Reading the metadata of all installed packages takes a while, so the answer is kept; by `sys.path`, because that
    # is what it depends on.
    from importlib.metadata import entry_points

    return tuple(_load_entry_point(each) for each in entry_points(group=GROUP))


def _load_entry_point(entry: Any) -> Technology:
    try:
        technology = entry.load()
    except (ImportError, AttributeError) as error:
        raise DeclarationError(
            [f"the technology {entry.name!r}, {entry.value}, cannot be loaded: {error}"]
        ) from error
    if not isinstance(technology, Technology):
        raise DeclarationError(
            [
                f"the technology {entry.name!r}, {entry.value}, is a {type(technology).__name__}: name a Technology"
            ]
        )
    return technology
