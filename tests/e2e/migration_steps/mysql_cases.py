"""Ways from one schema to another on MariaDB."""

from alembic.operations import ops
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Enum,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.mysql import DATETIME, INTEGER, TIMESTAMP

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.infrastructure.migrations.relational.operations import ChangePrimaryKeyOp, ReplaceColumnOp
from tests.e2e.migration_steps.cases import Case
from tests.e2e.migration_steps.declaring import books, both, column, key, nothing, table, title
from tests.e2e.migration_steps.detecting import detected

ROWS = ["INSERT INTO books (id, title) SELECT seq, concat('book ', seq) FROM seq_1_to_25"]
SOME_NULL = [*ROWS, "UPDATE books SET title = NULL WHERE id = 7"]
FILLED = Hints(fill={"books.title": "'untitled'", "books.stock": "id * 2"}, batch_size=10)

CASES: dict[str, Case] = {
    "a new table": Case(before=nothing, after=books(title)),
    "a new table with everything": Case(
        before=nothing,
        after=table(
            "shelves",
            key,
            column("mood", Enum("sad", "it's", name="mood"), server_default="sad"),
            column("note", String(40), comment="it's; -- 50% here"),
            column("made", DATETIME(fsp=3), server_default=text("now(3)"), nullable=False),
            column("body", JSON),
            column("length", Integer, Computed("char_length(note)", persisted=True)),
            column("double", Integer, Computed("length * 2", persisted=False)),
            lambda: CheckConstraint("note LIKE 'a%'", name="noted"),
            lambda: Index("ix_part", "note", mysql_length={"note": 5}),
            lambda: Index("ix_unique", "length", "note", unique=True),
            lambda: Index("ix_words", "note", mysql_prefix="FULLTEXT"),
            comment="shelves",
        ),
    ),
    "new tables in a circle": Case(
        before=nothing,
        after=both(
            table("a", key, column("b_id", Integer, lambda: ForeignKey("b.id", name="fk_a_b"))),
            table(
                "b", key, column("a_id", Integer, lambda: ForeignKey("a.id", name="fk_b_a", use_alter=True))
            ),
        ),
    ),
    "dropped tables in a circle": Case(
        before=both(
            table("a", key, column("b_id", Integer, lambda: ForeignKey("b.id", name="fk_a_b"))),
            table(
                "b", key, column("a_id", Integer, lambda: ForeignKey("a.id", name="fk_b_a", use_alter=True))
            ),
        ),
        after=nothing,
        rows=["INSERT INTO b (id) VALUES (1)", "INSERT INTO a (id, b_id) VALUES (1, 1)"],
    ),
    "a dropped table with everything": Case(
        before=table(
            "shelves",
            key,
            column("mood", Enum("sad", "ok", name="mood"), server_default="ok"),
            column("note", String(40, collation="utf8mb4_bin"), comment="it's 50% here"),
            column("length", Integer, Computed("char_length(note)", persisted=True)),
            column("body", JSON),
            lambda: CheckConstraint("note LIKE 'a%'", name="noted"),
            lambda: UniqueConstraint("note", name="uq_note"),
            lambda: Index("ix_length", "length"),
            comment="shelves",
        ),
        after=nothing,
        rows=["INSERT INTO shelves (note) VALUES ('a')"],
    ),
    "a dropped parent whose child stays": Case(
        before=both(
            table("parents", key),
            books(column("parent", Integer, lambda: ForeignKey("parents.id", name="fk_parent"))),
        ),
        after=books(column("parent", Integer)),
        rows=["INSERT INTO parents VALUES (1)", "INSERT INTO books (parent) VALUES (1)"],
    ),
    "a renamed table": Case(
        before=books(title),
        after=table("volumes", key, column("title", String(60), index=True)),
        instead=True,
        by_hand=lambda: [
            detected(ops.CreateIndexOp("ix_volumes_title", "volumes", ["title"])),
            detected(ops.AlterColumnOp("volumes", "title", existing_type=String(50), modify_type=String(60))),
            detected(ops.RenameTableOp("books", "volumes")),
        ],
        rows=ROWS,
    ),
    "a renamed column that changes too": Case(
        before=books(title, column("n", Integer)),
        after=books(column("name", String(60)), column("n", Integer)),
        instead=True,
        by_hand=lambda: [
            detected(ops.AlterColumnOp("books", "title", modify_name="name")),
            detected(ops.AlterColumnOp("books", "name", existing_type=String(50), modify_type=String(60))),
        ],
        rows=ROWS,
    ),
    "several columns": Case(
        before=books(title),
        after=books(
            title,
            column("stock", Integer),
            column("sold", Integer, server_default="5", nullable=False, comment="it's"),
            column("double", Integer, Computed("stock * 2", persisted=True)),
            column("flag", Boolean, server_default=text("0"), nullable=False),
        ),
        rows=ROWS,
    ),
    "a column that must not be null, filled": Case(
        before=books(title),
        after=books(title, column("stock", Integer, nullable=False)),
        rows=ROWS,
        hints=FILLED,
    ),
    "a column with a default that rows that exist do not get": Case(
        before=books(title),
        after=books(title, column("stock", Integer, server_default="7", nullable=False)),
        rows=ROWS,
        hints=FILLED,
        holds="SELECT count(*) = 25 FROM books WHERE stock = id * 2",
    ),
    "a column that must not be null": Case(
        before=books(title), after=books(title, column("stock", Integer, nullable=False))
    ),
    "a column filled from one that goes": Case(
        before=books(title),
        after=books(column("name", String(50), nullable=False)),
        rows=ROWS,
        hints=Hints(fill={"books.name": "upper(title)"}, batch_size=10),
    ),
    "a column with a reference, a rule and an index": Case(
        before=both(books(title), table("parents", key)),
        after=both(
            books(
                title,
                column(
                    "parent", Integer, lambda: ForeignKey("parents.id", name="fk"), index=True, unique=True
                ),
                lambda: CheckConstraint("parent > 0", name="positive"),
            ),
            table("parents", key),
        ),
        rows=ROWS,
    ),
    "dropped columns with everything": Case(
        before=books(
            title,
            column("stock", Integer, server_default="3", nullable=False, index=True, comment="x"),
            column("code", String(9, collation="utf8mb4_bin"), unique=True),
            column("size", Integer, Computed("char_length(title)", persisted=True)),
            column("last", Integer),
            lambda: CheckConstraint("last > 0", name="positive"),
        ),
        after=books(title),
        rows=ROWS,
    ),
    "a dropped column that must not be null": Case(
        before=books(title, column("stock", Integer, nullable=False)),
        after=books(title),
        rows=["INSERT INTO books (stock) VALUES (1)"],
        exact=False,
    ),
    "types": Case(
        before=books(
            column("title", String(50), comment="called", nullable=False),
            column("stock", Integer, server_default="3"),
            column("price", Numeric(8, 2)),
            column("mood", Enum("sad", "ok")),
            column("seen", TIMESTAMP, server_default=text("now() ON UPDATE now()")),
            column("body", JSON),
        ),
        after=books(
            column("title", String(500), comment="called", nullable=False),
            column("stock", BigInteger, server_default="3"),
            column("price", Numeric(10, 3)),
            column("mood", Enum("sad", "so-so", "ok"), nullable=False),
            column("seen", TIMESTAMP, server_default=text("now()")),
            column("body", JSON, nullable=False),
        ),
        rows=["INSERT INTO books (title, price, mood, body) VALUES ('x', 1.25, 'ok', '{}')"],
    ),
    "another length of a column with a collation": Case(
        before=books(column("title", String(9, collation="utf8mb4_bin"))),
        after=books(column("title", String(19, collation="utf8mb4_bin"))),
        rows=["INSERT INTO books (title) VALUES ('x')"],
    ),
    "unsigned": Case(
        before=books(column("stock", INTEGER)),
        after=books(column("stock", INTEGER(unsigned=True))),
        instead=True,
        by_hand=lambda: [
            detected(
                ops.AlterColumnOp(
                    "books", "stock", existing_type=INTEGER(), modify_type=INTEGER(unsigned=True)
                )
            )
        ],
        rows=["INSERT INTO books (stock) VALUES (1)"],
    ),
    "wider keys that others refer to": Case(
        before=both(
            table("parents", key),
            books(column("parent", Integer, lambda: ForeignKey("parents.id", name="fk", ondelete="CASCADE"))),
        ),
        after=both(
            table("parents", column("id", BigInteger, primary_key=True)),
            books(
                column("parent", BigInteger, lambda: ForeignKey("parents.id", name="fk", ondelete="CASCADE"))
            ),
        ),
        instead=True,
        by_hand=lambda: [
            detected(
                ops.AlterColumnOp(
                    "parents",
                    "id",
                    existing_type=Integer(),
                    modify_type=BigInteger(),
                    existing_nullable=False,
                    autoincrement=True,
                )
            ),
            detected(ops.AlterColumnOp("books", "parent", existing_type=Integer(), modify_type=BigInteger())),
        ],
        rows=["INSERT INTO parents VALUES (1)", "INSERT INTO books (parent) VALUES (1)"],
    ),
    "defaults": Case(
        before=books(column("a", Integer, server_default="3"), column("b", Integer), column("c", DateTime)),
        after=books(
            column("a", Integer),
            column("b", Integer, server_default="4"),
            column("c", DateTime, server_default=text("now()")),
        ),
        rows=["INSERT INTO books (b) VALUES (1)"],
    ),
    "not null, filled": Case(
        before=books(title),
        after=books(column("title", String(50), nullable=False)),
        rows=SOME_NULL,
        hints=FILLED,
    ),
    "not null without anything to fill": Case(
        before=books(title), after=books(column("title", String(50), nullable=False)), rows=ROWS
    ),
    "null again": Case(
        before=books(column("title", String(50), nullable=False)), after=books(title), rows=ROWS
    ),
    "comments": Case(
        before=books(title, column("n", Integer, comment="old"), comment="old"),
        after=books(column("title", String(50), comment="it's \\ new"), column("n", Integer), comment="n'ew"),
        rows=ROWS,
    ),
    "a comment less": Case(before=books(title, comment="old"), after=books(title), rows=ROWS),
    "indexes of all kinds": Case(
        before=books(title, column("n", Integer, Computed("char_length(title)", persisted=False))),
        after=books(
            title,
            column("n", Integer, Computed("char_length(title)", persisted=False)),
            lambda: Index("ix_unique", "title", "id", unique=True),
            lambda: Index("ix words", "title", mysql_prefix="FULLTEXT"),
            lambda: Index("ix_length", "title", mysql_length=5),
            lambda: Index("ix_hash", "id", mysql_using="btree"),
            lambda: Index("ix_computed", "n"),
        ),
        rows=ROWS,
    ),
    "an index less": Case(
        before=books(title, lambda: Index("ix", "title", mysql_length=5)), after=books(title), rows=ROWS
    ),
    "another index of the same name": Case(
        before=books(title, lambda: Index("ix", "title")),
        after=books(title, lambda: Index("ix", "title", "id", unique=True)),
        instead=True,
        by_hand=lambda: [
            detected(ops.CreateIndexOp("ix", "books", ["title", "id"], unique=True)),
            detected(ops.DropIndexOp("ix", "books")),
        ],
        rows=ROWS,
    ),
    "an index where the server has made one": Case(
        before=both(
            table("parents", key),
            books(column("parent", Integer, lambda: ForeignKey("parents.id", name="fk"))),
        ),
        after=both(
            table("parents", key),
            books(
                column("parent", Integer, lambda: ForeignKey("parents.id", name="fk")),
                lambda: Index("ix_parent", "parent"),
            ),
        ),
        rows=["INSERT INTO parents VALUES (1)", "INSERT INTO books (parent) VALUES (1)"],
    ),
    "another index for a reference": Case(
        before=both(
            table("parents", key),
            books(
                column("parent", Integer, lambda: ForeignKey("parents.id", name="fk")),
                lambda: Index("ix_old", "parent"),
            ),
        ),
        after=both(
            table("parents", key),
            books(
                column("parent", Integer, lambda: ForeignKey("parents.id", name="fk")),
                lambda: Index("ix_new", "parent", "id"),
            ),
        ),
        rows=["INSERT INTO parents VALUES (1)", "INSERT INTO books (parent) VALUES (1)"],
    ),
    "unique rules": Case(
        before=books(title, column("a", Integer), column("b", Integer, unique=True)),
        after=books(
            column("title", String(50), unique=True),
            column("a", Integer),
            column("b", Integer),
            lambda: UniqueConstraint("a", "b", name="uq"),
        ),
        rows=ROWS,
    ),
    "references": Case(
        before=both(
            books(column("a", Integer), column("b", Integer, lambda: ForeignKey("parents.id"))),
            table("parents", key),
        ),
        after=both(
            books(
                column("a", Integer, lambda: ForeignKey("parents.id", name="fk_a", ondelete="CASCADE")),
                column("b", Integer),
            ),
            table("parents", key),
        ),
        rows=["INSERT INTO parents VALUES (1)", "INSERT INTO books (a, b) VALUES (1, 1)"],
    ),
    "a reference with another action": Case(
        before=both(
            books(column("parent", Integer, lambda: ForeignKey("parents.id", name="fk"))),
            table("parents", key),
        ),
        after=both(
            books(
                column("parent", Integer, lambda: ForeignKey("parents.id", name="fk", ondelete="SET NULL"))
            ),
            table("parents", key),
        ),
        rows=["INSERT INTO parents VALUES (1)", "INSERT INTO books (parent) VALUES (1)"],
    ),
    "rules": Case(
        before=books(title, lambda: CheckConstraint("title LIKE 'b%'", name="begins")),
        after=books(title, lambda: CheckConstraint("title LIKE '%b%'", name="has b")),
        rows=ROWS,
    ),
    "a constraint that a script drops by its name alone": Case(
        before=both(
            table("parents", key),
            books(
                column("parent", Integer, lambda: ForeignKey("parents.id", name="fk")),
                lambda: CheckConstraint("parent > 0", name="ck"),
            ),
        ),
        after=both(table("parents", key), books(column("parent", Integer))),
        instead=True,
        by_hand=lambda: [
            detected(ops.DropConstraintOp("fk", "books")),
            detected(ops.DropConstraintOp("ck", "books")),
        ],
        rows=["INSERT INTO parents VALUES (1)", "INSERT INTO books (parent) VALUES (1)"],
    ),
    "another primary key": Case(
        before=table(
            "pairs",
            column("a", Integer, nullable=False, autoincrement=False),
            column("b", Integer, nullable=False, autoincrement=False),
            lambda: PrimaryKeyConstraint("a"),
        ),
        after=table(
            "pairs",
            column("a", Integer, nullable=False, autoincrement=False),
            column("b", Integer, nullable=False, autoincrement=False),
            lambda: PrimaryKeyConstraint("a", "b"),
        ),
        instead=True,
        by_hand=lambda: [detected(ChangePrimaryKeyOp("pairs", ["a"], ["a", "b"]))],
        rows=["INSERT INTO pairs VALUES (1, 1), (2, 1)"],
    ),
    "a number that the server gives instead of a natural key": Case(
        before=table("pairs", column("a", String(9), primary_key=True), column("b", Integer)),
        after=table("pairs", column("b", Integer), key),
        instead=True,
        by_hand=lambda: [
            detected(ops.AddColumnOp("pairs", Column("id", Integer, primary_key=True))),
            detected(
                ops.DropColumnOp.from_column_and_tablename(
                    None, "pairs", Column("a", String(9), nullable=False)
                )
            ),
            detected(ChangePrimaryKeyOp("pairs", ["a"], ["id"])),
        ],
    ),
    "a numbered column, and one that was not": Case(
        before=both(
            table("pairs", column("b", Integer)),
            table("plain", column("a", Integer, primary_key=True, autoincrement=False, comment="number")),
        ),
        after=both(
            table("pairs", column("b", Integer), column("id", BigInteger, primary_key=True)),
            table("plain", column("a", BigInteger, primary_key=True, comment="number")),
        ),
        instead=True,
        by_hand=lambda: [
            detected(ops.AddColumnOp("pairs", Column("id", BigInteger, nullable=False)), identity=True),
            detected(ChangePrimaryKeyOp("pairs", [], ["id"])),
            detected(ops.AlterColumnOp("plain", "a", existing_type=Integer(), modify_type=BigInteger())),
            detected(
                ReplaceColumnOp(
                    "plain",
                    Column("a", Integer, nullable=False, comment="number"),
                    Column("a", BigInteger, nullable=False, comment="number"),
                    what="identity",
                ),
                identity=True,
            ),
        ],
        rows=["INSERT INTO pairs VALUES (4)", "INSERT INTO plain VALUES (4)"],
    ),
    "computed otherwise": Case(
        before=books(
            title,
            column("d0", Integer),
            column("a", Integer, Computed("d0 * 2", persisted=True), index=True),
            column("b", Integer, Computed("d0 * 2", persisted=False), index=True),
            column("c", Integer, Computed("d0 * 2", persisted=False), index=True),
            column("d", Integer),
        ),
        after=books(
            title,
            column("d0", Integer),
            column("a", Integer, Computed("d0 * 3", persisted=True), index=True),
            column("b", Integer, Computed("d0 * 3", persisted=False), index=True),
            column("c", Integer, index=True),
            column("d", Integer, Computed("d0 * 3", persisted=True)),
        ),
        instead=True,
        by_hand=lambda: [
            detected(
                ReplaceColumnOp(
                    "books",
                    Column("a", Integer, Computed("d0 * 2", persisted=True)),
                    Column("a", Integer, Computed("d0 * 3", persisted=True)),
                    what="computed",
                )
            ),
            detected(
                ReplaceColumnOp(
                    "books",
                    Column("b", Integer, Computed("d0 * 2", persisted=False)),
                    Column("b", Integer, Computed("d0 * 3", persisted=False)),
                    what="computed",
                )
            ),
            detected(
                ReplaceColumnOp(
                    "books",
                    Column("c", Integer, Computed("d0 * 2", persisted=False)),
                    Column("c", Integer),
                    what="computed",
                )
            ),
            detected(
                ReplaceColumnOp(
                    "books",
                    Column("d", Integer),
                    Column("d", Integer, Computed("d0 * 3", persisted=True)),
                    what="computed",
                )
            ),
        ],
        rows=ROWS,
    ),
    "another collation": Case(
        before=books(column("code", String(9))),
        after=books(column("code", String(9, collation="utf8mb4_bin"))),
        instead=True,
        by_hand=lambda: [
            detected(
                ReplaceColumnOp(
                    "books",
                    Column("code", String(9)),
                    Column("code", String(9, collation="utf8mb4_bin")),
                    what="collation",
                )
            )
        ],
        rows=["INSERT INTO books (code) VALUES ('x')"],
    ),
    "names that need quotes": Case(
        before=table("my Books", key, column("The % Title", String(50))),
        after=table(
            "my Books",
            key,
            column("The % Title", String(60), nullable=False, index=True, comment="100%"),
            column("select", Integer, server_default="1"),
            lambda: CheckConstraint("`select` > 0 OR 'a' LIKE '%b%'", name='It\'s a "rule"'),
        ),
        rows=["INSERT INTO `my Books` (`The % Title`) VALUES ('about')"],
    ),
    "many things at once": Case(
        before=both(
            books(
                title,
                column("old", Integer, index=True),
                column("parent", Integer, lambda: ForeignKey("parents.id", name="fk")),
            ),
            table("parents", key),
            table("gone", key, column("book", Integer, lambda: ForeignKey("books.id"))),
        ),
        after=both(
            books(
                column("title", String(90), nullable=False, unique=True),
                column("parent", BigInteger),
                column("series", Integer, lambda: ForeignKey("series.id", name="fk_series"), index=True),
                column("flag", Boolean, server_default=text("0"), nullable=False),
                column("price", Numeric(10, 2), nullable=False),
            ),
            table(
                "series",
                key,
                column("head", Integer, lambda: ForeignKey("books.id", name="fk_head", use_alter=True)),
            ),
        ),
        hints=Hints(fill={"books.price": "old * 1.5"}, batch_size=10),
        rows=["INSERT INTO books (id, title, old) SELECT seq, concat('book ', seq), seq FROM seq_1_to_25"],
        exact=False,
    ),
    "text": Case(
        before=books(title, column("body", String(200))),
        after=books(title, column("body", Text)),
        rows=ROWS,
    ),
}
