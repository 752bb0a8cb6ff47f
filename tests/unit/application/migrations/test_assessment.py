"""What the assessment writes into the steps of a draft."""

import datetime
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fastapi_easy.application.migrations.assessing.assessment import Assessment, assess, questions_for
from fastapi_easy.domain.migrations.change import Change, ChangeKind, Dialect, Facts
from fastapi_easy.domain.migrations.policy import Approvals, Suppression
from fastapi_easy.domain.migrations.risk import Consequence, Finding, Risk, Rule, Statistics, Verdict
from fastapi_easy.domain.migrations.rule_set import RuleSet
from fastapi_easy.domain.migrations.step import Step, StepMode
from fastapi_easy.domain.ports.schema_store import Draft, StoredSchema

TODAY = datetime.date(2026, 3, 1)


def change(kind: ChangeKind, table: str = "", name: str = "", /, **facts: Any) -> Change:
    return Change(kind=kind, table=table, name=name, facts=Facts(**facts))


def step(*changes: Change, mode: StepMode = StepMode.TRANSACTION, destructive: bool = False) -> Step:
    return Step(changes=changes, summary="…", statements=("…",), mode=mode, destructive=destructive)


def assessed(
    *steps: Step,
    dialect: Dialect = "postgresql",
    answers: dict[str, Any] | None = None,
    rules: RuleSet | None = None,
    suppressions: Sequence[Suppression] = (),
    unfinished: tuple[str, ...] = (),
) -> Assessment:
    stored = StoredSchema(fingerprint="f", server_version="15.4", version=(15, 4), unfinished=unfinished)
    draft = Draft(stored=stored, declared="d", steps=steps)
    return assess(
        draft,
        Statistics(answers or {}),
        rules or RuleSet(),
        dialect=dialect,
        suppressions=suppressions,
        today=TODAY,
    )


def found(assessment: Assessment) -> list[list[tuple[str, str, str]]]:
    """Rule, object and risk of the findings of each step."""
    return [
        [(each.rule, each.object, each.risk.value) for each in step.findings] for step in assessment.steps
    ]


DROP = change(ChangeKind.DROP_COLUMN, "users", "legacy")
SUPPRESSED = Suppression(rule="DS103", object="users.legacy", reason="nobody reads it", until=TODAY)


def test_writes_whole_findings_into_the_step() -> None:
    result = assessed(step(change(ChangeKind.DROP_TABLE, "users")), answers={"rows:users": 1200})

    assert result.steps == (
        replace(
            step(change(ChangeKind.DROP_TABLE, "users")),
            risk=Risk.DANGEROUS,
            destructive=True,
            rows=1200,
            findings=(
                Finding(
                    rule="DS101",
                    risk=Risk.DANGEROUS,
                    object="users",
                    title="table dropped",
                    message="users is deleted with everything in it.",
                    consequences=(Consequence.INCOMPATIBLE, Consequence.LOSS),
                    evidence="about 1200 rows",
                    alternative="Stop using it, deploy, rename it aside, and drop it later.",
                    docs="docs/reference/migration-rules.md#ds101",
                ),
            ),
        ),
    )


def test_nothing_is_advised_instead_of_what_is_safe_but_by_rules_that_only_advise() -> None:
    longer = change(
        ChangeKind.CHANGE_TYPE, "users", "nick", type_before="varchar(9)", type_after="varchar(20)"
    )

    (result,) = assessed(step(longer), answers={"rows:users": 3}).steps

    advised = {each.rule: bool(each.alternative) for each in result.findings if each.risk is Risk.SAFE}
    assert (advised["BC108"], advised["ST106"]) == (False, True)


def test_a_change_about_which_no_rule_speaks_is_safe() -> None:
    result = assessed(step(change(ChangeKind.ADD_COLUMN, "users", "nick", nullable=True)))

    assert [(each.risk, each.findings, each.destructive) for each in result.steps] == [(Risk.SAFE, (), False)]


def test_what_nobody_knows_is_dangerous() -> None:
    unknown = step(change(ChangeKind.UNKNOWN, "users"))
    opaque = step(change(ChangeKind.RUN_SQL, statement="CALL tidy_up()"))
    nothing = step()

    result = assessed(unknown, opaque, nothing)

    assert [each.risk for each in result.steps] == [Risk.DANGEROUS] * 3


def test_an_unknown_statistic_lowers_nothing() -> None:
    drop = step(change(ChangeKind.DROP_TABLE, "users"))

    risks = {rows: assessed(drop, answers={"rows:users": rows}).steps[0].risk for rows in (0, 1)}
    unasked = assessed(drop).steps[0].risk

    assert (risks, unasked) == ({0: Risk.CAUTION, 1: Risk.DANGEROUS}, Risk.DANGEROUS)


