"""What must never be printed: keys and secrets that are known, and what looks like them."""

import re

HIDDEN = "***"
_SHORTEST = 6  # what is shorter is no secret, and hiding it would tear holes into every line

_hidden: set[str] = set()
_PATTERNS = (
    re.compile(r"""(X-BAPI-(?:SIGN|API-KEY)["']?\s*[:=,]\s*b?["']?)[^\s"',)}\]]+""", re.IGNORECASE),
    re.compile(
        r"""((?:api_?key|api_?secret|signature|listenkey)["']?\s*[:=]\s*["']?)[^\s"',&)}\]]{6,}""", re.IGNORECASE
    ),
    re.compile(r"""(["']op["']\s*:\s*["']auth["'].{0,80}?["']args["']\s*:\s*\[)[^\]]*""", re.DOTALL),
)
"""Headers of a signed request, names that go with a secret, and the login of a private socket."""


def hide(*texts: str) -> None:
    """Never print these."""
    _hidden.update(text for text in texts if len(text) >= _SHORTEST)


def redact(text: str) -> str:
    """The text without any key, secret or signature that is known or looks like one."""
    for hidden in sorted(_hidden, key=len, reverse=True):
        if hidden in text:
            text = text.replace(hidden, HIDDEN)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<1>{HIDDEN}", text)
    return text
