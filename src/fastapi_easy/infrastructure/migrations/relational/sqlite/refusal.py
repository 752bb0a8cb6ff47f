"""A change that is not made on SQLite."""


class SqliteRefusal(Exception):
    """Raised when steps cannot be made; the message is for people and says what to do."""