def test_a_change_in_several_steps_is_spoken_of_in_the_first() -> None:
    rewritten = change(ChangeKind.ADD_FOREIGN_KEY, "books", "fk", references="authors", validated_later=True)

    result = assessed(step(rewritten), step(rewritten), answers={"rows:books": 5})

    assert found(result) == [[("BC109", "books.fk", "caution"), ("DD104", "books.fk", "dangerous")], []]


def test_a_rewrite_that_marks_its_steps_is_spoken_of_once() -> None:
    check, after = (
        change(ChangeKind.SET_NOT_NULL, "users", "nick", check_first=True, **more)
        for more in ({"validated_later": True}, {})
    )

    result = assessed(step(check), step(check), step(after), answers={"rows:users": 5})

    assert found(result) == [
        [("BC109", "users.nick", "caution"), ("DD103", "users.nick", "dangerous")],
        [],
        [],
    ]


def test_the_same_kind_of_change_with_other_facts_is_another_change() -> None:
    first = change(ChangeKind.CHANGE_TYPE, "users", "a", type_before="integer", type_after="bigint")
    second = change(ChangeKind.CHANGE_TYPE, "users", "a", type_before="bigint", type_after="text")

    result = assessed(step(first), step(second))

    assert [{each.rule for each in step.findings} & {"BC108"} for step in result.steps] == [
        {"BC108"},
        {"BC108"},
    ]


def test_a_rebuild_is_spoken_of_once_for_its_table() -> None:
    changes = [change(ChangeKind.DROP_NOT_NULL, "users", name, rebuild=True) for name in ("nick", "mail")]

    result = assessed(step(*changes, mode=StepMode.REBUILD), dialect="sqlite")

    assert found(result) == [
        [
            ("BC106", "users.nick", "caution"),
            ("LK125", "users", "caution"),
            ("BC106", "users.mail", "caution"),
        ]
    ]


def test_asks_only_what_the_types_make_worth_asking() -> None:
    asked = {
        (before, after): [
            each
            for each in questions_for(
                [change(ChangeKind.CHANGE_TYPE, "t", "c", type_before=before, type_after=after)],
                RuleSet(),
                "mysql",
            )
            if each.partition(":")[0] not in {"rows", "size", "charset"}
        ]
        for before, after in (
            ("int", "bigint"),
            ("bigint", "int"),
            ("varchar(9)", "varchar(5)"),
            ("double", "int"),
            ("enum('a','b')", "enum('a')"),
        )
    }

    assert asked == {
        ("int", "bigint"): [],
        ("bigint", "int"): ["max_value:t.c", "min_value:t.c"],
        ("varchar(9)", "varchar(5)"): ["max_length:t.c"],
        ("double", "int"): ["lossy:t.c"],
        ("enum('a','b')", "enum('a')"): ["labels:t.c"],
    }


def test_what_deletes_is_spoken_of_in_every_step() -> None:
    result = assessed(step(DROP), step(change(ChangeKind.ADD_COLUMN, "users", "legacy")), step(DROP))

    assert [each.destructive for each in result.steps] == [True, False, True]


def test_the_same_statement_twice_is_dangerous_twice() -> None:
    opaque = change(ChangeKind.RUN_SQL, statement="CALL tidy_up()")

    result = assessed(step(opaque), step(opaque))

    assert [each.risk for each in result.steps] == [Risk.DANGEROUS, Risk.DANGEROUS]


def test_several_statements_that_name_nothing_are_approved_one_by_one() -> None:
    first = change(ChangeKind.RUN_SQL, statement="CALL a()", reversible=True)
    second = change(ChangeKind.RUN_SQL, statement="CALL b()", reversible=True)

    result = assessed(step(first), step(second))

    needed = [Approvals().lacking(each) for each in result.steps]
    assert len({*needed}) == 2
    assert all(len(each) == 1 and each[0].startswith("OP109:sql-") for each in needed)


def test_reads_what_statements_by_hand_do() -> None:
    script = change(
        ChangeKind.RUN_SQL,
        statement="SET LOCAL lock_timeout = '1s'; ALTER TABLE users DROP COLUMN legacy; COMMIT",
    )

    result = assessed(step(script))

    [[column, views, commit]] = found(result)
    assert (column, views) == (
        ("DS103", "users.legacy", "dangerous"),
        ("DD108", "users.legacy", "dangerous"),
    )
    assert commit[::2] == ("OP104", "dangerous")
    assert result.steps[0].destructive


