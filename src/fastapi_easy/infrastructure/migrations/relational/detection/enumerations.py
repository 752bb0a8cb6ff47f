"""Enumeration types of PostgreSQL: created, dropped, and their labels."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import MetaData
from sqlalchemy.engine import Dialect

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import SchemaShape
from fastapi_easy.infrastructure.migrations.relational.detection.declared.objects import (
    enumerations_of,
    full_name,
    name_of,
)
from fastapi_easy.infrastructure.migrations.relational.detection.pair import facts_of
from fastapi_easy.infrastructure.migrations.relational.operations import (
    AddEnumLabelOp,
    CreateEnumOp,
    Detected,
    DropEnumOp,
    ReplaceEnumOp,
)


def compare_enumerations(
    stored: SchemaShape, metadata: MetaData, dialect: Dialect, gone: Collection[str]
) -> Iterator[Detected]:
    """Yield what has to be done to enumeration types.

    Args:
        stored: What there is.

        metadata: What there should be.

        dialect: SQLAlchemy's.

        gone: The names of the tables that are dropped.
    """
    declared: dict[str, tuple[str, ...]] = {}
    for _, _, enumeration in enumerations_of(metadata, dialect):
        name = full_name(enumeration.schema, str(enumeration.name), dialect)
        _ = declared.setdefault(name, tuple(enumeration.enums))
    for name, labels in sorted(declared.items()):
        if name not in stored.enumerations:
            operation = CreateEnumOp(_bare(name), labels, schema=_schema(name))
            yield Detected(
                change=Change(kind=ChangeKind.CREATE_TYPE, name=name, facts=Facts(labels=labels)),
                operation=operation,
            )
        elif stored.enumerations[name] != labels:
            yield from _changed(stored, name, labels)
    yield from _dropped(stored, metadata, dialect, declared, gone)


def _changed(stored: SchemaShape, name: str, labels: Sequence[str]) -> Iterator[Detected]:
    before = stored.enumerations[name]
    used_by = tuple(f"{table}.{column}" for table, column in _users(stored, name))
    removed = [each for each in before if each not in labels]
    facts = facts_of({"labels": tuple(labels), "removed_labels": tuple(removed), "used_by": used_by})
    if [each for each in labels if each in before] == list(before):
        for place in reversed(range(len(labels))):
            # From the end on, so that the label that each stands in front of is there already.
            if labels[place] in before:
                continue
            following = labels[place + 1] if place + 1 < len(labels) else None
            operation = AddEnumLabelOp(_bare(name), labels[place], before=following, schema=_schema(name))
            change = Change(kind=ChangeKind.ADD_ENUM_LABEL, name=f"{name}.{labels[place]}", facts=facts)
            yield Detected(change=change, operation=operation)
        return
    columns = [(_schema(table), _bare(table), column) for table, column in _users(stored, name)]
    change = Change(
        kind=ChangeKind.DROP_ENUM_LABEL,
        name=f"{name}.{removed[0]}" if len(removed) == 1 else name,
        facts=facts,
    )
    yield Detected(
        change=change, operation=ReplaceEnumOp(_bare(name), before, labels, columns, schema=_schema(name))
    )


def _dropped(
    stored: SchemaShape,
    metadata: MetaData,
    dialect: Dialect,
    declared: Mapping[str, tuple[str, ...]],
    gone: Collection[str],
) -> Iterator[Detected]:
    """Yield the types whose last columns go; one that nobody uses now either is somebody else's."""
    ours = {name_of(table, dialect) for table in metadata.tables.values()} | set(gone)
    for name, labels in sorted(stored.enumerations.items()):
        users = list(_users(stored, name))
        if name in declared or not users or stored.enumeration_users.get(name, frozenset()) - ours:
            continue
        yield Detected(
            change=Change(
                kind=ChangeKind.DROP_TYPE,
                name=name,
                facts=Facts(labels=labels, used_by=tuple(f"{table}.{column}" for table, column in users)),
            ),
            operation=DropEnumOp(_bare(name), labels, schema=_schema(name)),
        )


def _users(stored: SchemaShape, name: str) -> Iterator[tuple[str, str]]:
    for table in stored.tables.values():
        for column in table.columns.values():
            if column.enumeration == name:
                yield table.name, column.name


def _bare(name: str) -> str:
    return name.rpartition(".")[2]


def _schema(name: str) -> str | None:
    return name.rpartition(".")[0] or None
