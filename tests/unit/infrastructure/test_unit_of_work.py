"""What a unit of work says about resources it cannot change."""

import pytest

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase, MemoryRepository, MemoryUnitOfWork
from fastapi_easy.testing import RecordingEventBus, resource_from
from fastapi_easy.testing.conformance import NOTES


def work_on_default(*resources):
    database = MemoryDatabase()
    return MemoryUnitOfWork(
        database,
        {each.name: each for each in resources},
        {each.name: lambda each=each: MemoryRepository(each, database) for each in resources},
        RecordingEventBus(),
    )


def test_a_resource_of_another_database_is_refused_with_where_it_lives():
    visits = resource_from(NOTES, "visits", dict, database="traffic")

    with pytest.raises(DeclarationError) as refused:
        work_on_default(visits).repository("visits")

    assert refused.value.mistakes == (
        "'visits' lives in database 'traffic', this unit of work in 'default'; use one for each",
    )


def test_a_resource_that_nobody_declared_is_refused_with_what_to_do():
    with pytest.raises(DeclarationError) as refused:
        work_on_default(resource_from(NOTES, "notes", dict)).repository("visits")

    assert refused.value.mistakes == (
        "'visits' is no resource of this application; declare it in the container",
    )
