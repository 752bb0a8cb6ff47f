"""What a script says that does what was detected."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from alembic.operations import MigrateOperation
from alembic.operations.ops import AddColumnOp, AlterColumnOp, DropTableOp, ExecuteSQLOp
from sqlalchemy.engine import Dialect

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.compiling.added_column import plain_column
from fastapi_easy.infrastructure.migrations.relational.operations import CreateEnumOp, Detected
from fastapi_easy.infrastructure.migrations.scripts.writing.operations import OperationWriter, literal
from fastapi_easy.infrastructure.migrations.scripts.writing.types import NotWritable

Block: TypeAlias = list[str]
"""Lines that belong together."""

_AT_ONCE: Final = 2_147_483_647
"""Rows that one statement of a script fills: Alembic executes it once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptBody:
    """What a script says.

    Attributes:
        upgrade, downgrade: The lines of its functions, without indentation.

        imports: Lines.
    """

    upgrade: tuple[str, ...]
    downgrade: tuple[str, ...]
    imports: tuple[str, ...]


def write_body(
    detected: Sequence[Detected],
    steps: Sequence[Step],
    hints: Hints,
    dialect: Dialect,
    compile_alone: Callable[[Sequence[Detected], Hints], Sequence[Step]],
) -> ScriptBody:
    """Return what a script says that does what was detected: Alembic's operations, and SQL where it has none.

    Args:
        detected: The differences.

        steps: What carries them out; the script keeps their order.

        hints: What a person has said; it is in the script.

        dialect: Of the database.

        compile_alone: Returns the steps of some differences, such as a script can have them.
    """
    body = _Body(detected, steps, hints, dialect, compile_alone)
    for group in _groups(detected, steps):
        body.add(group)
    return body.written()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Steps that carry out the same differences, by their places, and these."""

    places: tuple[int, ...]
    detected: tuple[Detected, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """What a script says in one place.

    Attributes:
        place: The step that it stands for.

        forward, back: Blocks of its functions.
    """

    place: int
    forward: list[Block]
    back: list[Block]


class _Body:
    def __init__(
        self,
        detected: Sequence[Detected],
        steps: Sequence[Step],
        hints: Hints,
        dialect: Dialect,
        compile_alone: Callable[[Sequence[Detected], Hints], Sequence[Step]],
    ) -> None:
        self._types = [each for each in detected if isinstance(each.operation, CreateEnumOp)]
        self._steps = steps
        self._hints = hints
        self._dialect = dialect
        self._writer = OperationWriter(dialect)
        self._compile = compile_alone
        self._written: list[_Written] = []

    def add(self, group: _Group) -> None:
        """Add what carries out *group*."""
        drops = any(isinstance(each.operation, DropTableOp) for each in group.detected)
        try:
            written = (
                self._drops(group) if drops else [self._operation(each, group) for each in group.detected]
            )
        except NotWritable:
            written = []
        self._written += written or self._sql(group)

    def written(self) -> ScriptBody:
        """Return everything that was added."""
        in_order = sorted(self._written, key=lambda each: each.place)
        return ScriptBody(
            upgrade=_joined([block for each in in_order for block in each.forward]),
            downgrade=_joined([block for each in reversed(in_order) for block in each.back]),
            imports=tuple(sorted(self._writer.imports)),
        )

    def _drops(self, group: _Group) -> list[_Written]:
        """Return what drops tables; they come back with indexes and triggers, of which Alembic knows nothing."""
        written: list[_Written] = []
        for each in group.detected:
            identity = _identities([each.change])
            places = [at for at in group.places if identity & _identities(self._steps[at].changes)]
            # Any table may be held by a foreign key.
            place = places[-1] if isinstance(each.operation, DropTableOp) and places else -1
            written.append(_Written(place=place, forward=[self._writer.write(each.operation)], back=[]))
        back = [(at, self._back_by_sql([self._steps[at]])) for at in group.places]
        return [*written, *(_Written(place=at, forward=[], back=blocks) for at, blocks in back)]

    def _operation(self, detected: Detected, group: _Group) -> _Written:
        forward = [self._writer.write(each) for each in self._with_values(detected)]
        identity = _identities([detected.change])
        places = [at for at in group.places if identity & _identities(self._steps[at].changes)]
        places = places or list(group.places)
        try:
            back = [self._writer.write(detected.operation.reverse())]
        except (NotWritable, ValueError, NotImplementedError):
            back = self._back_by_sql([self._steps[at] for at in places])
        return _Written(place=places[0], forward=forward, back=back)

    def _with_values(self, detected: Detected) -> Iterator[MigrateOperation]:
        """Yield the operation, with what rows that exist get in a column that must not be null."""
        change, operation = detected.change, detected.operation
        name = change.object
        if name in self._hints.using or change.facts.get("needs_using"):
            raise NotWritable("Alembic does not say how values are converted")
        value = self._hints.fill.get(name)
        if value is None:
            yield operation
        elif isinstance(operation, AddColumnOp) and not operation.column.nullable:
            column = operation.column
            default = column.server_default
            yield AddColumnOp(
                operation.table_name, plain_column(column, nullable=True), schema=operation.schema
            )
            yield self._filling(operation, str(column.name), value)
            yield AlterColumnOp(
                operation.table_name,
                str(column.name),
                schema=operation.schema,
                existing_type=column.type,
                existing_server_default=False if default is None else default,
                modify_nullable=False,
            )
        elif isinstance(operation, AlterColumnOp) and change.kind is ChangeKind.SET_NOT_NULL:
            yield self._filling(operation, str(operation.column_name), value)
            yield operation
        else:
            raise NotWritable("Alembic has no operation that fills it")

    def _filling(self, operation: AddColumnOp | AlterColumnOp, column: str, value: str) -> ExecuteSQLOp:
        prepare = self._dialect.identifier_preparer
        table = prepare.quote(operation.table_name)
        if operation.schema:
            table = f"{prepare.quote(operation.schema)}.{table}"
        quoted = prepare.quote(column)
        return ExecuteSQLOp(f"UPDATE {table} SET {quoted} = {value} WHERE {quoted} IS NULL")  # noqa: S608

    def _sql(self, group: _Group) -> list[_Written]:
        steps: Sequence[Step] = [self._steps[at] for at in group.places]
        if self._dialect.name == "sqlite" or not group.detected:
            return [self._executing(step, at) for step, at in zip(steps, group.places, strict=True)]
        # Plainly, as Alembic does it, with types that are created elsewhere.
        hints = replace(self._hints, online=False, batch_size=_AT_ONCE)
        others = [each for each in self._types if each not in group.detected]
        wanted = _identities([each.change for each in group.detected])
        steps = [
            each
            for each in self._compile([*others, *group.detected], hints)
            if _identities(each.changes) & wanted
        ]
        return [self._executing(each, group.places[0]) for each in steps]

    def _executing(self, step: Step, place: int) -> _Written:
        forward = self._executed(step.statements, step.mode)
        return _Written(place=place, forward=forward, back=self._back_by_sql([step]))

    def _back_by_sql(self, steps: Sequence[Step]) -> list[Block]:
        blocks: list[Block] = []
        for step in reversed(steps):
            if step.reverse:
                blocks += self._executed(step.reverse, step.reverse_mode)
            elif step.reversibility is Reversibility.NONE:
                blocks.append([f"raise NotImplementedError({f'nothing undoes this: {step.summary}'!r})"])
        return blocks

    def _executed(self, statements: Sequence[str], mode: StepMode) -> list[Block]:
        blocks = [[f"op.execute({literal(each)})"] for each in statements]
        if mode is not StepMode.AUTOCOMMIT or self._dialect.name != "postgresql":
            return blocks
        return [["with op.get_context().autocommit_block():", f"    {lines[0]}"] for lines in blocks]


def _joined(blocks: Sequence[Block]) -> tuple[str, ...]:
    """Return the lines of *blocks*; those that begin alike go together: one batch builds a table anew once."""
    lines: list[str] = []
    opened = ""
    for first, *others in blocks:
        if not others or first != opened:
            lines.append(first)
        lines += others
        opened = first if others and first.startswith("with ") else ""
    return tuple(lines)


def _groups(detected: Sequence[Detected], steps: Sequence[Step]) -> Iterator[_Group]:
    """Yield the steps in groups that carry out the same differences, in the order of the first step of each."""
    left = dict(enumerate(steps))
    found: list[tuple[list[int], set[tuple[str, str, str]]]] = []
    while left:
        place = next(iter(left))
        places, changes = [place], _identities(left.pop(place).changes)
        while more := [at for at, each in left.items() if _identities(each.changes) & changes]:
            places += more
            for at in more:
                changes |= _identities(left.pop(at).changes)
        found.append((sorted(places), changes))
    for each in detected:
        # A step may name only one of two differences that it carries out: another index of the same name.
        identity = _identities([each.change])
        if not any(identity & changes for _, changes in found):
            named = (each.change.table, each.change.name)
            same = (changes for _, changes in found if any(one[1:] == named for one in changes))
            next(same, set()).update(identity)
    for places, changes in found:
        yield _Group(
            places=tuple(places),
            detected=tuple(each for each in detected if _identities([each.change]) & changes),
        )


def _identities(changes: Sequence[Change]) -> set[tuple[str, str, str]]:
    return {(each.kind.value, each.table, each.name) for each in changes}
