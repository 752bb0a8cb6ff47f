"""The caller of a kernel: whose calls they are, and how they are made."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fastapi_easy.application.context import NOBODY, Context, DryRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Makes the context of each call.

    Attributes:
        base_context: The parts of the context that are the same in every call.

        timeout: Seconds that each call may take; `None` for as many as the settings say.

        is_dry_run: Every call is rolled back; its events are dropped.

        clock: The clock of `Context.deadline`, in seconds.
    """

    base_context: Context = NOBODY
    timeout: float | None = None
    is_dry_run: bool = False
    clock: Callable[[], float] = time.monotonic

    def context(self) -> Context:
        """Return the context of a call that begins now."""
        changes: dict[str, Any] = {}
        if self.timeout is not None:
            changes["deadline"] = self.clock() + self.timeout
        if self.is_dry_run:
            # A new one for each call: one for all would collect events for as long as the caller lives.
            changes["dry_run"] = DryRun()
        return replace(self.base_context, **changes) if changes else self.base_context
