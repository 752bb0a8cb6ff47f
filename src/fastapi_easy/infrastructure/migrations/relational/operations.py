"""Operations that Alembic lacks, and the difference that each operation carries out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alembic.operations.ops import MigrateOperation

from fastapi_easy.domain.migrations.change import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """One difference, and what carries it out.

    Attributes:
        change: For rules and people.

        operation: One of Alembic's, or of those below; never a container of others.
    """

    change: Change
    operation: MigrateOperation


class ChangePrimaryKeyOp(MigrateOperation):
    """Another primary key for a table.

    Args:
        table: The name of the table.

        before: The columns of the stored key; empty for none.

        after: Those of the new one; empty for none.

        name_before: The name of the stored constraint.

        name_after: The name of the new constraint; `None` for the server's.

        schema: Of the table; `None` for the default one.
    """

    def __init__(
        self,
        table: str,
        before: Sequence[str],
        after: Sequence[str],
        *,
        name_before: str | None = None,
        name_after: str | None = None,
        schema: str | None = None,
    ) -> None:
        self.table = table
        self.before = tuple(before)
        self.after = tuple(after)
        self.name_before = name_before
        self.name_after = name_after
        self.schema = schema

    def reverse(self) -> "ChangePrimaryKeyOp":
        """Return the operation that brings the stored key back."""
        return ChangePrimaryKeyOp(
            self.table,
            self.after,
            self.before,
            name_before=self.name_after,
            name_after=self.name_before,
            schema=self.schema,
        )

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return what Alembic prints of it."""
        return ("change_primary_key", self.schema, self.table, self.before, self.after)


class CreateEnumOp(MigrateOperation):
    """A new enumeration type of PostgreSQL."""

    def __init__(self, name: str, labels: Sequence[str], *, schema: str | None = None) -> None:
        self.name = name
        self.labels = tuple(labels)
        self.schema = schema

    def reverse(self) -> "DropEnumOp":
        """Return the operation that drops it."""
        return DropEnumOp(self.name, self.labels, schema=self.schema)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return what Alembic prints of it."""
        return ("create_enum", self.schema, self.name, self.labels)


class DropEnumOp(MigrateOperation):
    """The end of an enumeration type of PostgreSQL that no column has any more."""

    def __init__(self, name: str, labels: Sequence[str], *, schema: str | None = None) -> None:
        self.name = name
        self.labels = tuple(labels)
        self.schema = schema

    def reverse(self) -> "CreateEnumOp":
        """Return the operation that creates it again."""
        return CreateEnumOp(self.name, self.labels, schema=self.schema)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return what Alembic prints of it."""
        return ("drop_enum", self.schema, self.name, self.labels)


class AddEnumLabelOp(MigrateOperation):
    """One more label of an enumeration type of PostgreSQL, in the place where it is declared.

    Args:
        name: The name of the type.

        label: The new label.

        before: The label that it stands in front of; `None` for the end.

        schema: Of the type; `None` for the default one.
    """

    def __init__(
        self, name: str, label: str, *, before: str | None = None, schema: str | None = None
    ) -> None:
        self.name = name
        self.label = label
        self.before = before
        self.schema = schema

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return what Alembic prints of it."""
        return ("add_enum_label", self.schema, self.name, self.label)


class ReplaceEnumOp(MigrateOperation):
    """Other labels for an enumeration type of PostgreSQL, fewer or in another order: a new type, and mapped columns.

    Args:
        name: The name of the type.

        before, after: The labels.

        used_by: Table and column of each column that has the type, with the schema of the table or `None`.

        schema: Of the type; `None` for the default one.
    """

    def __init__(
        self,
        name: str,
        before: Sequence[str],
        after: Sequence[str],
        used_by: Sequence[tuple[str | None, str, str]],
        *,
        schema: str | None = None,
    ) -> None:
        self.name = name
        self.before = tuple(before)
        self.after = tuple(after)
        self.used_by = tuple(used_by)
        self.schema = schema

    def reverse(self) -> "ReplaceEnumOp":
        """Return the operation that brings the labels back."""
        return ReplaceEnumOp(self.name, self.after, self.before, self.used_by, schema=self.schema)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return what Alembic prints of it."""
        return ("replace_enum", self.schema, self.name, self.before, self.after)


class ReplaceColumnOp(MigrateOperation):
    """A column of the same name, whose definition differs in what cannot be altered: computed, identity, collation.

    Args:
        table: The name of the table.

        before, after: The whole columns.

        what: `computed`, `identity` or `collation`.

        schema: Of the table; `None` for the default one.
    """

    def __init__(self, table: str, before: Any, after: Any, *, what: str, schema: str | None = None) -> None:
        self.table = table
        self.before = before
        self.after = after
        self.what = what
        self.schema = schema

    def reverse(self) -> "ReplaceColumnOp":
        """Return the operation that brings the stored column back."""
        return ReplaceColumnOp(self.table, self.after, self.before, what=self.what, schema=self.schema)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return what Alembic prints of it."""
        return (f"change_{self.what}", self.schema, self.table, self.before.name)
