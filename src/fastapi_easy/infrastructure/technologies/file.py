"""Lock files, for the processes of one machine."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports import Clock, LeaseStore
from fastapi_easy.domain.ports.technology import Technology

__all__ = ["TECHNOLOGY"]


def _is_embedded(_url: str) -> bool:
    return True


def _leases_at(url: str, _clock: Clock) -> LeaseStore:
    try:
        from fastapi_easy.infrastructure.locks.file import FileLeaseStore
    except ModuleNotFoundError as error:
        raise DeclarationError(
            [
                (
                    f"locks.url: locks in files need a POSIX system ({error.name} is missing): "
                    "use sqlite:///locks.sqlite3, redis://host, or memory:// for a single process"
                )
            ]
        ) from error
    return FileLeaseStore(Path(unquote(urlsplit(url).path)))


TECHNOLOGY = Technology(name="files", schemes=("file",), is_embedded=_is_embedded, leases_at_url=_leases_at)
