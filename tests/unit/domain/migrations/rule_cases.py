"""For every rule a situation that it is about, and its nearest sibling that it is not about."""

from typing import Any

from fastapi_easy.domain.migrations.change import Change
from tests.unit.domain.migrations.situations import KIND, Situation, change, loose

ROWS = {"rows:books": 200_000, "size:books": 900_000_000}
EMPTY = {"rows:books": 0}


def by_hand(kind: Any, object_: str = "books", /, **facts: Any) -> Change:
    return change(kind, object_, statement="…", **facts)


def command(name: str, table: str = "books", /, **facts: Any) -> Change:
    return by_hand(KIND.RUN_SQL, table, command=name, **facts)


def to_type(before: str, after: str, **facts: Any) -> Change:
    return change(KIND.CHANGE_TYPE, "books.title", type_before=before, type_after=after, **facts)


def of_type(after: str, **facts: Any) -> Change:
    return change(KIND.ADD_COLUMN, "books.title", type_after=after, nullable=True, **facts)


_FK = change(KIND.ADD_FOREIGN_KEY, "books.fk", columns=["author"], references="authors")
_REQUIRED = change(KIND.ADD_COLUMN, "books.title", nullable=False, default=None)
_UNIQUE = change(KIND.ADD_UNIQUE, "books.uq", columns=["isbn"])
_REPLACED = change(KIND.DROP_INDEX, "books.uq", columns=["isbn"])
_UNIQUE_INDEX = change(KIND.CREATE_INDEX, "books.uq", columns=["isbn"], unique=True)
_NEW_TABLE = change(KIND.CREATE_TABLE, "books")

