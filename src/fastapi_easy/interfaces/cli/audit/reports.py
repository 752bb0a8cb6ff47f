"""What the commands below `audit` print."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi_easy.application.audit.verification.verify_trail import VerificationReport
from fastapi_easy.domain.audit.findings import Finding, FindingKind, Verdict, verdict_of
from fastapi_easy.interfaces.cli.output import table

_VERDICTS = {
    Verdict.INTACT: "intact",
    Verdict.TAMPERED: "tampered with",
    Verdict.UNKNOWN: "nobody can tell",
}


def verdict_across(reports: Mapping[str, VerificationReport]) -> Verdict:
    """Return what several reports come to."""
    return verdict_of([finding for report in reports.values() for finding in report.findings])


def report_as_json(reports: Mapping[str, VerificationReport]) -> str:
    """Return the reports of trails, by their names, as JSON."""
    return json.dumps(
        {
            "verdict": verdict_across(reports).name.lower(),
            "trails": [
                {
                    "trail": name,
                    "streams": [
                        {
                            "stream": each.stream,
                            "entries": each.entries,
                            "anchored": each.anchored,
                            "without_body": each.without_body,
                        }
                        for each in report.streams
                    ],
                    "findings": [finding_members(each) for each in report.findings],
                }
                for name, report in reports.items()
            ],
        },
        indent=2,
    )


def report_as_text(reports: Mapping[str, VerificationReport]) -> str:
    """Return the reports of trails, by their names, for people."""
    lines: list[str] = []
    for name, report in reports.items():
        rows = [
            ("STREAM", "ENTRIES", "ANCHORED", "WITHOUT BODY"),
            *(
                (each.stream, str(each.entries), str(each.anchored), str(each.without_body))
                for each in report.streams
            ),
        ]
        lines += [f"{name}:", table(rows), *findings_as_text(report.findings)]
    return "\n".join([*lines, f"The audit trail: {_VERDICTS[verdict_across(reports)]}."])


def findings_as_text(findings: Sequence[Finding]) -> list[str]:
    """Return a line for each of *findings*."""
    return [_line(each) for each in findings]


def finding_members(finding: Finding) -> dict[str, Any]:
    """Return *finding* as plain JSON."""
    members: dict[str, Any] = {
        "kind": finding.kind.value,
        "stream": finding.stream,
        "seq": finding.seq,
        "last": finding.last,
        "detail": finding.detail,
    }
    if finding.kind is FindingKind.UNSIGNED_TAIL:
        members["entries"] = finding.last - finding.seq + 1
    return members


def _line(finding: Finding) -> str:
    place = f" stream {finding.stream}" if finding.stream else ""
    if finding.seq:
        place += (
            f" entry {finding.seq}"
            if finding.seq == finding.last
            else f" entries {finding.seq} to {finding.last}"
        )
    return f"{finding.kind.value}{place}: {finding.detail}"
