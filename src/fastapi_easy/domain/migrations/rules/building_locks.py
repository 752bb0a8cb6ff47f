"""Rules about what blocks readers or writers while an index is built or rows are looked through."""

from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.risk import Circumstances, Consequence, Risk, Rule, Verdict
from fastapi_easy.domain.migrations.rules.existing_data import proves_not_null
from fastapi_easy.domain.migrations.rules.judging import (
    MONGODB,
    MYSQL,
    POSTGRESQL,
    by_extent,
    is_new,
    texts_of,
)
from fastapi_easy.domain.migrations.rules.questions import extent, table_question

_LOCK: Final = frozenset({Consequence.LOCK})
_BY_EXTENT: Final = "by the size of the table: an empty one does not count, a small one is safe"


def _create_index(change: Change, circumstances: Circumstances) -> Verdict | None:
    if change.facts.get("concurrently", False):
        return None
    message = f"Nobody can write to {change.table} while {change.name or 'the index'} is built."
    if circumstances.dialect == "mongodb":
        message = (
            f"Building {change.name or 'the index'} costs {change.table} time and memory, on every member."
        )
    return by_extent(change, circumstances, Risk.CAUTION, message)


def _drop_index(change: Change, circumstances: Circumstances) -> Verdict | None:
    if change.facts.get("concurrently", False) or is_new(change, circumstances):
        return None
    message = f"Nobody can read {change.table or 'its table'} while {change.name} is dropped, or waits to be."
    return Verdict(risk=Risk.CAUTION, message=message)


def _reindex(change: Change, circumstances: Circumstances) -> Verdict | None:
    if change.facts.get("command") != "reindex" or change.facts.get("concurrently", False):
        return None
    message = "Nobody can write to the table, nor read through the index, while it is built again."
    return by_extent(change, circumstances, Risk.CAUTION, message)


def _add_key(change: Change, circumstances: Circumstances) -> Verdict | None:
    if change.facts.get("using_index", False):
        return None
    message = f"Nobody can read or write {change.table} while the index of the constraint is built."
    return by_extent(change, circumstances, Risk.DANGEROUS, message)


def _foreign_key(change: Change, circumstances: Circumstances) -> Verdict | None:
    if change.facts.get("validated_later", False):
        return None
    other = change.facts.get("references", "the other table")
    message = f"Nobody can write to {change.table}, nor to {other}, while its rows are looked through."
    if circumstances.dialect == "mysql":
        message = f"{change.table} is copied, and nobody can write to it meanwhile."
    return by_extent(change, circumstances, Risk.CAUTION, message)


def _check(change: Change, circumstances: Circumstances) -> Verdict | None:
    if change.facts.get("validated_later", False):
        return None
    message = f"Nobody can read or write {change.table} while its rows are looked through."
    if circumstances.dialect == "mysql":
        message = f"{change.table} is copied, and nobody can write to it meanwhile."
    return by_extent(change, circumstances, Risk.CAUTION, message)


def _exclusion(change: Change, circumstances: Circumstances) -> Verdict | None:
    message = f"Nobody can read or write {change.table} while the index of the constraint is built."
    return by_extent(change, circumstances, Risk.DANGEROUS, message)


def _not_null(change: Change, circumstances: Circumstances) -> Verdict | None:
    if circumstances.mode == "batches":
        # What fills the column before forbids nothing yet.
        return None
    checks = texts_of(table_question("validated_checks", change), circumstances) or ()
    if change.facts.get("check_first", False) or any(proves_not_null(each, change.name) for each in checks):
        return None
    message = f"Nobody can read or write {change.table} while its rows are looked through for nulls."
    return by_extent(change, circumstances, Risk.CAUTION, message)


def _inline_constraint(change: Change, circumstances: Circumstances) -> Verdict | None:
    if not (change.facts.get("inline_unique", False) or change.facts.get("inline_check", False)):
        return None
    message = f"Nobody can read or write {change.table} while the constraint of {change.object} is built or checked."
    return by_extent(change, circumstances, Risk.CAUTION, message)


_ALTERING: Final = frozenset(ChangeKind) - {
    *(ChangeKind.CREATE_INDEX, ChangeKind.DROP_INDEX, ChangeKind.CREATE_TABLE, ChangeKind.CREATE_TYPE),
    *(
        ChangeKind.CREATE_SCHEMA,
        ChangeKind.CREATE_SEQUENCE,
        ChangeKind.ADD_ENUM_LABEL,
        ChangeKind.CHANGE_COMMENT,
    ),
    *(ChangeKind.BACKFILL, ChangeKind.RUN_SQL, ChangeKind.RUN_PYTHON, ChangeKind.VALIDATE_CONSTRAINT),
}


