"""Tortoise's indexes with expressions, conditions or kinds of their own → SQLAlchemy's."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Index, text

from fastapi_easy.infrastructure.persistence.tortoise.tortoise_internals import meta_of

_CONDITION: Final = " WHERE "


def needs_binary_json(model: type[Any], field: str) -> bool:
    """Return whether an index of *model* asks for *field* to be `JSONB`, as Tortoise has it: `JSON` has none."""
    return any(
        getattr(index, "INDEX_TYPE", "") == "GIN" and field in index.fields
        for index in meta_of(model).indexes
    )


def special_index(
    index: Any, model: type[Any], name: str, columns: Sequence[str], dialect: str
) -> Index | None:
    """Return *index* as Tortoise would create it; `None` for one that the database does not have.

    Args:
        index: Of Tortoise's.

        model: Where it is declared.

        name: Of the index.

        columns: Those of its fields; none for one on expressions.

        dialect: Tortoise's name of it.
    """
    index.resolve_expressions(model)
    kind, extra = str(index.INDEX_TYPE), str(index.extra)
    condition = text(extra.removeprefix(_CONDITION)) if extra.startswith(_CONDITION) else None
    elements: list[Any] = list(columns) or [text(each) for each in index.field_names]
    match dialect:
        case "postgres":
            return Index(name, *elements, postgresql_using=kind.lower() or None, postgresql_where=condition)
        case "mysql" if kind and condition is None:
            # As texts: an index for words does not need columns of a limited length.
            quoted = [text(f"`{each}`") for each in columns]
            parser = extra.removeprefix(" WITH PARSER ") or None
            options: dict[str, Any] = {}
            for each in ("mysql", "mariadb"):
                options |= {f"{each}_prefix": kind, f"{each}_with_parser": parser}
            return Index(name, *quoted, **options)
        case "sqlite" if not kind:
            return Index(name, *elements, sqlite_where=condition)
        case _:
            return None
