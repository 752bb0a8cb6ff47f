"""Plans of migrations as JSON documents: for reviewers, for the ledger, and to be applied as they were reviewed."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias, cast, get_args

from fastapi_easy.application.json_object import JsonObject
from fastapi_easy.domain.migrations.change import Change, ChangeKind, Dialect, Facts
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.risk import (
    UNKNOWN,
    Consequence,
    Finding,
    Measured,
    Risk,
    Statistics,
    Unmeasured,
)
from fastapi_easy.domain.migrations.step import Probe, Reversibility, Step, StepMode

SCHEMA: Final = "fe.migration-plan/1"
"""What the member `schema` of every document says."""

Document: TypeAlias = dict[str, object]

_ALL_OR_NOTHING: Final = frozenset({StepMode.TRANSACTION, StepMode.REBUILD})


def document_of(plan: MigrationPlan) -> Document:
    """Return *plan* as a JSON document: texts, numbers, lists and dictionaries, always in the same order.

    Statements are in it as they are executed, with nothing left out. Addresses and passwords of databases are in no
    plan, so they are in no document.
    """
    document: Document = {
        "schema": SCHEMA,
        "plan_id": plan.id,
        "checksum": plan.checksum,
        "database": plan.database,
        "dialect": plan.dialect,
        "server_version": plan.server_version,
        "source": plan.source,
        "revisions": list(plan.revisions),
        "parent": plan.parent,
        "schema_before": plan.schema_before,
        "declared": plan.declared,
        "risk": plan.risk.value,
        "destructive": plan.destructive,
        "transactional": all(each.mode in _ALL_OR_NOTHING for each in plan.steps),
        "approvals_needed": list(approvals_needed(plan)),
        "steps": [_step_document(index, each) for index, each in enumerate(plan.steps)],
        "findings": _finding_documents(plan.findings),
        "stats": {
            name: None if isinstance(answer, Unmeasured) else _plain(answer)
            for name, answer in sorted(plan.statistics.answers.items())
        },
        "drift": list(plan.drift),
    }
    return {**document, "digest": _digest(document)}


def write_plan(plan: MigrationPlan, *, indent: int | None = None) -> str:
    """Return *plan* as JSON text, which `read_plan` reads back exactly.

    Args:
        plan: The plan.

        indent: Spaces for each level; `None` writes it on one line.

    Raises:
        ValueError: A timeout is not a finite number.
    """
    return json.dumps(document_of(plan), indent=indent, allow_nan=False)


def read_plan(text: str | bytes) -> MigrationPlan:
    """Return the plan that `write_plan` has written; lists in facts become tuples.

    Spaces and the order of members may differ. Anything else that was changed afterwards is noticed: statements by the
    checksum of the plan, and the rest, which approvals depend on too, by the digest of the document. Neither is a
    signature: whoever is to be kept from writing plans must be kept from writing the file.

    Raises:
        ValueError: It is no such document, or was changed, with a sentence that says where.
    """
    try:
        parsed = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"the plan is not JSON: {error}") from None
    except RecursionError:
        raise ValueError("the plan is not JSON that a plan can be: it is nested too deeply") from None
    document = JsonObject(parsed)
    if document.text("schema") != SCHEMA:
        raise ValueError(
            f"the schema of the plan is {document.text('schema')!r}, and this version reads {SCHEMA!r}: "
            "make the plan anew"
        )
    plan = _read_plan(document)
    expected = document_of(plan)
    if parsed != expected:
        executes_another = document.text("checksum") != plan.checksum
        place = _first_difference(parsed, expected)
        what = "it would execute something else" if executes_another else f"it says something else at {place}"
        raise ValueError(f"the plan was changed after it was made ({what}): make the plan anew")
    return plan


def approvals_needed(plan: MigrationPlan, given: Approvals | None = None) -> tuple[str, ...]:
    """Return what has to be allowed, beside what is *given*, so that every step of *plan* may be executed."""
    approvals = given or Approvals()
    return tuple(dict.fromkeys(name for each in plan.steps for name in approvals.lacking(each)))


def _step_document(index: int, step: Step) -> Document:
    return {
        "ix": index,
        "kind": step.kind,
        "object": step.object,
        "summary": step.summary,
        "sql": list(step.statements),
        "reverse_sql": list(step.reverse),
        "reversibility": step.reversibility.value,
        "tx_mode": step.mode.value,
        "reverse_tx_mode": step.reverse_mode.value,
        "risk": step.risk.value,
        "destructive": step.destructive,
        "findings": _finding_documents(step.findings),
        "lock": step.lock,
        "rewrite": step.rewrites,
        "est_rows": step.rows,
        "timeouts": {"lock": float(step.lock_timeout), "statement": float(step.statement_timeout)},
        "probe": {
            "kind": step.probe.kind,
            "wanted": {name: _plain(value) for name, value in sorted(step.probe.wanted.items())},
            "absent": step.probe.absent,
        },
        "cleanup": list(step.cleanup),
        "changes": [
            {
                "kind": each.kind.value,
                "table": each.table,
                "name": each.name,
                "facts": {name: _plain(fact) for name, fact in sorted(each.facts.items())},
            }
            for each in step.changes
        ],
    }


def _finding_documents(findings: Iterable[Finding]) -> list[Document]:
    return [finding_document(each) for each in findings]


def finding_document(finding: Finding) -> Document:
    """Return *finding* as part of a JSON document."""
    return {
        "rule": finding.rule,
        "risk": finding.risk.value,
        "object": finding.object,
        "title": finding.title,
        "message": finding.message,
        "consequences": [each.value for each in finding.consequences],
        "evidence": finding.evidence,
        "alternative": finding.alternative,
        "docs": finding.docs,
        "suppressed": finding.suppressed,
    }


def _plain(value: object) -> object:
    """Return *value* with a list for any sequence that is no text."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def _digest(document: Document) -> str:
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _read_plan(document: JsonObject) -> MigrationPlan:
    dialect = document.text("dialect")
    if dialect not in get_args(Dialect):
        raise ValueError(f"dialect is {dialect!r}, none of: {', '.join(get_args(Dialect))}")
    answers = document.child("stats")
    return MigrationPlan(
        database=document.text("database"),
        dialect=cast("Dialect", dialect),
        server_version=document.text("server_version"),
        source=document.text("source"),
        revisions=document.texts("revisions"),
        parent=document.text("parent"),
        schema_before=document.text("schema_before"),
        declared=document.text("declared"),
        steps=tuple(map(_read_step, document.children("steps"))),
        findings=tuple(map(_read_finding, document.children("findings"))),
        drift=document.texts("drift"),
        statistics=Statistics({name: _read_answer(answers, name) for name in answers}),
    )


