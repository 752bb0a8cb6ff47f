"""The constraints that `ALTER TABLE … ADD` adds."""

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.domain.migrations.statements.columns import read_actions
from fastapi_easy.domain.migrations.statements.reader import NotUnderstoodError, Reader


def read_constraint(table: str, action: Reader) -> Change | None:
    """Return the constraint that *action* adds to *table*; `None` when it adds none, and nothing was read."""
    name = ""
    if action.take("CONSTRAINT"):
        named = not any(action.sees(each) for each in ("UNIQUE", "PRIMARY", "FOREIGN", "CHECK"))
        name = action.name() if named else ""
    elif not any(action.sees(each) for each in ("UNIQUE", "PRIMARY", "FOREIGN", "CHECK", "EXCLUDE")):
        return None
    facts = Facts(constraint_name=name or None)
    kind = _kind(action, facts)
    if action.take("NOT", "VALID") or "VALID" in action.words:
        facts["validated_later"] = True
    if kind is ChangeKind.ADD_UNIQUE and not name and action.dialect == "mysql":
        # MySQL calls it after its first column.
        name = facts.get("constraint_name") or next(iter(facts.get("columns", ())), "")
    return Change(kind=kind, table=table, name=name, facts=facts)


def _kind(action: Reader, facts: Facts) -> ChangeKind:
    if action.take("UNIQUE"):
        _read_key(action, facts)
        return ChangeKind.ADD_UNIQUE
    if action.take("PRIMARY", "KEY"):
        _read_key(action, facts)
        return ChangeKind.ADD_PRIMARY_KEY
    if action.take("FOREIGN", "KEY"):
        if not action.sees("("):
            _ = action.name()
        facts["columns"] = action.in_brackets().names()
        action.expect("REFERENCES")
        facts["references"] = action.qualified_name()
        facts.update(read_actions(action))
        return ChangeKind.ADD_FOREIGN_KEY
    if action.take("CHECK"):
        facts["expression"] = action.in_brackets().text
        return ChangeKind.ADD_CHECK
    if action.take("EXCLUDE"):
        facts["expression"] = action.text
        return ChangeKind.ADD_EXCLUSION
    raise NotUnderstoodError


def _read_key(action: Reader, facts: Facts) -> None:
    if action.take("USING", "INDEX"):
        facts["using_index"] = True
        return
    _ = action.take_any("KEY", "INDEX")
    if action.take("NULLS"):
        _ = action.take("NOT")
        _ = action.take("DISTINCT")
    if not action.sees("("):
        facts["constraint_name"] = action.name()
    facts["columns"] = tuple(each.name() for each in action.in_brackets().parts())
    facts["unique"] = True
