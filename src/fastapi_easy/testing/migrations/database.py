"""A database in memory that has a schema and a ledger of migrations, and can crash at each boundary."""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from fastapi_easy.domain.errors import Error
from fastapi_easy.domain.migrations.risk import Measured
from fastapi_easy.domain.migrations.run import History, Run

HALF: Final = "half of "
"""Stands before the definition of an object whose making was cut off."""


class Crashed(BaseException):
    """The process was killed: no handler of errors sees it, and its session is gone."""


class StatementFailed(Exception):
    """A statement was refused, as a server refuses it."""


@dataclass(slots=True, kw_only=True)
class InMemorySchema:
    """What several stores of one database share: the stored schema, its data, the ledger and the lock.

    Objects have names like `books`, a table, and `books.title`, a column. The statements are `create NAME DEFINITION`,
    `change NAME DEFINITION`, `drop NAME`, `clean NAME` and `fill NAME`; a table is gone with everything that is in it,
    and nothing can be created in a table that does not exist.

    Attributes:
        objects: The stored schema: definitions by name.

        rows: How many rows each table has.

        answers: What is known of the data beside that, by question; see `Statistics`.

        unfilled: How many rows of a column `fill` has still to change; one statement changes one.

        refusals: What executing a statement fails with, in this order, before it succeeds.

        kills: Statements during which the process is killed, each once, and whether they take effect all the same.

        unseen: Names of which nobody can see from outside whether they exist.

        executed: Every statement that took effect, in order.

        boundaries: How many boundaries were passed: before and after each write, and in the midst of some.

        crash_at: The number of the boundary at which the process is killed; `None` for none.

        epoch: The last fencing number.

        history: The ledger.

        declared_by_plan: The checksum of the declared schema to which each plan has led.

        holder: Who has the lock; empty for nobody.

        session: The session that has it.

        backups: Copies of the schema, oldest first.

        released: Wakes those who wait for the lock.
    """

    objects: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    answers: dict[str, Measured] = field(default_factory=dict)
    unfilled: dict[str, int] = field(default_factory=dict)
    refusals: dict[str, list[Error]] = field(default_factory=dict)
    kills: dict[str, bool] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)
    executed: list[str] = field(default_factory=list)
    boundaries: int = 0
    crash_at: int | None = None
    epoch: int = 0
    history: History = field(default_factory=History)
    declared_by_plan: dict[str, str] = field(default_factory=dict)
    holder: str = ""
    session: object = None
    backups: list[Mapping[str, str]] = field(default_factory=list)
    released: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 of the stored schema."""
        return hashlib.sha256(json.dumps(sorted(self.objects.items())).encode()).hexdigest()

    @property
    def executions(self) -> Counter[str]:
        """Return how often each statement took effect."""
        return Counter(self.executed)

    async def pass_boundary(self) -> None:
        """Let others run, and be killed if it is time.

        Raises:
            Crashed: It is.
        """
        number = self.boundaries
        self.boundaries += 1
        await asyncio.sleep(0)
        if self.crash_at is not None and number == self.crash_at:
            raise Crashed(f"killed at boundary {number}")

    def execute(self, statement: str) -> int:
        """Execute *statement*; return how many rows it has changed.

        Raises:
            StatementFailed: It cannot be executed; nothing was changed.

            Crashed: The process is killed meanwhile.
        """
        is_killed = statement in self.kills
        if is_killed and not self.kills.pop(statement):
            raise Crashed(f"killed before {statement}")
        verb, _, rest = statement.partition(" ")
        name, _, definition = rest.partition(" ")
        changed = getattr(self, f"_{verb}", self._refuse)(name, definition)
        self.executed.append(statement)
        if is_killed:
            raise Crashed(f"killed after {statement}")
        return int(changed)

    def staged(self) -> "InMemorySchema":
        """Return a copy in which a transaction can execute statements."""
        return InMemorySchema(
            objects=dict(self.objects),
            rows=dict(self.rows),
            unfilled=dict(self.unfilled),
            kills=self.kills,
            executed=list(self.executed),
        )

    def take_over(self, staged: "InMemorySchema") -> None:
        """Commit what was executed in *staged*."""
        self.objects, self.rows = staged.objects, staged.rows
        self.unfilled, self.executed = staged.unfilled, staged.executed

    def drop_lock(self) -> None:
        """Forget who has the lock, as a server does that closes an idle session."""
        self.holder, self.session = "", None

    def leave_half(self, statement: str) -> bool:
        """Do half of what *statement* does, as when its server is killed; return whether it can be halved."""
        verb, _, rest = statement.partition(" ")
        name, _, definition = rest.partition(" ")
        if verb != "create" or name in self.objects:
            return False
        self.objects[name] = HALF + definition
        return True

    def record(self, run: Run) -> None:
        """Keep *run* in the ledger, in the place of what was recorded of it."""
        others = tuple(run if each.id == run.id else each for each in self.history.runs)
        if run not in others:
            others = (run, *others)
        self.history = replace(self.history, exists=True, runs=others)

    def find(self, run_id: str) -> Run:
        """Return what is recorded of the run *run_id*."""
        return next(each for each in self.history.runs if each.id == run_id)

    def set_step(self, run: Run, index: int, *, begins: bool = False, **values: Any) -> None:
        """Record *values* of a step of *run*, and when it *begins* one more attempt."""
        recorded = self.find(run.id)
        step = recorded.steps[index]
        changed = replace(step, attempts=step.attempts + begins, **values)
        self.record(replace(recorded, steps=(*recorded.steps[:index], changed, *recorded.steps[index + 1 :])))

    def _create(self, name: str, definition: str) -> int:
        table, is_part, _ = name.partition(".")
        if name in self.objects:
            raise StatementFailed(f"{name} already exists")
        if is_part and table not in self.objects:
            raise StatementFailed(f"{table} does not exist")
        self.objects[name] = definition
        return 0

    def _change(self, name: str, definition: str) -> int:
        if name not in self.objects:
            raise StatementFailed(f"{name} does not exist")
        self.objects[name] = definition
        return 0

    def _drop(self, name: str, _: str) -> int:
        if name not in self.objects:
            raise StatementFailed(f"{name} does not exist")
        self.objects = {
            each: definition
            for each, definition in self.objects.items()
            if each != name and not each.startswith(f"{name}.")
        }
        return self.rows.pop(name, 0)

    def _clean(self, name: str, _: str) -> int:
        if self.objects.get(name, "").startswith(HALF):
            del self.objects[name]
        return 0

    def _fill(self, name: str, _: str) -> int:
        left = self.unfilled.get(name, 0)
        self.unfilled[name] = max(left - 1, 0)
        return min(left, 1)

    def _refuse(self, name: str, definition: str) -> int:
        raise StatementFailed(f"syntax error near {name} {definition}")
