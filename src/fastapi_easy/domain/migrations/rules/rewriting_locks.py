"""Rules about what writes a whole table anew, or changes many rows at once, while others wait."""

from dataclasses import replace
from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.risk import Circumstances, Consequence, Risk, Rule, Verdict
from fastapi_easy.domain.migrations.rules.judging import (
    EVERYWHERE,
    MYSQL,
    POSTGRESQL,
    SQLITE,
    by_extent,
    evidence_of_rows,
    is_empty,
    is_new,
    is_small,
    texts_of,
)
from fastapi_easy.domain.migrations.rules.questions import (
    TIME_ZONE,
    column_question,
    extent,
    table_question,
    tables_of_type,
)
from fastapi_easy.domain.migrations.rules.type_changes import copies_mysql, rewrites_postgres
from fastapi_easy.domain.migrations.rules.type_loss import type_change_of

_REWRITE: Final = frozenset({Consequence.LOCK, Consequence.REWRITE})
_BY_EXTENT: Final = "by the size of the table: an empty one does not count, a small one is safe"
_BYTES: Final = {"latin1": 1, "ascii": 1, "binary": 1, "utf8": 3, "utf8mb3": 3, "ucs2": 2}
_STRONG_COMMANDS: Final = {
    "detach_partition": "while the partition is detached",
    "vacuum_full": "while it is written anew",
    "cluster": "while it is written anew",
    "refresh_view": "while it is computed again",
    "set_unlogged": "while it is written anew",
    "lock_table": "until the transaction ends",
}


def _type_postgres(change: Change, circumstances: Circumstances) -> Verdict | None:
    if change.kind is ChangeKind.DROP_ENUM_LABEL:
        return _enumeration(change, circumstances)
    types = type_change_of(change, circumstances)
    rewrites = change.facts.get("rewrites")
    if rewrites is None:
        zone = texts_of(TIME_ZONE, circumstances)
        rewrites = types is None or rewrites_postgres(types, zone[0] if zone else None)
    if not rewrites:
        return None
    message = f"Nobody can read or write {change.table} while it and its indexes are written anew."
    return by_extent(change, circumstances, Risk.DANGEROUS, message)


def _enumeration(change: Change, circumstances: Circumstances) -> Verdict | None:
    """Return what is said of the largest table that has the type: each of its columns gets a new one."""
    verdicts = []
    for table in tables_of_type(change):
        message = f"Nobody can read or write {table} while it and its indexes are written anew."
        verdicts.append(by_extent(replace(change, table=table), circumstances, Risk.DANGEROUS, message))
    said = [each for each in verdicts if each is not None]
    return max(said, key=lambda each: each.risk, default=None)


def _type_mysql(change: Change, circumstances: Circumstances) -> Verdict | None:
    copies = change.facts.get("rewrites")
    if copies is None and change.kind is ChangeKind.CHANGE_TYPE:
        types = type_change_of(change, circumstances)
        charset = texts_of(column_question("charset", change), circumstances) or ("",)
        copies = types is None or copies_mysql(types, _BYTES.get(charset[0], 4))
    if copies is False:
        return None
    message = f"{change.table} is copied, and nobody can write to it meanwhile."
    return by_extent(change, circumstances, Risk.CAUTION, message)


def _checked_type(change: Change, circumstances: Circumstances) -> Verdict | None:
    if is_empty(change, circumstances):
        return None
    checks = texts_of(table_question("validated_checks", change), circumstances)
    if checks is not None and not any(change.name.casefold() in each.casefold() for each in checks):
        return None
    message = f"Checks of {change.object} are evaluated for every row while nobody can read or write {change.table}."
    verdict = by_extent(change, circumstances, Risk.CAUTION, message)
    if verdict is None or checks is not None:
        return verdict
    evidence = "whether there are checks is unknown"
    return Verdict(risk=verdict.risk, message=verdict.message, evidence=evidence)


def _volatile_default(change: Change, circumstances: Circumstances) -> Verdict | None:
    if not change.facts.get("volatile_default", False) or change.facts.get("in_batches", False):
        return None
    return _written_anew(change, circumstances)


def _stored_column(change: Change, circumstances: Circumstances) -> Verdict | None:
    return _written_anew(change, circumstances) if change.facts.get("computed") == "stored" else None


