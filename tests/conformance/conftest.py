"""Counts what each adapter passed on each server, and prints it at the end."""

from collections import Counter, defaultdict

import pytest

from fastapi_easy.testing.conformance import LeaseStoreFactory, SchemaStoreFactory, Store
from tests.conformance.mongo_documents import documents, opened_documents
from tests.conformance.odd_documents import odd_shop, raw_odds

__all__ = ["documents", "odd_shop", "opened_documents", "raw_odds"]

COLUMN = "column"
OUTCOMES = ("passed", "skipped", "failed", "error")


@pytest.fixture(autouse=True)
def _in_its_column(request: pytest.FixtureRequest) -> None:
    """Note on the test's report which adapter and server it ran on."""
    for name in {"store", "leases", "schemas"} & set(request.fixturenames):
        ready = request.getfixturevalue(name)
        if isinstance(ready, Store | LeaseStoreFactory | SchemaStoreFactory):
            request.node.user_properties.append((COLUMN, ready.column))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each column."""
    columns: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for outcome in OUTCOMES:
        for report in terminalreporter.stats.get(outcome, ()):
            column = dict(getattr(report, "user_properties", ())).get(COLUMN)
            if column is not None:
                columns[column][outcome] += 1
    if not columns:
        return
    terminalreporter.section("conformance")
    width = max(map(len, columns))
    for column, counts in sorted(columns.items()):
        told = ", ".join(f"{counts[each]} {each}" for each in OUTCOMES if counts[each] or each == "passed")
        terminalreporter.line(f"{column:{width}}  {told}")
