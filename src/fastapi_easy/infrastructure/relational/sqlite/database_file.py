"""Whether the file of an SQLite database can be what it is named for, found out without opening it."""

import os
from pathlib import Path
from typing import Final

from sqlalchemy import URL

_MAGIC: Final = b"SQLite format 3\0"


def find_file_mistake(url: URL) -> str | None:
    """Return why the file that *url* names cannot be used, with the mend; `None` when nothing speaks against it.

    A file that may only be read is used for reading.
    """
    named = url.database or ""
    if not named or named.startswith("file:") or ":memory:" in named:
        return None
    file = Path(named)
    if file.is_dir():
        return f"{file} is a folder: name a file in it, like sqlite:///{file / 'app.sqlite3'}"
    if not file.exists():
        return _find_folder_mistake(file)
    try:
        with file.open("rb") as opened:
            beginning = opened.read(len(_MAGIC))
    except OSError as error:
        return f"{file} cannot be read ({error.strerror}): give this user the right to read it, or name another file"
    if beginning and beginning != _MAGIC:
        return f"{file} is a file, but not a SQLite database: name another one, or move it away"
    return None


def _find_folder_mistake(file: Path) -> str | None:
    """Return why *file* cannot be created."""
    folder = file.parent
    if not folder.exists():
        hint = (
            ""
            if file.is_absolute()
            else "; a relative path begins in the folder in which the program is started"
        )
        return f"the folder {folder} of {file.name} does not exist: create it, or name another one{hint}"
    if not folder.is_dir():
        return f"{folder}, in which {file.name} would be, is a file: name a folder"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{file.name} cannot be created in {folder.resolve()}: give this user the right to write there"
    return None
