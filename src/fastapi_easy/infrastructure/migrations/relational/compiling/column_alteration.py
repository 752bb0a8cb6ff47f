"""Everything that changes about one column, whichever operations it was detected as."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from alembic.operations.ops import AlterColumnOp
from sqlalchemy.schema import DefaultClause

from fastapi_easy.domain.migrations.change import Change, ChangeKind

_TYPE_KINDS = frozenset({ChangeKind.CHANGE_TYPE, ChangeKind.CHANGE_COLLATION})


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnAlteration:
    """Everything that changes about one column but its name.

    Attributes:
        schema, table, column: Which one.

        changes: What was detected.

        type_before, type_after: Its type; the second is `None` when it stays.

        nullable_before, nullable_after: Whether it takes NULL; the second is `None` when that stays.

        default_before, default_after: Its server default; `False` for unknown, or unchanged.

        comment_before, comment_after: Its comment; the second is `False` when it stays.

        options: Further arguments of the operations, such as `autoincrement` and `postgresql_using`.

        again: An alteration of its own has changed the column before, so it is not what is stored.
    """

    schema: str | None
    table: str
    column: str
    changes: tuple[Change, ...]
    type_before: Any = None
    type_after: Any = None
    nullable_before: bool | None = None
    nullable_after: bool | None = None
    default_before: Any = False
    default_after: Any = False
    comment_before: str | None = None
    comment_after: Any = False
    options: dict[str, Any] = field(default_factory=dict)
    again: bool = False

    @property
    def type_changes(self) -> tuple[Change, ...]:
        """The changes that concern its type."""
        return self._of(_TYPE_KINDS)

    @property
    def default_changes(self) -> tuple[Change, ...]:
        """The changes that concern its default."""
        return self._of(frozenset({ChangeKind.CHANGE_DEFAULT}))

    @property
    def nullable_changes(self) -> tuple[Change, ...]:
        """The changes that concern NULL."""
        return self._of(frozenset({ChangeKind.SET_NOT_NULL, ChangeKind.DROP_NOT_NULL}))

    @property
    def comment_changes(self) -> tuple[Change, ...]:
        """The changes that concern its comment."""
        return self._of(frozenset({ChangeKind.CHANGE_COMMENT}))

    def _of(self, kinds: frozenset[ChangeKind]) -> tuple[Change, ...]:
        return tuple(each for each in self.changes if each.kind in kinds) or self.changes


def alteration(operation: AlterColumnOp, changes: tuple[Change, ...], column: str) -> ColumnAlteration:
    """Return what *operation* changes about the column that is called *column* by then."""
    return ColumnAlteration(
        schema=operation.schema,
        table=operation.table_name,
        column=column,
        changes=changes,
        type_before=operation.existing_type,
        type_after=operation.modify_type,
        nullable_before=operation.existing_nullable,
        nullable_after=operation.modify_nullable,
        default_before=unwrapped(operation.existing_server_default),
        default_after=unwrapped(operation.modify_server_default),
        comment_before=operation.existing_comment,
        comment_after=operation.modify_comment,
        options=dict(operation.kw),
    )


def merged(alterations: Iterable[ColumnAlteration]) -> ColumnAlteration:
    """Return several alterations of one column as one."""
    first, *others = alterations
    for each in others:
        first = replace(
            first,
            changes=(*first.changes, *each.changes),
            type_before=_known(first.type_before, each.type_before, None),
            type_after=_known(each.type_after, first.type_after, None),
            nullable_before=_known(first.nullable_before, each.nullable_before, None),
            nullable_after=_known(each.nullable_after, first.nullable_after, None),
            default_before=_known(first.default_before, each.default_before, False),
            default_after=_known(each.default_after, first.default_after, False),
            comment_before=_known(first.comment_before, each.comment_before, None),
            comment_after=_known(each.comment_after, first.comment_after, False),
            options={**first.options, **each.options},
        )
    return first


def unwrapped(server_default: Any) -> Any:
    """Return the expression of a server default that SQLAlchemy has wrapped; others are as they are."""
    return server_default.arg if isinstance(server_default, DefaultClause) else server_default


def _known(preferred: Any, other: Any, unknown: Any) -> Any:
    return other if preferred is unknown else preferred
