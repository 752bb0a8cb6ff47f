"""Lower case as every store folds it."""


def fold_case(text: str) -> str:
    """Return *text* with each character in its one-to-one lower case; `İ`, which has none, stays as it is."""
    # `str.lower` makes two characters of `İ`, where databases map each code point to one.
    if text.isascii():
        return text.lower()
    return "".join(low if len(low := each.lower()) == 1 else each for each in text)
