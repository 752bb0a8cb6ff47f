"""What errors of a MongoDB server mean that no server of the tests gives by itself."""

from pymongo.errors import BulkWriteError, OperationFailure

from fastapi_easy.domain.unavailable import StorageFull, UnavailableReason
from fastapi_easy.infrastructure.persistence.mongo.errors import as_unavailable, has_answered, is_unreachable

FULL = "available disk space of 512 bytes is less than required minimum"


def test_a_full_disk_is_told_from_a_server_that_does_not_answer() -> None:
    details = {"code": 14031, "errmsg": FULL}
    for error in (
        OperationFailure(FULL, 14031, details),
        BulkWriteError({"writeErrors": [details], "nInserted": 0}),
    ):
        told = as_unavailable(error, "default")

        assert is_unreachable(error)
        assert has_answered(error)
        assert told == StorageFull("default")
        assert (told.reason, told.detail) == (UnavailableReason.STORAGE_FULL, FULL)
