"""What is wrong with a declaration at first sight: other things were handed over than it takes."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi_easy.domain.resources.options import Cache, Fields, QueryRules, Schemas

_OPTIONS: Final[Mapping[str, type[Any]]] = {
    "fields": Fields,
    "schemas": Schemas,
    "query": QueryRules,
    "cache": Cache,
}


def find_argument_mistakes(entity: object, options: Mapping[str, object]) -> Iterator[str]:
    """Yield a sentence for each argument of `resource()` that is of another kind than it takes.

    Args:
        entity: The first argument.

        options: Those of `_OPTIONS` that were given, by name.
    """
    if isinstance(entity, str):
        yield f"resource() takes a class, and was given the text {entity!r}: import it, and name it without quotes"
    elif not isinstance(entity, type):
        kind = type(entity).__name__
        yield f"resource() takes a class, and was given an instance of {kind}: write resource({kind})"
    for name, given in options.items():
        kind = _OPTIONS[name].__name__
        if given is not None and not isinstance(given, _OPTIONS[name]):
            of = getattr(entity, "__name__", entity)
            found = type(given).__name__
            yield f"{name} of resource({of}) takes {kind}(…), and was given a {found}: write {name}={kind}(…)"


def unmapped_heir(entity: object) -> str | None:
    """Return that *entity* is derived from a class of SQLModel's with a table; `None` when it is not."""
    above = next((each for each in getattr(entity, "__mro__", ())[1:] if hasattr(each, "__table__")), None)
    if above is None or not _is_of_sqlmodel(entity):
        return None
    name = getattr(entity, "__name__", entity)
    return (
        f"{name} is derived from {above.__name__}, which has a table, and SQLModel maps no such class: write both as "
        f"declarative classes of SQLAlchemy, or give {name} a relationship to {above.__name__}"
    )


def unmapped_table(name: str, entity: type[Any]) -> str | None:
    """Return that *entity* is one of SQLModel's without a table, which it needs; `None` when it is not."""
    if not _is_of_sqlmodel(entity):
        return None
    bases = ", ".join(each.__name__ for each in entity.__bases__)
    return (
        f"{name}: {entity.__name__} is an SQLModel class without a table: "
        f"write class {entity.__name__}({bases}, table=True)"
    )


def find_undeclared_classes(container: type[Any]) -> Iterator[str]:
    """Yield a sentence for each class with a table that *container* has under another name, and not as a resource."""
    for name, value in vars(container).items():
        if isinstance(value, type) and hasattr(value, "__table__") and name != value.__name__:
            yield f"{name} is the class {value.__name__} and not a resource: write {name} = resource({value.__name__})"


def _is_of_sqlmodel(entity: object) -> bool:
    above = getattr(entity, "__mro__", ())[1:]
    return any(f"{each.__module__}.{each.__name__}" == "sqlmodel.main.SQLModel" for each in above)
