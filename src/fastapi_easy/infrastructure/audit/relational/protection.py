"""What keeps the tables of the audit trail from being changed, as far as a database can.

Triggers refuse mistakes of people and programs. Whoever owns the tables can take them away, which is why the trail is
hashed, and anchored outside.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Table, false, text
from sqlalchemy.exc import DBAPIError

from fastapi_easy.domain.audit.sealing import COLUMNS
from fastapi_easy.infrastructure.persistence.sqlalchemy.schema import schema_lock
from fastapi_easy.infrastructure.relational.driver.error_classification import classify_error
from fastapi_easy.infrastructure.relational.error_codes import ErrorCause
from fastapi_easy.infrastructure.relational.server import server_name_of
from fastapi_easy.infrastructure.relational.system_tables.audit_tables import (
    CHECKPOINTS,
    ENTRIES,
    FIXED,
    HEADS,
    SUBJECTS,
)

_REFUSED: Final = "the audit trail is append-only"

_TABLES: Final = (ENTRIES, HEADS, CHECKPOINTS, SUBJECTS)

_FORBIDDEN: Final = (ErrorCause.NOT_PERMITTED, ErrorCause.RAISED, ErrorCause.READ_ONLY)


def protect(connection: Connection) -> None:
    """Create the triggers that are missing; that the user may create none is a weakness, found later."""
    if not _missing_triggers(connection):
        return
    try:
        with schema_lock(connection):
            for statements in _missing_triggers(connection).values():
                for statement in statements:
                    _ = connection.exec_driver_sql(statement)
    except DBAPIError as error:
        if connection.invalidated or not _may_not_create(error):
            raise


def find_weaknesses(connection: Connection) -> tuple[str, ...]:
    """Return what is permitted that nobody should be able to do, in sentences."""
    weaknesses = [
        f"the trigger {name} is missing, which refuses changes of the audit trail: let the owner of the tables "
        "create what `fastapi-easy audit grants` prints"
        for name in _missing_triggers(connection)
    ]
    if connection.dialect.name == "sqlite":
        # A file has no users.
        return tuple(weaknesses)
    may = [
        verb
        for verb, attempt in (
            ("UPDATE", ENTRIES.update().where(false()).values(body=None)),
            ("DELETE", ENTRIES.delete().where(false())),
        )
        if _is_permitted(connection, attempt)
    ]
    if connection.dialect.name == "postgresql":
        may += _further_privileges(connection)
    if may:
        weaknesses.append(
            f"the user of the application may {', '.join(may)} in {ENTRIES.name}: let another user own the tables, and "
            "grant this one SELECT and INSERT only, as `fastapi-easy audit grants` prints"
        )
    return tuple(weaknesses)


def trigger_statements(dialect: str) -> Mapping[str, tuple[str, ...]]:
    """Return the statements that create each trigger, by its name."""
    match server_name_of(dialect):
        case "postgresql":
            return _POSTGRES
        case "sqlite":
            return _SQLITE
        case "mysql":
            return _MYSQL


def _missing_triggers(connection: Connection) -> dict[str, tuple[str, ...]]:
    question = _EXISTING[server_name_of(connection.dialect.name)]
    found = {row[0] for row in connection.execute(question)}
    wanted = trigger_statements(connection.dialect.name)
    return {name: statements for name, statements in wanted.items() if name not in found}


def _is_permitted(connection: Connection, attempt: Any) -> bool:
    try:
        _ = connection.execute(attempt)
    except DBAPIError as error:
        classified = classify_error(error)
        if classified is None or classified.cause not in _FORBIDDEN:
            raise
        return False
    return True


def _further_privileges(connection: Connection) -> list[str]:
    found = connection.execute(_PRIVILEGES).one_or_none()
    if found is None:
        return []
    truncates, owns = found
    return [
        *(["TRUNCATE"] if truncates else []),
        *(["drop triggers, being the owner"] if owns else []),
    ]


def _may_not_create(error: DBAPIError) -> bool:
    classified = classify_error(error)
    if classified is not None and classified.cause in _FORBIDDEN:
        return True
    # MySQL: with binary logging only a SUPER user may create triggers.
    code = getattr(error.orig, "args", (None,))[0]
    return code in _MYSQL_DENIED


_MYSQL_DENIED: Final = {1142, 1227, 1419, 1044}

_PRIVILEGES: Final = text(
    "SELECT has_table_privilege(current_user, c.oid, 'TRUNCATE'), pg_has_role(current_user, c.relowner, 'USAGE') "  # noqa: S608 (names of our own)
    f"FROM pg_class c WHERE c.oid = to_regclass('{ENTRIES.name}')"
)

_oids: Final = ", ".join(f"to_regclass('{table.name}')" for table in _TABLES)
_names: Final = ", ".join(f"'{table.name}'" for table in _TABLES)

_EXISTING: Final = {
    "postgresql": text(
        "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "  # noqa: S608 (as above)
        f"WHERE c.oid IN ({_oids}) AND t.tgenabled = 'A'"
    ),
    "sqlite": text(f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ({_names})"),  # noqa: S608
    "mysql": text(
        "SELECT trigger_name FROM information_schema.triggers "  # noqa: S608 (as above)
        f"WHERE event_object_schema = database() AND event_object_table IN ({_names})"
    ),
}


def _archives(equals: str, quote: str) -> str:
    """Return the condition that an update removes what was archived, and nothing else."""
    old_body = f"OLD.{quote}body{quote} IS NOT NULL"
    gone = [f"NEW.{quote}{name}{quote} IS NULL" for name in ("body", *COLUMNS)]
    same = [f"NEW.{quote}{name}{quote} {equals} OLD.{quote}{name}{quote}" for name in FIXED]
    return " AND ".join([old_body, *gone, *same])


def _allowed_updates(equals: str, quote: str) -> Mapping[Table, str | None]:
    """Return under which condition a row of each table may be updated; `None` for never."""
    return {
        ENTRIES: _archives(equals, quote),
        # To insert one that is there already is an update that changes nothing on MySQL.
        HEADS: (
            f"NEW.stream {equals} OLD.stream AND (NEW.seq > OLD.seq OR (NEW.seq = OLD.seq AND NEW.leaf = OLD.leaf))"
        ),
        CHECKPOINTS: None,
        SUBJECTS: (
            f"NEW.subject {equals} OLD.subject AND (NEW.wrapped IS NULL OR NEW.wrapped {equals} OLD.wrapped)"
        ),
    }


def _postgres() -> Mapping[str, tuple[str, ...]]:
    made: dict[str, tuple[str, ...]] = {}
    for table, allowed in _allowed_updates("IS NOT DISTINCT FROM", '"').items():
        function = f"{table.name}_refuse"
        allows = f"IF TG_OP = 'UPDATE' AND {allowed} THEN RETURN NEW; END IF; " if allowed else ""
        create = (
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"{allows}RAISE EXCEPTION '{_REFUSED}' USING ERRCODE = 'insufficient_privilege'; END $$"
        )
        refuse_all = create.replace(allows, "").replace(f"{function}()", f"{function}_all()")
        for name, when, body, calls in (
            (f"{table.name}_rows", "BEFORE UPDATE OR DELETE", "FOR EACH ROW", create),
            (f"{table.name}_truncate", "BEFORE TRUNCATE", "FOR EACH STATEMENT", refuse_all),
        ):
            called = function if calls is create else f"{function}_all"
            made[name] = (
                calls,
                f"DROP TRIGGER IF EXISTS {name} ON {table.name}",
                f"CREATE TRIGGER {name} {when} ON {table.name} {body} EXECUTE FUNCTION {called}()",
                f"ALTER TABLE {table.name} ENABLE ALWAYS TRIGGER {name}",
            )
    return made


def _sqlite() -> Mapping[str, tuple[str, ...]]:
    made: dict[str, tuple[str, ...]] = {}

    def add(name: str, when: str, condition: str | None) -> None:
        only = f" WHEN {condition}" if condition else ""
        made[name] = (
            f"CREATE TRIGGER IF NOT EXISTS {name} {when}{only} BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
        )

    for table, allowed in _allowed_updates("IS", '"').items():
        unless = f"NOT ({allowed})" if allowed else None
        add(f"{table.name}_update", f"BEFORE UPDATE ON {table.name}", unless)
        add(f"{table.name}_delete", f"BEFORE DELETE ON {table.name}", None)
        # `INSERT OR REPLACE` deletes without asking the trigger above.
        key = " AND ".join(f'"{column.name}" = NEW."{column.name}"' for column in table.primary_key)
        exists = f"EXISTS (SELECT 1 FROM {table.name} WHERE {key})"  # noqa: S608 (as above)
        if table is ENTRIES or table is CHECKPOINTS:
            add(f"{table.name}_replace", f"BEFORE INSERT ON {table.name}", exists)
    return made


def _mysql() -> Mapping[str, tuple[str, ...]]:
    made: dict[str, tuple[str, ...]] = {}
    signal = f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{_REFUSED}'"
    for table, allowed in _allowed_updates("<=>", "`").items():
        update = f"IF NOT ({allowed}) THEN {signal}; END IF" if allowed else signal
        for verb, body in (("update", update), ("delete", signal)):
            name = f"{table.name}_{verb}"
            made[name] = (
                f"DROP TRIGGER IF EXISTS {name}",
                f"CREATE TRIGGER {name} BEFORE {verb.upper()} ON {table.name} FOR EACH ROW {body}",
            )
    return made


_POSTGRES: Final = _postgres()
_SQLITE: Final = _sqlite()
_MYSQL: Final = _mysql()
