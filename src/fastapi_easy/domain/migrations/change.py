"""One difference between a stored schema and the declared one, without any ORM."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypedDict

Dialect: TypeAlias = Literal["sqlite", "postgresql", "mysql", "mongodb"]
"""The kinds of databases that rules tell apart; MariaDB is `mysql` too."""


class ChangeKind(enum.StrEnum):
    """What is done to the stored schema."""

    CREATE_SCHEMA = "create_schema"
    DROP_SCHEMA = "drop_schema"
    RENAME_SCHEMA = "rename_schema"
    CREATE_TABLE = "create_table"
    DROP_TABLE = "drop_table"
    RENAME_TABLE = "rename_table"
    CHANGE_TABLE_OPTIONS = "change_table_options"
    ADD_COLUMN = "add_column"
    DROP_COLUMN = "drop_column"
    RENAME_COLUMN = "rename_column"
    CHANGE_TYPE = "change_type"
    SET_NOT_NULL = "set_not_null"
    DROP_NOT_NULL = "drop_not_null"
    CHANGE_DEFAULT = "change_default"
    CHANGE_COMPUTED = "change_computed"
    CHANGE_IDENTITY = "change_identity"
    CHANGE_COLLATION = "change_collation"
    CHANGE_COMMENT = "change_comment"
    CREATE_INDEX = "create_index"
    DROP_INDEX = "drop_index"
    ADD_UNIQUE = "add_unique"
    DROP_UNIQUE = "drop_unique"
    ADD_CHECK = "add_check"
    DROP_CHECK = "drop_check"
    ADD_EXCLUSION = "add_exclusion"
    ADD_FOREIGN_KEY = "add_foreign_key"
    DROP_FOREIGN_KEY = "drop_foreign_key"
    ADD_PRIMARY_KEY = "add_primary_key"
    DROP_PRIMARY_KEY = "drop_primary_key"
    VALIDATE_CONSTRAINT = "validate_constraint"
    CREATE_TYPE = "create_type"
    DROP_TYPE = "drop_type"
    ADD_ENUM_LABEL = "add_enum_label"
    DROP_ENUM_LABEL = "drop_enum_label"
    RENAME_ENUM_LABEL = "rename_enum_label"
    CREATE_SEQUENCE = "create_sequence"
    DROP_SEQUENCE = "drop_sequence"
    DROP_VIEW = "drop_view"
    CREATE_COLLECTION = "create_collection"
    DROP_COLLECTION = "drop_collection"
    RENAME_COLLECTION = "rename_collection"
    CHANGE_VALIDATOR = "change_validator"
    CHANGE_TTL = "change_ttl"
    BACKFILL = "backfill"
    RUN_SQL = "run_sql"
    RUN_PYTHON = "run_python"
    RECORD_REVISION = "record_revision"
    """The database says which migration script it has come to; nothing else is changed."""

    UNKNOWN = "unknown"


class Facts(TypedDict, total=False):
    """What rules and readers want to know of a change; what does not apply is left out. JSON throughout.

    Types, defaults and expressions are texts in the spelling of the server.
    """

    columns: Sequence[str]
    """The columns, or paths, of an index, constraint or table, in their order."""

    column_types: Sequence[str]
    """The types of `columns`, of a new table."""

    new_table: bool
    """The table is created by the same plan, so nothing is in it."""

    new_columns: bool
    """Every column of the index or constraint is added by the same plan."""

    new_name: str
    """Of a rename."""

    type_before: str
    type_after: str
    needs_using: bool
    """PostgreSQL does not cast to the new type by itself."""

    rewrites: bool
    """Known to rewrite the table on this server, or known not to."""

    nullable: bool
    """Whether the column takes NULL afterwards."""

    nullable_before: bool
    default: str | None
    """The default that the server fills in afterwards; `None` for none."""

    default_before: str | None
    volatile_default: bool
    """The default differs from row to row, such as `gen_random_uuid()`."""

    computed: Literal["stored", "virtual"] | None
    expression: str
    """Of a check, computed column, index on expressions or exclusion."""

    expression_before: str
    identity: bool
    """The server numbers the rows: identity, serial, AUTO_INCREMENT."""

    primary_key: bool
    inline_unique: bool
    inline_check: bool
    inline_references: bool
    unique: bool
    where: str | None
    """The condition of a partial index."""

    method: str | None
    """Of an index: `btree`, `gin`."""

    include: Sequence[str]
    concurrently: bool
    constraint_name: str | None
    """The name of a constraint; `None` when it has none."""

    references: str
    """The table that a foreign key points to."""

    referred_columns: Sequence[str]
    on_delete: str | None
    on_update: str | None
    on_delete_before: str | None
    in_indexes: Sequence[str]
    """The indexes and constraints that the column is part of."""

    supports_foreign_key: str
    """The foreign key that needs the index (MySQL)."""

    labels: Sequence[str]
    """Of an enumeration, in their order, as they are afterwards; of a dropped one, those that it had."""

    removed_labels: Sequence[str]
    """Those that an enumeration has no longer."""

    used_by: Sequence[str]
    """The columns (`table.column`) that have the type."""

    validator: str
    """The new validator of a collection, as JSON."""

    loosens: bool
    """The new validator takes all that the old one has taken."""

    expire_after: int | None
    expire_after_before: int | None
    statement: str
    """Of `RUN_SQL`, and of each change that was read from one: somebody wrote the SQL by hand."""

    command: str
    """What a statement of `RUN_SQL` does that no kind stands for: `truncate`, `reindex`; missing when nobody knows."""

    reversible: bool
    """The author has written how to undo a data step."""

    rebuild: bool
    """SQLite cannot do it but by building the table anew."""

    probable_rename_of: str
    """The column, or table, of the same type that the plan drops."""

    suggested_fill: str
    """What the class gives a new entity in a column that must not be null, as SQL: older rows could have it too."""

    example_fill: str
    """A value of the type of such a column, as SQL, where the class says nothing: somebody has to want it."""

    declared_risk: str
    """What the author of an opaque step says its risk is."""

    validated_later: bool
    """A foreign key or check is added for new rows only; a step of its own validates the others."""

    check_first: bool
    """A validated check proves already that no row is null, so that SET NOT NULL reads none."""

    using_index: bool
    """A unique constraint or primary key takes over an index that is there, so that nothing is built."""

    in_batches: bool
    """A data step commits after every batch of rows."""

    algorithm: str
    """The algorithm or lock that a statement of MySQL asks for: `copy`, `shared`, `exclusive`."""

    cascade: bool
    """Whatever depends on it is dropped, or emptied, with it."""

    replaces: bool
    """A table of that name that exists is dropped first."""

    if_exists: bool
    """Nothing is done when it is there, or gone, already."""

    moved: bool
    """An index comes in the place of one on fields that are renamed, whoever has made that."""

    imports_model: str
    """The class of the program's own that a data step imports."""

    revision: str
    """The migration script that is recorded."""

    script_checksum: str
    """Of what that script does; empty when it was adopted."""

    on_existing: bool
    """That script was made for a database that had tables already, and no script before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference, or one step of a migration script.

    Attributes:
        kind: What is done.

        table: The table or collection, with its schema in front unless that is the default one; empty for what belongs
            to none, such as an enumeration.

        name: The column, index, constraint, type or label that is changed; empty for the table itself.

        facts: The circumstances.
    """

    kind: ChangeKind
    table: str = ""
    name: str = ""
    facts: Facts = field(default_factory=Facts)

    @property
    def object(self) -> str:
        """Return what is changed, for people and for approvals: `books`, `books.title`."""
        return ".".join(part for part in (self.table, self.name) if part)
