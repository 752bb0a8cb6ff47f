"""Findings as annotations of GitHub Actions, and as the summary of a job."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from fastapi_easy.domain.migrations.risk import Risk
from fastapi_easy.interfaces.cli.migrate.masking import on_one_line, printable
from fastapi_easy.interfaces.cli.migrate.reports.placed_findings import PlacedFinding
from fastapi_easy.interfaces.cli.migrate.reports.plan_view import address_of, counted

MOST_OF_A_LEVEL: Final = 10
"""GitHub shows no more annotations of one level than this for one step of a job."""

_MOST_IN_A_SUMMARY: Final = 500
"""A summary has to stay below a mebibyte."""

_LEVELS: Final = {Risk.DANGEROUS: "error", Risk.CAUTION: "warning", Risk.SAFE: "notice"}


def annotations(findings: Sequence[PlacedFinding]) -> Iterator[str]:
    """Yield the lines that GitHub shows as annotations; suppressed findings have none."""
    shown: Counter[str] = Counter()
    for each in findings:
        if each.finding.suppressed is not None:
            continue
        level = _LEVELS[each.finding.risk]
        shown[level] += 1
        if shown[level] <= MOST_OF_A_LEVEL:
            yield _annotation(level, each)


def append_summary(file: Path, findings: Sequence[PlacedFinding]) -> None:
    """Append all of *findings* to the summary of a job, which is *file*."""
    with file.open("a", encoding="utf-8") as summary:
        _ = summary.write("\n".join([*_summary(findings), ""]))


def _annotation(level: str, found: PlacedFinding) -> str:
    finding = found.finding
    where = (
        [("file", _relative(found.place.file)), ("line", str(found.place.line))]
        if found.place is not None
        else []
    )
    properties = [*where, ("title", f"{finding.rule} {finding.title}")]
    said = ",".join(f"{name}={_property(value)}" for name, value in properties)
    alternative = f"\nInstead: {finding.alternative}" if finding.alternative else ""
    return f"::{level} {said}::{_data(f'{finding.object}: {finding.message}{alternative}')}"


def _data(text: str) -> str:
    return printable(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _relative(file: Path) -> str:
    """Return the path of *file* from the current folder, where GitHub looks for it."""
    here = Path.cwd()
    there = file.resolve()
    return (there.relative_to(here) if there.is_relative_to(here) else there).as_posix()


def _summary(findings: Sequence[PlacedFinding]) -> Iterator[str]:
    yield "### Migrations"
    yield ""
    if not findings:
        yield "No findings."
        return
    yield "| risk | rule | object | what it means | instead |"
    yield "|---|---|---|---|---|"
    for each in findings[:_MOST_IN_A_SUMMARY]:
        finding = each.finding
        address = address_of(finding)
        rule = _cell(f"{finding.rule} {finding.title}")
        risk = finding.risk.value if finding.suppressed is None else "suppressed"
        message = finding.message if finding.suppressed is None else finding.suppressed
        cells = [
            risk,
            f"[{rule}]({address})" if address else rule,
            _cell(finding.object),
            _cell(message),
            _cell(finding.alternative),
        ]
        yield f"| {' | '.join(cells)} |"
    if len(findings) > _MOST_IN_A_SUMMARY:
        yield ""
        yield f"And {counted(len(findings) - _MOST_IN_A_SUMMARY, 'more finding')}."


def _cell(text: str) -> str:
    """Return *text* so that it cannot leave its cell, and is not read as HTML."""
    text = on_one_line(text).replace("\\", "\\\\").replace("|", "\\|")
    return text.replace("&", "&amp;").replace("<", "&lt;")