def test_the_author_of_an_opaque_step_may_declare_its_risk() -> None:
    declared = change(ChangeKind.RUN_SQL, statement="CALL a()", declared_risk="safe", reversible=True)
    mistaken = change(ChangeKind.RUN_SQL, statement="CALL a()", declared_risk="harmless", reversible=True)

    result = assessed(step(declared), step(mistaken))

    assert [each.risk for each in result.steps] == [Risk.SAFE, Risk.DANGEROUS]


def test_a_declared_risk_does_not_hide_what_can_be_read() -> None:
    script = change(ChangeKind.RUN_SQL, statement="DROP TABLE users", declared_risk="safe")

    assert assessed(step(script)).steps[0].risk is Risk.DANGEROUS


def test_a_suppressed_finding_stays_and_does_not_count() -> None:
    answers = {"dependents:users.legacy": []}

    result = assessed(step(DROP), answers=answers, suppressions=[SUPPRESSED])

    [only] = result.steps
    assert [(each.rule, each.suppressed) for each in only.findings] == [("DS103", "nobody reads it")]
    assert (only.risk, only.destructive, Approvals().lacking(only)) == (Risk.SAFE, False, ())


def test_an_expired_suppression_counts_again_and_is_reported() -> None:
    expired = replace(SUPPRESSED, until=TODAY - datetime.timedelta(days=1))

    result = assessed(step(DROP), answers={"dependents:users.legacy": []}, suppressions=[expired])

    assert (result.steps[0].risk, result.steps[0].destructive) == (Risk.DANGEROUS, True)
    assert [(each.rule, each.object, each.message) for each in result.findings] == [
        (
            "OP113",
            "users.legacy",
            "The suppression of DS103 has expired on 2026-02-28: nobody reads it",
        )
    ]


def test_a_suppression_of_another_object_or_an_unknown_rule_suppresses_nothing() -> None:
    other = replace(SUPPRESSED, object="users.legac")
    unknown = replace(SUPPRESSED, rule="DS999")

    result = assessed(step(DROP), suppressions=[other, unknown])

    assert result.steps[0].risk is Risk.DANGEROUS
    assert [each.message for each in result.findings] == ["There is no rule DS999."]


def test_remains_of_earlier_attempts_are_about_the_plan() -> None:
    sentences = ("the index ix of books is invalid", "the constraint fk of books has not been validated", "?")

    result = assessed(unfinished=sentences)

    assert [(each.rule, each.object) for each in result.findings] == [
        ("IN104", "books.ix"),
        ("IN105", "books.fk"),
        ("IN105", "database"),
    ]


def _no_nicknames(asked: Change, _: object) -> Verdict | None:
    if asked.name != "nick":
        return None
    return Verdict(risk=Risk.CAUTION, message="Nicknames are not for us.")


CUSTOM = Rule(
    id="SHOP101",
    title="nickname",
    risk=Risk.CAUTION,
    consequences=frozenset({Consequence.STYLE}),
    kinds=frozenset({ChangeKind.ADD_COLUMN}),
    dialects=frozenset({"postgresql"}),
    why="…",
    alternative="A name.",
    judge=_no_nicknames,
    questions=lambda asked: [f"nulls:{asked.object}"],
    docs="https://shop.example/rules#101",
)


def test_a_rule_of_the_program_is_asked_as_well() -> None:
    added = change(ChangeKind.ADD_COLUMN, "users", "nick", nullable=True)

    result = assessed(step(added), rules=RuleSet((CUSTOM,)))

    assert [(each.rule, each.docs) for each in result.steps[0].findings] == [
        ("SHOP101", "https://shop.example/rules#101")
    ]


def test_asks_each_question_once_and_only_what_rules_of_that_database_read() -> None:
    added = change(ChangeKind.ADD_COLUMN, "users", "nick", nullable=True)
    created = change(ChangeKind.CREATE_INDEX, "users", "ix", columns=["nick"], new_table=True)

    asked = {
        dialect: questions_for([added, added, created], RuleSet((CUSTOM,)), dialect)
        for dialect in ("postgresql", "sqlite")
    }

    assert asked == {
        "postgresql": ("rows:users", "size:users", "nulls:users.nick"),
        "sqlite": ("rows:users",),
    }


def test_asks_about_what_is_in_statements_by_hand() -> None:
    script = change(ChangeKind.RUN_SQL, statement="ALTER TABLE users ALTER nick SET NOT NULL")

    assert "nulls:users.nick" in questions_for([script], RuleSet(), "postgresql")
