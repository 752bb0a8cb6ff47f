"""Plans as documents: read back as they were written, or not at all."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastapi_easy.application.migrations.plan_document import (
    approvals_needed,
    document_of,
    read_plan,
    write_plan,
)
from fastapi_easy.domain.migrations.change import Change, ChangeKind, Dialect
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.risk import UNKNOWN, Consequence, Finding, Risk, Statistics
from fastapi_easy.domain.migrations.step import Probe, Reversibility, Step, StepMode
from tests.unit.application.migrations.sample_plans import DROP, INDEX, NOTHING, PLAN

TEXTS = st.text(st.characters(), max_size=12)
SEVERAL = st.lists(TEXTS, max_size=3).map(tuple)
FLAGS = st.booleans()
COUNTS = st.integers(min_value=-(2**70), max_value=2**70)
SECONDS = st.floats(min_value=0, max_value=1e9)
VALUES = st.none() | FLAGS | COUNTS | TEXTS | SEVERAL
NAMED = st.dictionaries(TEXTS, VALUES, max_size=3)
FINDINGS = st.builds(
    Finding,
    rule=TEXTS,
    risk=st.sampled_from(Risk),
    object=TEXTS,
    title=TEXTS,
    message=TEXTS,
    consequences=st.lists(st.sampled_from(Consequence), max_size=2).map(tuple),
    evidence=TEXTS,
    alternative=TEXTS,
    docs=TEXTS,
    suppressed=st.none() | TEXTS,
)
CHANGES = st.builds(Change, kind=st.sampled_from(ChangeKind), table=TEXTS, name=TEXTS, facts=NAMED)
MODES = st.sampled_from(StepMode)
STEPS = st.builds(
    Step,
    changes=st.lists(CHANGES, max_size=2).map(tuple),
    summary=TEXTS,
    statements=SEVERAL,
    reverse=SEVERAL,
    reversibility=st.sampled_from(Reversibility),
    mode=MODES,
    reverse_mode=MODES,
    probe=st.builds(Probe, kind=TEXTS, wanted=NAMED, absent=FLAGS),
    cleanup=SEVERAL,
    risk=st.sampled_from(Risk),
    findings=st.lists(FINDINGS, max_size=2).map(tuple),
    destructive=FLAGS,
    lock=TEXTS,
    rewrites=FLAGS,
    rows=st.none() | COUNTS,
    lock_timeout=SECONDS,
    statement_timeout=SECONDS,
)
PLANS = st.builds(
    MigrationPlan,
    database=TEXTS,
    dialect=st.sampled_from(get_args(Dialect)),
    server_version=TEXTS,
    source=TEXTS,
    revisions=SEVERAL,
    parent=TEXTS,
    schema_before=TEXTS,
    declared=TEXTS,
    steps=st.lists(STEPS, max_size=3).map(tuple),
    findings=st.lists(FINDINGS, max_size=2).map(tuple),
    drift=SEVERAL,
    statistics=st.builds(
        Statistics,
        st.dictionaries(TEXTS, st.just(UNKNOWN) | FLAGS | COUNTS | TEXTS | SEVERAL, max_size=3),
    ),
)


@given(PLANS, st.sampled_from([None, 2]))
@settings(deadline=None, max_examples=150)
def test_a_plan_comes_back_as_it_was_written(plan: MigrationPlan, indent: int | None) -> None:
    read = read_plan(write_plan(plan, indent=indent))

    assert read == plan
    assert read.checksum == plan.checksum


def leaves_of(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to everything in *tree* that has no members."""
    members = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    if not tree or not isinstance(tree, dict | list):
        yield path
    for name, value in members:
        yield from leaves_of(value, (*path, name))


