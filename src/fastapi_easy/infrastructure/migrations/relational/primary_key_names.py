"""Names of primary keys, which MySQL and MariaDB ignore, with a warning for each statement."""

import re
from typing import Final

_NAMED: Final = re.compile(r"^(\s*)CONSTRAINT (?:`(?:[^`]|``)*`|[^\s`]+) PRIMARY KEY", re.MULTILINE)


def without_key_name(created: str) -> str:
    """Return a `CREATE TABLE` of SQLAlchemy's, which gives each constraint a line, without that of its primary key."""
    return _NAMED.sub(r"\1PRIMARY KEY", created, count=1)
