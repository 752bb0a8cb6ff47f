"""The lookup of a route by the path below a resource, and then by method."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.ports.dependency import CallQueue
from fastapi_easy.interfaces.http.routing.resource_route import ResourceRoute

_ORDER: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class Methods:
    """The routes of one path by method.

    Attributes:
        routes: By method; HEAD wherever there is GET.

        allow: The Allow header.
    """

    __slots__ = ("allow", "routes")

    def __init__(self, routes: Mapping[str, ResourceRoute]) -> None:
        self.routes = dict(routes)
        if "GET" in routes:
            self.routes["HEAD"] = routes["GET"]
        self.allow = ", ".join([*(each for each in _ORDER if each in self.routes), "OPTIONS"]).encode("ascii")

    def any(self) -> ResourceRoute | None:
        """Return a route that has the template of this path, whatever the method."""
        return next(iter(self.routes.values()), None)


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths of one resource.

    Attributes:
        collection: `/books`.

        fixed: `/books/search` and the like, by segment.

        entity: `/books/{key}`.

        actions: `/books/{key}/{action}`, by segment.

        queue: The calls that wait for the database; `None` where that refuses no request.
    """

    collection: Methods
    fixed: Mapping[bytes, Methods]
    entity: Methods
    actions: Mapping[bytes, Methods]
    queue: CallQueue | None = None

    def find(self, parts: Sequence[bytes]) -> Methods | None:
        """Return the methods of the path with the segments *parts*; the first two lead to the resource."""
        match parts:
            case [_, _]:
                return self.collection
            case [_, _, segment] if segment:
                return self.fixed.get(segment, self.entity)
            case [_, _, segment, action] if segment:
                return self.actions.get(action)
            case _:
                return None