def _numbered_column(change: Change, circumstances: Circumstances) -> Verdict | None:
    return _written_anew(change, circumstances) if change.facts.get("identity", False) else None


def _written_anew(change: Change, circumstances: Circumstances) -> Verdict | None:
    # MySQL lets readers go on with the table that it copies.
    who = "write to" if circumstances.dialect == "mysql" else "read or write"
    message = f"Nobody can {who} {change.table} while it is written anew with values of {change.object}."
    return by_extent(change, circumstances, Risk.DANGEROUS, message)


def _algorithm(change: Change, _: Circumstances) -> Verdict | None:
    algorithm = change.facts.get("algorithm", "").casefold()
    if algorithm not in {"copy", "shared", "exclusive"}:
        return None
    who = "read or write" if algorithm == "exclusive" else "write to"
    message = f"The statement asks for {algorithm.upper()}: nobody can {who} {change.table} meanwhile."
    return Verdict(risk=Risk.CAUTION, message=message)


def _one_statement(change: Change, circumstances: Circumstances) -> Verdict | None:
    if change.facts.get("in_batches", False) or circumstances.mode == "batches":
        return None
    message = f"Every row of {change.table or 'the table'} that is changed stays locked until all are."
    if not change.table:
        return Verdict(risk=Risk.CAUTION, message=message)
    return by_extent(change, circumstances, Risk.CAUTION, message)


def _strong_command(change: Change, circumstances: Circumstances) -> Verdict | None:
    command = change.facts.get("command", "")
    if command not in _STRONG_COMMANDS or change.facts.get("concurrently", False):
        return None
    message = f"Nobody can read or write {change.table or 'the table'} {_STRONG_COMMANDS[command]}."
    return Verdict(risk=Risk.CAUTION, message=message)


def _rebuild(change: Change, circumstances: Circumstances) -> Verdict | None:
    if not change.facts.get("rebuild", False) or is_new(change, circumstances):
        return None
    triggers = texts_of(table_question("triggers", change), circumstances)
    message = f"{change.table} is built anew, and nobody can write to the database meanwhile."
    evidence = evidence_of_rows(change, circumstances)
    if is_small(change, circumstances) and triggers == ():
        return Verdict(
            risk=Risk.SAFE, message=f"{message} It is small: it takes a moment.", evidence=evidence
        )
    if triggers:
        evidence = f"{evidence}; triggers: {', '.join(triggers)}"
    return Verdict(risk=Risk.CAUTION, message=message, evidence=evidence)


