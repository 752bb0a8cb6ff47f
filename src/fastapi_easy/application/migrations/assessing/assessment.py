"""Asks the rules about every step of a draft, and writes into the steps what they say."""

import datetime
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from fastapi_easy.application.migrations.assessing.assessor import Assessment
from fastapi_easy.domain.migrations.change import Change, ChangeKind, Dialect
from fastapi_easy.domain.migrations.policy import Suppression
from fastapi_easy.domain.migrations.risk import Circumstances, Finding, Risk, Rule, Statistics, Verdict
from fastapi_easy.domain.migrations.rule_set import RuleSet, docs_of
from fastapi_easy.domain.migrations.rules.judging import is_by_hand
from fastapi_easy.domain.migrations.rules.operation import is_opaque
from fastapi_easy.domain.migrations.rules.table import RULES
from fastapi_easy.domain.migrations.statements.changes import expanded
from fastapi_easy.domain.migrations.step import Step
from fastapi_easy.domain.ports.schema_store import Draft

_SUPPRESSION_RULE: Final = "OP113"
_WAYS: Final = frozenset({"concurrently", "validated_later", "check_first", "using_index", "in_batches"})


def questions_for(changes: Iterable[Change], rules: Iterable[Rule], dialect: Dialect) -> tuple[str, ...]:
    """Return the statistics that *rules* read about *changes*, each once; rows of every table in any case."""
    applying = [rule for rule in rules if dialect in rule.dialects]
    questions: dict[str, None] = {}
    for change in expanded(changes, dialect):
        if change.facts.get("new_table", False):
            continue
        asked = [rule.questions(change) for rule in applying if change.kind in rule.kinds]
        rows = [f"rows:{change.table}"] if change.table else []
        questions.update(dict.fromkeys(each for some in (*asked, rows) for each in some))
    return tuple(questions)


def assess(
    draft: Draft,
    statistics: Statistics,
    rules: RuleSet,
    *,
    dialect: Dialect,
    suppressions: Sequence[Suppression] = (),
    today: datetime.date,
) -> Assessment:
    """Ask *rules* about every change of *draft*.

    In one step each rule says at most one thing about one object. Of a change that several steps carry it speaks in the
    first, unless it finds more risk later, or the change deletes. A change about which no rule speaks is safe.

    Args:
        draft: The steps.

        statistics: The answers to `questions_for`; what is missing lowers no risk.

        rules: Those of this system, and custom ones.

        dialect: The kind of database.

        suppressions: Findings that do not count.

        today: The day, for suppressions.
    """
    whole = tuple(expanded((each for step in draft.steps for each in step.changes), dialect))
    circumstances = Circumstances(
        dialect=dialect,
        server_version=draft.stored.version,
        is_mariadb=draft.stored.is_mariadb,
        statistics=statistics,
        changes=_distinct(whole),
        unfinished=draft.stored.unfinished,
    )
    assessor = _Assessor(circumstances, rules, suppressions, today)
    steps = tuple(assessor.assessed(step) for step in draft.steps)
    return Assessment(steps=steps, findings=tuple(assessor.about_plan()))


