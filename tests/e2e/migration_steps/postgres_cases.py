"""Ways from one schema to another on PostgreSQL."""

from alembic.operations import ops
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Enum,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Sequence,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ENUM, JSONB, TSVECTOR

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.infrastructure.migrations.relational.operations import (
    AddEnumLabelOp,
    ChangePrimaryKeyOp,
    CreateEnumOp,
    DropEnumOp,
    ReplaceColumnOp,
    ReplaceEnumOp,
)
from tests.e2e.migration_steps.cases import Case
from tests.e2e.migration_steps.declaring import books, both, column, key, nothing, table, title
from tests.e2e.migration_steps.detecting import detected

ROWS = ["INSERT INTO books (id, title) SELECT n, 'book ' || n FROM generate_series(1, 25) n"]
SOME_NULL = [
    "INSERT INTO books (id, title) SELECT n, nullif('book ' || n, 'book 7') FROM generate_series(1, 25) n"
]
FILLED = Hints(fill={"books.title": "'untitled'", "books.stock": "0"}, batch_size=10)
OFFLINE = Hints(online=False)

CASES: dict[str, Case] = {
    "a new table": Case(before=nothing, after=books(title)),
    "a new table with everything": Case(
        before=nothing,
        after=both(
            table(
                "shelves",
                key,
                column("mood", Enum("sad", "ok", name="mood"), server_default="ok"),
                column("moods", ARRAY(Enum("sad", "ok", name="mood"))),
                column("note", Text, comment="it's; -- 50% here"),
                column("number", Integer, Sequence("numbers"), unique=True),
                column("made", DateTime(timezone=True), server_default=func.now(), nullable=False),
                column("body", JSONB),
                column("length", Integer, Computed("length(note)", persisted=True)),
                lambda: CheckConstraint("note LIKE 'a%'", name="noted"),
                lambda: Index("ix_body", "body", postgresql_using="gin"),
                lambda: Index("ix_part", "number", unique=True, postgresql_where=text("number > 3")),
                lambda: Index("ix_lower", func.lower(text("note"))),
                comment="shelves",
            ),
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
    "new tables that refer to themselves and another": Case(
        before=nothing,
        after=both(
            table("aa", key, column("z_id", Integer, lambda: ForeignKey("zz.id"))),
            table("zz", key, column("parent", Integer, lambda: ForeignKey("zz.id"))),
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
            column("big", BigInteger, Identity(always=True, start=7)),
            column("mood", Enum("sad", "ok", name="mood"), server_default="ok"),
            column("note", Text, comment="it's 50% here"),
            column("length", Integer, Computed("length(note)", persisted=True)),
            lambda: CheckConstraint("note LIKE 'a%'", name="noted"),
            lambda: UniqueConstraint("note", name="uq_note", deferrable=True, initially="DEFERRED"),
            lambda: Index("ix_lower", text("lower(note) DESC"), postgresql_where=text("length > 3")),
            lambda: Index("ix_include", "note", postgresql_include=["mood"]),
            comment="shelves",
        ),
        after=nothing,
        by_hand=lambda: [detected(DropEnumOp("mood", ["sad", "ok"]))],
        rows=["INSERT INTO shelves (note) VALUES ('a')"],
    ),
    "a dropped parent whose child stays": Case(
        before=both(
            table("parents", key),
            books(column("parent", Integer, lambda: ForeignKey("parents.id", name="fk_parent"))),
        ),
        after=books(column("parent", Integer)),
        rows=["INSERT INTO parents VALUES (1)", "INSERT INTO books (parent) VALUES (1)"],
        exact=False,
    ),
    "a table in another schema": Case(
        before=nothing,
        after=both(
            table("shelves", key, column("x", Integer, index=True), schema="other"),
            table("books", key, column("shelf", Integer, lambda: ForeignKey("other.shelves.id"))),
        ),
        schemas=True,
        setup=["CREATE SCHEMA other"],
    ),
    "a changed table in another schema": Case(
        before=table("shelves", key, column("x", Integer, index=True), column("y", Integer), schema="other"),
        after=table(
            "shelves",
            key,
            column("x", BigInteger, nullable=False, unique=True, comment="x"),
            lambda: CheckConstraint("x > 0", name="positive"),
            schema="other",
        ),
        schemas=True,
        setup=["CREATE SCHEMA other"],
        rows=["INSERT INTO other.shelves (x) VALUES (1)"],
    ),
    "a renamed table": Case(
        before=table("books", column("id", Integer), column("title", String(50), index=False)),
        after=table("volumes", column("id", Integer), column("title", String(60), index=True)),
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
    "a nullable column": Case(before=books(title), after=books(title, column("stock", Integer)), rows=ROWS),
    "a column with a default": Case(
        before=books(title),
        after=books(title, column("stock", Integer, server_default="5", nullable=False, comment="left")),
        rows=ROWS,
    ),
    "a column with a volatile default": Case(
        before=books(title),
        after=books(title, column("code", Uuid, server_default=text("gen_random_uuid()"), nullable=False)),
        rows=ROWS,
        hints=Hints(batch_size=10),
    ),
    "a column with a default that rows that exist do not get": Case(
        before=books(title),
        after=books(title, column("stock", Integer, server_default=text("7"), nullable=False)),
        rows=ROWS,
        hints=Hints(fill={"books.stock": "id * 2"}, batch_size=10),
        holds="SELECT count(*) = 25 FROM books WHERE stock = id * 2",
    ),
    "a column that must not be null, filled": Case(
        before=books(title),
        after=books(title, column("stock", Integer, nullable=False)),
        rows=ROWS,
        hints=FILLED,
    ),
    "a column that must not be null, filled at once": Case(
        before=books(title),
        after=books(title, column("stock", Integer, nullable=False)),
        rows=ROWS,
        hints=Hints(fill={"books.stock": "id * 2"}, online=False),
    ),
    "a column that must not be null, in an empty table": Case(
        before=books(title), after=books(title, column("stock", Integer, nullable=False))
    ),
    "a column filled from one that goes": Case(
        before=books(title),
        after=books(column("name", String(50), nullable=False)),
        rows=ROWS,
        hints=Hints(fill={"books.name": "upper(title)"}, batch_size=10),
    ),
    "a serial, an identity and a computed column": Case(
        before=books(title),
        after=books(
            title,
            column("number", BigInteger, Identity(always=False), nullable=False),
            column("size", Integer, Computed("length(title)", persisted=True)),
        ),
        rows=ROWS,
    ),
    "a column with an enumeration": Case(
        before=books(title),
        after=books(title, column("mood", Enum("sad", "ok", name="mood"), server_default="ok")),
        rows=ROWS,
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
    "a dropped column with everything": Case(
        before=books(
            title,
            column("stock", Integer, server_default="3", nullable=False, index=True, comment="x"),
            column("code", String(9, collation="C"), unique=True),
            column("size", Integer, Computed("length(title)", persisted=True)),
            column("number", BigInteger, Identity()),
            lambda: CheckConstraint("stock > 0", name="positive"),
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
    "a longer text": Case(before=books(title), after=books(column("title", String(70))), rows=ROWS),
    "a text without length": Case(before=books(title), after=books(column("title", Text)), rows=ROWS),
    "a shorter text": Case(before=books(title), after=books(column("title", String(20))), rows=ROWS),
    "a wider number": Case(
        before=books(title, column("stock", Integer, server_default=text("3"))),
        after=books(title, column("stock", BigInteger, server_default=text("3"))),
        rows=ROWS,
    ),
    "a number instead of a text, with another default": Case(
        before=books(title, column("stock", String(9), server_default="3")),
        after=books(title, column("stock", Integer, server_default="4")),
        rows=ROWS,
        hints=Hints(using={"books.stock": "stock::integer"}),
    ),
    "a number instead of a text, with the same default": Case(
        before=books(title, column("stock", String(9), server_default="3")),
        after=books(title, column("stock", Integer, server_default="3")),
        rows=ROWS,
        instead=True,
        by_hand=lambda: [
            detected(
                ops.AlterColumnOp("books", "stock", existing_type=String(9), modify_type=Integer()),
                needs_using=True,
            )
        ],
    ),
    "texts instead of other values": Case(
        before=books(
            title,
            column("stock", Integer),
            column("day", Date),
        ),
        after=books(
            title,
            column("stock", String(9)),
            column("day", Text),
        ),
        rows=[*ROWS, "UPDATE books SET stock = 3, day = '2027-01-31'"],
    ),
    "an enumeration instead of a text": Case(
        before=books(title, column("mood", String(9))),
        after=books(title, column("mood", Enum("sad", "ok", name="mood"))),
        rows=[*ROWS, "UPDATE books SET mood = 'sad'"],
        hints=Hints(using={"books.mood": "mood::mood"}),
    ),
    "another default": Case(
        before=books(title, column("stock", Integer, server_default="3")),
        after=books(title, column("stock", Integer, server_default="4")),
        rows=ROWS,
    ),
    "a new default, and one less": Case(
        before=books(title, column("a", Integer, server_default="3"), column("b", Integer)),
        after=books(title, column("a", Integer), column("b", Integer, server_default=text("1 + 1"))),
        rows=ROWS,
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
    "not null at once": Case(
        before=books(title),
        after=books(column("title", String(50), nullable=False)),
        rows=ROWS,
        hints=OFFLINE,
    ),
    "null again": Case(
        before=books(column("title", String(50), nullable=False)), after=books(title), rows=ROWS
    ),
    "everything of one column": Case(
        before=books(title),
        after=books(
            column("title", String(80), nullable=False, server_default="x", comment="what it is called")
        ),
        rows=ROWS,
    ),
    "comments": Case(
        before=books(title, column("n", Integer, comment="old"), comment="old"),
        after=books(column("title", String(50), comment="it's new"), column("n", Integer), comment="n'ew"),
        rows=ROWS,
    ),
    "a comment less": Case(before=books(title, comment="old"), after=books(title), rows=ROWS),
    "an index": Case(before=books(title), after=books(column("title", String(50), index=True)), rows=ROWS),
    "an index at once": Case(
        before=books(title), after=books(column("title", String(50), index=True)), rows=ROWS, hints=OFFLINE
    ),
    "indexes of all kinds": Case(
        before=books(title, column("body", JSONB), column("words", TSVECTOR)),
        after=books(
            title,
            column("body", JSONB),
            column("words", TSVECTOR),
            lambda: Index("ix_unique", "title", unique=True, postgresql_where=text("title LIKE 'b%'")),
            lambda: Index(
                "ix_gin", "body", postgresql_using="gin", postgresql_ops={"body": "jsonb_path_ops"}
            ),
            lambda: Index("ix words", "words", postgresql_using="gist"),
            lambda: Index("ix_include", "id", postgresql_include=["title"]),
            lambda: Index("ix_lower", text("lower(title)")),
        ),
        rows=ROWS,
    ),
    "an index less": Case(
        before=books(column("title", String(50), index=True)), after=books(title), rows=ROWS
    ),
    "an index less at once": Case(
        before=books(column("title", String(50), index=True)), after=books(title), rows=ROWS, hints=OFFLINE
    ),
    "another index of the same name": Case(
        before=books(title, lambda: Index("ix", "title", postgresql_where=text("id > 3"))),
        after=books(title, lambda: Index("ix", "title", postgresql_where=text("id > 4"))),
        instead=True,
        by_hand=lambda: [
            detected(ops.CreateIndexOp("ix", "books", ["title"], postgresql_where=text("id > 4"))),
            detected(ops.DropIndexOp("ix", "books")),
        ],
        rows=ROWS,
    ),
    "a unique rule": Case(
        before=books(title), after=books(column("title", String(50), unique=True)), rows=ROWS
    ),
    "a unique rule at once": Case(
        before=books(title), after=books(column("title", String(50), unique=True)), rows=ROWS, hints=OFFLINE
    ),
    "a unique rule with everything": Case(
        before=books(title),
        after=books(
            title,
            lambda: UniqueConstraint(
                "title",
                "id",
                name="uq",
                deferrable=True,
                initially="DEFERRED",
                postgresql_nulls_not_distinct=True,
                postgresql_include=["title"],
            ),
        ),
        rows=ROWS,
    ),
    "a unique rule less": Case(
        before=books(column("title", String(50), unique=True)), after=books(title), rows=ROWS
    ),
    "a reference": Case(
        before=both(books(title, column("parent", Integer)), table("parents", key)),
        after=both(
            books(title, column("parent", Integer, lambda: ForeignKey("parents.id", ondelete="CASCADE"))),
            table("parents", key),
        ),
        rows=[*ROWS, "INSERT INTO parents VALUES (1)", "UPDATE books SET parent = 1"],
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
    "a rule": Case(
        before=books(title),
        after=books(title, lambda: CheckConstraint("title LIKE 'b%'", name="begins with b")),
        rows=ROWS,
    ),
    "a rule less": Case(
        before=books(title, lambda: CheckConstraint("title LIKE 'b%'", name="begins")),
        after=books(title),
        rows=ROWS,
    ),
    "another rule of the same name": Case(
        before=books(title, lambda: CheckConstraint("id > 0", name="rule")),
        after=books(title, lambda: CheckConstraint("id > -1", name="rule")),
        instead=True,
        by_hand=lambda: [
            detected(ops.CreateCheckConstraintOp("rule", "books", "id > -1")),
            detected(ops.DropConstraintOp("rule", "books", "check")),
        ],
        rows=ROWS,
    ),
    "another primary key": Case(
        before=table(
            "pairs",
            column("a", Integer, nullable=False, autoincrement=False),
            column("b", Integer, nullable=False, autoincrement=False),
            lambda: PrimaryKeyConstraint("a", name="pairs_pkey"),
        ),
        after=table(
            "pairs",
            column("a", Integer, nullable=False, autoincrement=False),
            column("b", Integer, nullable=False, autoincrement=False),
            lambda: PrimaryKeyConstraint("a", "b", name="pairs_pkey"),
        ),
        instead=True,
        by_hand=lambda: [detected(ChangePrimaryKeyOp("pairs", ["a"], ["a", "b"]))],
        rows=["INSERT INTO pairs VALUES (1, 1), (2, 1)"],
    ),
    "a new primary key at once, and none": Case(
        before=both(
            table("bare", column("a", Integer, nullable=False)),
            table("keyed", column("a", Integer, primary_key=True, autoincrement=False)),
        ),
        after=both(
            table("bare", column("a", Integer, primary_key=True, autoincrement=False)),
            table("keyed", column("a", Integer, nullable=False)),
        ),
        instead=True,
        by_hand=lambda: [
            detected(ChangePrimaryKeyOp("bare", [], ["a"])),
            detected(ChangePrimaryKeyOp("keyed", ["a"], [])),
        ],
        hints=OFFLINE,
        rows=["INSERT INTO bare VALUES (1)"],
    ),
    "labels in their places": Case(
        before=books(title, column("mood", Enum("sad", "ok", name="mood"), server_default="ok")),
        after=books(
            title, column("mood", Enum("bad", "sad", "ok", "it's", name="mood"), server_default="ok")
        ),
        instead=True,
        by_hand=lambda: [
            detected(AddEnumLabelOp("mood", "bad", before="sad")),
            detected(AddEnumLabelOp("mood", "it's")),
        ],
        rows=ROWS,
    ),
    "a label less": Case(
        before=books(
            title,
            column("mood", Enum("sad", "ok", "odd", name="mood"), server_default="ok"),
            column("moods", ARRAY(Enum("sad", "ok", "odd", name="mood"))),
            lambda: Index("ix_ok", "id", postgresql_where=text("mood = 'ok'")),
            lambda: CheckConstraint("mood <> 'sad'", name="merry"),
        ),
        after=books(
            title,
            column("mood", Enum("ok", "sad", name="mood"), server_default="ok"),
            column("moods", ARRAY(Enum("ok", "sad", name="mood"))),
            lambda: Index("ix_ok", "id", postgresql_where=text("mood = 'ok'")),
            lambda: CheckConstraint("mood <> 'sad'", name="merry"),
        ),
        instead=True,
        by_hand=lambda: [
            detected(
                ReplaceEnumOp(
                    "mood",
                    ["sad", "ok", "odd"],
                    ["ok", "sad"],
                    [(None, "books", "mood"), (None, "books", "moods")],
                )
            )
        ],
        rows=[*ROWS, "UPDATE books SET mood = 'ok', moods = '{sad,ok}'"],
    ),
    "a label less, of a column that goes and one that is renamed": Case(
        before=books(
            title,
            column("mood", Enum("sad", "ok", name="mood"), server_default="ok"),
            column("gone", Enum("sad", "ok", name="mood")),
        ),
        after=books(title, column("humour", Enum("ok", name="mood"), server_default="ok")),
        instead=True,
        by_hand=lambda: [
            detected(ops.DropColumnOp("books", "gone")),
            detected(ops.AlterColumnOp("books", "mood", modify_name="humour")),
            detected(ReplaceEnumOp("mood", ["sad", "ok"], ["ok"], [])),
        ],
        rows=ROWS,
    ),
    "rules without names": Case(
        before=books(title),
        after=books(
            title,
            lambda: CheckConstraint("id > 0", name="books_54d12d6c_check"),
            lambda: CheckConstraint("id > -1", name="books_1fd10988_check"),
        ),
        instead=True,
        by_hand=lambda: [
            detected(ops.CreateCheckConstraintOp(None, "books", "id > 0")),
            detected(ops.CreateCheckConstraintOp(None, "books", "id > -1")),
        ],
        rows=ROWS,
    ),
    "a primary key of a script": Case(
        before=table("bare", column("a", Integer, nullable=False)),
        after=table(
            "bare", column("a", Integer, autoincrement=False), lambda: PrimaryKeyConstraint("a", name="pk")
        ),
        instead=True,
        by_hand=lambda: [detected(ops.CreatePrimaryKeyOp("pk", "bare", ["a"]))],
        rows=["INSERT INTO bare VALUES (1)"],
    ),
    "a type that is created and one that goes": Case(
        before=books(title, column("mood", ENUM("sad", name="mood"))),
        after=books(title, column("humour", ENUM("fun", name="humour"))),
        by_hand=lambda: [
            detected(DropEnumOp("mood", ["sad"])),
            detected(CreateEnumOp("humour", ["fun"])),
        ],
        rows=ROWS,
    ),
    "computed otherwise": Case(
        before=books(title, column("size", Integer, Computed("length(title)", persisted=True), index=True)),
        after=books(
            title, column("size", Integer, Computed("length(title) + 1", persisted=True), index=True)
        ),
        instead=True,
        by_hand=lambda: [
            detected(
                ReplaceColumnOp(
                    "books",
                    Column("size", Integer, Computed("length(title)", persisted=True)),
                    Column("size", Integer, Computed("length(title) + 1", persisted=True)),
                    what="computed",
                )
            )
        ],
        rows=ROWS,
    ),
    "computed no more": Case(
        before=books(title, column("size", Integer, Computed("length(title)", persisted=True), index=True)),
        after=books(title, column("size", Integer, index=True)),
        instead=True,
        by_hand=lambda: [
            detected(
                ReplaceColumnOp(
                    "books",
                    Column("size", Integer, Computed("length(title)", persisted=True)),
                    Column("size", Integer),
                    what="computed",
                )
            )
        ],
        rows=ROWS,
    ),
    "computed instead of stored": Case(
        before=books(title, column("size", Integer)),
        after=books(title, column("size", Integer, Computed("length(title)", persisted=True))),
        instead=True,
        by_hand=lambda: [
            detected(
                ReplaceColumnOp(
                    "books",
                    Column("size", Integer),
                    Column("size", Integer, Computed("length(title)", persisted=True)),
                    what="computed",
                )
            )
        ],
        rows=ROWS,
    ),
    "an identity instead of a serial": Case(
        before=books(title),
        after=table("books", column("id", Integer, Identity(always=True), primary_key=True), title),
        instead=True,
        by_hand=lambda: [
            detected(
                ReplaceColumnOp(
                    "books",
                    Column("id", Integer, primary_key=True),
                    Column("id", Integer, Identity(always=True), primary_key=True),
                    what="identity",
                )
            )
        ],
        rows=ROWS,
    ),
    "an identity less": Case(
        before=table(
            "books", column("id", Integer, Identity(start=100, increment=5), primary_key=True), title
        ),
        after=table("books", column("id", Integer, primary_key=True, autoincrement=False), title),
        instead=True,
        by_hand=lambda: [
            detected(
                ReplaceColumnOp(
                    "books",
                    Column("id", Integer, Identity(start=100, increment=5), primary_key=True),
                    Column("id", Integer, primary_key=True, autoincrement=False),
                    what="identity",
                )
            )
        ],
        rows=ROWS,
    ),
    "a serial instead of an identity, and of nothing": Case(
        before=books(title, column("a", Integer, Identity()), column("b", BigInteger)),
        after=both(
            lambda metadata: Sequence("books_a_seq", metadata=metadata),
            lambda metadata: Sequence("books_b_seq", metadata=metadata),
            books(
                title,
                column("a", Integer, nullable=False, server_default=text("nextval('books_a_seq')")),
                column("b", BigInteger, server_default=text("nextval('books_b_seq')")),
            ),
        ),
        instead=True,
        by_hand=lambda: [
            detected(
                ReplaceColumnOp(
                    "books", Column("a", Integer, Identity()), Column("a", Integer), what="identity"
                ),
                identity=True,
            ),
            detected(
                ReplaceColumnOp("books", Column("b", BigInteger), Column("b", BigInteger), what="identity"),
                identity=True,
            ),
        ],
        rows=ROWS,
    ),
    "a numbered column": Case(
        before=table("books", title),
        after=table("books", title, column("id", BigInteger, primary_key=True)),
        instead=True,
        by_hand=lambda: [
            detected(ops.AddColumnOp("books", Column("id", BigInteger, nullable=False)), identity=True),
            detected(ChangePrimaryKeyOp("books", [], ["id"])),
        ],
        rows=["INSERT INTO books (title) VALUES ('x')"],
    ),
    "another collation": Case(
        before=books(title, column("code", String(9))),
        after=books(title, column("code", String(9, collation="C"), index=False)),
        instead=True,
        by_hand=lambda: [
            detected(
                ReplaceColumnOp(
                    "books",
                    Column("code", String(9)),
                    Column("code", String(9, collation="C")),
                    what="collation",
                )
            )
        ],
        rows=ROWS,
    ),
    "names that need quotes": Case(
        before=table("my Books", key, column("The % Title", String(50))),
        after=table(
            "my Books",
            key,
            column("The % Title", String(60), nullable=False, index=True, comment="100%"),
            column("select", Integer, server_default="1"),
            lambda: CheckConstraint("\"The % Title\" LIKE '%b%'", name='It\'s a "rule"'),
        ),
        rows=['INSERT INTO "my Books" ("The % Title") VALUES (\'about\')'],
    ),
    "long names": Case(
        before=table("t" * 60, key, column("c" * 60, Integer)),
        after=table("t" * 60, key, column("c" * 60, Integer, nullable=False, unique=True, index=True)),
        rows=["INSERT INTO " + "t" * 60 + " VALUES (1, 1)"],
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
                column("title", Text, nullable=False, unique=True),
                column("parent", BigInteger),
                column("series", Integer, lambda: ForeignKey("series.id"), index=True),
                column("flag", Boolean, server_default=text("false"), nullable=False),
                column("price", Numeric(10, 2), nullable=False),
            ),
            table(
                "series",
                key,
                column("head", Integer, lambda: ForeignKey("books.id", name="fk_head", use_alter=True)),
            ),
        ),
        hints=Hints(fill={"books.price": "old * 1.5"}, batch_size=10),
        rows=["INSERT INTO books (id, title, old) SELECT n, 'book ' || n, n FROM generate_series(1, 25) n"],
        exact=False,
    ),
}


def replaced_size(before: Computed | None, after: Computed | None) -> Case:
    """A column that is computed in one way, and then in another one, or not at all."""

    def parts(computed: Computed | None) -> list[Computed]:
        return [] if computed is None else [Computed(computed.sqltext, persisted=computed.persisted)]

    return Case(
        before=books(title, lambda: Column("size", Integer, *parts(before))),
        after=books(title, lambda: Column("size", Integer, *parts(after))),
        instead=True,
        by_hand=lambda: [
            detected(
                ReplaceColumnOp(
                    "books",
                    Column("size", Integer, *parts(before)),
                    Column("size", Integer, *parts(after)),
                    what="computed",
                )
            )
        ],
        rows=ROWS,
    )


VIRTUAL = {
    "a virtual column": Case(
        before=books(title),
        after=books(title, column("size", Integer, Computed("length(title)", persisted=False))),
        rows=ROWS,
    ),
    "virtual otherwise": replaced_size(
        Computed("length(title)", persisted=False), Computed("length(title) + 1", persisted=False)
    ),
    "virtual no more": replaced_size(Computed("length(title)", persisted=False), None),
    "stored instead of virtual": replaced_size(
        Computed("length(title)", persisted=False), Computed("length(title)", persisted=True)
    ),
    "virtual instead of stored": replaced_size(
        Computed("length(title)", persisted=True), Computed("length(title)", persisted=False)
    ),
}
"""What PostgreSQL has since 18."""
