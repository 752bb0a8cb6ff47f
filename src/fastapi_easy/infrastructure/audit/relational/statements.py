"""The statements of the audit trail."""

import functools
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Executable,
    Integer,
    and_,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite

from fastapi_easy.domain.audit.sealing import COLUMNS
from fastapi_easy.infrastructure.relational.system_tables.audit_tables import (
    CHECKPOINTS,
    ENTRIES,
    HEADS,
    SUBJECTS,
)

MOVED_TEXT: Final = "the head of an audit trail was moved by somebody else meanwhile, which is tried again"
"""What is in the message of the error."""

_of_stream: Final = ENTRIES.c.stream == bindparam("of_stream")

INSERT_ENTRIES: Final = insert(ENTRIES)
MOVE_HEAD: Final = (
    update(HEADS)
    .where(HEADS.c.stream == bindparam("of_stream"))
    .values(
        seq=bindparam("head_seq", type_=HEADS.c.seq.type),
        leaf=bindparam("head_leaf", type_=HEADS.c.leaf.type),
    )
)
SELECT_HEADS: Final = select(HEADS).order_by(HEADS.c.stream)
READ: Final = (
    select(ENTRIES)
    .where(_of_stream, ENTRIES.c.seq > bindparam("after"))
    .order_by(ENTRIES.c.seq, ENTRIES.c.leaf)
    .limit(bindparam("number"))
)
READ_ONE: Final = select(ENTRIES).where(_of_stream, ENTRIES.c.seq == bindparam("at")).order_by(ENTRIES.c.leaf)
REMOVE_BODIES: Final = (
    update(ENTRIES)
    .where(_of_stream, ENTRIES.c.seq <= bindparam("last"), ENTRIES.c.body.is_not(None))
    .values(body=None, **dict.fromkeys(COLUMNS))
)
MOVE_KNOWN_HEAD: Final = MOVE_HEAD.where(
    HEADS.c.seq == bindparam("known_seq", type_=HEADS.c.seq.type),
    HEADS.c.leaf == bindparam("known_leaf", type_=HEADS.c.leaf.type),
)
"""Moves a head that is what it was taken for; else it changes nothing."""

INSERT_CHECKPOINT: Final = insert(CHECKPOINTS)
SELECT_CHECKPOINTS: Final = (
    select(CHECKPOINTS)
    .where(CHECKPOINTS.c.stream == bindparam("of_stream"))
    .order_by(CHECKPOINTS.c.size, CHECKPOINTS.c.created_at)
)
LIST_SUBJECTS: Final = (
    select(SUBJECTS)
    .where(
        SUBJECTS.c.subject > bindparam("after", type_=SUBJECTS.c.subject.type),
        SUBJECTS.c.wrapped.is_not(None),
    )
    .order_by(SUBJECTS.c.subject)
    .limit(bindparam("at_most", type_=BigInteger()))
)
ERASE: Final = (
    update(SUBJECTS)
    .where(SUBJECTS.c.subject == bindparam("of_subject"), SUBJECTS.c.wrapped.is_not(None))
    .values(wrapped=None)
)

_moved: Final = MOVE_KNOWN_HEAD.returning(HEADS.c.stream, HEADS.c.seq, HEADS.c.leaf).cte("fe_moved")
_entry: Final = (
    insert(ENTRIES)
    .from_select(
        [*ENTRIES.c],
        select(
            *(
                _moved.c[each.name]
                if each.name in _moved.c
                else bindparam(f"entry_{each.name}", type_=each.type)
                for each in ENTRIES.c
            )
        ).select_from(_moved),
    )
    .cte("fe_entry")
)
APPEND_ONE: Final = select(_moved.c.stream).add_cte(_entry)
"""An entry and its head in one statement, where the server can do that (PostgreSQL).

Returns a row if the head was the one that the entry was sealed after; else nothing was changed.
"""

APPEND_OR_FAIL: Final = (
    select(
        cast(
            case(
                (func.count() == literal_column("0"), literal_column(f"'{MOVED_TEXT}'")),
                else_=literal_column("'1'"),
            ),
            Integer,
        )
    )
    .select_from(_moved)
    .add_cte(_entry)
)
"""The same, as an error where nothing was changed: so that a `COMMIT` can follow in the same round trip."""


@functools.cache
def lock_heads(number: int) -> Executable:
    """Return what locks the heads of *number* streams, in the order of their names, and reads them."""
    names = [bindparam(f"n{place}", type_=HEADS.c.stream.type) for place in range(number)]
    return select(HEADS).where(HEADS.c.stream.in_(names)).order_by(HEADS.c.stream).with_for_update()


@functools.cache
def find(number: int) -> Executable:
    """Return what reads the entries about *number* entities, in their order."""
    keys = [bindparam(f"n{place}", type_=ENTRIES.c.key.type) for place in range(number)]
    return (
        select(ENTRIES)
        .where(
            ENTRIES.c.resource == bindparam("of_resource"),
            ENTRIES.c.key.in_(keys),
            or_(
                ENTRIES.c.stream > bindparam("of_stream"),
                and_(_of_stream, ENTRIES.c.seq > bindparam("after")),
            ),
        )
        .order_by(ENTRIES.c.stream, ENTRIES.c.seq)
        .limit(bindparam("number"))
    )


@functools.cache
def find_keys(number: int, *, in_tenant: bool) -> Executable:
    """Return what reads the keys that something was done to, by one of *number* actions; by any if there are none."""
    found = select(ENTRIES.c.key).where(
        ENTRIES.c.resource == bindparam("of_resource"), ENTRIES.c.key.is_not(None), ENTRIES.c.outcome == "ok"
    )
    if number:
        actions = [bindparam(f"n{place}", type_=ENTRIES.c.action.type) for place in range(number)]
        found = found.where(ENTRIES.c.action.in_(actions))
    if in_tenant:
        found = found.where(or_(ENTRIES.c.tenant.is_(None), ENTRIES.c.tenant == bindparam("of_tenant")))
    return found.distinct().limit(bindparam("number"))


@functools.cache
def select_subjects(number: int, *, locks: bool) -> Executable:
    """Return what reads the wrapped keys of *number* subjects; as they are at last, if it *locks* them."""
    names = [bindparam(f"n{place}", type_=SUBJECTS.c.subject.type) for place in range(number)]
    found = select(SUBJECTS).where(SUBJECTS.c.subject.in_(names)).order_by(SUBJECTS.c.subject)
    return found.with_for_update() if locks else found


@functools.cache
def insert_missing(dialect: str, table_name: str) -> Executable:
    """Return what inserts rows, of heads or of subjects, that are not there already."""
    table: Any = HEADS if table_name == HEADS.name else SUBJECTS
    match dialect:
        case "mysql" | "mariadb":
            # Not `IGNORE`, which lets other errors pass too.
            key = next(iter(table.primary_key))
            return mysql.insert(table).on_duplicate_key_update({key.name: key})
        case "sqlite":
            return sqlite.insert(table).on_conflict_do_nothing()
        case _:  # `resolve` lets nothing pass but these and PostgreSQL
            return postgresql.insert(table).on_conflict_do_nothing()
