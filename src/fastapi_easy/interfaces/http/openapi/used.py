"""Which shared components the operations of a document refer to; a document holds no others."""

from collections.abc import Iterator, Mapping

from fastapi_easy.interfaces.http.openapi.documents import Document


def used_components(paths: Document, shared: Mapping[str, Mapping[str, Document]]) -> dict[str, Document]:
    """Return those of *shared*, by kind and name, that the operations of *paths* refer to.

    Args:
        paths: Every path of the document.

        shared: The parameters, bodies, responses and headers there are; a response may refer to headers.
    """
    used: dict[str, set[str]] = {kind: set() for kind in shared}
    for path in paths.values():
        for operation in path.values():
            # A path may also have members that are no operations.
            if isinstance(operation, dict):
                for reference in _references(operation):
                    _note(reference, used)
    for name in used["responses"] & shared["responses"].keys():
        for header in shared["responses"][name].get("headers", {}).values():
            _note(header.get("$ref"), used)
    return {
        kind: {name: each for name, each in components.items() if name in used[kind]}
        for kind, components in shared.items()
    }


def _references(operation: Document) -> Iterator[str | None]:
    yield operation.get("requestBody", {}).get("$ref")
    for parameter in operation.get("parameters", ()):
        yield parameter.get("$ref")
    for response in operation.get("responses", {}).values():
        yield response.get("$ref")
        for header in response.get("headers", {}).values():
            yield header.get("$ref")


def _note(reference: str | None, used: dict[str, set[str]]) -> None:
    if reference is not None:
        kind, _, name = reference.removeprefix("#/components/").partition("/")
        if kind in used:
            used[kind].add(name)
