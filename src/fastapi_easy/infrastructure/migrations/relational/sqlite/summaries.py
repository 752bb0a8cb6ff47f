"""What a step does, for people."""

from collections.abc import Sequence

from fastapi_easy.domain.migrations.change import Change, ChangeKind


def summary_of(changes: Sequence[Change], *, rebuild: bool = False) -> str:
    """Return what *changes* do: `create index ix_books_title on books (title)`."""
    if rebuild:
        table = changes[0].table if changes else ""
        return f"build table {table} anew: {', '.join(_within(each) for each in changes)}"
    return ", ".join(f"{_within(each)}{_place(each)}" for each in changes)


def _within(change: Change) -> str:
    verb = str(change.kind).replace("_", " ")
    facts = change.facts
    name = change.name or (change.table if "table" in verb else "")
    parts = [verb, name]
    if change.kind in {ChangeKind.RENAME_TABLE, ChangeKind.RENAME_COLUMN} and "new_name" in facts:
        parts.append(f"to {facts['new_name']}")
    elif change.kind is ChangeKind.CHANGE_TYPE and "type_after" in facts:
        parts.append(f"to {facts['type_after']}")
    elif change.kind is ChangeKind.RUN_SQL and "statement" in facts:
        parts.append(" ".join(facts["statement"].split())[:80])
    return " ".join(part for part in parts if part)


def _place(change: Change) -> str:
    if not change.table or not change.name or change.kind in {ChangeKind.RENAME_TABLE, ChangeKind.RUN_SQL}:
        return ""
    columns = change.facts.get("columns")
    listed = f" ({', '.join(columns)})" if columns and change.kind is ChangeKind.CREATE_INDEX else ""
    return f" on {change.table}{listed}" if "index" in change.kind else f" of {change.table}"
