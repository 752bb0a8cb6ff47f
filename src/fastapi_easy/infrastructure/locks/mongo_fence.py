"""The fence of a MongoDB database: the newest token that has written there, for each name."""

from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unavailable, Unsupported
from fastapi_easy.domain.locks.lease import LockCapability
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.errors import (
    REFUSALS,
    CommitLost,
    PoolExhausted,
    TransactionLost,
    is_silence,
)
from fastapi_easy.infrastructure.unit_of_work import TransactionalUnitOfWork

_FENCES: Final = "fe_fence"


async def stamp(work: TransactionalUnitOfWork[MongoDatabase, Any], name: str, token: int) -> Outcome[bool]:
    """Stamp *name* with *token* in the transaction of *work*; whether no larger one is there.

    Fails with:
        Unsupported: The server stands alone, and has no transactions.
    """

    async def put(session: Any) -> bool:
        fences = work.database.client.collection(_FENCES)
        newer = {"_id": name, "token": {"$gt": token}}
        if await fences.find_one(newer, session=session) is not None:
            return False
        # Also when it is the same: whoever stamps meanwhile is in the way, and begins anew.
        change = {"$set": {"token": token}, "$inc": {"stamps": 1}}
        _ = await fences.update_one({"_id": name}, change, upsert=True, session=session)
        return True

    try:
        if not await work.transaction.is_real():
            return Failure(Unsupported(name, LockCapability.FENCING))
        return Success(bool(await work.transaction.write(put)))
    except REFUSALS as error:
        if isinstance(error, PoolExhausted | TransactionLost | CommitLost) or is_silence(error):
            return Failure(Unavailable(work.database.name))
        raise
