"""What says that something cannot be kept."""


class Uncacheable(Exception):
    """A query or an answer holds what has no exact written form; it is answered without the cache."""
