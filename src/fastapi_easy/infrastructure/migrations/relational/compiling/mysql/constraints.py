"""Constraints on MySQL and MariaDB."""

from collections.abc import Sequence

from alembic.operations.ops import AddConstraintOp, DropConstraintOp
from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.schema import Constraint

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.situation import (
    LONG,
    ONLINE,
    SHARED,
    MySQLSituation,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase, Placed
from fastapi_easy.infrastructure.migrations.relational.compiling.tables_in_order import referred_table
from fastapi_easy.infrastructure.migrations.relational.probing.mysql_catalogue import MySQLTable, key_columns
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import constraint_probe


def add_constraint(
    operation: AddConstraintOp,
    changes: tuple[Change, ...],
    situation: MySQLSituation,
    number: int = 1,
    indexed: Sequence[tuple[str, ...]] = (),
    superseded: Sequence[str] = (),
) -> list[Placed]:
    """Return the step that adds a constraint.

    Args:
        operation: Which one.

        changes: What was detected.

        situation: What is known.

        number: Which one without a name it is among those of the same steps.

        indexed: Columns of the indexes that the table has by then.

        superseded: Clauses that bring back the indexes that the server drops for it.
    """
    constraint = operation.to_constraint()
    schema, table = constraint.table.schema, str(constraint.table.name)
    stored = situation.stored_table(schema, table)
    name = situation.write.constraint_name(constraint) or servers_name(constraint, stored, situation, number)
    if constraint.name is None:
        constraint.name = name
    written = situation.write.statement(AddConstraintOp.from_constraint(constraint))
    clause = written.removeprefix(f"ALTER TABLE {situation.write.table(schema, table)} ")
    kind = _kind(constraint)
    is_reference = kind == "foreignkey"
    online = kind == "unique" and situation.is_online(schema, table)
    step = Step(
        changes=changes,
        summary=f"add constraint {name} to {situation.write.table(schema, table)}",
        statements=(situation.alter(schema, table, clause, *([ONLINE] if online else [])),),
        reverse=(
            situation.alter(schema, table, *superseded, *_dropped(constraint, name, indexed, situation)),
        ),
        reversibility=Reversibility.FULL,
        mode=StepMode.AUTOCOMMIT,
        reverse_mode=StepMode.AUTOCOMMIT,
        probe=constraint_probe(schema, table, name, kind=kind, before=_line(stored, kind, name, situation)),
        lock="" if online else SHARED,
        statement_timeout=LONG,
    )
    return [Placed(Phase.FOREIGN_KEYS if is_reference else Phase.CONSTRAINTS, step)]


def drop_constraint(
    operation: DropConstraintOp,
    changes: tuple[Change, ...],
    situation: MySQLSituation,
    kept_indexes: frozenset[str] = frozenset(),
) -> list[Placed]:
    """Return the step that drops a constraint.

    Args:
        operation: Which one.

        changes: What was detected.

        situation: What is known.

        kept_indexes: Indexes of the table that others drop, or that a new foreign key needs.
    """
    schema, table, name = operation.schema, str(operation.table_name), str(operation.constraint_name)
    stored = situation.stored_table(schema, table)
    kind = operation.constraint_type or _stored_kind(stored, name)
    line = _line(stored, kind, name, situation)
    is_reference = kind == "foreignkey"
    again = f"ADD {line}" if line is not None else _added_again(operation, situation)
    clauses, back = [_drop_clause(kind, name, situation)], [again]
    made = _made_for(name, line, stored) if is_reference else None
    if made is not None and stored is not None and made not in kept_indexes:
        # The server has made an index for the reference, which nobody has declared.
        clauses.append(f"DROP INDEX {situation.quoted(made)}")
        back.insert(0, f"ADD {stored.keys[made]}")
    known = [each for each in back if each is not None]
    reverse: tuple[str, ...] = () if again is None else (situation.alter(schema, table, *known),)
    loses = is_reference and _refers_to_dropped(operation, situation)
    if loses and reverse:
        # The rows that it refers to do not come back.
        reverse = ("SET SESSION foreign_key_checks = 0", *reverse, "SET SESSION foreign_key_checks = 1")
    kept = Reversibility.SCHEMA_ONLY if loses else Reversibility.FULL
    step = Step(
        changes=changes,
        summary=f"drop constraint {name} of {situation.write.table(schema, table)}",
        statements=(situation.alter(schema, table, *clauses),),
        reverse=reverse,
        reversibility=kept if reverse else Reversibility.NONE,
        mode=StepMode.AUTOCOMMIT,
        reverse_mode=StepMode.AUTOCOMMIT,
        probe=constraint_probe(schema, table, name, kind=kind, before=line, absent=True),
        statement_timeout=LONG,
    )
    return [Placed(Phase.FOREIGN_KEY_DROPS if is_reference else Phase.CONSTRAINT_DROPS, step)]


def servers_name(
    constraint: Constraint, stored: MySQLTable | None, situation: MySQLSituation, number: int
) -> str:
    """Return the name that the server would give to a constraint without one."""
    table = str(constraint.table.name)
    taken = set() if stored is None else {*stored.keys, *stored.references, *stored.checks}
    if isinstance(constraint, UniqueConstraint):
        first = str(next(iter(constraint.columns)).name)
        names = [first, *(f"{first}_{each}" for each in range(2, len(taken) + number + 3))]
    elif isinstance(constraint, ForeignKeyConstraint):
        names = [f"{table}_ibfk_{each}" for each in range(1, len(taken) + number + 2)]
    else:
        pattern = "CONSTRAINT_{}" if situation.server.is_mariadb else table + "_chk_{}"
        names = [pattern.format(each) for each in range(1, len(taken) + number + 2)]
    free = [each for each in names if each not in taken]
    return free[number - 1]


def _kind(constraint: Constraint) -> str:
    if isinstance(constraint, UniqueConstraint):
        return "unique"
    return "foreignkey" if isinstance(constraint, ForeignKeyConstraint) else "check"


def _stored_kind(stored: MySQLTable | None, name: str) -> str | None:
    """Return the kind of a constraint that a script drops by its name alone."""
    if stored is None:
        return None
    kinds = ("foreignkey", "check", "unique")
    return next((each for each in kinds if stored.constraint(each, name) is not None), None)


def _line(stored: MySQLTable | None, kind: str | None, name: str, situation: MySQLSituation) -> str | None:
    return None if stored is None or situation.renamed else stored.constraint(kind, name)


def _dropped(
    constraint: Constraint, name: str, indexed: Sequence[tuple[str, ...]], situation: MySQLSituation
) -> list[str]:
    clauses = [_drop_clause(_kind(constraint), name, situation)]
    if isinstance(constraint, ForeignKeyConstraint):
        held = tuple(constraint.column_keys)
        if not any(each[: len(held)] == held for each in indexed):
            # The server makes an index for the reference.
            clauses.append(f"DROP INDEX {situation.quoted(name)}")
    return clauses


def _made_for(name: str, line: str | None, stored: MySQLTable | None) -> str | None:
    """Return the index that has the name the server gives to those it makes for a reference; `None` for none."""
    if stored is None or line is None:
        return None
    columns = key_columns(line)
    found = [each for each in (name, columns[0]) if stored.keys.get(each, "").startswith("KEY ")]
    return next((each for each in found if key_columns(stored.keys[each]) == columns), None)


def _drop_clause(kind: str | None, name: str, situation: MySQLSituation) -> str:
    quoted = situation.quoted(name)
    match kind:
        case "foreignkey":
            return f"DROP FOREIGN KEY {quoted}"
        case "unique":
            return f"DROP INDEX {quoted}"
        case "primary":
            return "DROP PRIMARY KEY"
        case _:
            return f"DROP {'CONSTRAINT' if situation.server.is_mariadb else 'CHECK'} {quoted}"


def _added_again(operation: DropConstraintOp, situation: MySQLSituation) -> str | None:
    try:
        written = situation.write.statement(operation.reverse())
    except ValueError:
        return None
    on = situation.write.table(operation.schema, str(operation.table_name))
    return written.removeprefix(f"ALTER TABLE {on} ")


def _refers_to_dropped(operation: DropConstraintOp, situation: MySQLSituation) -> bool:
    try:
        constraint = operation.to_constraint()
    except ValueError:
        return False
    return (
        isinstance(constraint, ForeignKeyConstraint)
        and referred_table(constraint) in situation.dropped_tables
    )