REWRITING_LOCKS: Final = (
    Rule(
        id="LK111",
        title="table written anew for a type",
        risk=Risk.DANGEROUS,
        consequences=_REWRITE,
        kinds=frozenset({ChangeKind.CHANGE_TYPE, ChangeKind.DROP_ENUM_LABEL}),
        dialects=POSTGRESQL,
        why="The table and all of its indexes are written anew under the strongest lock.",
        alternative="A new column: write both, fill it in batches, read it, drop the old one.",
        judge=_type_postgres,
        questions=lambda change: [*extent(change), TIME_ZONE],
        decided=f"by the types, and between times with and without zone by the time zone; then {_BY_EXTENT}",
    ),
    Rule(
        id="LK112",
        title="table copied for a type",
        risk=Risk.CAUTION,
        consequences=_REWRITE,
        kinds=frozenset(
            {ChangeKind.CHANGE_TYPE, ChangeKind.CHANGE_COLLATION, ChangeKind.CHANGE_TABLE_OPTIONS}
        ),
        dialects=MYSQL,
        why="MySQL copies the table for nearly every change of type; a text that crosses 255 bytes is one.",
        alternative="gh-ost or pt-online-schema-change, or a quiet hour.",
        judge=_type_mysql,
        questions=lambda change: [*extent(change), column_question("charset", change)],
        decided=f"by the types and the character set; then {_BY_EXTENT}",
    ),
    Rule(
        id="LK113",
        title="checks evaluated again for a type",
        risk=Risk.CAUTION,
        consequences=frozenset({Consequence.LOCK}),
        kinds=frozenset({ChangeKind.CHANGE_TYPE}),
        dialects=POSTGRESQL,
        why="Every row is checked again under the strongest lock.",
        alternative="Drop the check, change the type, add the check `NOT VALID`, and validate it.",
        judge=_checked_type,
        questions=lambda change: [*extent(change), table_question("validated_checks", change)],
        decided=f"by the checks of the column; then {_BY_EXTENT}",
    ),
    Rule(
        id="LK114",
        title="column added with a default that differs from row to row",
        risk=Risk.DANGEROUS,
        consequences=_REWRITE | {Consequence.REPLICATION},
        kinds=frozenset({ChangeKind.ADD_COLUMN}),
        dialects=POSTGRESQL | MYSQL,
        why="The table is written anew, where a constant, or `now()`, would only be noted.",
        alternative="Add the column without it, set the default, and fill the rows in batches.",
        judge=_volatile_default,
        questions=extent,
        decided=_BY_EXTENT,
    ),
    Rule(
        id="LK115",
        title="stored computed column added",
        risk=Risk.DANGEROUS,
        consequences=_REWRITE,
        kinds=frozenset({ChangeKind.ADD_COLUMN, ChangeKind.CHANGE_COMPUTED}),
        dialects=POSTGRESQL | MYSQL,
        why="The table is written anew.",
        alternative="A plain column that a trigger fills; or a virtual one.",
        judge=_stored_column,
        questions=extent,
        decided=_BY_EXTENT,
    ),
    Rule(
        id="LK116",
        title="numbered column added",
        risk=Risk.DANGEROUS,
        consequences=_REWRITE | {Consequence.REPLICATION},
        kinds=frozenset({ChangeKind.ADD_COLUMN}),
        dialects=POSTGRESQL | MYSQL,
        why="The table is written anew; replicas that repeat statements may number the rows in another order.",
        alternative="Add a plain column, fill it in batches, and let it be numbered then.",
        judge=_numbered_column,
        questions=extent,
        decided=_BY_EXTENT,
    ),
    Rule(
        id="LK121",
        title="blocking algorithm asked for",
        risk=Risk.CAUTION,
        consequences=frozenset({Consequence.LOCK}),
        kinds=frozenset(ChangeKind),
        dialects=MYSQL,
        why="`ALGORITHM=COPY`, `LOCK=SHARED` and `LOCK=EXCLUSIVE` block where the server may have had another way.",
        alternative="Leave it to the server; or demand `LOCK=NONE`, which fails at once where that is impossible.",
        judge=_algorithm,
    ),
    Rule(
        id="LK122",
        title="many rows changed in one statement",
        risk=Risk.CAUTION,
        consequences=frozenset({Consequence.LOCK, Consequence.REPLICATION}),
        kinds=frozenset({ChangeKind.BACKFILL}),
        dialects=EVERYWHERE,
        why="Every row stays locked until all are changed, beside the locks of other changes of the transaction.",
        alternative="Batches of at most 10 000 rows, each committed.",
        judge=_one_statement,
        questions=extent,
        decided=_BY_EXTENT,
    ),
    Rule(
        id="LK123",
        title="strongest lock for maintenance",
        risk=Risk.CAUTION,
        consequences=_REWRITE,
        kinds=frozenset({ChangeKind.RUN_SQL}),
        dialects=POSTGRESQL,
        why="`VACUUM FULL`, `CLUSTER`, `LOCK TABLE` and detaching a partition let nobody read or write.",
        alternative="`DETACH PARTITION … CONCURRENTLY`, pg_repack, or a quiet hour.",
        judge=_strong_command,
    ),
    Rule(
        id="LK125",
        title="table built anew on SQLite",
        risk=Risk.CAUTION,
        consequences=_REWRITE,
        kinds=frozenset(ChangeKind) - {ChangeKind.CREATE_TABLE},
        dialects=SQLITE,
        why="SQLite can alter little in place: the rows are copied, and the whole file is locked for writers.",
        alternative="Nothing: a backup is made before, and foreign keys, triggers and views are kept and checked.",
        judge=_rebuild,
        questions=lambda change: (
            [table_question("rows", change), table_question("triggers", change)]
            if change.facts.get("rebuild", False)
            else []
        ),
        decided="by the number of rows and the triggers: a small table without triggers is safe",
        is_about_table=True,
    ),
)
