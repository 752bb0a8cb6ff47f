"""The fence of a database in memory: the newest token that has written there, by name."""

from typing import Any, Final
from weakref import WeakKeyDictionary

from returns.result import Success

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.unit_of_work import TransactionalUnitOfWork

_tokens: Final[WeakKeyDictionary[MemoryDatabase, dict[str, int]]] = WeakKeyDictionary()


async def stamp(work: TransactionalUnitOfWork[MemoryDatabase, Any], name: str, token: int) -> Outcome[bool]:
    """Stamp *name* with *token*; return whether no larger one is there. Nothing else runs before the commit."""
    tokens = _tokens.setdefault(work.database, {})
    if tokens.get(name, 0) > token:
        return Success(False)
    tokens[name] = token
    return Success(True)
