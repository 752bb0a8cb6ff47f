"""The real thing: compared, judged and applied by many at once, undone, and applied again."""

import asyncio

from fastapi_easy.domain.migrations.run import RunState
from fastapi_easy.testing.conformance.store import value_of
from tests.conformance.relational_schemas import empty
from tests.faults.migrations.applying import ALL, HINTS, migrations_at


async def prepare(place):
    await empty(place.url)
    migrations, _ = migrations_at(place.url, 1)
    value_of(await migrations.apply(approvals=ALL))
    await place.ask("INSERT INTO books (id, title, old) VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)")


async def test_of_many_who_apply_at_once_one_does(place):
    await prepare(place)

    async def apply():
        migrations, _ = migrations_at(place.url, 2)
        return value_of(await migrations.apply(approvals=ALL, hints=HINTS, wait=120))

    runs = await asyncio.gather(*(apply() for _ in range(4)))

    _, store = migrations_at(place.url, 2)
    history = value_of(await store.history())
    newest = {each.id for each in runs if each.id}
    assert len({each.plan_id for each in history.runs}) == len(history.runs)
    assert all(each.state is RunState.APPLIED for each in history.runs)
    assert newest <= {each.id for each in history.runs}
    assert [[step.attempts for step in run.steps] for run in history.runs] == [
        [1] * len(run.steps) for run in history.runs
    ]


async def test_what_was_applied_can_be_rolled_back_and_applied_again(place):
    await prepare(place)
    migrations, store = migrations_at(place.url, 2)
    value_of(await migrations.apply(approvals=ALL, hints=HINTS))
    after = value_of(await store.describe()).fingerprint

    undone = value_of(await migrations.rollback(approvals=ALL))
    older, _ = migrations_at(place.url, 1)
    left = value_of(await older.plan()).steps
    value_of(await migrations.apply(approvals=ALL, hints=HINTS))

    assert undone.state is RunState.ROLLED_BACK
    assert left == ()
    assert value_of(await store.describe()).fingerprint == after
