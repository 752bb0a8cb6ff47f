"""Plans made by hand, with something of everything."""

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.risk import UNKNOWN, Consequence, Finding, Risk, Statistics
from fastapi_easy.domain.migrations.step import Probe, Reversibility, Step, StepMode

DROPPED = Finding(
    rule="DS103",
    risk=Risk.DANGEROUS,
    object="books.legacy",
    title="drop column",
    message="The values of 3 rows are lost",
    consequences=(Consequence.LOSS, Consequence.INCOMPATIBLE),
    evidence="3 rows are not null",
    alternative="ignore the column in the class, deploy, then drop it",
    docs="reference/migration-rules.md#ds103",
)
SUPPRESSED = Finding(
    rule="ST108",
    risk=Risk.CAUTION,
    object="books.ix_books_title",
    title="index without a convention",
    message="Its name is nobody's rule",
    consequences=(Consequence.STYLE,),
    evidence="static",
    alternative="a naming convention",
    docs="reference/migration-rules.md#st108",
    suppressed="the name is older",
)
INVALID = Finding(
    rule="IN104",
    risk=Risk.CAUTION,
    object="books.ix_old",
    title="invalid index",
    message="ix_old is left of an attempt that failed",
    consequences=(Consequence.OPERATION,),
    evidence="pg_index.indisvalid",
    alternative="drop it, and build it anew",
    docs="reference/migration-rules.md#in104",
)
ADD = Step(
    changes=(
        Change(
            kind=ChangeKind.ADD_COLUMN,
            table="books",
            name="isbn",
            facts={"type_after": "VARCHAR(13)", "nullable": True, "default": None},
        ),
    ),
    summary="add column isbn to books",
    statements=("ALTER TABLE books ADD COLUMN isbn VARCHAR(13)",),
    reverse=("ALTER TABLE books DROP COLUMN isbn",),
    reversibility=Reversibility.FULL,
    probe=Probe(kind="column", wanted={"table": "books", "name": "isbn", "type": "varchar(13)"}),
    risk=Risk.SAFE,
    lock="AccessExclusive",
    rows=1200,
)
INDEX = Step(
    changes=(
        Change(
            kind=ChangeKind.CREATE_INDEX,
            table="books",
            name="ix_books_title",
            facts={"columns": ("title", "year"), "unique": False, "concurrently": True},
        ),
    ),
    summary="create index ix_books_title on books (title, year), concurrently",
    statements=("CREATE INDEX CONCURRENTLY ix_books_title ON books (title, year)",),
    reverse=("DROP INDEX CONCURRENTLY ix_books_title",),
    reversibility=Reversibility.FULL,
    mode=StepMode.AUTOCOMMIT,
    reverse_mode=StepMode.AUTOCOMMIT,
    probe=Probe(kind="index", wanted={"name": "ix_books_title", "columns": ("title", "year"), "valid": True}),
    cleanup=("DROP INDEX CONCURRENTLY IF EXISTS ix_books_title",),
    risk=Risk.SAFE,
    findings=(SUPPRESSED,),
    lock="ShareUpdateExclusive",
    rows=None,
    lock_timeout=0.5,
)
DROP = Step(
    changes=(
        Change(kind=ChangeKind.DROP_COLUMN, table="books", name="legacy", facts={"in_indexes": ()}),
        Change(kind=ChangeKind.DROP_CHECK, table="books", name="legacy_is_short"),
    ),
    summary="drop column legacy of books",
    statements=("ALTER TABLE books DROP COLUMN legacy",),
    reverse=("ALTER TABLE books ADD COLUMN legacy TEXT",),
    reversibility=Reversibility.SCHEMA_ONLY,
    probe=Probe(kind="column", wanted={"table": "books", "name": "legacy"}, absent=True),
    risk=Risk.DANGEROUS,
    findings=(DROPPED,),
    destructive=True,
    lock="AccessExclusive",
    rewrites=True,
    rows=3,
    statement_timeout=30.0,
)
FILL = Step(
    changes=(Change(kind=ChangeKind.BACKFILL, table="books", name="isbn"),),
    summary="fill books.isbn",
    statements=(
        "UPDATE books SET isbn = '' WHERE isbn IS NULL AND id IN (SELECT id FROM books LIMIT 10000)",
    ),
    mode=StepMode.BATCHES,
    risk=Risk.CAUTION,
    rows=1200,
)
PLAN = MigrationPlan(
    database="default",
    dialect="postgresql",
    server_version="PostgreSQL 15.4",
    parent="0123456789ab",
    schema_before="f" * 64,
    declared="d" * 64,
    steps=(ADD, INDEX, FILL, DROP),
    findings=(INVALID,),
    drift=("books.colour is stored, and no plan has added it",),
    statistics=Statistics(
        {"rows:books": 1200, "nulls:books.isbn": UNKNOWN, "validated_checks:books": ("a",)}
    ),
)
SAFE = MigrationPlan(database="default", dialect="postgresql", server_version="PostgreSQL 15.4", steps=(ADD,))
NOTHING = MigrationPlan(database="default", dialect="postgresql", server_version="PostgreSQL 15.4")
