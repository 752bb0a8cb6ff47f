"""Findings in the Static Analysis Results Interchange Format (SARIF) 2.1.0, which code hosts show beside the code."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from fastapi_easy.domain.migrations.risk import Finding, Risk
from fastapi_easy.interfaces.cli.migrate.masking import printable
from fastapi_easy.interfaces.cli.migrate.reports.placed_findings import PlacedFinding
from fastapi_easy.interfaces.cli.migrate.reports.plan_view import address_of
from fastapi_easy.interfaces.cli.migrate.tasks import Place

_LEVELS: Final = {Risk.DANGEROUS: "error", Risk.CAUTION: "warning", Risk.SAFE: "note"}


def sarif_document(findings: Sequence[PlacedFinding]) -> dict[str, object]:
    """Return *findings* as the one run of a SARIF log."""
    rules: dict[str, Finding] = {}
    for each in findings:
        _ = rules.setdefault(each.finding.rule, each.finding)
    indexes = {rule: index for index, rule in enumerate(rules)}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "fastapi-easy migrate",
                        "informationUri": "https://github.com/fastapi-easy/fastapi-easy",
                        "rules": [_rule(each) for each in rules.values()],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(each, indexes[each.finding.rule]) for each in findings],
            }
        ],
    }


def _rule(finding: Finding) -> dict[str, object]:
    address = address_of(finding)
    return {
        "id": finding.rule,
        "shortDescription": {"text": finding.title or finding.rule},
        **({"help": {"text": finding.alternative}} if finding.alternative else {}),
        **({"helpUri": address} if address else {}),
    }


def _result(found: PlacedFinding, rule_index: int) -> dict[str, object]:
    finding = found.finding
    location = {
        **(_physical(found.place) if found.place is not None else {}),
        "logicalLocations": [{"fullyQualifiedName": printable(finding.object)}],
    }
    identity = f"{finding.rule}:{finding.object}"
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.risk],
        "message": {"text": printable(f"{finding.object}: {finding.message}")},
        "locations": [location],
        # Without lines, so that a finding that moves is still the same one.
        "partialFingerprints": {"fastapiEasyFinding/v1": hashlib.sha256(identity.encode()).hexdigest()},
        **(
            {"suppressions": [{"kind": "external", "justification": printable(finding.suppressed)}]}
            if finding.suppressed is not None
            else {}
        ),
    }


def _physical(place: Place) -> dict[str, object]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(place.file)},
            "region": {"startLine": place.line},
        }
    }


def _uri(file: Path) -> str:
    """Return the address of *file*, from the current folder if it is in it."""
    here = Path.cwd()
    there = file.resolve()
    return quote(there.relative_to(here).as_posix()) if there.is_relative_to(here) else there.as_uri()
