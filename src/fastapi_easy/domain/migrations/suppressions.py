"""Suppressions in the comments of migration scripts: `# fe: allow DS103 users.legacy reason="…" until=2027-01-01`."""

import datetime
import io
import re
import tokenize
from collections.abc import Iterator
from typing import Final

from fastapi_easy.domain.migrations.policy import Suppression

_MARK: Final = re.compile(r"#\s*fe\s*:(?P<content>.*)", re.DOTALL)
_FORM: Final = re.compile(
    r"\s*allow\s+(?P<rule>[A-Z]{2,8}\d{3})\s+(?P<object>\S+)\s+"
    r"reason=(?P<quote>[\"'])(?P<reason>.*?)(?P=quote)\s+until=(?P<until>\S+)\s*"
)
_EXAMPLE: Final = '# fe: allow DS103 users.legacy reason="nobody reads it" until=2027-01-01'


def read_suppressions(text: str) -> list[Suppression]:
    """Return the suppressions in the comments of the Python *text*, in their order.

    Raises:
        ValueError: A comment begins with `fe:` and is none, with the numbers of all such lines.
    """
    found: list[Suppression] = []
    wrong: list[str] = []
    for line, content in _marked_comments(text):
        read = _read(content)
        if isinstance(read, Suppression):
            found.append(read)
        else:
            wrong.append(f"line {line}: {read}")
    if wrong:
        raise ValueError(f"{'; '.join(wrong)}. Write for example: {_EXAMPLE}")
    return found


def _marked_comments(text: str) -> Iterator[tuple[int, str]]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            marked = _MARK.fullmatch(token.string) if token.type == tokenize.COMMENT else None
            if marked is not None:
                yield token.start[0], marked["content"]
    except (tokenize.TokenError, SyntaxError) as error:
        raise ValueError(f"the script cannot be read as Python: {error}") from error


def _read(content: str) -> Suppression | str:
    """Return the suppression, or what is wrong with it."""
    form = _FORM.fullmatch(content)
    if form is None:
        return f"{content.strip()!r} is not a suppression"
    if not form["reason"].strip():
        return "the reason is empty"
    try:
        until = datetime.date.fromisoformat(form["until"])
    except ValueError:
        return f"{form['until']} is not a date"
    return Suppression(rule=form["rule"], object=form["object"], reason=form["reason"].strip(), until=until)
