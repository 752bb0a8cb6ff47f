"""A table whose database has code of its own: triggers that refuse, leave out and change rows."""

import datetime
from decimal import Decimal

from sqlalchemy import CHAR, DateTime, Float, Numeric, String
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.container import Container, resource
from fastapi_easy.domain.resources.options import EVERY_OPERATION


class Base(DeclarativeBase):
    """The tables of this module."""


class Account(Base):
    """An account, whose balance decides what its triggers do."""

    __tablename__ = "triggered_account"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    balance: Mapped[int] = mapped_column(default=0)
    note: Mapped[str | None] = mapped_column(String(40))
    rounded: Mapped[Decimal | None] = mapped_column(Numeric(6, 2))
    single: Mapped[float | None] = mapped_column(Float(24))
    padded: Mapped[str | None] = mapped_column(CHAR(5))
    whole_seconds: Mapped[datetime.datetime | None] = mapped_column(
        DateTime(timezone=True)
        .with_variant(mysql.DATETIME(fsp=0), "mysql")
        .with_variant(postgresql.TIMESTAMP(timezone=True, precision=0), "postgresql")
    )
    seen: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)


class Remark(Base):
    """A remark on an account; only the database knows that `account` is a reference."""

    __tablename__ = "triggered_remark"

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[int | None]


class Accounts(Container):
    """Accounts, and remarks on them."""

    accounts = resource(Account, operations=EVERY_OPERATION, upsert=("name",), version="version")
    remarks = resource(Remark)


LOGS = (
    "CREATE TABLE triggered_person (number INTEGER PRIMARY KEY)",
    "INSERT INTO triggered_person VALUES (1)",
    (
        "CREATE TABLE triggered_log (who INTEGER NOT NULL UNIQUE,"
        " FOREIGN KEY (who) REFERENCES triggered_person (number))"
    ),
    "INSERT INTO triggered_log VALUES (1)",
)
"""What triggers write to: the constraints are not those of the account."""


class Thing(Base):
    """What a view shows: the small ones of all things."""

    __tablename__ = "triggered_thing"

    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    size: Mapped[int | None]


class Total(Base):
    """What a view sums up, and nobody can write."""

    __tablename__ = "triggered_total"

    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    size: Mapped[int | None]


class Numbered(Base):
    """What a view shows of things whose keys its trigger makes."""

    __tablename__ = "triggered_numbered"

    id: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int | None]


class Views(Container):
    """Views, each with other ways to write."""

    things = resource(Thing)
    totals = resource(Total)
    numbered = resource(Numbered)


VIEWS = (
    "DROP TABLE triggered_thing",
    "DROP TABLE triggered_total",
    "DROP TABLE triggered_numbered",
    "CREATE TABLE triggered_stock (code VARCHAR(20) PRIMARY KEY, size INTEGER)",
    "CREATE VIEW triggered_total AS SELECT code, sum(size) AS size FROM triggered_stock GROUP BY code",
    "CREATE TABLE triggered_row (id INTEGER PRIMARY KEY, size INTEGER)",
    "CREATE VIEW triggered_numbered AS SELECT id, size FROM triggered_row",
)
WITH_CHECK = (
    "CREATE VIEW triggered_thing AS SELECT code, size FROM triggered_stock WHERE size < 10 WITH CHECK OPTION"
)

REFERENCE = "ALTER TABLE triggered_remark ADD FOREIGN KEY (account) REFERENCES triggered_account (id)"


ON_SQLITE = (
    *LOGS,
    *VIEWS,
    "CREATE VIEW triggered_thing AS SELECT code, size FROM triggered_stock",
    (
        "CREATE TRIGGER write_thing INSTEAD OF INSERT ON triggered_thing BEGIN"
        " SELECT raise(ABORT, 'too large') WHERE new.size > 9;"
        " INSERT INTO triggered_stock VALUES (new.code, new.size); END"
    ),
    (
        "CREATE TRIGGER write_numbered INSTEAD OF INSERT ON triggered_numbered BEGIN"
        " INSERT INTO triggered_row (size) VALUES (new.size); END"
    ),
    "DROP TABLE triggered_remark",
    (
        "CREATE TABLE triggered_remark (id INTEGER PRIMARY KEY,"
        " account INTEGER REFERENCES triggered_account (id))"
    ),
    *(
        f"CREATE TRIGGER refuse_{verb} BEFORE {verb} ON triggered_account BEGIN"
        " SELECT raise(ABORT, 'not below zero') WHERE new.balance < 0;"
        " SELECT raise(FAIL, 'failed') WHERE new.balance = 11;"
        " SELECT raise(ROLLBACK, 'rolled back') WHERE new.balance = 12;"
        " SELECT raise(IGNORE) WHERE new.balance = 16;"
        " INSERT INTO triggered_log SELECT 2 WHERE new.balance = 31 AND new.seen = 0;"
        " INSERT INTO triggered_log SELECT 1 WHERE new.balance = 32;"
        " INSERT INTO triggered_log SELECT NULL WHERE new.balance = 33; END"
        for verb in ("INSERT", "UPDATE")
    ),
    *(
        f"CREATE TRIGGER change_{verb} AFTER {verb} ON triggered_account WHEN new.seen = 0 BEGIN"
        " UPDATE triggered_account SET note = upper(note), seen = seen + 1 WHERE id = new.id;"
        " SELECT raise(FAIL, 'failed afterwards') WHERE new.balance = 21; END"
        for verb in ("INSERT", "UPDATE")
    ),
    (
        "CREATE TRIGGER keep BEFORE DELETE ON triggered_account BEGIN"
        " SELECT raise(ABORT, 'never deleted') WHERE old.balance = 99;"
        " SELECT raise(IGNORE) WHERE old.balance = 98; END"
    ),
)

