"""How statistics, and the rest of the plan, change what a rule says."""

from dataclasses import replace
from typing import Any

import pytest

from fastapi_easy.domain.migrations.change import ChangeKind, Dialect
from fastapi_easy.domain.migrations.risk import Risk, Statistics
from fastapi_easy.domain.migrations.rules.judging import COUNTED_ROWS
from fastapi_easy.domain.migrations.rules.table import RULES
from tests.unit.domain.migrations.rule_cases import CASES, ROWS, by_hand, command, of_type, to_type
from tests.unit.domain.migrations.situations import KIND, Situation, change, loose, rule_of, verdict_of

SMALL = {"rows:books": 12, "size:books": 8192}
EMPTY = {"rows:books": 0}
NEW = (change(KIND.CREATE_TABLE, "books"),)
PERHAPS_NEW = (change(KIND.CREATE_TABLE, "books", if_exists=True),)
SAFE, CAUTION, DANGEROUS = Risk.SAFE, Risk.CAUTION, Risk.DANGEROUS

FK = change(KIND.ADD_FOREIGN_KEY, "books.fk", columns=["author"], references="authors")
CHECK = change(KIND.ADD_CHECK, "books.ck", expression="n > 0")
INDEX = change(KIND.CREATE_INDEX, "books.ix", columns=["isbn"])
UNIQUE = change(KIND.ADD_UNIQUE, "books.uq", columns=["isbn"])
NEW_UNIQUE = change(KIND.ADD_UNIQUE, "books.uq", columns=["title"], new_columns=True)
NOT_NULL = change(KIND.SET_NOT_NULL, "books.title")
REQUIRED = change(KIND.ADD_COLUMN, "books.title", nullable=False, default=None)
LABEL = loose(KIND.DROP_ENUM_LABEL, "mood.sad", labels=["glad"], used_by=["a.mood", "b.mood"])
DROP_TYPE = loose(KIND.DROP_TYPE, "mood", used_by=["books.mood"])
TTL = change(KIND.CHANGE_TTL, "books.at", expire_after=60)

