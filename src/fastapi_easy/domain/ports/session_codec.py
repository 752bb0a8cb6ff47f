"""How sessions are written into cookies."""

from typing import Protocol, runtime_checkable

from fastapi_easy.domain.authentication.session import Session


@runtime_checkable
class SessionCodec(Protocol):
    """Writes sessions as texts that nobody else can write, and reads them."""

    def write(self, session: Session, /) -> str:
        """Return the text of *session*, signed.

        Raises:
            ValueError: It would not fit into a cookie.
        """
        ...

    def read(self, text: str, /) -> Session | None:
        """Return the session that *text* was written for; `None` where the signature is not ours."""
        ...

    def csrf_token(self, session_id: str, /) -> str:
        """Return the proof that whoever asks has read something that only a page of our own can read."""
        ...

    def is_csrf_token(self, token: str, session_id: str, /) -> bool:
        """Return whether *token* is such a proof for the session with *session_id*; takes the same time always."""
        ...
