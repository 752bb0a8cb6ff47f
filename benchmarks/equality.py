"""Every column answers the same values, or nothing is measured."""

import datetime
import difflib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import httpx2

from benchmarks.catalogue import Column
from benchmarks.load import LoadFailed
from benchmarks.rows import PER_OWNER, ROWS, row

_UTC: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
_NEW: Final = {
    "title": "Something new, é",
    "price": "12345.60",
    "attributes": {"colour": "red", "size": 7, "tags": ["new"]},
    "owner_id": 7,
}
_OWNER: Final = 3


def written(values: Mapping[str, Any]) -> dict[str, Any]:
    """*values* as JSON has them: decimals as text, times in UTC."""
    return {
        **values,
        "price": str(values["price"]),
        "created_at": values["created_at"].isoformat().replace("+00:00", "Z"),
    }


def check(column: Column, url: str, count: int = ROWS) -> None:
    """Ask the column at *url* for everything that will be measured. It has *count* rows, and two are changed.

    Raises:
        LoadFailed: An answer is not what it must be; the text shows the differences.
    """
    with httpx2.Client(base_url=url, timeout=10) as client:
        asked = _Asked(client, column)
        for number in (1, 999, count):
            asked.expect(200, written(row(number)), "GET", f"/items/{number}")
        first = (_OWNER - 1) * PER_OWNER + 1
        page = {"items": [written(row(number)) for number in range(first, first + 100)], "total": PER_OWNER}
        asked.expect(200, page, "GET", column.list % _OWNER)
        asked.expect(201, {**_NEW, "id": count + 1, "created_at": "now"}, "POST", "/items", _NEW)
        changed = {**written(row(77)), "price": "0.50", "title": "Changed"}
        patch = {"price": "0.50", "title": "Changed"}
        headers = {"if-match": '"1"'} if column.patch == "patch_if_match" else {}
        asked.expect(200, changed, "PATCH", "/items/77", patch, headers)
        asked.expect(200, changed, "GET", "/items/77")


class _Asked:
    """A column, and what it must answer."""

    def __init__(self, client: httpx2.Client, column: Column) -> None:
        self._client = client
        self._column = column

    def expect(
        self,
        status: int,
        wanted: Mapping[str, Any],
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        answer = self._client.request(method, path, json=body, headers=headers or {})
        document = answer.json() if answer.content else None
        if "items" in wanted and isinstance(document, dict):
            shown: Any = self._column.page(document)
            shown["items"] = [_plain(each) for each in shown["items"] or ()]
        else:
            shown = _plain(document, is_new=wanted.get("created_at") == "now")
        if (answer.status_code, shown) != (status, wanted):
            difference = "\n".join(
                difflib.unified_diff(_lines(wanted), _lines(shown), "wanted", "answered", lineterm="", n=1)
            )
            raise LoadFailed(
                f"({self._column.letter}) {self._column.title} answers {method} {path} with"
                f" {answer.status_code}, wanted {status}:\n{difference}"
            )


def _plain(document: Any, *, is_new: bool = False) -> Any:
    """Without what only one column has, and with "now" for a time that cannot be known."""
    if not isinstance(document, dict):
        return document
    plain = {name: value for name, value in document.items() if name != "version"}
    if is_new and _is_now(plain.get("created_at")):
        plain["created_at"] = "now"
    return plain


def _is_now(text: Any) -> bool:
    if not isinstance(text, str) or not _UTC.fullmatch(text):
        return False
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(text)
    return abs(age) < datetime.timedelta(minutes=1)


def _lines(document: Any) -> list[str]:
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False).splitlines()
