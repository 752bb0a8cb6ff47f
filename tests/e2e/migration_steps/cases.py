"""One way from one schema to another, executed, probed and taken back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, MetaData, text

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.step import Effect, Reversibility, Step
from fastapi_easy.infrastructure.migrations.relational.compiling.steps import compile_steps
from fastapi_easy.infrastructure.migrations.relational.operations import Detected
from fastapi_easy.infrastructure.migrations.relational.probing.effect import find_effect
from fastapi_easy.infrastructure.relational.server import detect_server
from tests.e2e.migration_steps.detecting import detect
from tests.e2e.migration_steps.executing import execute
from tests.e2e.migration_steps.picture import picture_of, rows_of

Declare = Callable[[MetaData], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A way from one schema to another.

    Attributes:
        before, after: What declares the two.

        rows: Statements that fill the first.

        by_hand: What Alembic does not see, or sees wrongly; added to what it sees.

        instead: Leave what Alembic sees aside.

        hints: What a person would say.

        exact: Whether the way back leads to the picture before, as far as rows go that are no more.

        setup: Statements before the tables are created.

        holds: A question whose answer is yes afterwards.
    """

    before: Declare
    after: Declare
    rows: Sequence[str] = ()
    by_hand: Callable[[], Sequence[Detected]] = tuple
    instead: bool = False
    schemas: bool = False
    hints: Hints = field(default_factory=Hints)
    exact: bool = True
    setup: Sequence[str] = ()
    holds: str | None = None


def declared(declare: Declare) -> MetaData:
    metadata = MetaData()
    declare(metadata)
    return metadata


def steps_of(connection: Connection, case: Case) -> list[Step]:
    found = [] if case.instead else detect(connection, declared(case.after), schemas=case.schemas)
    return compile_steps([*found, *case.by_hand()], detect_server(connection), case.hints, connection)


def effects(engine: Engine, steps: Sequence[Step]) -> list[Effect]:
    with engine.connect() as connection:
        return [find_effect(connection, each.probe) for each in steps]


def migrate(engine: Engine, steps: Sequence[Step]) -> None:
    """Execute *steps*, looking for the effect of each before and after."""
    for each in steps:
        if each.probe.kind != "none":
            assert effects(engine, [each]) == [Effect.NOT_APPLIED], each
        execute(engine, each)
        if each.probe.kind != "none":
            assert effects(engine, [each]) == [Effect.APPLIED], each


def take_back(engine: Engine, steps: Sequence[Step]) -> None:
    for each in reversed(steps):
        assert each.reversibility is not Reversibility.NONE, each
        if not each.reverse:
            continue
        execute(engine, each, reverse=True)
        if each.probe.kind != "none":
            (effect,) = effects(engine, [each])
            assert effect in {Effect.NOT_APPLIED, Effect.PARTIAL}, each


def same(found: dict[str, list[str]], wanted: dict[str, list[str]]) -> None:
    """Compare two pictures, and show only what differs."""
    more = {name: sorted(set(lines) - set(wanted.get(name, ()))) for name, lines in found.items()}
    less = {name: sorted(set(lines) - set(found.get(name, ()))) for name, lines in wanted.items()}
    assert found == wanted, f"more: {more}, less: {less}"


def check(engine: Engine, case: Case, recreate: Callable[[], None]) -> list[Step]:
    """Go there and back, and return the steps."""
    recreate()
    with engine.begin() as connection:
        for each in case.setup:
            connection.execute(text(each))
        declared(case.after).create_all(connection)
        wanted = picture_of(connection)
    recreate()
    with engine.begin() as connection:
        for each in case.setup:
            connection.execute(text(each))
        declared(case.before).create_all(connection)
        for each in case.rows:
            connection.execute(text(each))
        before, counted = picture_of(connection), rows_of(connection)
    with engine.connect() as connection:
        steps = steps_of(connection, case)
    assert steps
    early = [
        each for each, effect in zip(steps, effects(engine, steps), strict=True) if effect is Effect.APPLIED
    ]
    assert not early, early
    migrate(engine, steps)
    with engine.connect() as connection:
        same(picture_of(connection), wanted)
        assert case.holds is None or connection.execute(text(case.holds)).scalar()
        kept = {name: rows for name, rows in rows_of(connection).items() if name in counted}
        assert kept == {name: rows for name, rows in counted.items() if name in kept}
    take_back(engine, steps)
    if case.exact:
        with engine.connect() as connection:
            same(picture_of(connection), before)
    return steps