@dataclass(slots=True)
class _Assessor:
    circumstances: Circumstances
    rules: RuleSet
    suppressions: Sequence[Suppression]
    today: datetime.date
    said: dict[tuple[str, ChangeKind, str], list[tuple[Change, Risk]]] = field(default_factory=dict)

    def assessed(self, step: Step) -> Step:
        changes = tuple(self._known(each) for each in expanded(step.changes, self.circumstances.dialect))
        circumstances = replace(
            self.circumstances,
            step=changes,
            mode=step.mode.value,
            lock_timeout=step.lock_timeout,
            statement_timeout=step.statement_timeout,
        )
        found = list(self._found(changes, circumstances))
        findings = tuple(finding for _, finding in found)
        counting = [each.risk for each in findings if each.suppressed is None]
        destroying = [finding for rule, finding in found if rule.destroys and finding.risk is not Risk.SAFE]
        # Nobody knows what a step does that names no change.
        nothing_known = Risk.SAFE if step.changes else Risk.DANGEROUS
        return replace(
            step,
            findings=findings,
            risk=max(counting, default=nothing_known),
            destructive=(
                any(each.suppressed is None for each in destroying) if destroying else step.destructive
            ),
            rows=self._rows(changes, step.rows),
        )

    def about_plan(self) -> Iterator[Finding]:
        for rule in self.rules:
            if self.circumstances.dialect in rule.dialects:
                for object_, verdict in rule.judge_plan(self.circumstances):
                    yield self._finding(rule, object_, verdict)
        yield from self._about_suppressions()

    def _known(self, change: Change) -> Change:
        """Return the change of the whole plan that equals *change*: rules look for it by identity."""
        for each in self.circumstances.changes:
            if each.name == change.name and each.table == change.table and each == change:
                return each
        return change

    def _found(
        self, changes: Sequence[Change], circumstances: Circumstances
    ) -> Iterator[tuple[Rule, Finding]]:
        """Yield what the rules find in one step: of each rule about one object only the riskiest."""
        riskiest: dict[tuple[str, str], tuple[Rule, Finding]] = {}
        for change in changes:
            for rule, verdict in self._verdicts(change, circumstances):
                about = change.table if rule.is_about_table else object_of(change)
                finding = self._finding(rule, about, verdict)
                known = riskiest.get((rule.id, finding.object))
                if known is None or finding.risk > known[1].risk:
                    riskiest[rule.id, finding.object] = rule, finding
        yield from riskiest.values()

    def _verdicts(self, change: Change, circumstances: Circumstances) -> Iterator[tuple[Rule, Verdict]]:
        for rule in self.rules:
            if change.kind not in rule.kinds or circumstances.dialect not in rule.dialects:
                continue
            verdict = rule.judge(change, circumstances)
            if verdict is None:
                continue
            # A safe rewrite carries one change out in several steps; what deletes or is opaque counts in each.
            counts_again = rule.destroys or is_by_hand(change) or is_opaque(change)
            known = self.said.setdefault((rule.id, change.kind, change.object), [])
            said = [risk for each, risk in known if _is_rewritten(change, each)]
            if counts_again or verdict.risk > max(said, default=Risk.SAFE) or not said:
                known.append((change, verdict.risk))
                yield rule, verdict

    def _finding(self, rule: Rule, object_: str, verdict: Verdict) -> Finding:
        covering = [each for each in self.suppressions if each.covers(rule.id, object_, self.today)]
        return Finding(
            rule=rule.id,
            risk=verdict.risk,
            object=object_,
            title=rule.title,
            message=verdict.message,
            consequences=tuple(sorted(rule.consequences)),
            evidence=verdict.evidence,
            # Nothing has to be done instead of what is safe here, unless the rule is only ever advice.
            alternative="" if verdict.risk is Risk.SAFE < rule.risk else rule.alternative,
            docs=docs_of(rule),
            suppressed=covering[0].reason if covering else None,
        )

    def _rows(self, changes: Sequence[Change], estimated: int | None) -> int | None:
        for change in changes:
            answer = self.circumstances.statistics.get(f"rows:{change.table}") if change.table else None
            if isinstance(answer, int):
                return answer
        return estimated

    def _about_suppressions(self) -> Iterator[Finding]:
        rule = next(each for each in RULES if each.id == _SUPPRESSION_RULE)
        for each in self.suppressions:
            if self.rules.find(each.rule) is None:
                message = f"There is no rule {each.rule}."
            elif each.until < self.today:
                message = f"The suppression of {each.rule} has expired on {each.until}: {each.reason}"
            else:
                continue
            yield self._finding(rule, each.object, Verdict(risk=Risk.CAUTION, message=message))


def object_of(change: Change) -> str:
    """Return what *change* is about, for findings and approvals: of a statement that names nothing, its checksum."""
    if change.object:
        return change.object
    text = change.facts.get("statement", "")
    return f"sql-{hashlib.sha256(text.encode()).hexdigest()[:8]}" if text else str(change.kind)


def _is_rewritten(one: Change, other: Change) -> bool:
    """Return whether both are the same change, of which steps say in different ways how they carry it out."""
    facts = [
        {name: each.facts.get(name) for name in each.facts if name not in _WAYS} for each in (one, other)
    ]
    return (one.kind, one.table, one.name) == (other.kind, other.table, other.name) and facts[0] == facts[1]


def _distinct(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return *changes* without repetitions: a safe rewrite names its change in several steps."""
    kept: dict[tuple[ChangeKind, str, str], list[Change]] = {}
    distinct: list[Change] = []
    for change in changes:
        alike = kept.setdefault((change.kind, change.table, change.name), [])
        if change not in alike:
            alike.append(change)
            distinct.append(change)
    return tuple(distinct)
