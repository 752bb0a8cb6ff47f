"""The paths of a request as its caller sees them: below the path at which the app is mounted, or a proxy serves it."""

from urllib.parse import quote

from starlette.types import Scope


def root_of(scope: Scope) -> str:
    """Return the path before everything that the app serves, without a `/` at its end; mostly empty."""
    root: str = scope.get("root_path", "")
    return root.rstrip("/") if root else ""


def path_below_root(scope: Scope) -> str:
    """Return the path of the request as the app's own routes have it.

    Servers differ in whether the path of the mount is part of the path.
    """
    path, root = str(scope["path"]), root_of(scope)
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


def public_path(scope: Scope) -> str:
    """Return the path that the caller asked for."""
    root = root_of(scope)
    return root + path_below_root(scope) if root else scope["path"]


def raw_public_path(scope: Scope) -> bytes:
    """Return the same, percent-encoded as it was sent."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode("ascii")
    root = quote(root_of(scope)).encode("ascii")
    return raw if not root or raw.startswith(root + b"/") else root + raw