def _index_after_alter(change: Change, circumstances: Circumstances) -> Verdict | None:
    if circumstances.mode not in {"", "transaction"} or change.facts.get("concurrently", False):
        return None
    step = list(circumstances.step)
    before = step[: next((at for at, each in enumerate(step) if each is change), 0)]
    altered = any(
        each.table == change.table and each.kind in _ALTERING and each.name != change.name for each in before
    )
    if not altered:
        return None
    message = f"{change.table} stays locked for readers, too, while {change.name or 'the index'} is built."
    return by_extent(change, circumstances, Risk.CAUTION, message)


def _validate_together(change: Change, circumstances: Circumstances) -> Verdict | None:
    if circumstances.mode not in {"", "transaction"}:
        return None
    adding = {ChangeKind.ADD_FOREIGN_KEY, ChangeKind.ADD_CHECK}
    added = any(each.kind in adding and each.object == change.object for each in circumstances.step)
    if not added:
        return None
    message = (
        f"The lock of adding {change.object} is held while the rows of {change.table} are looked through."
    )
    return by_extent(change, circumstances, Risk.CAUTION, message)


def _in_transaction(change: Change, circumstances: Circumstances) -> Verdict | None:
    if not change.facts.get("concurrently", False) or circumstances.mode != "transaction":
        return None
    message = "PostgreSQL refuses CONCURRENTLY inside of a transaction."
    return Verdict(risk=Risk.DANGEROUS, message=message)


def _corruption(change: Change, circumstances: Circumstances) -> Verdict | None:
    affected = (14, 0) <= circumstances.server_version[:2] <= (14, 3)
    if not change.facts.get("concurrently", False) or not affected:
        return None
    version = ".".join(map(str, circumstances.server_version))
    message = f"PostgreSQL {version} may leave rows out of an index that is built CONCURRENTLY."
    return Verdict(risk=Risk.DANGEROUS, message=message, evidence=f"the server is PostgreSQL {version}")


