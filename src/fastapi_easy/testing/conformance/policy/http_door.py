"""Questions asked over HTTP, in process."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from fastapi_easy.application.queries.key_codec import KeyCodec
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.value_parsing import to_json_value
from fastapi_easy.interfaces.formats.shown_key import shown_key
from fastapi_easy.testing.conformance.policy.answers import Answer
from fastapi_easy.testing.conformance.policy.questions import Item, Question

CALLER_HEADER: Final = "x-conformance-caller"
"""Which of the callers of the suite asks."""

_NOT_COMPARED: Final = frozenset({"instance", "correlation_id", "key"})
"""What differs between two answers that tell the same."""

_METHODS: Final[Mapping[str, tuple[str, str]]] = {
    Operation.CREATE: ("POST", ""),
    Operation.GET: ("GET", "/{key}"),
    Operation.LIST: ("GET", ""),
    Operation.COUNT: ("GET", "/count"),
    Operation.AGGREGATE: ("GET", "/aggregate"),
    Operation.EXPORT: ("GET", "/export"),
    Operation.REPLACE: ("PUT", "/{key}"),
    Operation.UPDATE: ("PATCH", "/{key}"),
    Operation.DELETE: ("DELETE", "/{key}"),
    Operation.RESTORE: ("POST", "/{key}/restore"),
    Operation.PURGE: ("POST", "/{key}/purge"),
    Operation.UPSERT: ("POST", "/upsert"),
    Operation.BULK: ("POST", "/bulk"),
    Operation.IMPORT: ("POST", "/import"),
}


class HttpDoor:
    """Implements `Door`: asks over HTTP as the caller of that name.

    Args:
        client: Talks to the application in process.

        prefix: The path before every resource.

        caller: Who asks.
    """

    name = "http"

    def __init__(self, client: Any, prefix: str, caller: str) -> None:
        self._client = client
        self._prefix = prefix
        self._caller = caller

    async def ask(self, resource: Resource[Any], question: Question) -> Answer | None:
        """Return the answer to *question*; `None` where the resource does not offer the operation."""
        operation = question.operation
        if operation not in (resource.actions or {}) and operation not in resource.operations:
            return None
        method, path = _METHODS.get(operation, ("POST", f"/{{key}}/{operation}"))
        if question.where is not None:
            method, path = "POST", "/search"
        if "{key}" in path:
            path = path.replace("{key}", KeyCodec(resource).write(question.key))
        headers = {CALLER_HEADER: self._caller}
        if question.dry_run:
            headers["prefer"] = "tx=rollback"
        if question.version is not None:
            name = "if-none-match" if operation == Operation.GET else "if-match"
            headers[name] = f'"{question.version}"'
        content = self._body(question, method)
        if content is not None:
            is_import = operation == Operation.IMPORT
            headers["content-type"] = "application/x-ndjson" if is_import else "application/json"
        response = await self._client.request(
            method,
            f"{self._prefix}/{quote(resource.name)}{path}",
            params={name: _as_text(value) for name, value in question.params.items()},
            headers=headers,
            content=content,
        )
        return _answer(response, question)

    def _body(self, question: Question, method: str) -> bytes | None:
        if question.where is not None:
            return json.dumps({"where": question.where} if question.where else {}).encode()
        if question.operation == Operation.BULK:
            items = [_item(each) for each in question.items]
            return json.dumps({"items": items, "atomic": question.atomic}).encode()
        if question.operation == Operation.IMPORT:
            return b"".join(json.dumps(line).encode() + b"\n" for line in question.lines)
        if method in {"GET", "DELETE"} or question.values is None:
            return None
        return json.dumps(question.values).encode()


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(to_json_value(value))


def _item(item: Item) -> Mapping[str, Any]:
    kind, about, values = item
    name = kind.removesuffix("_where")
    if name in {"create", "upsert"}:
        return {name: values}
    named = {"where": about} if kind.endswith("_where") else {"key": shown_key(about)}
    return {name: named if name == "delete" else {**named, "set": values}}


def _answer(response: Any, question: Question) -> Answer:
    content: Any = None
    if response.content:
        media_type = response.headers.get("content-type", "")
        if "ndjson" in media_type or "jsonl" in media_type:
            content = [json.loads(line) for line in response.text.splitlines() if line]
        elif "json" in media_type:
            content = _compared(response.json())
        else:
            content = response.text.replace("\r\n", ",").split(",")
    return Answer(
        done=response.status_code < 400 and _has_effect(content, question),
        content=content,
        kind=f"{response.status_code} {'etag' if 'etag' in response.headers else ''}".strip(),
        cursor=content.get("next_cursor") if isinstance(content, Mapping) else None,
        version=response.headers.get("etag", "").strip('"') or None,
    )


def _compared(content: Any) -> Any:
    """Return *content* without what names the request itself."""
    if isinstance(content, list):
        return [_compared(each) for each in content]
    if not isinstance(content, Mapping):
        return content
    is_problem = "correlation_id" in content or {"type", "status", "code"} <= content.keys()
    left_out = _NOT_COMPARED if is_problem else frozenset[str]()
    return {name: _compared(value) for name, value in content.items() if name not in left_out}


def _has_effect(content: Any, question: Question) -> bool:
    """Return whether a successful answer says that something was done."""
    if question.operation == Operation.COUNT:
        return bool(content and content.get("count"))
    if question.operation == Operation.BULK:
        return any(_was_done(each) for each in content.get("results", ()))
    if question.operation == Operation.IMPORT:
        return bool(content.get("created") or content.get("updated"))
    return True


def _was_done(result: Mapping[str, Any]) -> bool:
    return result.get("status", 500) < 400 and result.get("affected") != 0