CASES_OF_EVIDENCE: list[tuple[str, Dialect, Situation, Risk | None]] = [
    ("DS101", "postgresql", Situation(change(KIND.DROP_TABLE), EMPTY), CAUTION),
    ("DS101", "postgresql", Situation(change(KIND.DROP_TABLE, cascade=True), EMPTY), DANGEROUS),
    ("DS101", "mysql", Situation(change(KIND.DROP_TABLE, cascade=True), EMPTY), CAUTION),
    ("DS101", "postgresql", Situation(change(KIND.DROP_TABLE), before=NEW), DANGEROUS),
    (
        "DS103",
        "mysql",
        Situation(change(KIND.DROP_COLUMN, "books.title"), {"all_null:books.title": True}),
        CAUTION,
    ),
    (
        "DS103",
        "mysql",
        Situation(change(KIND.DROP_COLUMN, "books.title"), {"all_null:books.title": False}),
        DANGEROUS,
    ),
    ("DS103", "mysql", Situation(change(KIND.DROP_COLUMN, "books.title", computed="virtual")), CAUTION),
    ("DS103", "mysql", Situation(change(KIND.DROP_COLUMN, "books.title", computed="stored")), DANGEROUS),
    (
        "DS105",
        "postgresql",
        Situation(LABEL, {"labels:a.mood": ["glad"], "labels:b.mood": ["glad"]}),
        CAUTION,
    ),
    (
        "DS105",
        "postgresql",
        Situation(LABEL, {"labels:a.mood": ["glad"], "labels:b.mood": ["sad"]}),
        DANGEROUS,
    ),
    ("DS105", "postgresql", Situation(LABEL, {"labels:a.mood": ["glad"]}), DANGEROUS),
    (
        "DS105",
        "mysql",
        Situation(to_type("enum('a','b')", "enum('b')"), {"labels:books.title": ["b"]}),
        CAUTION,
    ),
    (
        "DS105",
        "mysql",
        Situation(to_type("enum('a','b')", "enum('b')"), {"labels:books.title": ["a"]}),
        DANGEROUS,
    ),
    (
        "DS106",
        "postgresql",
        Situation(to_type("varchar(90)", "varchar(9)"), {"max_length:books.title": 9}),
        CAUTION,
    ),
    (
        "DS106",
        "postgresql",
        Situation(to_type("varchar(90)", "varchar(9)"), {"max_length:books.title": 10}),
        DANGEROUS,
    ),
    ("DS106", "postgresql", Situation(to_type("varchar(90)", "varchar(9)"), EMPTY), None),
    ("DS106", "postgresql", Situation(to_type("bigint", "integer"), {"min_value:books.title": 0}), DANGEROUS),
    (
        "DS106",
        "postgresql",
        Situation(
            to_type("bigint", "integer"),
            {"min_value:books.title": -(2**31), "max_value:books.title": 2**31 - 1},
        ),
        CAUTION,
    ),
    (
        "DS106",
        "postgresql",
        Situation(to_type("bigint", "integer"), {"min_value:books.title": 0, "max_value:books.title": 2**31}),
        DANGEROUS,
    ),
    ("DS106", "postgresql", Situation(change(KIND.CHANGE_TYPE, "books.title")), DANGEROUS),
    (
        "DS106",
        "postgresql",
        Situation(to_type("integer", "varchar(9)"), {"max_length:books.title": 9}),
        CAUTION,
    ),
    (
        "DS106",
        "postgresql",
        Situation(to_type("integer", "varchar(9)"), {"max_length:books.title": 10}),
        DANGEROUS,
    ),
    ("LK111", "postgresql", Situation(LABEL, {"rows:a": 5, "size:a": 8192, "rows:b": 0}), SAFE),
    ("LK111", "postgresql", Situation(LABEL, {"rows:a": 5, "size:a": 8192}), DANGEROUS),
    ("LK111", "postgresql", Situation(loose(KIND.DROP_ENUM_LABEL, "mood", labels=["glad"])), None),
    ("DS106", "postgresql", Situation(to_type("geometry", "geography")), DANGEROUS),
    ("DS106", "sqlite", Situation(to_type("VARCHAR(90)", "VARCHAR(9)"), ROWS), CAUTION),
    (
        "DS107",
        "postgresql",
        Situation(to_type("numeric(9,3)", "numeric(9,2)"), {"lossy:books.title": 0}),
        CAUTION,
    ),
    (
        "DS107",
        "postgresql",
        Situation(to_type("numeric(9,3)", "numeric(9,2)"), {"lossy:books.title": 1}),
        DANGEROUS,
    ),
    ("DS107", "postgresql", Situation(to_type("timestamp with time zone", "date")), DANGEROUS),
    ("DS107", "postgresql", Situation(to_type("json", "jsonb")), DANGEROUS),
    ("DS107", "postgresql", Situation(to_type("double precision", "real")), DANGEROUS),
    ("DS107", "postgresql", Situation(to_type("character(9)", "text")), DANGEROUS),
    ("DS107", "postgresql", Situation(to_type("numeric(9,2)", "numeric(12,4)")), None),
    ("DS108", "sqlite", Situation(to_type("TEXT", "INTEGER"), {"lossy:books.title": 0}), CAUTION),
    ("DS108", "sqlite", Situation(to_type("FLOAT", "INTEGER")), DANGEROUS),
    ("DS109", "mongodb", Situation(change(KIND.CREATE_COLLECTION, probable_rename_of="works")), DANGEROUS),
    ("DS111", "postgresql", Situation(command("delete_where"), ROWS), CAUTION),
    ("DS111", "postgresql", Situation(command("truncate"), EMPTY), None),
    ("DS112", "mysql", Situation(change(KIND.CREATE_TABLE, replaces=True), EMPTY), CAUTION),
    ("DS113", "mongodb", Situation(TTL), DANGEROUS),
    ("DS113", "mongodb", Situation(TTL, EMPTY), CAUTION),
    ("DS113", "mongodb", Situation(TTL, before=(change(KIND.CREATE_COLLECTION),)), None),
    (
        "DS110",
        "sqlite",
        Situation(by_hand(KIND.DROP_TABLE, "a"), after=(by_hand(KIND.RENAME_TABLE, "b", new_name="a"),)),
        DANGEROUS,
    ),
    ("BC105", "postgresql", Situation(REQUIRED, EMPTY), CAUTION),
    ("BC105", "postgresql", Situation(REQUIRED, before=NEW), None),
    ("BC105", "postgresql", Situation(REQUIRED, ROWS, before=PERHAPS_NEW), DANGEROUS),
    (
        "BC105",
        "postgresql",
        Situation(change(KIND.ADD_COLUMN, "books.t", nullable=False, in_batches=True), ROWS),
        CAUTION,
    ),
    (
        "BC107",
        "postgresql",
        Situation(change(KIND.CHANGE_DEFAULT, "books.t", default="1", default_before="2")),
        CAUTION,
    ),
    ("BC108", "postgresql", Situation(to_type("varchar(9)", "varchar(90)")), SAFE),
    ("BC108", "postgresql", Situation(to_type("varchar(90)", "varchar(9)")), CAUTION),
    ("BC109", "postgresql", Situation(NEW_UNIQUE), None),
    ("BC109", "mongodb", Situation(change(KIND.CHANGE_VALIDATOR, validator="{}")), None),
    ("BC110", "postgresql", Situation(DROP_TYPE, {"dependents:mood": []}), CAUTION),
    ("BC110", "postgresql", Situation(DROP_TYPE, {"dependents:mood": ["books.mood"]}), DANGEROUS),
    (
        "BC110",
        "postgresql",
        Situation(
            DROP_TYPE, {"dependents:mood": ["books.mood"]}, before=(change(KIND.DROP_COLUMN, "books.mood"),)
        ),
        CAUTION,
    ),
    (
        "BC110",
        "postgresql",
        Situation(DROP_TYPE, {"dependents:mood": ["books.mood"]}, before=(change(KIND.DROP_TABLE, "books"),)),
        CAUTION,
    ),
    *(
        (
            "BC110",
            "postgresql",
            Situation(
                DROP_TYPE,
                {"dependents:mood": ["books.mood"]},
                before=(change(KIND.CHANGE_TYPE, "books.mood", type_before="text", type_after=after),),
            ),
            risk,
        )
        for after, risk in (("varchar(9)", CAUTION), ("mood[]", DANGEROUS))
    ),
    ("DD101", "postgresql", Situation(UNIQUE, {**ROWS, "duplicates:books.(isbn)": 0}), SAFE),
    ("DD101", "postgresql", Situation(UNIQUE, {**ROWS, "duplicates:books.(isbn)": 1}), DANGEROUS),
    ("DD101", "postgresql", Situation(UNIQUE, EMPTY), None),
    ("DD101", "postgresql", Situation(UNIQUE, {"rows:books": 1}), None),
    ("DD101", "postgresql", Situation(NEW_UNIQUE, ROWS, before=(of_type("text"),)), None),
    ("DD101", "postgresql", Situation(NEW_UNIQUE, ROWS, before=(of_type("text", default="'?'"),)), DANGEROUS),
    (
        "DD101",
        "postgresql",
        Situation(NEW_UNIQUE, ROWS, before=(of_type("uuid", default="uuid()", volatile_default=True),)),
        None,
    ),
    ("DD103", "postgresql", Situation(NOT_NULL, {**ROWS, "nulls:books.title": 0}), SAFE),
    ("DD103", "postgresql", Situation(NOT_NULL, {**ROWS, "nulls:books.title": 2}), DANGEROUS),
    (
        "DD103",
        "postgresql",
        Situation(change(KIND.SET_NOT_NULL, "books.title", in_batches=True), ROWS),
        CAUTION,
    ),
    (
        "DD103",
        "postgresql",
        Situation(NOT_NULL, ROWS, before=(change(KIND.BACKFILL, columns=["title"]),)),
        CAUTION,
    ),
    (
        "DD103",
        "postgresql",
        Situation(NOT_NULL, ROWS, before=(change(KIND.BACKFILL, columns=["pages"]),)),
        DANGEROUS,
    ),
    (
        "DD103",
        "postgresql",
        Situation(NOT_NULL, ROWS, after=(change(KIND.BACKFILL, columns=["title"]),)),
        DANGEROUS,
    ),
    (
        "DD103",
        "postgresql",
        Situation(NOT_NULL, {**ROWS, "validated_checks:books": ['CHECK (("title" IS NOT NULL))']}),
        SAFE,
    ),
    (
        "DD103",
        "postgresql",
        Situation(NOT_NULL, {**ROWS, "validated_checks:books": ["CHECK ((title IS NOT NULL OR n = 1))"]}),
        DANGEROUS,
    ),
    ("DD104", "postgresql", Situation(FK, {**ROWS, "orphans:books.fk": 0}), SAFE),
    ("DD104", "postgresql", Situation(FK, {**ROWS, "orphans:books.fk": 3}), DANGEROUS),
    (
        "DD104",
        "postgresql",
        Situation(change(KIND.VALIDATE_CONSTRAINT, "books.fk", references="a"), ROWS),
        DANGEROUS,
    ),
    ("DD104", "postgresql", Situation(change(KIND.VALIDATE_CONSTRAINT, "books.fk"), ROWS), None),
    ("DD105", "postgresql", Situation(CHECK, {**ROWS, "violations:books.ck": 0}), SAFE),
    ("DD105", "postgresql", Situation(CHECK, ROWS), DANGEROUS),
    (
        "DD106",
        "mysql",
        Situation(change(KIND.ADD_COLUMN, "books.t", nullable=False, in_batches=True), ROWS),
        None,
    ),
    ("DD108", "postgresql", Situation(change(KIND.DROP_COLUMN, "books.t")), DANGEROUS),
    ("DD109", "mysql", Situation(by_hand(KIND.BACKFILL), {"sql_mode": "STRICT_TRANS_TABLES"}), None),
    ("DD109", "mysql", Situation(by_hand(KIND.BACKFILL), {"sql_mode": ""}), DANGEROUS),
    ("DD109", "mysql", Situation(by_hand(KIND.BACKFILL), {"sql_mode": ""}, mode="autocommit"), SAFE),
    ("DD109", "mysql", Situation(by_hand(KIND.BACKFILL)), DANGEROUS),
    ("DD109", "mysql", Situation(change(KIND.BACKFILL), {"sql_mode": ""}), None),
    ("LK101", "postgresql", Situation(INDEX, EMPTY), None),
    ("LK101", "postgresql", Situation(INDEX, SMALL), SAFE),
    ("LK101", "postgresql", Situation(INDEX, {"rows:books": 12}), CAUTION),
    ("LK101", "postgresql", Situation(INDEX, {"rows:books": 12, "size:books": 2**30}), CAUTION),
    ("LK101", "postgresql", Situation(INDEX, before=NEW), None),
    ("LK101", "postgresql", Situation(INDEX, after=NEW), CAUTION),
    ("LK101", "postgresql", Situation(INDEX, before=(*NEW, command("insert"))), CAUTION),
    ("LK101", "postgresql", Situation(INDEX, before=(*NEW, command("insert", "other"))), None),
    ("LK101", "postgresql", Situation(INDEX, before=(*NEW, command("set_lock_timeout", ""))), None),
    ("LK101", "postgresql", Situation(INDEX, before=(*NEW, loose(KIND.RUN_PYTHON, "fill"))), CAUTION),
    (
        "LK101",
        "postgresql",
        Situation(
            INDEX, before=(*NEW, change(KIND.DROP_TABLE), change(KIND.RENAME_TABLE, "old", new_name="books"))
        ),
        CAUTION,
    ),
    ("LK101", "postgresql", Situation(INDEX, before=PERHAPS_NEW), CAUTION),
    ("LK101", "mongodb", Situation(INDEX, {"rows:books": 12}), SAFE),
    ("LK104", "postgresql", Situation(UNIQUE, SMALL), SAFE),
    ("LK110", "postgresql", Situation(NOT_NULL, ROWS), CAUTION),
    ("LK110", "postgresql", Situation(NOT_NULL, ROWS, mode="batches"), None),
    (
        "LK110",
        "postgresql",
        Situation(NOT_NULL, {**ROWS, "validated_checks:books": ["CHECK (title IS NOT NULL)"]}),
        None,
    ),
    ("LK111", "postgresql", Situation(to_type("integer", "bigint"), SMALL), SAFE),
    ("LK111", "postgresql", Situation(to_type("integer", "bigint", rewrites=False), ROWS), None),
    ("LK111", "postgresql", Situation(to_type("varchar(9)", "text", rewrites=True), ROWS), DANGEROUS),
    (
        "LK111",
        "postgresql",
        Situation(to_type("timestamp", "timestamptz"), {**ROWS, "time_zone": "UTC"}),
        None,
    ),
    ("LK111", "postgresql", Situation(to_type("timestamp", "timestamptz"), ROWS), DANGEROUS),
    ("LK111", "postgresql", Situation(to_type("mood", "text"), ROWS), DANGEROUS),
    (
        "LK112",
        "mysql",
        Situation(to_type("varchar(60)", "varchar(64)"), {**ROWS, "charset:books.title": "latin1"}),
        None,
    ),
    (
        "LK112",
        "mysql",
        Situation(to_type("varchar(200)", "varchar(256)"), {**ROWS, "charset:books.title": "latin1"}),
        CAUTION,
    ),
    ("LK112", "mysql", Situation(to_type("varchar(300)", "varchar(400)"), ROWS), None),
    ("LK112", "mysql", Situation(to_type("enum('a')", "enum('a','b')"), ROWS), None),
    ("LK112", "mysql", Situation(to_type("enum('a','b')", "enum('b','a')"), ROWS), CAUTION),
    ("LK112", "mysql", Situation(change(KIND.CHANGE_COLLATION, "books.title"), ROWS), CAUTION),
    ("LK113", "postgresql", Situation(to_type("integer", "bigint"), ROWS), CAUTION),
    ("LK114", "postgresql", Situation(of_type("uuid", volatile_default=True, in_batches=True), ROWS), None),
    (
        "LK115",
        "mysql",
        Situation(change(KIND.CHANGE_COMPUTED, "books.n", computed="stored"), ROWS),
        DANGEROUS,
    ),
    ("LK120", "postgresql", Situation(change(KIND.CREATE_INDEX, "books.ix", concurrently=True)), None),
    ("LK122", "mysql", Situation(change(KIND.BACKFILL), ROWS, mode="batches"), None),
    ("LK122", "sqlite", Situation(change(KIND.BACKFILL), {"rows:books": 5}), SAFE),
    (
        "LK125",
        "sqlite",
        Situation(change(KIND.CHANGE_TYPE, "books.t", rebuild=True), {"rows:books": 5}),
        CAUTION,
    ),
    (
        "LK125",
        "sqlite",
        Situation(change(KIND.CHANGE_TYPE, "books.t", rebuild=True), {"rows:books": 5, "triggers:books": ()}),
        SAFE,
    ),
    (
        "IN101",
        "mysql",
        Situation(change(KIND.DROP_FOREIGN_KEY, "books.fk"), after=(change(KIND.DROP_TABLE),)),
        None,
    ),
    ("IN102", "postgresql", Situation(by_hand(KIND.DROP_INDEX, "books.ix")), CAUTION),
    ("IN102", "postgresql", Situation(change(KIND.DROP_INDEX, "books.ix")), None),
    (
        "IN103",
        "postgresql",
        Situation(
            change(KIND.ADD_FOREIGN_KEY, "books.fk", columns=["a"], on_delete="CASCADE"),
            before=(change(KIND.DROP_FOREIGN_KEY, "books.old", columns=["a"], on_delete="RESTRICT"),),
        ),
        CAUTION,
    ),
    (
        "IN103",
        "postgresql",
        Situation(change(KIND.ADD_FOREIGN_KEY, "books.fk", columns=["a"], on_delete="CASCADE")),
        None,
    ),
    ("OP101", "postgresql", Situation(by_hand(KIND.DROP_COLUMN, "books.t"), lock_timeout=2), SAFE),
    ("OP101", "postgresql", Situation(command("set_lock_timeout_off", ""), lock_timeout=2), CAUTION),
    (
        "OP101",
        "mysql",
        Situation(by_hand(KIND.DROP_COLUMN, "books.t"), before=(command("set_lock_timeout", ""),)),
        None,
    ),
    ("OP102", "mysql", Situation(by_hand(KIND.BACKFILL), {"rows:books": 5, "size:books": 1}), SAFE),
    ("OP103", "postgresql", Situation(by_hand(KIND.DROP_COLUMN, "books.t"), mode="transaction"), None),
    ("OP103", "mysql", Situation(by_hand(KIND.DROP_COLUMN, "books.t"), mode="transaction"), CAUTION),
    ("OP105", "postgresql", Situation(change(KIND.CREATE_INDEX, "books." + "ä" * 32)), CAUTION),
    ("OP105", "mysql", Situation(change(KIND.CREATE_INDEX, "books." + "ä" * 64)), None),
    (
        "OP105",
        "postgresql",
        Situation(change(KIND.CREATE_INDEX, "books.ix", columns=[f"lower({'x' * 64})"])),
        None,
    ),
    ("OP106", "mysql", Situation(of_type("int", inline_references=True)), CAUTION),
    ("OP106", "mysql", Situation(of_type("int", inline_references=True), version=(9, 1)), None),
    ("OP108", "postgresql", Situation(command("insert"), ROWS), CAUTION),
    ("OP109", "postgresql", Situation(loose(KIND.UNKNOWN, "x", declared_risk="safe")), DANGEROUS),
    ("OP109", "postgresql", Situation(loose(KIND.RUN_PYTHON, "x", declared_risk="caution")), CAUTION),
    (
        "ST101",
        "postgresql",
        Situation(change(KIND.CREATE_TABLE, columns=["a", "b"], column_types=["int", "json"])),
        CAUTION,
    ),
    ("ST104", "postgresql", Situation(of_type("integer", default="nextval('s'::regclass)")), SAFE),
    ("ST106", "postgresql", Situation(of_type("text")), None),
]


