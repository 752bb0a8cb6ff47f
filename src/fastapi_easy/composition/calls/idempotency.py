"""What makes changes once, and where it keeps its records."""

import datetime
from typing import Any

from fastapi_easy.application.idempotency.idempotency_manager import IdempotencyLimits, IdempotencyManager
from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports import Cipher, Clock, IdempotencyStore, UnitOfWork
from fastapi_easy.settings import Settings

__all__ = ["open_idempotency"]


def open_idempotency(settings: Settings, clock: Clock, cipher: Cipher | None) -> IdempotencyManager:
    """Return what makes changes once, within the limits of *settings*; *cipher* encrypts what is stored, if given."""
    chosen = settings.idempotency
    limits = IdempotencyLimits(
        retention=datetime.timedelta(seconds=chosen.retention),
        wait=chosen.wait,
        max_answer=chosen.max_answer,
    )
    return IdempotencyManager(_StoresByDatabase().find, clock, limits, cipher)


class _StoresByDatabase:
    """The stores of the databases of one application, each made when it is first needed."""

    def __init__(self) -> None:
        self._stores: dict[Any, IdempotencyStore | None] = {}

    def find(self, work: UnitOfWork) -> IdempotencyStore | None:
        """Return the store in the database of *work*; `None` when it keeps no records."""
        # A stand-in of a test may have none.
        database: Any = getattr(work, "database", None)
        if database is None:
            return None
        if database not in self._stores:
            self._stores[database] = _make_store(database)
        return self._stores[database]


def _make_store(database: Any) -> IdempotencyStore | None:
    try:
        make = technology_of(database).idempotency
    except DeclarationError:
        return None
    return None if make is None else make(database)