def other_than(value: Any) -> Any:
    """A value of the same type that differs."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return {"safe": "caution", "dangerous": "caution", "full": "none"}.get(value, value + "x")
        case list():
            return ["x"]
        case dict():
            return {"x": "x"}
    return "x"


@pytest.mark.parametrize("path", [*leaves_of(document_of(PLAN))], ids=lambda path: ".".join(map(str, path)))
def test_refuses_a_plan_that_was_changed_anywhere(path: tuple[Any, ...]) -> None:
    document = json.loads(write_plan(PLAN))
    holder = document
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = other_than(holder[path[-1]])

    with pytest.raises(ValueError, match=r"\w+ \w+"):
        read_plan(json.dumps(document))


@pytest.mark.parametrize("name", [*document_of(PLAN)])
def test_refuses_a_plan_without_one_of_its_members(name: str) -> None:
    document = json.loads(write_plan(PLAN))
    del document[name]

    with pytest.raises(ValueError, match=name):
        read_plan(json.dumps(document))


def test_says_that_other_statements_would_be_executed() -> None:
    text = write_plan(PLAN).replace("DROP COLUMN legacy", "DROP COLUMN title")

    with pytest.raises(ValueError, match="changed after it was made \\(it would execute something else\\)"):
        read_plan(text)


def test_says_where_an_assessment_was_softened() -> None:
    softened = dataclasses.replace(DROP, risk=Risk.SAFE, findings=(), destructive=False)
    document = json.loads(write_plan(PLAN))
    document["steps"][3] = json.loads(write_plan(dataclasses.replace(PLAN, steps=(softened,))))["steps"][0]
    document["steps"][3]["ix"] = 3

    with pytest.raises(ValueError, match="says something else at risk"):
        read_plan(json.dumps(document))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("", "is not JSON", id="empty"),
        pytest.param("[]", "the document is no object", id="list"),
        pytest.param("{}", "schema is missing", id="empty object"),
        pytest.param('{"schema": 1}', "schema is not a text", id="number for a text"),
        pytest.param('{"schema": "fe.migration-plan/2"}', "this version reads", id="newer"),
        pytest.param('{"schema": "a", "schema": "b"}', "'schema' twice", id="a member twice"),
        pytest.param('{"schema": NaN}', "NaN is not a number", id="not a number"),
        pytest.param("[" * 200_000, "nested too deeply", id="bomb"),
        pytest.param(
            write_plan(PLAN).replace('"postgresql"', '"oracle"'), "none of: sqlite, post", id="dialect"
        ),
        pytest.param(
            write_plan(PLAN).replace('"est_rows": 3', '"est_rows": true'),
            r"steps\[3\].est_rows is not a whole number",
            id="place",
        ),
        pytest.param(
            write_plan(PLAN).replace('"loss"', '"gain"'),
            r"steps\[3\].findings\[0\].consequences is 'gain', none of: loss, ",
            id="enumeration",
        ),
        pytest.param(
            write_plan(PLAN).replace('"lock": 2.0', '"lock": 1e999'), "float values", id="endless timeout"
        ),
    ],
)
def test_says_what_is_no_plan(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_plan(text)


def test_takes_what_tools_do_to_json() -> None:
    document = json.loads(write_plan(PLAN))
    reordered = json.dumps(document, sort_keys=True, ensure_ascii=False, indent=4)

    assert read_plan(reordered.replace("2.0", "2").replace("30.0", "30").encode()) == PLAN


def test_lists_members_in_one_order() -> None:
    turned = dataclasses.replace(PLAN, statistics=Statistics(dict(reversed(PLAN.statistics.answers.items()))))

    assert write_plan(turned) == write_plan(PLAN)
    assert list(document_of(PLAN)) == [
        *("schema", "plan_id", "checksum", "database", "dialect", "server_version", "source", "revisions"),
        *("parent", "schema_before", "declared", "risk", "destructive", "transactional", "approvals_needed"),
        *("steps", "findings", "stats", "drift", "digest"),
    ]


def test_shows_a_step_with_what_it_executes() -> None:
    document = json.loads(write_plan(dataclasses.replace(NOTHING, steps=(INDEX,))))

    assert document["steps"] == [
        {
            "ix": 0,
            "kind": "create_index",
            "object": "books.ix_books_title",
            "summary": "create index ix_books_title on books (title, year), concurrently",
            "sql": ["CREATE INDEX CONCURRENTLY ix_books_title ON books (title, year)"],
            "reverse_sql": ["DROP INDEX CONCURRENTLY ix_books_title"],
            "reversibility": "full",
            "tx_mode": "autocommit",
            "reverse_tx_mode": "autocommit",
            "risk": "safe",
            "destructive": False,
            "findings": [
                {
                    "rule": "ST108",
                    "risk": "caution",
                    "object": "books.ix_books_title",
                    "title": "index without a convention",
                    "message": "Its name is nobody's rule",
                    "consequences": ["style"],
                    "evidence": "static",
                    "alternative": "a naming convention",
                    "docs": "reference/migration-rules.md#st108",
                    "suppressed": "the name is older",
                }
            ],
            "lock": "ShareUpdateExclusive",
            "rewrite": False,
            "est_rows": None,
            "timeouts": {"lock": 0.5, "statement": 0.0},
            "probe": {
                "kind": "index",
                "wanted": {"columns": ["title", "year"], "name": "ix_books_title", "valid": True},
                "absent": False,
            },
            "cleanup": ["DROP INDEX CONCURRENTLY IF EXISTS ix_books_title"],
            "changes": [
                {
                    "kind": "create_index",
                    "table": "books",
                    "name": "ix_books_title",
                    "facts": {"columns": ["title", "year"], "concurrently": True, "unique": False},
                }
            ],
        }
    ]
    assert (document["transactional"], document["stats"], document["approvals_needed"]) == (False, {}, [])


def test_asks_for_what_would_allow_every_step() -> None:
    assert approvals_needed(PLAN) == ("caution", "DS103:books.legacy")
    assert document_of(PLAN)["approvals_needed"] == ["caution", "DS103:books.legacy"]