def _read_step(step: JsonObject) -> Step:
    timeouts = step.child("timeouts")
    probe = step.child("probe")
    wanted = probe.child("wanted")
    return Step(
        changes=tuple(map(_read_change, step.children("changes"))),
        summary=step.text("summary"),
        statements=step.texts("sql"),
        reverse=step.texts("reverse_sql"),
        reversibility=step.member("reversibility", Reversibility),
        mode=step.member("tx_mode", StepMode),
        reverse_mode=step.member("reverse_tx_mode", StepMode),
        probe=Probe(
            kind=probe.text("kind"),
            wanted={name: wanted.scalar(name) for name in wanted},
            absent=probe.flag("absent"),
        ),
        cleanup=step.texts("cleanup"),
        risk=step.member("risk", Risk),
        findings=tuple(map(_read_finding, step.children("findings"))),
        destructive=step.flag("destructive"),
        lock=step.text("lock"),
        rewrites=step.flag("rewrite"),
        rows=step.count_or_none("est_rows"),
        lock_timeout=timeouts.number("lock"),
        statement_timeout=timeouts.number("statement"),
    )


def _read_change(change: JsonObject) -> Change:
    facts = change.child("facts")
    return Change(
        kind=change.member("kind", ChangeKind),
        table=change.text("table"),
        name=change.text("name"),
        # A newer program may know of facts that this one does not: rules look at those they know.
        facts=cast("Facts", {name: facts.scalar(name) for name in facts}),
    )


def _read_finding(finding: JsonObject) -> Finding:
    return Finding(
        rule=finding.text("rule"),
        risk=finding.member("risk", Risk),
        object=finding.text("object"),
        title=finding.text("title"),
        message=finding.text("message"),
        consequences=finding.members("consequences", Consequence),
        evidence=finding.text("evidence"),
        alternative=finding.text("alternative"),
        docs=finding.text("docs"),
        suppressed=finding.text_or_none("suppressed"),
    )


def _read_answer(answers: JsonObject, name: str) -> Measured | Unmeasured:
    found = answers.scalar(name)
    return UNKNOWN if found is None else found


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the plan has the member {twice!r} twice in one object")
    return found


def _refuse_constant(text: str) -> object:
    raise ValueError(f"the plan is not JSON: {text} is not a number")


def _first_difference(found: object, expected: object, place: str = "") -> str:
    """Return the place of the first member that differs, innermost."""
    if isinstance(found, Mapping) and isinstance(expected, Mapping):
        for name in (*expected, *found):
            if name not in found or name not in expected or found[name] != expected[name]:
                inner = f"{place}.{name}" if place else str(name)
                return _first_difference(found.get(name), expected.get(name), inner)
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        for position, (one, other) in enumerate(zip(found, expected, strict=True)):
            if one != other:
                return _first_difference(one, other, f"{place}[{position}]")
    return place
