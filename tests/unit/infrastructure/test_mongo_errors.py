"""What errors of the driver of MongoDB mean to callers."""

import pytest
from pymongo.errors import ConfigurationError

from fastapi_easy.domain.errors import Unavailable
from fastapi_easy.infrastructure.persistence.mongo.errors import is_unreachable, translate
from fastapi_easy.testing import resource_from
from fastapi_easy.testing.conformance import NOTES

NOTES_IN_MONGO = resource_from(NOTES, "notes", dict)


def test_a_member_that_has_just_been_started_does_not_answer() -> None:
    error = ConfigurationError("Sessions are not supported by this MongoDB deployment")

    assert is_unreachable(error)
    assert translate(error, "default", NOTES_IN_MONGO) == Unavailable("default")


def test_other_mistakes_of_a_configuration_are_defects() -> None:
    error = ConfigurationError("no such option")

    with pytest.raises(ConfigurationError):
        _ = translate(error, "default", NOTES_IN_MONGO)