@pytest.mark.parametrize(
    ("rule_id", "dialect", "situation", "risk"),
    [pytest.param(*each, id=f"{at} {each[0]} on {each[1]}") for at, each in enumerate(CASES_OF_EVIDENCE)],
)
def test_weighs(rule_id: str, dialect: Dialect, situation: Situation, risk: Risk | None) -> None:
    verdict = verdict_of(rule_id, situation, dialect)

    assert (verdict.risk if verdict else None) is risk


def _questions(situation: Situation, rule_id: str) -> list[str]:
    return list(rule_of(rule_id).questions(situation.change))


@pytest.mark.parametrize(("nulls", "said"), [(3, "3"), (COUNTED_ROWS, "1000 or more")])
def test_a_count_that_was_given_up_is_no_number(nulls: int, said: str) -> None:
    situation = Situation(NOT_NULL, {**ROWS, "nulls:books.title": nulls})

    verdict = verdict_of("DD103", situation, "postgresql")

    assert verdict is not None
    assert verdict.evidence == f"rows that are null: {said}"


@pytest.mark.parametrize("rule_id", [each.id for each in RULES if each.id in CASES])
def test_a_rule_reads_only_what_it_asks_for(rule_id: str) -> None:
    """An answer that nobody asks for would never be there."""
    situation = CASES[rule_id][0]
    [dialect, *_] = sorted(rule_of(rule_id).dialects)
    read: set[str] = set()

    class Spying(Statistics):
        def get(self, question: str) -> Any:
            read.add(question)
            return super().get(question)

    _ = rule_of(rule_id).judge(
        situation.change, replace(situation.circumstances(dialect), statistics=Spying(situation.answers))
    )

    # The assessment asks how many rows every table has.
    assert {each for each in read if not each.startswith("rows:")} <= set(_questions(situation, rule_id))


@pytest.mark.parametrize("rule_id", [each.id for each in RULES if each.id in CASES])
def test_without_statistics_no_risk_is_lower(rule_id: str) -> None:
    situation = CASES[rule_id][0]

    for dialect in sorted(rule_of(rule_id).dialects):
        unmeasured = replace(situation, answers=dict.fromkeys(situation.answers))
        verdict = verdict_of(rule_id, unmeasured, dialect)
        assert verdict is not None
        assert verdict.risk is rule_of(rule_id).risk


def test_every_kind_of_change_but_the_harmless_has_a_rule() -> None:
    judged = {
        kind
        for rule in RULES
        if rule.id not in {"LK121", "LK125", "DS110", "OP101", "OP103", "OP105"}
        for kind in rule.kinds
    }

    assert set(ChangeKind) - judged == {
        *(
            ChangeKind.CREATE_SCHEMA,
            ChangeKind.CREATE_TYPE,
            ChangeKind.CREATE_SEQUENCE,
            ChangeKind.CHANGE_COMMENT,
            ChangeKind.RECORD_REVISION,
        ),
    }
