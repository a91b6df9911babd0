"""Foreign strings made harmless before they reach a terminal, a log or a file name."""

import unicodedata

_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def sanitise(foreign: object, width: int = 200) -> str:
    """One printable line of at most `width` characters.

    Control bytes (C0, DEL, C1), escape sequences' introducers, bidirectional and zero-width
    characters, surrogates and line separators are dropped; tabs and newlines become a space.
    Markup brackets stay text: callers never parse foreign text as markup.
    """
    text = str(foreign)
    if text.isprintable():  # nearly all: none of what is dropped is printable
        return text if len(text) <= width else f"{text[: width - 1]}…"
    out: list[str] = []
    for char in text:
        if char in "\t\n\r":
            out.append(" ")
        elif unicodedata.category(char) not in _DROPPED:
            out.append(char)
        if len(out) > width:
            return "".join(out[: width - 1]) + "…"
    return "".join(out)


def file_name(foreign: object) -> str:
    """A foreign string as a file name: letters, digits, dot, dash and underscore only."""
    safe = "".join(char if char.isascii() and (char.isalnum() or char in "-_") else "_" for char in str(foreign))
    return safe[:80] or "_"
