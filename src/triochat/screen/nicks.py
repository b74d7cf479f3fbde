"""Nicks."""


def mentions(text: str, nick: str) -> bool:
    """Stub."""
    return nick.casefold() in text.casefold()