ON_POSTGRES = (
    *LOGS,
    *VIEWS,
    WITH_CHECK,
    "CREATE SEQUENCE triggered_ids",
    """CREATE FUNCTION write_numbered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO triggered_row VALUES (nextval('triggered_ids'), new.size); RETURN new; END $$""",
    (
        "CREATE TRIGGER write_numbered INSTEAD OF INSERT ON triggered_numbered"
        " FOR EACH ROW EXECUTE FUNCTION write_numbered()"
    ),
    REFERENCE,
    """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF new.balance < 0 THEN RAISE EXCEPTION 'not below zero'; END IF;
    IF new.balance = 11 THEN RAISE EXCEPTION 'a state of our own' USING ERRCODE = 'UX001'; END IF;
    IF new.balance = 12 THEN RAISE EXCEPTION 'as other databases do' USING ERRCODE = '45000'; END IF;
    IF new.balance = 14 THEN ASSERT false, 'a secret of the developers'; END IF;
    IF new.balance = 15 THEN RAISE EXCEPTION 'taken by somebody' USING ERRCODE = 'unique_violation'; END IF;
    IF new.balance = 16 THEN RETURN NULL; END IF;
    IF new.balance = 17 THEN RAISE EXCEPTION 'out of range' USING ERRCODE = '22003'; END IF;
    IF new.balance = 18 THEN RAISE EXCEPTION 'not for you' USING ERRCODE = '42501'; END IF;
    IF new.balance = 31 AND new.seen = 0 THEN INSERT INTO triggered_log VALUES (2); END IF;
    IF new.balance = 32 THEN INSERT INTO triggered_log VALUES (1); END IF;
    IF new.balance = 33 THEN INSERT INTO triggered_log VALUES (NULL); END IF;
    RETURN new; END $$""",
    (
        "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON triggered_account"
        " FOR EACH ROW EXECUTE FUNCTION refuse()"
    ),
    """CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF new.seen = 0 THEN
    UPDATE triggered_account SET note = upper(note), seen = seen + 1 WHERE id = new.id; END IF;
    RETURN NULL; END $$""",
    "CREATE TRIGGER change AFTER INSERT OR UPDATE ON triggered_account FOR EACH ROW EXECUTE FUNCTION change()",
    """CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF old.balance = 99 THEN RAISE EXCEPTION 'never deleted'; END IF;
    IF old.balance = 98 THEN RETURN NULL; END IF;
    RETURN old; END $$""",
    "CREATE TRIGGER keep BEFORE DELETE ON triggered_account FOR EACH ROW EXECUTE FUNCTION keep()",
)

_CHANGE_ON_MARIADB = """
    IF new.balance < 0 THEN SIGNAL SQLSTATE '45000' SET message_text = 'not below zero'; END IF;
    IF new.balance = 11 THEN SIGNAL SQLSTATE '45001' SET message_text = 'a state of our own'; END IF;
    IF new.balance = 12 THEN
    SIGNAL SQLSTATE '45000' SET message_text = 'a number of our own', mysql_errno = 31000; END IF;
    IF new.balance = 31 AND new.seen = 0 THEN INSERT INTO triggered_log VALUES (2); END IF;
    IF new.balance = 32 THEN INSERT INTO triggered_log VALUES (1); END IF;
    IF new.balance = 33 THEN INSERT INTO triggered_log VALUES (NULL); END IF;
    SET new.note = upper(new.note), new.seen = new.seen + 1;
"""

ON_MARIADB = (
    *LOGS,
    *VIEWS,
    WITH_CHECK,
    REFERENCE,
    f"CREATE TRIGGER change_insert BEFORE INSERT ON triggered_account FOR EACH ROW BEGIN {_CHANGE_ON_MARIADB} END",
    f"CREATE TRIGGER change_update BEFORE UPDATE ON triggered_account FOR EACH ROW BEGIN {_CHANGE_ON_MARIADB} END",
    (
        "CREATE TRIGGER keep BEFORE DELETE ON triggered_account FOR EACH ROW BEGIN"
        " IF old.balance = 99 THEN SIGNAL SQLSTATE '45000' SET message_text = 'never deleted'; END IF; END"
    ),
)

TRIGGERS = {"sqlite": ON_SQLITE, "postgres": ON_POSTGRES, "mariadb": ON_MARIADB}
