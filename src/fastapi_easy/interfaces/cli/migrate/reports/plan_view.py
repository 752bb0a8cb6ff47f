"""What people want to know of a plan, as lines and cells without any layout."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.migrations.change import Dialect
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.risk import Finding, Risk
from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode
from fastapi_easy.interfaces.cli.migrate.masking import on_one_line, printable

HEADINGS: Final = ("#", "STEP", "RISK", "LOCK", "ROWS", "REVERSIBLE")

_DOCUMENTATION: Final = "https://github.com/fastapi-easy/fastapi-easy/blob/main/docs/"
_REVERSIBLE: Final = {
    Reversibility.FULL: "yes",
    Reversibility.SCHEMA_ONLY: "without data",
    Reversibility.NONE: "no",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAt:
    """A finding, and the step it is about.

    Attributes:
        finding: The finding.

        step: The number of the step, from 1; `None` when it is about the whole plan.
    """

    finding: Finding
    step: int | None = None


def heading(plan: MigrationPlan) -> str:
    """Return which plan it is."""
    server = server_of(plan.dialect, plan.server_version)
    origin = "from models" if plan.source == "models" else f"from {plan.source}: {', '.join(plan.revisions)}"
    after = f", after {plan.parent}" if plan.parent else ""
    return f"Plan {plan.id} for database {on_one_line(plan.database)} ({server}), {origin}{after}"


def server_of(dialect: Dialect, version: str) -> str:
    """Return the kind of database and its version, which may name the kind itself."""
    named = on_one_line(version)
    return named if dialect in named.lower() else f"{dialect} {named}".rstrip()


def cells(plan: MigrationPlan) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each step, below `HEADINGS`."""
    for number, step in enumerate(plan.steps, 1):
        yield (
            str(number),
            on_one_line(step.summary),
            _risk(step),
            _lock(step),
            "?" if step.rows is None else f"{step.rows:,}",
            _REVERSIBLE[step.reversibility],
        )


def findings_of(plan: MigrationPlan) -> list[FoundAt]:
    """Return every finding, the most dangerous first; those that do not count come last."""
    found = [
        *(
            FoundAt(finding=finding, step=number)
            for number, step in enumerate(plan.steps, 1)
            for finding in step.findings
        ),
        *(FoundAt(finding=finding) for finding in plan.findings),
    ]
    ranks = {risk: rank for rank, risk in enumerate(sorted(Risk, reverse=True))}
    return sorted(found, key=lambda each: (each.finding.suppressed is not None, ranks[each.finding.risk]))


def finding_lines(found: FoundAt) -> list[str]:
    """Return what to say of a finding: what, why, what instead, and where to read on."""
    finding = found.finding
    place = f" (step {found.step})" if found.step else ""
    title = f"{finding.risk.value}  {finding.rule} {finding.title}: {on_one_line(finding.object)}{place}"
    if finding.suppressed is not None:
        return [f"suppressed, {title}", f"  {on_one_line(finding.suppressed)}"]
    return [
        title,
        *(f"  {line}" for line in printable(finding.message).splitlines()),
        *([] if finding.evidence in {"", "static"} else [f"  evidence: {on_one_line(finding.evidence)}"]),
        *([f"  instead: {on_one_line(finding.alternative)}"] if finding.alternative else []),
        *([f"  see: {address_of(finding)}"] if finding.docs else []),
    ]


def address_of(finding: Finding) -> str:
    """Return the address of the page about the rule of *finding*; empty when there is none."""
    if not finding.docs or "://" in finding.docs:
        return finding.docs
    return _DOCUMENTATION + finding.docs.removeprefix("docs/").lstrip("/")


def totals(plan: MigrationPlan) -> str:
    """Return how many steps there are, of which risk, and which of them are for good."""
    risks = Counter(each.risk for each in plan.steps)
    parts = [f"{risks[risk]} {risk.value}" for risk in Risk if risks[risk]]
    deleting = sum(each.destructive for each in plan.steps)
    final = sum(each.reversibility is Reversibility.NONE for each in plan.steps)
    return "; ".join(
        [
            f"{counted(len(plan.steps), 'step')}: {', '.join(parts)}",
            *([f"{deleting} {'delete' if deleting > 1 else 'deletes'} data"] if deleting else []),
            *([f"{final} cannot be undone"] if final else []),
        ]
    )


def counted(number: int, noun: str) -> str:
    """Return *number* with *noun*, in the plural unless there is one."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def sentences(texts: Iterable[str]) -> list[str]:
    """Return *texts* as they can be shown."""
    return [on_one_line(each) for each in texts]


def _risk(step: Step) -> str:
    return f"{step.risk.value}, deletes data" if step.destructive else step.risk.value


def _lock(step: Step) -> str:
    notes = [
        on_one_line(step.lock),
        "rewrites" if step.rewrites else "",
        "in batches" if step.mode is StepMode.BATCHES else "",
    ]
    return ", ".join(filter(None, notes)) or "-"
