"""A copy of a database, made while others write."""

import shutil
import sqlite3
import threading
from contextlib import closing

import pytest

from fastapi_easy.infrastructure.migrations.relational.sqlite import backup
from fastapi_easy.infrastructure.migrations.relational.sqlite.backup import (
    BackupFailed,
    NoSpaceForBackup,
    backup_sqlite,
)


@pytest.fixture(params=["wal", "delete"])
def shop(request, tmp_path):
    path = tmp_path / "data" / "shop one?.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode = {request.param}")
        connection.executescript("CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1), (2), (3);")
    path.chmod(0o640)
    return path


def rows(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT n FROM t ORDER BY n").fetchall()


def test_copies_what_is_committed(shop):
    with closing(sqlite3.connect(shop, isolation_level=None)) as writer:
        writer.execute("INSERT INTO t VALUES (4)")

        copy = backup_sqlite(shop)

    assert rows(copy) == [(1,), (2,), (3,), (4,)]
    assert copy.name.startswith("shop one?.db.2") and copy.name.endswith("Z.bak")
    assert copy.stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in copy.parent.iterdir()) == [shop.name, copy.name]


def test_writes_into_another_folder_and_never_over_a_copy(shop, tmp_path):
    folder = tmp_path / "safe" / "copies"

    copies = [backup_sqlite(shop, folder) for _ in range(3)]

    assert sorted(folder.iterdir()) == sorted(copies) and len(set(copies)) == 3


def test_others_go_on_writing_meanwhile(tmp_path):
    path = tmp_path / "busy.db"
    stop = threading.Event()
    failures = []

    def write():
        with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as writer:
            while not stop.is_set():
                try:
                    writer.execute("BEGIN IMMEDIATE")
                    writer.execute("INSERT INTO t (n) VALUES (1)")
                    writer.execute("INSERT INTO t (n) VALUES (2)")
                    writer.execute("COMMIT")
                except sqlite3.Error as error:
                    failures.append(error)
                    return

    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "PRAGMA journal_mode = wal; CREATE TABLE t (n INTEGER, filler DEFAULT (zeroblob(2000)))"
        )
    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = [backup_sqlite(path) for _ in range(5)]
    finally:
        stop.set()
        writer.join()

    assert failures == []
    for each in copies:
        found = [number for (number,) in rows(each)]
        assert found.count(1) == found.count(2)


def test_says_how_much_space_is_missing(shop, monkeypatch):
    usage = shutil.disk_usage(shop.parent)
    monkeypatch.setattr(backup.shutil, "disk_usage", lambda _: usage._replace(free=100))

    with pytest.raises(NoSpaceForBackup, match="where 100 are free") as caught:
        backup_sqlite(shop)

    assert caught.value.free == 100 and caught.value.needed > shop.stat().st_size
    assert list(shop.parent.iterdir()) == [shop]


def test_leaves_no_copy_of_a_damaged_database(shop):
    with closing(sqlite3.connect(shop, isolation_level=None)) as connection:
        connection.executescript(
            "PRAGMA journal_mode = delete; CREATE TABLE u AS SELECT zeroblob(9000) AS b FROM t"
        )
    content = bytearray(shop.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    shop.write_bytes(content)

    with pytest.raises(BackupFailed, match="could not be copied"):
        backup_sqlite(shop)

    assert list(shop.parent.iterdir()) == [shop]


@pytest.mark.parametrize("name", ["absent.db", ""])
def test_says_that_there_is_no_database(tmp_path, name):
    with pytest.raises(BackupFailed, match="no database"):
        backup_sqlite(tmp_path / name)

    assert list(tmp_path.iterdir()) == []


def test_gives_up_where_somebody_holds_the_database(shop, monkeypatch):
    monkeypatch.setattr(backup, "_WAIT", 0.05)
    with closing(sqlite3.connect(shop, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("PRAGMA journal_mode = DELETE")
        holder.execute("BEGIN EXCLUSIVE")

        with pytest.raises(BackupFailed, match="locked"):
            backup_sqlite(shop)

    assert [each for each in shop.parent.iterdir() if "bak" in each.name] == []
