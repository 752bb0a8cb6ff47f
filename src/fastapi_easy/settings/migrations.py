"""The settings of migrations."""

import datetime
from pathlib import Path
from typing import Annotated

from pydantic import Field

from fastapi_easy.domain.migrations.policy import Suppression
from fastapi_easy.settings.section import Seconds, Section


class SuppressionSettings(Section):
    """A finding that does not count.

    Attributes:
        rule: The id of the rule, like `DS103`.

        object: What it concerns, like `users.legacy`; `*` at its end stands for anything.

        reason: Why.

        until: The last day on which it holds.
    """

    rule: Annotated[str, Field(pattern=r"^[A-Z]{2,8}[0-9]{3}$")]
    object: Annotated[str, Field(min_length=1)]
    reason: Annotated[str, Field(min_length=1)]
    until: datetime.date

    def suppression(self) -> Suppression:
        """Return the same for the rules."""
        return Suppression(rule=self.rule, object=self.object, reason=self.reason, until=self.until)


class MigrationSettings(Section):
    """How stored schemas are changed.

    Attributes:
        folder: Where the scripts are that `fastapi-easy migrate make` writes; of other databases than `default` in a
            folder of their own below it.

        wait: Seconds to wait at start for another process that migrates.

        suppress: Findings that do not count.
    """

    folder: Path = Path("migrations")
    wait: Seconds = 60.0
    suppress: tuple[SuppressionSettings, ...] = ()
