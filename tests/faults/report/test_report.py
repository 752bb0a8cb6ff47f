"""The report itself: which measurements it finds, what it makes of their ends, and where its table goes."""

from pathlib import Path

import pytest

from tests.faults.report.__main__ import main
from tests.faults.report.busy import busy
from tests.faults.report.figure import Figure
from tests.faults.report.measuring import Failed, measure, names
from tests.faults.report.table import PAGE, failed, markdown, place, write

HELD = Figure("Outage", "lost | doubled", "PostgreSQL", "0 of 20", "0", met=True)
BEGINNING = "from tests.faults.report.figure import Figure\n\n\nasync def measured():\n    "


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of measurements that processes can import as `measured_here`."""
    folder = tmp_path / "measured_here"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    paths = f"{tmp_path}:{Path(__file__).parents[3]}:{Path(__file__).parents[3] / 'src'}"
    monkeypatch.setenv("PYTHONPATH", paths)
    return folder


def test_measurements_are_the_modules_of_the_folder(tmp_path: Path) -> None:
    for each in ("waits.py", "leases.py", "__init__.py", "README.md"):
        (tmp_path / each).touch()

    assert names(tmp_path) == ["leases", "waits"]


def test_a_measurement_gives_its_figures_from_another_process(package: Path) -> None:
    (package / "good.py").write_text(f"{BEGINNING}return [{HELD!r}]\n")

    assert measure("good", package="measured_here") == [HELD]


@pytest.mark.parametrize(
    ("body", "limit", "reason"),
    [
        pytest.param("raise ValueError('no such server')", 60, "ValueError: no such server", id="it raises"),
        pytest.param("return []", 60, "it measured nothing", id="it has no figures"),
        pytest.param("import time; time.sleep(60)", 1, "no figures within 1 s", id="it hangs"),
    ],
)
def test_a_measurement_without_figures_says_why(package: Path, body: str, limit: float, reason: str) -> None:
    (package / "bad.py").write_text(f"{BEGINNING}{body}\n")

    with pytest.raises(Failed) as caught:
        _ = measure("bad", package="measured_here", limit=limit)

    assert str(caught.value) == reason


def test_the_table_has_a_line_for_each_figure_and_each_failure() -> None:
    assert markdown([HELD, failed("waits", "ValueError: no\nserver")]) == (
        "| fault | what | server | value | wanted | met |\n"
        "|---|---|---|---|---|---|\n"
        "| Outage | lost \\| doubled | PostgreSQL | 0 of 20 | 0 | yes |\n"
        "| failed: waits | ValueError: no server | - | - | - | **no** |\n"
    )


@pytest.mark.parametrize("is_busy", [False, True])
def test_the_page_has_a_place_for_the_table(tmp_path: Path, *, is_busy: bool) -> None:
    page = tmp_path / "faults.md"
    page.write_text(PAGE.read_text())

    write([HELD], is_busy=is_busy, page=page)

    _, _, after = page.read_text().partition(f"<!-- measured: {place(is_busy=is_busy)} -->\n")
    table, end, _ = after.partition("<!-- end of what was measured -->")
    assert table.endswith(markdown([HELD]))
    assert end


def test_a_page_without_a_place_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "faults.md"
    page.write_text("# Faults\n")

    with pytest.raises(LookupError, match="no place for 'faults'"):
        write([HELD], is_busy=False, page=page)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["--only", "nothing"], "there is no nothing"), (["--write", "--only", "leases"], "leave --only out")],
    ids=["an unknown measurement", "a part on the page"],
)
def test_a_wrong_command_line_is_refused(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.faults.report.__main__.names", lambda: ["leases"])

    with pytest.raises(SystemExit):
        _ = main(arguments)

    assert sentence in capsys.readouterr().err


def test_busy_processes_end_with_the_block() -> None:
    before = _children()

    with busy(2):
        children = _children() - before

    assert len(children) == 2
    assert not children & _children()


def _children() -> set[int]:
    return {
        int(each)
        for task in Path("/proc/self/task").iterdir()
        for each in (task / "children").read_text().split()
    }
