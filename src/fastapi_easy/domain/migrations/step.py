"""What is executed in one go: statements, how to undo them, and how to see whether they took effect."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.risk import Finding, Risk

ProbeValue: TypeAlias = str | int | bool | tuple[str, ...] | None


class StepMode(enum.StrEnum):
    """How the statements of a step are executed."""

    TRANSACTION = "transaction"
    """All or nothing, together with the record that it is done."""

    AUTOCOMMIT = "autocommit"
    """Each statement commits by itself; the intent is recorded before, and the effect is looked for after a crash."""

    BATCHES = "batches"
    """One statement repeated until it changes no row, each time in a transaction of its own."""

    REBUILD = "rebuild"
    """SQLite: all or nothing, with foreign keys off, which are checked before the commit."""


class Reversibility(enum.StrEnum):
    """What the reverse of a step brings back."""

    FULL = "full"
    """Everything."""

    SCHEMA_ONLY = "schema_only"
    """The schema without the data that was in it."""

    NONE = "none"
    """Nothing: there is no reverse."""


class Effect(enum.StrEnum):
    """How much of a step is visible in the database."""

    NOT_APPLIED = "not_applied"
    APPLIED = "applied"
    PARTIAL = "partial"
    """Something is left over; `Step.cleanup` removes it."""

    UNKNOWN = "unknown"
    """It cannot be seen from outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What to look for in the database to see whether a step took effect. Data, so that it survives in a file.

    Attributes:
        kind: What is looked for: `table`, `column`, `index`, `constraint`, `label`, `type`, `collection`, `rows`, or
            `none` where nothing can be seen.

        wanted: What is to be found, by name; each adapter documents its own.

        absent: It is to be gone instead.
    """

    kind: str = "none"
    wanted: Mapping[str, ProbeValue] = field(default_factory=dict)
    absent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is executed in one go.

    Attributes:
        changes: What it carries out. A safe rewrite carries one change out in several steps: each names it.

        summary: What it does, for people: `create index ix_books_title on books (title), concurrently`.

        statements: Exactly what is executed, one statement each: SQL, or for MongoDB commands as extended JSON.

        reverse: What undoes it, in this order; empty when nothing does.

        reversibility: What `reverse` brings back.

        mode: How it is executed.

        reverse_mode: How `reverse` is executed.

        probe: What is to be seen when it took effect.

        cleanup: What removes the remains of an attempt that was cut off.

        risk: The highest of its findings that count; set by the assessment. Unknown is dangerous.

        findings: What the rules say.

        destructive: It is meant to delete data.

        lock: The strongest lock it takes, as the server calls it; empty for none that matters.

        rewrites: It writes the whole table anew.

        rows: How many rows it concerns, as estimated; `None` when unknown.

        lock_timeout: Seconds that each statement waits for a lock.

        statement_timeout: Seconds that each statement may take; 0 for any number.
    """

    changes: tuple[Change, ...]
    summary: str
    statements: tuple[str, ...]
    reverse: tuple[str, ...] = ()
    reversibility: Reversibility = Reversibility.NONE
    mode: StepMode = StepMode.TRANSACTION
    reverse_mode: StepMode = StepMode.TRANSACTION
    probe: Probe = Probe()
    cleanup: tuple[str, ...] = ()
    risk: Risk = Risk.DANGEROUS
    findings: tuple[Finding, ...] = ()
    destructive: bool = False
    lock: str = ""
    rewrites: bool = False
    rows: int | None = None
    lock_timeout: float = 2.0
    statement_timeout: float = 0.0

    @property
    def object(self) -> str:
        """Return what it changes, for people."""
        return ", ".join(dict.fromkeys(each.object for each in self.changes))

    @property
    def kind(self) -> str:
        """Return the kind of its first change."""
        return str(self.changes[0].kind) if self.changes else "unknown"
