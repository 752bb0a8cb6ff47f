"""For whom a kernel is called, and how."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fastapi_easy.application.context import NOBODY, Context, DryRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Makes the context of each call.

    Attributes:
        base_context: What is the same in every call.

        timeout: Seconds that each call may take; `None` for as many as the settings say.

        is_dry_run: No call makes anything durable, and nobody asks for its events.

        clock: The one of `Context.deadline`.
    """

    base_context: Context = NOBODY
    timeout: float | None = None
    is_dry_run: bool = False
    clock: Callable[[], float] = time.monotonic

    def context(self) -> Context:
        """Make the context of a call that begins now."""
        changes: dict[str, Any] = {}
        if self.timeout is not None:
            changes["deadline"] = self.clock() + self.timeout
        if self.is_dry_run:
            # Not the same in every call: the events of all would be kept for as long as the caller is.
            changes["dry_run"] = DryRun()
        return replace(self.base_context, **changes) if changes else self.base_context
