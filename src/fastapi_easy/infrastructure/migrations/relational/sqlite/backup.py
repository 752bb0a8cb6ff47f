"""Copies a database file before its tables are built anew."""

import datetime
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

_WAIT: Final = 30.0
_ROOM: Final = 1 << 20
"""Bytes that have to stay free beside the copy."""


class BackupFailed(Exception):
    """Raised when a database could not be copied; the message says why."""


class NoSpaceForBackup(BackupFailed):
    """Raised when there is not enough free space for a copy.

    Attributes:
        needed, free: Bytes.
    """

    def __init__(self, folder: Path, needed: int, free: int) -> None:
        self.needed = needed
        self.free = free
        super().__init__(
            f"a backup needs {needed:,} bytes in {folder}, where {free:,} are free. Make room, or name another folder"
        )


def backup_sqlite(path: Path, folder: Path | None = None) -> Path:
    """Copy the database *path* while others may go on writing, and return where the copy is.

    The copy is what the database was at one moment. It can be read by whom the database can, and has been checked.

    Args:
        path: The file of the database.

        folder: Where the copy goes; beside the database by default. It is created if it does not exist.

    Raises:
        NoSpaceForBackup: There is not enough free space; nothing was written.

        BackupFailed: It could not be copied, or the copy is not sound; nothing is left behind.
    """
    target_folder = path.parent if folder is None else folder
    if not path.is_file():
        raise BackupFailed(f"there is no database {path}")
    target_folder.mkdir(parents=True, exist_ok=True)
    with closing(_open(path)) as source:
        _check_space(source, path, target_folder)
        target = _create(path, target_folder)
        try:
            _copy(source, target)
        except BaseException as error:
            for each in (target, *_side_files(target)):
                each.unlink(missing_ok=True)
            if isinstance(error, sqlite3.Error | OSError):
                raise BackupFailed(f"{path} could not be copied: {error}") from error
            raise
    shutil.copymode(path, target)
    return target


def _open(path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_WAIT, isolation_level=None
        )
    except sqlite3.Error as error:
        raise BackupFailed(f"{path} cannot be opened: {error}") from error


def _check_space(source: sqlite3.Connection, path: Path, folder: Path) -> None:
    try:
        pages = source.execute("PRAGMA page_count").fetchone()[0]
        size = source.execute("PRAGMA page_size").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupFailed(f"{path} cannot be read: {error}") from error
    needed = pages * size + _ROOM
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NoSpaceForBackup(folder, needed, free)


def _create(path: Path, folder: Path) -> Path:
    """Create an empty file that nobody else has, readable by nobody else."""
    while True:
        moment = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        target = folder / f"{path.name}.{moment}.bak"
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            continue
        except OSError as error:
            raise BackupFailed(f"{target} cannot be written: {error}") from error
        return target


def _copy(source: sqlite3.Connection, target: Path) -> None:
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        # In one step: a copy in several is begun anew whenever somebody writes.
        source.backup(copy, progress=_give_up_when_busy)
        # The copy stands alone, without the files that a write-ahead log needs beside it.
        _ = copy.execute("PRAGMA journal_mode = DELETE")
        found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(f"the copy is damaged, and so may the database be: {found}")


def _give_up_when_busy(status: int, _remaining: int, _total: int) -> None:
    """Raise when the database stayed locked for as long as was waited: Python would try for ever."""
    if status & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        raise sqlite3.OperationalError("the database is locked")


def _side_files(target: Path) -> list[Path]:
    return [target.with_name(target.name + end) for end in ("-journal", "-wal", "-shm")]