CASES: dict[str, tuple[Situation, Situation]] = {
    "DS101": (Situation(change(KIND.DROP_TABLE), ROWS), Situation(change(KIND.CREATE_TABLE))),
    "DS102": (Situation(loose(KIND.DROP_SCHEMA, "shop")), Situation(loose(KIND.CREATE_SCHEMA, "shop"))),
    "DS103": (
        Situation(change(KIND.DROP_COLUMN, "books.title"), ROWS),
        Situation(change(KIND.ADD_COLUMN, "books.title", nullable=True)),
    ),
    "DS104": (
        Situation(change(KIND.DROP_COLUMN, "books.isbn", in_indexes=["uq"])),
        Situation(change(KIND.DROP_COLUMN, "books.isbn", in_indexes=["uq"]), before=(_REPLACED,)),
    ),
    "DS105": (
        Situation(loose(KIND.DROP_ENUM_LABEL, "mood", removed_labels=["sad"], used_by=["books.mood"])),
        Situation(to_type("enum('a')", "enum('a','b')")),
    ),
    "DS106": (
        Situation(to_type("bigint", "character varying(9)"), ROWS),
        Situation(to_type("bigint", "text")),
    ),
    "DS107": (
        Situation(change(KIND.CHANGE_COMPUTED, "books.total", computed="stored", expression="1")),
        Situation(
            change(
                KIND.CHANGE_COMPUTED, "books.total", computed="stored", expression="1", expression_before="2"
            )
        ),
    ),
    "DS108": (Situation(to_type("TEXT", "INTEGER")), Situation(to_type("INTEGER", "TEXT"))),
    "DS109": (
        Situation(of_type("text", probable_rename_of="name")),
        Situation(of_type("text")),
    ),
    "DS110": (
        Situation(change(KIND.CHANGE_TYPE, "books.title", rebuild=True), mode="transaction"),
        Situation(change(KIND.CHANGE_TYPE, "books.title", rebuild=True), mode="rebuild"),
    ),
    "DS111": (Situation(command("truncate"), ROWS), Situation(command("insert"), ROWS)),
    "DS112": (Situation(change(KIND.CREATE_TABLE, replaces=True)), Situation(change(KIND.CREATE_TABLE))),
    "DS113": (
        Situation(change(KIND.CHANGE_TTL, "books.at", expire_after=60, expire_after_before=90)),
        Situation(change(KIND.CHANGE_TTL, "books.at", expire_after=90, expire_after_before=60)),
    ),
    "BC101": (
        Situation(change(KIND.RENAME_TABLE, new_name="works")),
        Situation(change(KIND.RENAME_TABLE, new_name="works"), after=(command("create_view"),)),
    ),
    "BC102": (
        Situation(change(KIND.RENAME_COLUMN, "books.title", new_name="name")),
        Situation(
            change(KIND.RENAME_COLUMN, "books.title", new_name="name"),
            after=(of_type("text", computed="virtual"),),
        ),
    ),
    "BC103": (
        Situation(loose(KIND.RENAME_SCHEMA, "shop", new_name="store")),
        Situation(loose(KIND.CREATE_SCHEMA, "store")),
    ),
    "BC104": (
        Situation(loose(KIND.RENAME_ENUM_LABEL, "mood.sad", new_name="blue")),
        Situation(loose(KIND.ADD_ENUM_LABEL, "mood.blue")),
    ),
    "BC105": (
        Situation(_REQUIRED, ROWS),
        Situation(change(KIND.ADD_COLUMN, "books.title", nullable=False, default="'?'"), ROWS),
    ),
    "BC106": (Situation(change(KIND.DROP_NOT_NULL, "books.title")), Situation(change(KIND.SET_NOT_NULL))),
    "BC107": (
        Situation(change(KIND.CHANGE_DEFAULT, "books.n", nullable=False, default=None, default_before="1")),
        Situation(change(KIND.CHANGE_DEFAULT, "books.n", nullable=False, default="1", default_before=None)),
    ),
    "BC108": (
        Situation(to_type("integer", "bigint(9)")),
        Situation(to_type("integer", "bigint", new_table=True)),
    ),
    "BC109": (Situation(_UNIQUE_INDEX), Situation(change(KIND.CREATE_INDEX, "books.ix", columns=["isbn"]))),
    "BC110": (Situation(loose(KIND.DROP_VIEW, "shelf")), Situation(command("create_view", "shelf"))),
    "DD101": (
        Situation(_UNIQUE_INDEX, ROWS),
        Situation(change(KIND.CREATE_INDEX, "books.ix", columns=["isbn"]), ROWS),
    ),
    "DD102": (Situation(_UNIQUE_INDEX, ROWS, before=(_REPLACED,)), Situation(_UNIQUE_INDEX, ROWS)),
    "DD103": (
        Situation(change(KIND.SET_NOT_NULL, "books.title"), ROWS),
        Situation(change(KIND.SET_NOT_NULL, "books.title"), EMPTY),
    ),
    "DD104": (Situation(_FK, ROWS), Situation(_FK, EMPTY)),
    "DD105": (
        Situation(change(KIND.CHANGE_VALIDATOR, validator='{"a": 1}'), ROWS),
        Situation(change(KIND.CHANGE_VALIDATOR, validator=""), ROWS),
    ),
    "DD106": (Situation(_REQUIRED, ROWS), Situation(_REQUIRED, EMPTY)),
    "DD107": (
        Situation(to_type("text", "json", needs_using=True)),
        Situation(to_type("text", "json", needs_using=False)),
    ),
    "DD108": (
        Situation(change(KIND.DROP_COLUMN, "books.title"), {"dependents:books.title": ["shelf"]}),
        Situation(change(KIND.DROP_COLUMN, "books.title"), {"dependents:books.title": []}),
    ),
    "DD109": (
        Situation(command("set_sql_mode", "")),
        Situation(
            Change(
                kind=KIND.RUN_SQL,
                facts={"command": "set_sql_mode", "statement": "SET sql_mode = 'STRICT_ALL_TABLES'"},
            )
        ),
    ),
    "LK101": (
        Situation(change(KIND.CREATE_INDEX, "books.ix", columns=["isbn"]), ROWS),
        Situation(change(KIND.CREATE_INDEX, "books.ix", columns=["isbn"], concurrently=True), ROWS),
    ),
    "LK102": (
        Situation(change(KIND.DROP_INDEX, "books.ix")),
        Situation(change(KIND.DROP_INDEX, "books.ix", concurrently=True)),
    ),
    "LK103": (Situation(command("reindex"), ROWS), Situation(command("reindex", concurrently=True), ROWS)),
    "LK104": (
        Situation(_UNIQUE, ROWS),
        Situation(change(KIND.ADD_UNIQUE, "books.uq", columns=["isbn"], using_index=True), ROWS),
    ),
    "LK105": (
        Situation(change(KIND.ADD_PRIMARY_KEY, "books.pk", columns=["id"]), ROWS),
        Situation(change(KIND.ADD_PRIMARY_KEY, "books.pk", columns=["id"], using_index=True), ROWS),
    ),
    "LK106": (
        Situation(_FK, ROWS),
        Situation(change(KIND.ADD_FOREIGN_KEY, "books.fk", references="authors", validated_later=True), ROWS),
    ),
    "LK107": (
        Situation(_FK, ROWS),
        Situation(change(KIND.ADD_FOREIGN_KEY, "books.fk", references="authors", new_table=True), ROWS),
    ),
    "LK108": (
        Situation(change(KIND.ADD_CHECK, "books.ck", expression="n > 0"), ROWS),
        Situation(change(KIND.ADD_CHECK, "books.ck", expression="n > 0", validated_later=True), ROWS),
    ),
    "LK109": (
        Situation(change(KIND.ADD_EXCLUSION, "books.ex"), ROWS),
        Situation(change(KIND.ADD_EXCLUSION, "books.ex"), before=(_NEW_TABLE,)),
    ),
    "LK110": (
        Situation(change(KIND.SET_NOT_NULL, "books.title"), ROWS),
        Situation(change(KIND.SET_NOT_NULL, "books.title", check_first=True), ROWS),
    ),
    "LK111": (
        Situation(to_type("integer", "bigint"), ROWS),
        Situation(to_type("varchar(9)", "varchar(99)"), ROWS),
    ),
    "LK112": (
        Situation(to_type("varchar(60)", "varchar(64)"), ROWS),
        Situation(to_type("varchar(60)", "varchar(63)")),
    ),
    "LK113": (
        Situation(to_type("integer", "bigint"), {**ROWS, "validated_checks:books": ["CHECK ((title > 0))"]}),
        Situation(to_type("integer", "bigint"), {**ROWS, "validated_checks:books": ["CHECK ((pages > 0))"]}),
    ),
    "LK114": (
        Situation(of_type("uuid", default="gen_random_uuid()", volatile_default=True), ROWS),
        Situation(of_type("timestamptz", default="now()", volatile_default=False), ROWS),
    ),
    "LK115": (
        Situation(of_type("integer", computed="stored"), ROWS),
        Situation(of_type("integer", computed="virtual"), ROWS),
    ),
    "LK116": (
        Situation(of_type("integer", identity=True), ROWS),
        Situation(of_type("integer", identity=False), ROWS),
    ),
    "LK117": (Situation(of_type("integer", inline_unique=True), ROWS), Situation(of_type("integer"), ROWS)),
    "LK118": (
        Situation(_UNIQUE_INDEX, ROWS, before=(of_type("integer"),), mode="transaction"),
        Situation(_UNIQUE_INDEX, ROWS, before=(change(KIND.CHANGE_COMMENT, "books"),), mode="transaction"),
    ),
    "LK119": (
        Situation(change(KIND.VALIDATE_CONSTRAINT, "books.fk"), ROWS, before=(_FK,), mode="transaction"),
        Situation(change(KIND.VALIDATE_CONSTRAINT, "books.fk"), ROWS, mode="transaction"),
    ),
    "LK120": (
        Situation(change(KIND.CREATE_INDEX, "books.ix", concurrently=True), mode="transaction"),
        Situation(change(KIND.CREATE_INDEX, "books.ix", concurrently=True), mode="autocommit"),
    ),
    "LK121": (Situation(of_type("int", algorithm="copy")), Situation(of_type("int", algorithm="inplace"))),
    "LK122": (
        Situation(change(KIND.BACKFILL, columns=["title"]), ROWS),
        Situation(change(KIND.BACKFILL, columns=["title"], in_batches=True), ROWS),
    ),
    "LK123": (Situation(command("vacuum_full")), Situation(command("vacuum"))),
    "LK124": (
        Situation(change(KIND.CREATE_INDEX, "books.ix", concurrently=True), version=(14, 3)),
        Situation(change(KIND.CREATE_INDEX, "books.ix", concurrently=True), version=(14, 4)),
    ),
    "LK125": (
        Situation(change(KIND.CHANGE_TYPE, "books.title", rebuild=True), ROWS),
        Situation(change(KIND.ADD_COLUMN, "books.title"), ROWS),
    ),
    "IN101": (
        Situation(change(KIND.DROP_FOREIGN_KEY, "books.fk", columns=["author"])),
        Situation(
            change(KIND.DROP_FOREIGN_KEY, "books.fk", columns=["author"]),
            after=(change(KIND.DROP_COLUMN, "books.author"),),
        ),
    ),
    "IN102": (
        Situation(change(KIND.DROP_INDEX, "books.uq", unique=True, columns=["isbn"])),
        Situation(
            change(KIND.DROP_INDEX, "books.uq", unique=True, columns=["isbn", "shelf"]),
            after=(_UNIQUE_INDEX,),
        ),
    ),
    "IN103": (
        Situation(change(KIND.ADD_FOREIGN_KEY, "books.fk", on_delete="CASCADE", on_delete_before=None)),
        Situation(change(KIND.ADD_FOREIGN_KEY, "books.fk", on_delete=None, on_delete_before="CASCADE")),
    ),
    "IN104": (
        Situation(_FK, unfinished=("the index ix_books of books is invalid",)),
        Situation(_FK, unfinished=("the constraint fk of books has not been validated",)),
    ),
    "IN105": (
        Situation(_FK, unfinished=("the constraint fk of books has not been validated",)),
        Situation(_FK, unfinished=("the index ix_books of books is invalid",)),
    ),
    "OP101": (
        Situation(by_hand(KIND.DROP_COLUMN, "books.title")),
        Situation(change(KIND.DROP_COLUMN, "books.title")),
    ),
    "OP102": (
        Situation(by_hand(KIND.BACKFILL), ROWS),
        Situation(by_hand(KIND.BACKFILL), ROWS, statement_timeout=60),
    ),
    "OP103": (
        Situation(by_hand(KIND.DROP_COLUMN, "books.title"), mode="autocommit"),
        Situation(by_hand(KIND.DROP_COLUMN, "books.title", if_exists=True), mode="autocommit"),
    ),
    "OP104": (Situation(command("commit", "")), Situation(command("set_lock_timeout", ""))),
    "OP105": (
        Situation(change(KIND.CREATE_INDEX, "books." + "x" * 65)),
        Situation(change(KIND.CREATE_INDEX, "books." + "x" * 63, columns=["lower(" + "x" * 99 + ")"])),
    ),
    "OP106": (
        Situation(of_type("int", inline_references=True), version=(8, 4)),
        Situation(of_type("int", inline_references=True), version=(10, 11), is_mariadb=True),
    ),
    "OP107": (
        Situation(
            loose(KIND.ADD_ENUM_LABEL, "mood.sad", labels=["sad"]),
            after=(of_type("mood", default="'sad'::mood"),),
            mode="transaction",
        ),
        Situation(
            loose(KIND.ADD_ENUM_LABEL, "mood.sad", labels=["sad"]),
            after=(of_type("mood", default="'glad'::mood"),),
            mode="transaction",
        ),
    ),
    "OP108": (Situation(change(KIND.BACKFILL)), Situation(change(KIND.BACKFILL, reversible=True))),
    "OP109": (
        Situation(loose(KIND.RUN_SQL, "", statement="DO $$ …")),
        Situation(command("lock_table")),
    ),
    "OP110": (
        Situation(loose(KIND.RUN_PYTHON, "fill", imports_model="shop.Book")),
        Situation(loose(KIND.RUN_PYTHON, "fill")),
    ),
    "OP111": (
        Situation(change(KIND.DROP_INDEX, "books.ix", supports_foreign_key="fk")),
        Situation(
            change(KIND.DROP_INDEX, "books.ix", supports_foreign_key="fk"),
            before=(change(KIND.DROP_FOREIGN_KEY, "books.fk"),),
        ),
    ),
    "OP112": (
        Situation(
            change(KIND.CHANGE_DEFAULT, "books.at", default="now()", default_before="current_timestamp()")
        ),
        Situation(
            change(KIND.CHANGE_DEFAULT, "books.at", default="'x'", default_before="current_timestamp()")
        ),
    ),
    "ST101": (Situation(of_type("json")), Situation(of_type("jsonb"))),
    "ST102": (Situation(of_type("character(9)")), Situation(of_type("character varying(9)"))),
    "ST103": (
        Situation(of_type("integer", primary_key=True)),
        Situation(of_type("bigint", primary_key=True)),
    ),
    "ST104": (Situation(of_type("bigserial")), Situation(of_type("bigint", identity=True))),
    "ST105": (
        Situation(of_type("timestamp without time zone")),
        Situation(of_type("timestamp with time zone")),
    ),
    "ST106": (Situation(of_type("character varying(9)")), Situation(of_type("character varying"))),
    "ST107": (
        Situation(change(KIND.CREATE_INDEX, "books.ix", columns=["a", "b", "c", "d"])),
        Situation(change(KIND.CREATE_INDEX, "books.ix", columns=["a", "b", "c"])),
    ),
    "ST108": (Situation(change(KIND.ADD_UNIQUE, "books", columns=["isbn"])), Situation(_UNIQUE)),
}
"""By the id of the rule. `OP113` is about suppressions, which the assessment looks at."""

ONLY_IN_ASSESSMENT = {"OP113"}
