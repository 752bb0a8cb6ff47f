"""Why a token is not accepted."""


class TokenRefused(Exception):
    """Says why a token is not accepted, for the log alone.

    Attributes:
        reason: A few words without any part of the token.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
