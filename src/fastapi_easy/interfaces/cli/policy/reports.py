"""Answers about policies, laid out for people."""

from collections.abc import Iterator

from fastapi_easy.interfaces.cli.output import table
from fastapi_easy.interfaces.cli.policy.tasks import Document

_SENTENCES = {
    "forbidden": "the caller is told that it is not permitted",
    "unauthenticated": "the caller is told to authenticate",
    "hidden": "is none of them: the caller is told that it does not exist",
}


def explanation_text(found: Document, caller: str) -> str:
    """Return the answer to `policy explain`."""
    entity = "/".join(filter(None, (found["resource"], found["key"])))
    lines = [f"{found['action']} {entity} as {caller}: {found['decision']}"]
    facts = list(_facts(found, entity))
    if facts:
        lines += [f"  {line}" for line in table(facts).splitlines()]
    rules = [(each["place"], each["reason"] or _verdict(each)) for each in found["rules"]]
    lines.append("rules about it:" if rules else f"no rule is about {found['action']} on {found['resource']}")
    if rules:
        lines += [f"  {line}" for line in table(rules).splitlines()]
    return "\n".join(lines)


def _verdict(rule: Document) -> str:
    return "allows" if rule["allows"] else "does not allow"


def _facts(found: Document, entity: str) -> Iterator[tuple[str, str]]:
    decision = found["decision"]
    if decision in {"forbidden", "unauthenticated"}:
        yield "answer", _SENTENCES[decision]
        return
    yield "decided by", ", ".join(found["decided_by"])
    yield "rows", found["rows"]
    if found["key"] is not None:
        yield entity, "is one of them" if decision == "allowed" else _SENTENCES[decision]
    yield "reads", ", ".join(found["readable"]) or "nothing"
    if found["writable"]:
        yield "writes", ", ".join(found["writable"])
    if found["stamps"]:
        yield "stamps", ", ".join(f"{name} = {value}" for name, value in found["stamps"].items())


def matrix_text(found: Document) -> str:
    """Return the answer to `policy matrix`."""
    columns = found["columns"]
    rows = [("RESOURCE", "ACTION", *(each.upper() if n < 2 else each for n, each in enumerate(columns)))]  # noqa: PLR2004
    for row in found["rows"]:
        cells = (row["cells"][each] for each in columns)
        shown = ("no" if each is None else str(each["summary"]) for each in cells)
        rows.append((row["resource"], row["action"], *shown))
    lines = [table(rows), *_limits(found)]
    if found["unlisted"]:
        names = ", ".join(found["unlisted"])
        lines += ["", f"{names} cannot be listed: there may be roles of which this table says nothing."]
    return "\n".join(lines)


def _limits(found: Document) -> Iterator[str]:
    """Yield what `rows` in the table means; actions with the same limit of the same caller on one line."""
    limits: dict[tuple[str, str, str], list[str]] = {}
    for row in found["rows"]:
        for column, cell in row["cells"].items():
            if cell is not None and cell["rows"] is not None:
                limits.setdefault((row["resource"], column, cell["rows"]), []).append(row["action"])
    if limits:
        yield ""
        yield "rows:"
    for (resource, column, rows), actions in limits.items():
        yield f"  {resource} {', '.join(actions)}, {column}: {rows}"
