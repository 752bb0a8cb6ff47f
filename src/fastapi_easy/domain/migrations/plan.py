"""The steps that lead from a stored schema to the declared one, assessed and in order."""

import hashlib
import json
from dataclasses import dataclass, field

from fastapi_easy.domain.migrations.change import Change, Dialect
from fastapi_easy.domain.migrations.risk import Finding, Risk, Statistics
from fastapi_easy.domain.migrations.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationPlan:
    """The steps that lead from a stored schema to the declared one. Only plans are executed.

    Attributes:
        database: The name of the database in the settings.

        dialect: The kind of database.

        server_version: As the server spells it; empty when the plan was made without one.

        source: `models` when it comes from a comparison, `files` when it comes from migration scripts.

        revisions: The revisions of the scripts it carries out, in order; empty for a comparison.

        parent: The id of the plan that was applied last when it was made; empty for none.

        schema_before: The fingerprint of the stored schema that it was made for; empty when unknown.

        declared: The checksum of the declared schema that it leads to; empty when unknown.

        steps: In order.

        findings: What concerns the plan as a whole, or what was found in the database beside it.

        drift: Where the stored schema is not what the last plan left, or the declared one although there is no other
            script, each a sentence.

        statistics: What the assessment has read.
    """

    database: str
    dialect: Dialect
    server_version: str = ""
    source: str = "models"
    revisions: tuple[str, ...] = ()
    parent: str = ""
    schema_before: str = ""
    declared: str = ""
    steps: tuple[Step, ...] = ()
    findings: tuple[Finding, ...] = ()
    drift: tuple[str, ...] = ()
    statistics: Statistics = field(default_factory=Statistics)

    @property
    def checksum(self) -> str:
        """Return the SHA-256 of what is executed: approvals and resumed runs are bound to it."""
        content = [
            self.dialect,
            self.revisions,
            self.parent,
            self.schema_before,
            [[each.mode, each.statements, each.reverse_mode, each.reverse] for each in self.steps],
        ]
        return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()

    @property
    def id(self) -> str:
        """Return a short name, the same for the same steps on the same schema."""
        return self.checksum[:12]

    @property
    def changes(self) -> tuple[Change, ...]:
        """Return the changes of its steps, in order; one that takes several steps comes with each of them."""
        return tuple(change for step in self.steps for change in step.changes)

    @property
    def risk(self) -> Risk:
        """Return the highest risk of its steps."""
        return max((each.risk for each in self.steps), default=Risk.SAFE)

    @property
    def destructive(self) -> bool:
        """Return whether a step is meant to delete data."""
        return any(each.destructive for each in self.steps)

    def __bool__(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self.steps)
