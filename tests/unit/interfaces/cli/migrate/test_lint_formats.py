"""What `lint` prints for reviewers, GitHub and other programs."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from fastapi_easy.application.migrations.plan_document import document_of, write_plan
from fastapi_easy.domain.migrations.risk import Finding, Risk
from fastapi_easy.interfaces.cli.migrate.reports.github import annotations, append_summary
from fastapi_easy.interfaces.cli.migrate.reports.placed_findings import PlacedFinding
from fastapi_easy.interfaces.cli.migrate.tasks import Linted, Place
from tests.unit.application.migrations.sample_plans import DROP, DROPPED, INVALID, PLAN, SAFE, SUPPRESSED
from tests.unit.interfaces.cli.migrate.recorded import call

DOCS = "https://github.com/fastapi-easy/fastapi-easy/blob/main/docs/reference/migration-rules.md"
PLACES = {3: Place(Path("migrations/versions/4f1c_drop.py"), 17), 1: Place(Path("migrations/versions/5a.py"))}
LINTED = Linted(plan=PLAN, places=PLACES)


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for files in an empty folder, and do not write the summary of the job that runs these tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def finding(**values: Any) -> PlacedFinding:
    return PlacedFinding(finding=dataclasses.replace(DROPPED, **values))


def test_prints_findings_for_people_and_what_would_allow_them() -> None:
    result, _ = call("lint", "shop:app")

    assert result.exit_code == 3
    assert result.stdout == (
        f"""\
dangerous  DS103 drop column: books.legacy (step 4)
  The values of 3 rows are lost
  evidence: 3 rows are not null
  instead: ignore the column in the class, deploy, then drop it
  see: {DOCS}#ds103

caution  IN104 invalid index: books.ix_old
  ix_old is left of an attempt that failed
  evidence: pg_index.indisvalid
  instead: drop it, and build it anew
  see: {DOCS}#in104

suppressed, caution  ST108 index without a convention: books.ix_books_title (step 2)
  the name is older

