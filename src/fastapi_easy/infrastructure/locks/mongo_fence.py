"""The fence of a MongoDB database: the newest token that has written there, by name."""

from typing import Final

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unavailable, Unsupported
from fastapi_easy.domain.locks.lease import LockCapability
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import Session
from fastapi_easy.infrastructure.persistence.mongo.driver.transaction import Transaction
from fastapi_easy.infrastructure.persistence.mongo.errors import (
    DATABASE_ERRORS,
    CommitOutcomeUnknown,
    PoolExhausted,
    TransactionLost,
    is_unreachable,
)
from fastapi_easy.infrastructure.unit_of_work import TransactionalUnitOfWork

_FENCE_COLLECTION: Final = "fe_fence"


async def stamp(
    work: TransactionalUnitOfWork[MongoDatabase, Transaction], name: str, token: int
) -> Outcome[bool]:
    """Stamp *name* with *token* in the transaction of *work*; return whether no larger one is there.

    Fails with:
        Unsupported: The server stands alone, and has no transactions.
    """

    async def write_token(session: Session) -> bool:
        fences = work.database.client.collection(_FENCE_COLLECTION)
        newer = {"_id": name, "token": {"$gt": token}}
        if await fences.find_one(newer, session=session) is not None:
            return False
        # `stamps` changes even when the token does not, so that two holders who stamp at once are in conflict, and one
        # of them is replayed and sees the token of the other.
        change = {"$set": {"token": token}, "$inc": {"stamps": 1}}
        _ = await fences.update_one({"_id": name}, change, upsert=True, session=session)
        return True

    try:
        if not await work.transaction.is_transactional():
            return Failure(Unsupported(name, LockCapability.FENCING))
        return Success(bool(await work.transaction.write(write_token)))
    except DATABASE_ERRORS as error:
        if isinstance(error, PoolExhausted | TransactionLost | CommitOutcomeUnknown) or is_unreachable(error):
            return Failure(Unavailable(work.database.name))
        raise
