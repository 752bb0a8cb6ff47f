"""The schema store in memory keeps what every schema store promises."""

import pytest

from fastapi_easy.domain.migrations.step import Probe, Reversibility, Step, StepMode
from fastapi_easy.testing.conformance import SchemaStoreConformance, SchemaStoreFactory
from fastapi_easy.testing.migrations import InMemorySchema, InMemorySchemaStore


def step(name, mode, *, statements=None):
    return Step(
        changes=(),
        summary=f"create {name} table",
        statements=statements or (f"create {name} table",),
        reverse=(f"drop {name}",),
        reversibility=Reversibility.FULL,
        mode=mode,
        reverse_mode=mode,
        probe=Probe(kind="object", wanted={"name": name, "definition": "table"}),
    )


class TestInMemory(SchemaStoreConformance):
    @pytest.fixture
    def schemas(self):
        schema = InMemorySchema()

        async def names():
            return frozenset(schema.objects)

        return SchemaStoreFactory(
            open=lambda: InMemorySchemaStore({}, schema),
            step=step,
            broken_step=lambda name, mode: step(name, mode, statements=(f"create {name} table", "nonsense")),
            names=names,
            modes=frozenset(StepMode) - {StepMode.BATCHES},
            column="memory",
        )
