"""What errors of the driver of MongoDB mean to callers, which no server of the tests gives by itself."""

import pytest
from pymongo.errors import BulkWriteError, ConfigurationError, OperationFailure

from fastapi_easy.domain.errors import Unavailable
from fastapi_easy.domain.unavailable import StorageFull, UnavailableReason
from fastapi_easy.infrastructure.persistence.mongo.errors import (
    as_unavailable,
    has_answered,
    is_unreachable,
    translate,
)
from fastapi_easy.testing import resource_from
from fastapi_easy.testing.conformance import NOTES

FULL = "available disk space of 512 bytes is less than required minimum"
NOTES_IN_MONGO = resource_from(NOTES, "notes", dict)


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


def test_a_member_that_has_just_been_started_does_not_answer() -> None:
    error = ConfigurationError("Sessions are not supported by this MongoDB deployment")

    assert is_unreachable(error)
    assert translate(error, "default", NOTES_IN_MONGO) == Unavailable("default")


def test_other_mistakes_of_a_configuration_are_defects() -> None:
    error = ConfigurationError("no such option")

    with pytest.raises(ConfigurationError):
        _ = translate(error, "default", NOTES_IN_MONGO)
