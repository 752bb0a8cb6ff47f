"""The rules of migrations, as the second half of `docs/reference/migration-rules.md`.

`make tables` writes it there; `test_reference` compares.
"""

from fastapi_easy.domain.migrations.risk import Rule
from fastapi_easy.domain.migrations.rules.table import RULES
from tests.docs.pages import DOCS

PAGE = DOCS / "reference" / "migration-rules.md"
HEADING = "## The rules"
FAMILIES = {
    "DS": "Data is lost",
    "BC": "Older programs fail",
    "DD": "It depends on the data",
    "LK": "Others wait",
    "IN": "Less is enforced",
    "OP": "Hard to operate",
    "ST": "Style",
}
COLUMNS = ["rule", "finds", "risk at most", "on", "because", "decided", "instead"]
STORES = {"postgresql": "PostgreSQL", "mysql": "MySQL", "sqlite": "SQLite", "mongodb": "MongoDB"}


def written() -> str:
    """What stands below the heading, in Markdown."""
    parts = [f"\n### {title}\n\n{_table(prefix)}" for prefix, title in FAMILIES.items()]
    return "".join(parts)


def _table(prefix: str) -> str:
    rules = [_cells(rule) for rule in RULES if rule.id.startswith(prefix)]
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rules]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines).replace(" --- ", "---")


def _cells(rule: Rule) -> list[str]:
    stores = "all" if len(rule.dialects) == len(STORES) else ", ".join(_stores(rule))
    cells = [rule.title, rule.risk.value + (", deletes data" if rule.destroys else ""), stores]
    cells += [rule.why, rule.decided, rule.alternative]
    return [f'<a id="{rule.id.lower()}"></a>{rule.id}', *(each.replace("|", "\\|") for each in cells)]


def _stores(rule: Rule) -> list[str]:
    return [name for dialect, name in STORES.items() if dialect in rule.dialects]


def shown() -> str:
    """What the page shows below the heading."""
    return PAGE.read_text(encoding="utf-8").partition(f"\n{HEADING}\n")[2]


def write() -> None:
    """Put the rules into the page, below their heading."""
    before, heading, _ = PAGE.read_text(encoding="utf-8").partition(f"\n{HEADING}\n")
    PAGE.write_text(before + heading + written(), encoding="utf-8")


if __name__ == "__main__":
    write()