4 steps, 3 findings.
"""
    )
    assert result.stderr == "not allowed without:\n  --allow caution\n  --allow DS103:books.legacy\n"


@pytest.mark.parametrize(
    ("allowed", "exit_code"),
    [
        pytest.param(["caution"], 3, id="too little"),
        pytest.param(["dangerous"], 3, id="dangerous is not destructive"),
        pytest.param(["caution", "DS103:books.legacy"], 0, id="narrow"),
        pytest.param(["caution", "destructive"], 0, id="wide"),
    ],
)
def test_ends_well_when_everything_is_allowed(allowed: list[str], exit_code: int) -> None:
    result, _ = call("lint", "shop:app", *(word for each in allowed for word in ("--allow", each)))

    assert result.exit_code == exit_code


def test_what_is_safe_needs_nothing() -> None:
    result, _ = call("lint", "shop:app", lint=Linted(plan=SAFE))

    assert (result.exit_code, result.stdout) == (0, "1 step, 0 findings.\n")


def test_prints_annotations_for_github() -> None:
    result, _ = call("lint", "shop:app", "--format", "github", lint=LINTED)

    error, warning = result.stdout.splitlines()
    assert error == (
        "::error file=migrations/versions/4f1c_drop.py,line=17,title=DS103 drop column::"
        f"books.legacy: The values of 3 rows are lost%0AInstead: {DROPPED.alternative}"
    )
    assert warning == (
        "::warning title=IN104 invalid index::"
        f"books.ix_old: ix_old is left of an attempt that failed%0AInstead: {INVALID.alternative}"
    )


def test_no_text_leaves_its_annotation() -> None:
    sneaky = PlacedFinding(
        finding=dataclasses.replace(
            DROPPED,
            title="50%: a,b\n::error::x",
            object="a:b,c",
            message="100%\r\n::set-output name=x::y\x1b[2J",
            alternative="",
        ),
        place=Place(Path("a,b:c%.py"), 2),
    )

    (line,) = annotations([sneaky])

    assert line == (
        "::error file=a%2Cb%3Ac%25.py,line=2,title=DS103 50%25%3A a%2Cb%0A%3A%3Aerror%3A%3Ax::"
        "a:b,c: 100%25%0D%0A::set-output name=x::y\\x1b[2J"
    )


def test_annotates_no_more_of_a_level_than_github_shows() -> None:
    many = [finding(object=f"a.{risk.value}{number}", risk=risk) for risk in Risk for number in range(12)]

    shown = [line.split()[0] for line in annotations(many)]

    assert {level: shown.count(level) for level in shown} == {"::notice": 10, "::warning": 10, "::error": 10}


def test_writes_all_findings_into_the_summary_of_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))

    call("lint", "shop:app", "--format", "github", lint=LINTED)

    cells = [
        ("dangerous", "DS103 drop column", DROPPED, DROPPED.message),
        ("caution", "IN104 invalid index", INVALID, INVALID.message),
        ("suppressed", "ST108 index without a convention", SUPPRESSED, "the name is older"),
    ]
    assert summary.read_text().splitlines() == [
        "before",
        "### Migrations",
        "",
        "| risk | rule | object | what it means | instead |",
        "|---|---|---|---|---|",
        *(
            f"| {risk} | [{title}]({DOCS}#{each.rule.lower()}) | {each.object} | {meaning} | {each.alternative} |"
            for risk, title, each, meaning in cells
        ),
    ]


def test_no_text_leaves_its_cell_of_the_summary(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"

    append_summary(summary, [finding(object="a|b\n| c", message="<img src=x>", alternative="\\|", docs="")])

    assert summary.read_text().splitlines()[-1] == (
        "| dangerous | DS103 drop column | a\\|b \\| c | &lt;img src=x> | \\\\\\| |"
    )


def test_a_summary_stays_below_what_github_takes(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"

    append_summary(summary, [finding(object=f"a.{number}") for number in range(502)])

    assert summary.read_text().splitlines()[-2:] == ["", "And 2 more findings."]
    assert "| a.499 |" in summary.read_text()


def test_a_summary_says_that_nothing_was_found(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"

    append_summary(summary, [])

    assert summary.read_text() == "### Migrations\n\nNo findings.\n"


def sarif(**told: Any) -> dict[str, Any]:
    result, _ = call("lint", "shop:app", "--format", "sarif", **told)
    log: dict[str, Any] = json.loads(result.stdout)
    return log


def test_prints_sarif() -> None:
    log = sarif(lint=LINTED)

    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert (log["version"], log["$schema"]) == ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json")
    assert driver["rules"] == [
        {
            "id": each.rule,
            "shortDescription": {"text": each.title},
            "help": {"text": each.alternative},
            "helpUri": f"{DOCS}#{each.rule.lower()}",
        }
        for each in (DROPPED, INVALID, SUPPRESSED)
    ]
    assert [(each["ruleId"], each["ruleIndex"], each["level"]) for each in run["results"]] == [
        ("DS103", 0, "error"),
        ("IN104", 1, "warning"),
        ("ST108", 2, "warning"),
    ]
    assert [each["message"] for each in run["results"]] == [
        {"text": f"{each.object}: {each.message}"} for each in (DROPPED, INVALID, SUPPRESSED)
    ]
    assert run["results"][0]["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "migrations/versions/4f1c_drop.py"},
                "region": {"startLine": 17},
            },
            "logicalLocations": [{"fullyQualifiedName": "books.legacy"}],
        }
    ]
    assert run["results"][1]["locations"] == [{"logicalLocations": [{"fullyQualifiedName": "books.ix_old"}]}]
    assert [each.get("suppressions") for each in run["results"]] == [
        None,
        None,
        [{"kind": "external", "justification": "the name is older"}],
    ]


def test_a_finding_of_sarif_is_the_same_one_on_another_line() -> None:
    moved = Linted(plan=PLAN, places={3: Place(Path("other.py"), 99)})

    prints = [
        [each["partialFingerprints"] for each in sarif(lint=linted)["runs"][0]["results"]]
        for linted in (LINTED, moved)
    ]

    assert prints[0] == prints[1]
    assert len({json.dumps(each) for each in prints[0]}) == 3


def test_a_rule_that_finds_twice_is_one_rule_of_sarif() -> None:
    twice = dataclasses.replace(DROP, findings=(DROPPED, dataclasses.replace(DROPPED, object="books.old")))

    (run,) = sarif(lint=Linted(plan=dataclasses.replace(PLAN, steps=(twice,), findings=())))["runs"]

    assert len(run["tool"]["driver"]["rules"]) == 1
    assert [each["ruleIndex"] for each in run["results"]] == [0, 0]


def test_files_have_addresses(tmp_path: Path) -> None:
    places = {3: Place(Path("my scripts/ä.py")), 1: Place(Path("/etc/my app.py"))}

    (run,) = sarif(lint=Linted(plan=PLAN, places=places))["runs"]

    uris = [
        each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for each in run["results"]
        if "physicalLocation" in each["locations"][0]
    ]
    assert uris == ["my%20scripts/%C3%A4.py", "file:///etc/my%20app.py"]


@pytest.mark.parametrize("name", ["shop.py", "shop/__init__.py"])
def test_what_is_in_no_script_is_in_the_module_of_the_app(name: str, tmp_path: Path) -> None:
    there = tmp_path / name
    there.parent.mkdir(exist_ok=True)
    there.touch()

    (run,) = sarif(lint=Linted(plan=PLAN))["runs"]

    assert {
        each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run["results"]
    } == {name}


@pytest.mark.parametrize("options", [["--json"], ["--format", "json"]], ids=["json", "format"])
def test_prints_json(options: list[str]) -> None:
    result, _ = call("lint", "shop:app", *options, lint=LINTED)

    document = json.loads(result.stdout)
    assert document["findings"][0] == {
        **document_of_finding(DROPPED),
        "step": 3,
        "file": "migrations/versions/4f1c_drop.py",
        "line": 17,
    }
    assert {name: document[name] for name in document if name != "findings"} == {
        "schema": "fe.migration-findings/1",
        "plan_id": PLAN.id,
        "risk": "dangerous",
        "destructive": True,
        "approvals_needed": ["caution", "DS103:books.legacy"],
    }
    assert result.exit_code == 3


def document_of_finding(found: Finding) -> Any:
    """As it is in the document of a plan."""
    document: Any = document_of(dataclasses.replace(SAFE, findings=(found,)))
    return document["findings"][0]


def test_lints_a_plan_from_a_file_at_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(write_plan(PLAN, indent=2))

    result, recorded = call("lint", "--plan", str(file), "--json")

    lines = file.read_text().splitlines()
    placed = [
        (each["file"], lines[each["line"] - 1].strip()) for each in json.loads(result.stdout)["findings"]
    ]
    assert placed == [(str(file), '"ix": 3,'), (str(file), "{"), (str(file), '"ix": 1,')]
    assert (result.exit_code, recorded.asked) == (3, [])


def test_lints_a_plan_from_stdin() -> None:
    result, _ = call("lint", "--plan", "-", "--format", "github", text=write_plan(PLAN))

    assert result.stdout.startswith("::error title=DS103 drop column::")
