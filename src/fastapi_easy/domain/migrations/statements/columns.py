"""The definition of a column, as `CREATE TABLE` and `ALTER TABLE` have it."""

from typing import Final

from fastapi_easy.domain.migrations.change import Facts
from fastapi_easy.domain.migrations.statements.reader import NotUnderstoodError, Reader

_CONSTRAINTS: Final = (
    *(
        "CONSTRAINT",
        "NOT",
        "NULL",
        "DEFAULT",
        "PRIMARY",
        "UNIQUE",
        "KEY",
        "CHECK",
        "REFERENCES",
        "GENERATED",
        "AS",
    ),
    *(
        "COLLATE",
        "AUTO_INCREMENT",
        "AUTOINCREMENT",
        "COMMENT",
        "FIRST",
        "AFTER",
        "STORAGE",
        "INVISIBLE",
        "ON",
    ),
    *("DEFERRABLE", "INITIALLY", "USING", "VIRTUAL", "STORED", "PERSISTENT", "CHARSET"),
)
_CONSTANT_CALLS: Final = frozenset(
    {"NOW", "CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_USER", "TRANSACTION_TIMESTAMP", "LOCALTIMESTAMP"}
)


def read_definition(definition: Reader) -> Facts:
    """Return the facts of a column from what stands behind its name."""
    column_type = definition.until(*_CONSTRAINTS)
    facts = Facts(type_after=column_type.text, nullable=True, default=None)
    is_serial = any("SERIAL" in word for word in column_type.words)
    facts["identity"] = is_serial
    if is_serial:
        facts["nullable"] = False
    while not definition.is_done:
        _read_constraint(definition, facts)
    return facts


def _read_constraint(definition: Reader, facts: Facts) -> None:
    if definition.take("CONSTRAINT"):
        _ = definition.name()
    elif definition.take("NOT", "NULL"):
        facts["nullable"] = False
    elif definition.take("PRIMARY", "KEY"):
        facts["nullable"], facts["primary_key"] = False, True
    elif definition.take("UNIQUE"):
        _ = definition.take("KEY")
        facts["inline_unique"] = True
    elif definition.take("CHECK"):
        facts["inline_check"], facts["expression"] = True, definition.in_brackets().text
    elif definition.take("REFERENCES"):
        facts["inline_references"], facts["references"] = True, definition.qualified_name()
        _ = read_actions(definition)
    elif definition.take_any("AUTO_INCREMENT", "AUTOINCREMENT"):
        facts["identity"] = True
    elif definition.take("DEFAULT"):
        _read_default(definition, facts)
    elif definition.take_any("GENERATED", "AS"):
        _read_generated(definition, facts)
    else:
        definition.skip()


def read_actions(definition: Reader) -> Facts:
    """Return the facts of what stands behind the table of a foreign key."""
    facts = Facts(on_delete=None, on_update=None)
    if definition.sees("("):
        facts["referred_columns"] = definition.in_brackets().names()
    while True:
        if definition.take("MATCH"):
            definition.skip()
        elif definition.take("ON", "DELETE"):
            facts["on_delete"] = _action(definition)
        elif definition.take("ON", "UPDATE"):
            facts["on_update"] = _action(definition)
        else:
            return facts


def _action(definition: Reader) -> str:
    for words in (("CASCADE",), ("RESTRICT",), ("NO", "ACTION"), ("SET", "NULL"), ("SET", "DEFAULT")):
        if definition.take(*words):
            return " ".join(words)
    raise NotUnderstoodError


def _read_default(definition: Reader, facts: Facts) -> None:
    if definition.take("NULL"):
        return
    default = definition.until(*_CONSTRAINTS)
    facts["default"] = default.text
    # MySQL copies the table for every default that is an expression.
    facts["volatile_default"] = _calls(default) or (default.dialect == "mysql" and default.sees("("))


def _read_generated(definition: Reader, facts: Facts) -> None:
    while definition.take_any("ALWAYS", "BY", "AS"):
        _ = definition.take("DEFAULT")
    if definition.take("IDENTITY"):
        facts["identity"], facts["nullable"] = True, False
        return
    facts["expression"] = definition.in_brackets().text
    facts["computed"] = "stored" if definition.take_any("STORED", "PERSISTENT") else "virtual"


def _calls(default: Reader) -> bool:
    """Return whether *default* calls a function that may give every row another value."""
    words = ["", *default.words]
    return any(
        after == "(" and word not in {"", "("} and before != ":" and word not in _CONSTANT_CALLS
        for before, word, after in zip(words, words[1:], words[2:], strict=False)
    )
