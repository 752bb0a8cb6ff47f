"""The places inside of JSON fields that a declaration opens for queries."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi_easy.domain.field import Comparison, Field, Kind
from fastapi_easy.domain.queries.document_path import DocumentPath
from fastapi_easy.domain.resources.declaring.mistakes import Mistakes
from fastapi_easy.domain.resources.options import JsonPath, QueryRules

_KINDS: Final[Mapping[Any, Kind]] = {
    str: Kind.TEXT,
    int: Kind.INTEGER,
    float: Kind.FLOAT,
    bool: Kind.BOOLEAN,
}
_BY_NAME: Final = {type_.__name__: kind for type_, kind in _KINDS.items()}
_MEMBER: Final = re.compile(r"(?!.*__)[A-Za-z_][A-Za-z0-9_-]{0,62}", re.ASCII)
"""Names that mean the same in a query string, and in the path languages of every store."""


def document_paths(
    rules: QueryRules, readable: Sequence[str], fields: Mapping[str, Field], mistakes: Mistakes
) -> Mapping[str, DocumentPath]:
    """Return the places that *rules* declares, by name."""
    declared: object = rules.json_paths
    if not isinstance(declared, Mapping):
        mistakes.add(f"query.json_paths is {declared!r}: write a mapping like {{'attributes.colour': str}}")
        return {}
    found = {}
    for name, given in declared.items():
        path = given if isinstance(given, JsonPath) else JsonPath(given)
        reason = _find_mistake(str(name), path, readable, fields)
        if reason is not None:
            mistakes.add(f"query.json_paths names {name!r}, {reason}")
            continue
        document, *members = name.split(".")
        alias = fields[document].alias
        field = Field(
            name=name,
            kind=_kind_of(path) or Kind.TEXT,
            nullable=True,
            alias=None if alias is None else ".".join((alias, *members)),
            description=f"The member {'.'.join(members)} of {document}.",
        )
        found[name] = DocumentPath(document, tuple(members), field, is_indexed=path.indexed)
    return found


def _find_mistake(
    name: str, path: JsonPath, readable: Sequence[str], fields: Mapping[str, Field]
) -> str | None:
    document, *members = name.split(".")
    if document not in readable or fields[document].kind is not Kind.JSON:
        return "which is not inside of a readable JSON field: write 'field.member'"
    if not members or name in fields:
        return "which is a whole field: write 'field.member'"
    if fields[document].comparison is not Comparison.FULL:
        return f"but the store cannot look into {document!r}: remove it"
    unfit = next((each for each in members if not _MEMBER.fullmatch(each)), None)
    if unfit is not None:
        return (
            f"in which {unfit!r} cannot be written in a query: only letters, digits, hyphens and single underscores"
            " can, and no digit in front"
        )
    if _kind_of(path) is None:
        return f"as {path.kind!r}: write str, int, float or bool"
    return None


def _kind_of(path: JsonPath) -> Kind | None:
    return _BY_NAME.get(path.kind) if isinstance(path.kind, str) else _KINDS.get(path.kind)