BUILDING_LOCKS: Final = (
    Rule(
        id="LK101",
        title="index built while writers wait",
        risk=Risk.CAUTION,
        consequences=_LOCK,
        kinds=frozenset({ChangeKind.CREATE_INDEX}),
        dialects=POSTGRESQL | MONGODB,
        why="Without `CONCURRENTLY` nobody can write to the table until the index is there.",
        alternative="`CREATE INDEX CONCURRENTLY`, outside of a transaction: what plans do unless told otherwise.",
        judge=_create_index,
        questions=extent,
        decided=_BY_EXTENT,
    ),
    Rule(
        id="LK102",
        title="index dropped while readers wait",
        risk=Risk.CAUTION,
        consequences=_LOCK,
        kinds=frozenset({ChangeKind.DROP_INDEX}),
        dialects=POSTGRESQL,
        why="It takes the strongest lock: one long query before it makes everybody wait behind it.",
        alternative="`DROP INDEX CONCURRENTLY`, outside of a transaction.",
        judge=_drop_index,
    ),
    Rule(
        id="LK103",
        title="index built again while others wait",
        risk=Risk.CAUTION,
        consequences=_LOCK,
        kinds=frozenset({ChangeKind.RUN_SQL}),
        dialects=POSTGRESQL,
        why="Without `CONCURRENTLY` nobody can write to the table, nor read through the index.",
        alternative="`REINDEX … CONCURRENTLY`, outside of a transaction.",
        judge=_reindex,
        questions=extent,
        decided=_BY_EXTENT,
    ),
    Rule(
        id="LK104",
        title="unique constraint built while others wait",
        risk=Risk.DANGEROUS,
        consequences=_LOCK,
        kinds=frozenset({ChangeKind.ADD_UNIQUE}),
        dialects=POSTGRESQL,
        why="Nobody can read or write the table until the index of the constraint is there.",
        alternative="`CREATE UNIQUE INDEX CONCURRENTLY`, then `ADD CONSTRAINT … UNIQUE USING INDEX`.",
        judge=_add_key,
        questions=extent,
        decided=_BY_EXTENT,
    ),
    Rule(
        id="LK105",
        title="primary key built while others wait",
        risk=Risk.DANGEROUS,
        consequences=_LOCK,
        kinds=frozenset({ChangeKind.ADD_PRIMARY_KEY}),
        dialects=POSTGRESQL,
        why="Nobody can read or write the table until the index of the key is there.",
        alternative="`CREATE UNIQUE INDEX CONCURRENTLY`, then `ADD PRIMARY KEY USING INDEX`.",
        judge=_add_key,
        questions=extent,
        decided=_BY_EXTENT,
    ),
    Rule(
        id="LK106",
        title="foreign key checked while writers wait",
        risk=Risk.CAUTION,
        consequences=_LOCK,
        kinds=frozenset({ChangeKind.ADD_FOREIGN_KEY}),
        dialects=POSTGRESQL,
        why="Nobody can write to either of the two tables while the rows are looked through.",
        alternative="Add it `NOT VALID`, and `VALIDATE CONSTRAINT` in another transaction.",
        judge=_foreign_key,
        questions=extent,
        decided=_BY_EXTENT,
    ),
    Rule(
        id="LK107",
        title="table copied for a foreign key",
        risk=Risk.CAUTION,
        consequences=_LOCK | {Consequence.REWRITE},
        kinds=frozenset({ChangeKind.ADD_FOREIGN_KEY}),
        dialects=MYSQL,
        why="MySQL copies the table, and nobody can write to it meanwhile.",
        alternative="At a quiet hour; or with `foreign_key_checks=0` when the rows are known to be right.",
        judge=_foreign_key,
        questions=extent,
        decided=_BY_EXTENT,
    ),
    Rule(
        id="LK108",
        title="check built while others wait",
        risk=Risk.CAUTION,
        consequences=_LOCK,
        kinds=frozenset({ChangeKind.ADD_CHECK}),
        dialects=POSTGRESQL | MYSQL,
        why="PostgreSQL lets nobody read or write while it looks the rows through; MySQL copies the table.",
        alternative="`NOT VALID`, and `VALIDATE CONSTRAINT` in another transaction; on MySQL a quiet hour.",
        judge=_check,
        questions=extent,
        decided=_BY_EXTENT,
    ),
    Rule(
        id="LK109",
        title="exclusion constraint built while others wait",
        risk=Risk.DANGEROUS,
        consequences=_LOCK | {Consequence.FAILURE},
        kinds=frozenset({ChangeKind.ADD_EXCLUSION}),
        dialects=POSTGRESQL,
        why="Nobody can read or write until its index is there, and there is no way to build that beforehand.",
        alternative="At a quiet hour; or on a new table that is filled afterwards.",
        judge=_exclusion,
        questions=extent,
        decided=_BY_EXTENT,
    ),
    Rule(
        id="LK110",
        title="rows looked through for nulls",
        risk=Risk.CAUTION,
        consequences=_LOCK,
        kinds=frozenset({ChangeKind.SET_NOT_NULL}),
        dialects=POSTGRESQL,
        why="Nobody can read or write meanwhile, unless a validated `CHECK (… IS NOT NULL)` proves that there is none.",
        alternative="Add the check `NOT VALID`, validate it, set NOT NULL, and drop the check.",
        judge=_not_null,
        questions=lambda change: [*extent(change), table_question("validated_checks", change)],
        decided=_BY_EXTENT,
    ),
    Rule(
        id="LK117",
        title="column added with a constraint of its own",
        risk=Risk.CAUTION,
        consequences=_LOCK,
        kinds=frozenset({ChangeKind.ADD_COLUMN}),
        dialects=POSTGRESQL,
        why="The index is built, or the rows are looked through, under the strongest lock.",
        alternative="Add the column, and the constraint in steps of its own.",
        judge=_inline_constraint,
        questions=extent,
        decided=_BY_EXTENT,
    ),
    Rule(
        id="LK118",
        title="index built in the transaction of another change",
        risk=Risk.CAUTION,
        consequences=_LOCK,
        kinds=frozenset({ChangeKind.CREATE_INDEX}),
        dialects=POSTGRESQL,
        why="The strongest lock of the change before is held until the index is there: readers wait as well.",
        alternative="A step of its own for each.",
        judge=_index_after_alter,
        questions=extent,
        decided=_BY_EXTENT,
    ),
    Rule(
        id="LK119",
        title="constraint validated in the transaction that adds it",
        risk=Risk.CAUTION,
        consequences=_LOCK,
        kinds=frozenset({ChangeKind.VALIDATE_CONSTRAINT}),
        dialects=POSTGRESQL,
        why="The strong lock of adding it is held while the rows are looked through: nothing is gained.",
        alternative="Another transaction.",
        judge=_validate_together,
        questions=extent,
        decided=_BY_EXTENT,
    ),
    Rule(
        id="LK120",
        title="CONCURRENTLY inside of a transaction",
        risk=Risk.DANGEROUS,
        consequences=frozenset({Consequence.FAILURE}),
        kinds=frozenset({ChangeKind.CREATE_INDEX, ChangeKind.DROP_INDEX, ChangeKind.RUN_SQL}),
        dialects=POSTGRESQL,
        why="PostgreSQL answers with error 25001.",
        alternative="A step without a transaction: in a script, `with op.get_context().autocommit_block():`.",
        judge=_in_transaction,
        decided="from how the step is executed",
    ),
    Rule(
        id="LK124",
        title="concurrent index on a version that corrupts it",
        risk=Risk.DANGEROUS,
        consequences=frozenset({Consequence.LOSS, Consequence.OPERATION}),
        kinds=frozenset({ChangeKind.CREATE_INDEX, ChangeKind.RUN_SQL}),
        dialects=POSTGRESQL,
        why="PostgreSQL 14.0 to 14.3 may leave rows out of an index that is built `CONCURRENTLY`.",
        alternative="Upgrade the server to 14.4 or later.",
        judge=_corruption,
        decided="by the version of the server",
    ),
)
