"""Changes in their circumstances, briefly."""

from dataclasses import dataclass, field
from typing import Any

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Dialect, Facts
from fastapi_easy.domain.migrations.risk import UNKNOWN, Circumstances, Rule, Statistics, Verdict
from fastapi_easy.domain.migrations.rule_set import RuleSet

KIND = ChangeKind


def change(kind: ChangeKind, object_: str = "books", /, **facts: Any) -> Change:
    """A change of a table (`books`), or of what is in one (`books.title`)."""
    table, _, name = object_.partition(".")
    return Change(kind=kind, table=table, name=name, facts=Facts(**facts))


def loose(kind: ChangeKind, name: str, /, **facts: Any) -> Change:
    """A change of what belongs to no table."""
    return Change(kind=kind, name=name, facts=Facts(**facts))


@dataclass(frozen=True)
class Situation:
    """One change, and what is around it."""

    change: Change
    answers: dict[str, Any] = field(default_factory=dict)
    before: tuple[Change, ...] = ()
    after: tuple[Change, ...] = ()
    mode: str = ""
    lock_timeout: float = 0.0
    statement_timeout: float = 0.0
    version: tuple[int, ...] = ()
    is_mariadb: bool = False
    unfinished: tuple[str, ...] = ()

    def circumstances(self, dialect: Dialect) -> Circumstances:
        changes = (*self.before, self.change, *self.after)
        return Circumstances(
            dialect=dialect,
            server_version=self.version,
            is_mariadb=self.is_mariadb,
            statistics=Statistics(
                {name: UNKNOWN if each is None else each for name, each in self.answers.items()}
            ),
            changes=changes,
            step=changes,
            mode=self.mode,
            lock_timeout=self.lock_timeout,
            statement_timeout=self.statement_timeout,
            unfinished=self.unfinished,
        )


def rule_of(rule_id: str) -> Rule:
    rule = RuleSet().find(rule_id)
    assert rule is not None
    return rule


def verdict_of(rule_id: str, situation: Situation, dialect: Dialect) -> Verdict | None:
    """What the rule says; `None` also when it does not look at such changes."""
    rule = rule_of(rule_id)
    circumstances = situation.circumstances(dialect)
    about_plan = [verdict for _, verdict in rule.judge_plan(circumstances)]
    if about_plan:
        return about_plan[0]
    applies = situation.change.kind in rule.kinds and dialect in rule.dialects
    return rule.judge(situation.change, circumstances) if applies else None
