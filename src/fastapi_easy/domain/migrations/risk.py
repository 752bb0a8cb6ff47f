"""How risky a change is, and the rules that say so."""

import enum
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Dialect


@functools.total_ordering
class Risk(enum.Enum):
    """How much can go wrong. Ordered."""

    SAFE = "safe"
    CAUTION = "caution"
    DANGEROUS = "dangerous"

    def __lt__(self, other: "Risk") -> bool:
        """Return whether less can go wrong than with *other*."""
        return _RISKS.index(self) < _RISKS.index(other)


_RISKS: Final = list(Risk)


class Consequence(enum.StrEnum):
    """What can go wrong."""

    LOSS = "loss"
    """Data is deleted or changed for good."""

    LOCK = "lock"
    """Readers or writers wait."""

    REWRITE = "rewrite"
    """The whole table is written anew."""

    INCOMPATIBLE = "incompatible"
    """Programs that know the older schema fail."""

    FAILURE = "failure"
    """The migration itself fails, depending on the data."""

    INTEGRITY = "integrity"
    """What was enforced is not any more."""

    REPLICATION = "replication"
    """Replicas may hold something else."""

    OPERATION = "operation"
    """It is hard to repeat, to watch or to take back."""

    STYLE = "style"
    """It works, and is not what experience recommends."""


class Unmeasured(enum.Enum):
    """Stands for a statistic that nobody has."""

    UNKNOWN = "unknown"
    """Not asked, or the server did not answer in time."""


UNKNOWN: Final = Unmeasured.UNKNOWN

Measured: TypeAlias = bool | int | str | Sequence[str]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a database says about its data, by the name of the question.

    The questions: `rows:T`, `size:T` (bytes), `nulls:T.c`, `duplicates:T.(a,b)`, `orphans:T.constraint`,
    `violations:T.constraint`, `max_length:T.c`, `max_value:T.c`, `min_value:T.c`, `all_null:T.c`, `lossy:T.c` (how many
    values a cast would change), `labels:T.c` (in use), `validated_checks:T` (their expressions), `dependents:T.c`
    (views), `indexes:T.c`, `triggers:T`, `sql_mode`, `time_zone`, `charset:T.c`. `T` is a table as in `Change.table`.

    Attributes:
        answers: What is known. A question that is missing was not asked; `UNKNOWN` is one without answer.
    """

    answers: Mapping[str, Measured | Unmeasured] = field(default_factory=dict)

    def get(self, question: str) -> Measured | Unmeasured:
        """Return the answer to *question*; `UNKNOWN` if there is none."""
        return self.answers.get(question, UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a rule may look at beside the change.

    Attributes:
        dialect: The kind of database.

        server_version: Its numbers, such as `(15, 4)`; empty when unknown.

        is_mariadb: Whether it is MariaDB.

        statistics: What is known of its data.

        changes: Every change of the plan, in order.

        step: Those of the step that carries the change.

        mode: How the step is executed, as `StepMode` spells it; empty when unknown.

        lock_timeout, statement_timeout: Of the step, in seconds; 0 for any number.

        unfinished: What half-finished changes have left in the database, each a sentence.
    """

    dialect: Dialect
    server_version: tuple[int, ...] = ()
    is_mariadb: bool = False
    statistics: Statistics = Statistics()
    changes: Sequence[Change] = ()
    step: Sequence[Change] = ()
    mode: str = ""
    lock_timeout: float = 0.0
    statement_timeout: float = 0.0
    unfinished: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a rule says of one change.

    Attributes:
        risk: How much can go wrong.

        message: What exactly, in this case.

        evidence: The statistic that decided, such as `3 rows are null`; `static` when none was needed.
    """

    risk: Risk
    message: str
    evidence: str = "static"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, as data.

    Attributes:
        id: Such as `DS103`; custom ones begin with a prefix of their own.

        title: What is found, in a few words.

        risk: The highest that it gives.

        consequences: What can go wrong.

        kinds: The kinds of changes that it looks at.

        dialects: The kinds of databases that it applies to.

        why: Why that is risky, for the documentation.

        alternative: What to do instead.

        judge: Returns what it says of a change, or `None`.

        questions: Returns the statistics that `judge` reads for a change; see `Statistics`.

        judge_plan: Returns what it says of the database and the plan as a whole, each with the object that it concerns.

        decided: On what the verdict depends, for the documentation.

        destroys: What it finds is meant to delete data, unless it says that it is safe.

        is_about_table: It says the same of every change of one table in one step.

        docs: Where it is documented; empty for a rule of this system, which has a page.
    """

    id: str
    title: str
    risk: Risk
    consequences: frozenset[Consequence]
    kinds: frozenset[ChangeKind]
    dialects: frozenset[Dialect]
    why: str
    alternative: str
    judge: Callable[[Change, Circumstances], Verdict | None]
    questions: Callable[[Change], Iterable[str]] = lambda _: ()
    judge_plan: Callable[[Circumstances], Iterable[tuple[str, Verdict]]] = lambda _: ()
    decided: str = "from the change alone"
    destroys: bool = False
    is_about_table: bool = False
    docs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one rule says of one change of a plan.

    Attributes:
        rule: Its id.

        risk: How much can go wrong.

        object: What is changed, such as `books.title`.

        title: What was found, in a few words.

        message: What it means in this case.

        consequences: What can go wrong.

        evidence: The statistic that decided, or `static`.

        alternative: What to do instead.

        docs: The address of the page of the rule, below the documentation.

        suppressed: The reason for which it does not count; `None` when it counts.
    """

    rule: str
    risk: Risk
    object: str
    title: str
    message: str
    consequences: tuple[Consequence, ...]
    evidence: str
    alternative: str
    docs: str
    suppressed: str | None = None
