"""The definition of a stored column, in parts, so that one can be changed and the others stay as they are."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"""(?:'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`|/\*.*?\*/|\(|\)|[^\s()'"`]+)""", re.DOTALL
)
_STARTS: Final = frozenset(
    {
        "GENERATED",
        "NOT",
        "NULL",
        "DEFAULT",
        "ON",
        "AUTO_INCREMENT",
        "COMMENT",
        "CHECK",
        "INVISIBLE",
        "WITHOUT",
        "/*!",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDefinition:
    """The definition of a column.

    Attributes:
        type: With its character set and collation.

        generated: `GENERATED ALWAYS AS …`; empty for none.

        nullable: Whether it takes NULL.

        default: The expression of its default; `None` for none.

        on_update: `ON UPDATE …`; empty for none.

        auto_increment: The server numbers the rows.

        comment: As a literal; empty for none.

        rest: What follows: checks and what only one of the servers knows.
    """

    type: str
    generated: str = ""
    nullable: bool = True
    default: str | None = None
    on_update: str = ""
    auto_increment: bool = False
    comment: str = ""
    rest: str = ""

    def __str__(self) -> str:
        """Return the definition as it stands behind the name of the column."""
        parts = [self.type, self.generated]
        if not self.generated or not self.nullable:
            parts.append("NULL" if self.nullable else "NOT NULL")
        if self.default is not None:
            parts.append(f"DEFAULT {self.default}")
        parts += [self.on_update, "AUTO_INCREMENT" if self.auto_increment else ""]
        parts += [f"COMMENT {self.comment}" if self.comment else "", self.rest]
        return " ".join(each for each in parts if each)


def read_definition(text: str) -> ColumnDefinition:
    """Return a definition of `SHOW CREATE TABLE` in parts."""
    parts = list(_parts(text))
    found: dict[str, str] = {}
    rest: list[str] = []
    declared: list[str] = []
    for each in parts:
        start = _start(each)
        if start is None:
            declared.append(each)
        elif start in {"CHECK", "INVISIBLE", "WITHOUT", "/*!"}:
            rest.append(each)
        else:
            found[start] = each
    default = found.get("DEFAULT", "DEFAULT NULL").removeprefix("DEFAULT ")
    return ColumnDefinition(
        type=" ".join(declared),
        generated=found.get("GENERATED", ""),
        nullable="NOT" not in found,
        default=None if default == "NULL" else default,
        on_update=found.get("ON", ""),
        auto_increment="AUTO_INCREMENT" in found,
        comment=found.get("COMMENT", "").removeprefix("COMMENT "),
        rest=" ".join(rest),
    )


def with_lines(statement: str, lines: Iterable[str]) -> str:
    """Return a `CREATE TABLE` with more *lines* in front of the parenthesis that ends its definitions."""
    depth = 0
    for found in _TOKEN.finditer(statement):
        depth += (found[0] == "(") - (found[0] == ")")
        if found[0] == ")" and not depth:
            head, tail = statement[: found.start()].rstrip(), statement[found.start() :]
            return ", \n    ".join([head, *lines]) + f"\n{tail}"
    raise ValueError(f"no CREATE TABLE: {statement}")


def without_own_check(definition: ColumnDefinition) -> str:
    """Return what follows in *definition* without the check that MariaDB gives to a column of type JSON."""
    return re.sub(
        r"CHECK \(json_valid\((`(?:[^`]|``)*`|\"(?:[^\"]|\"\")*\")\)\)", "", definition.rest
    ).strip()


def _parts(text: str) -> Iterator[str]:
    """Yield the type and each clause after it."""
    current = ""
    depth, end = 0, 0
    for found in _TOKEN.finditer(text):
        word = found[0]
        gap = text[end : found.start()]
        end = found.end()
        starts = depth == 0 and gap and _start(word) is not None
        if starts and not (word == "NULL" and current in {"NOT", "DEFAULT"}):
            if current:
                yield current
            current = word
        else:
            current += (" " if gap else "") + word
        depth += (word == "(") - (word == ")")
    if current:
        yield current


def _start(part: str) -> str | None:
    word = "/*!" if part.startswith("/*!") else part.split(" ", 1)[0]
    return word if word in _STARTS else None
