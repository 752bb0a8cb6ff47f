"""The hooks of migrations: registered by decorators, called in the order in which they were registered."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi_easy.application.migrations.hooks.contexts import (
    Moment,
    PlanContext,
    PlanHook,
    RunContext,
    RunHook,
    StepContext,
    StepHook,
)
from fastapi_easy.domain.migrations.change import Change, ChangeKind

_Hook = TypeVar("_Hook", bound=Callable[..., Awaitable[None]])
_Context = PlanContext | RunContext | StepContext


@dataclass(frozen=True, slots=True, kw_only=True)
class _Registered:
    moment: Moment
    call: Callable[[Any], Awaitable[None]]
    kind: ChangeKind | None
    table: str | None
    timeout: float

    def concerns(self, changes: Iterable[Change]) -> bool:
        if self.kind is None and self.table is None:
            return True
        return any(
            (self.kind is None or each.kind is self.kind) and (self.table is None or each.table == self.table)
            for each in changes
        )

    @property
    def name(self) -> str:
        called = getattr(self.call, "__qualname__", None) or type(self.call).__qualname__
        return f"{self.moment} hook {called}"


class MigrationHooks:
    """Calls code of users before and after what migrations do.

    ```python
    hooks = MigrationHooks()

    @hooks.before_step(kind=ChangeKind.DROP_COLUMN, table="books")
    async def ask_the_owner(context: StepContext) -> None: ...
    ```

    A hook `before_…` that raises, or takes too long, refuses: the step, run, plan or rollback does not happen. One
    that is called afterwards cannot undo anything; that it failed is reported. With a *kind* or a *table* a hook is
    called only for changes of that kind and that table, as `Change.table` spells it; those of whole runs and plans when
    any of their changes is one.
    """

    def __init__(self, *, timeout: float = 30.0) -> None:
        """Begin without hooks.

        Args:
            timeout: Seconds that a hook may take that names no time of its own.
        """
        self._timeout = timeout
        self._hooks: list[_Registered] = []

    def before_plan(self, *, timeout: float | None = None) -> Callable[[PlanHook], PlanHook]:
        """Call the decorated function before a plan is made; it may refuse that."""
        return self._register(Moment.BEFORE_PLAN, None, None, timeout)

    def after_plan(
        self, *, kind: ChangeKind | None = None, table: str | None = None, timeout: float | None = None
    ) -> Callable[[PlanHook], PlanHook]:
        """Call the decorated function after a plan was made."""
        return self._register(Moment.AFTER_PLAN, kind, table, timeout)

    def before_run(
        self, *, kind: ChangeKind | None = None, table: str | None = None, timeout: float | None = None
    ) -> Callable[[RunHook], RunHook]:
        """Call the decorated function before a run begins, or goes on; it may refuse that."""
        return self._register(Moment.BEFORE_RUN, kind, table, timeout)

    def before_step(
        self, *, kind: ChangeKind | None = None, table: str | None = None, timeout: float | None = None
    ) -> Callable[[StepHook], StepHook]:
        """Call the decorated function before a step is carried out; it may refuse that, and so end the run there."""
        return self._register(Moment.BEFORE_STEP, kind, table, timeout)

    def after_step(
        self, *, kind: ChangeKind | None = None, table: str | None = None, timeout: float | None = None
    ) -> Callable[[StepHook], StepHook]:
        """Call the decorated function after a step took effect."""
        return self._register(Moment.AFTER_STEP, kind, table, timeout)

    def on_step_error(
        self, *, kind: ChangeKind | None = None, table: str | None = None, timeout: float | None = None
    ) -> Callable[[StepHook], StepHook]:
        """Call the decorated function after a step, or what undoes it, has failed."""
        return self._register(Moment.ON_STEP_ERROR, kind, table, timeout)

    def after_run(
        self, *, kind: ChangeKind | None = None, table: str | None = None, timeout: float | None = None
    ) -> Callable[[RunHook], RunHook]:
        """Call the decorated function after every step of a run took effect."""
        return self._register(Moment.AFTER_RUN, kind, table, timeout)

    def on_blocked(
        self, *, kind: ChangeKind | None = None, table: str | None = None, timeout: float | None = None
    ) -> Callable[[RunHook], RunHook]:
        """Call the decorated function after a run was blocked, since nobody can tell what a step has done."""
        return self._register(Moment.ON_BLOCKED, kind, table, timeout)

    def before_rollback(
        self, *, kind: ChangeKind | None = None, table: str | None = None, timeout: float | None = None
    ) -> Callable[[RunHook], RunHook]:
        """Call the decorated function before a run is undone; it may refuse that."""
        return self._register(Moment.BEFORE_ROLLBACK, kind, table, timeout)

    def after_rollback(
        self, *, kind: ChangeKind | None = None, table: str | None = None, timeout: float | None = None
    ) -> Callable[[RunHook], RunHook]:
        """Call the decorated function after a run was undone."""
        return self._register(Moment.AFTER_ROLLBACK, kind, table, timeout)

    async def ask(self, moment: Moment, context: _Context, changes: Iterable[Change] = ()) -> str:
        """Call the hooks of *moment* until one refuses; return why, or an empty text."""
        for each in self._of(moment, changes):
            refused = await _call(each, context)
            if refused:
                return refused
        return ""

    async def tell(
        self, moment: Moment, context: _Context, changes: Iterable[Change] = ()
    ) -> tuple[str, ...]:
        """Call every hook of *moment*; return what went wrong in them, each a sentence."""
        failed = [await _call(each, context) for each in self._of(moment, changes)]
        return tuple(each for each in failed if each)

    def _register(
        self, moment: Moment, kind: ChangeKind | None, table: str | None, timeout: float | None
    ) -> Callable[[_Hook], _Hook]:
        # A misspelt kind would never match, and its hook never refuse.
        checked = None if kind is None else ChangeKind(kind)

        def decorate(hook: _Hook) -> _Hook:
            self._hooks.append(
                _Registered(
                    moment=moment,
                    call=hook,
                    kind=checked,
                    table=table,
                    timeout=self._timeout if timeout is None else timeout,
                )
            )
            return hook

        return decorate

    def _of(self, moment: Moment, changes: Iterable[Change]) -> Iterator[_Registered]:
        # Copies, since a hook may register further ones, and several hooks look through the changes.
        concerned = tuple(changes)
        return (each for each in tuple(self._hooks) if each.moment is moment and each.concerns(concerned))


async def _call(hook: _Registered, context: _Context) -> str:
    limit = asyncio.timeout(hook.timeout)
    try:
        async with limit:
            await hook.call(context)
    except TimeoutError as error:
        if limit.expired():
            return f"{hook.name} took longer than {hook.timeout:g} s"
        return _failure(hook, error)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        return _failure(hook, error)
    return ""


def _failure(hook: _Registered, error: Exception) -> str:
    said = str(error)
    return f"{hook.name} failed: {type(error).__name__}{f': {said}' if said else ''}"
