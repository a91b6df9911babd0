"""Keys of an exchange: where they may come from, and who may see them.

In this order: the file named with --env-file; `BYBIT_API_KEY` and `BYBIT_API_SECRET` in the environment, from which
they are removed; a private file of ours; systemd credentials. The standard library alone, as panic needs it.
"""

import os
import re
import resource
import stat
from collections.abc import MutableMapping
from pathlib import Path
from typing import NamedTuple

from breakwall.places import EMBEDDED, PAPER, config_folder
from breakwall.redaction import HIDDEN, hide

LIVE = ("BYBIT_API_KEY", "BYBIT_API_SECRET")
LOOPBACK = ("BREAKWALL_SIM_KEY", "BREAKWALL_SIM_SECRET")
"""Keys of an embedded exchange have names of their own: a live key never goes to a process on this machine."""
KEY_FILE = "bybit.keys"
_WITHOUT_AN_ACCOUNT = {"demo": "", "paper": PAPER}
"""Modes that trade no exchange's account: what stands in its place."""
_MOST_BYTES = 4096
_PRIVATE = stat.S_IRWXG | stat.S_IRWXO

Names = tuple[str, str]


class KeysError(Exception):
    """No key can be had: names the place, what was expected, what was found and the remedy, never the content.

    `code` is the exit code it leads to: 2 nothing there or unreadable, 6 refused by a safety check.
    """

    def __init__(self, message: str, *, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


class Secret:
    """A text that shows itself only to who asks with `reveal`. It cannot be printed, compared or stored."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text
        hide(text)

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return HIDDEN

    def __reduce__(self) -> str:
        raise TypeError("a secret is never stored")


class Keys(NamedTuple):
    """A key and its secret; `source` says in words where they were found."""

    key: Secret
    secret: Secret
    source: str


def find(
    *,
    env_file: Path | None = None,
    key_file: Path | None = None,
    names: Names = LIVE,
    environ: MutableMapping[str, str] = os.environ,
) -> Keys:
    """The first keys there are. Raises KeysError where there are none, or where a place that has them is not safe.

    What was in the environment is removed from it, also where another place comes first: no child inherits it.
    """
    from_environment = _in_environment(names, environ)
    if env_file is not None:
        return _in_file(env_file, names)
    if from_environment is not None:
        return from_environment
    usual = config_folder() / KEY_FILE
    if key_file is not None or os.path.lexists(usual):
        return _in_file(key_file or usual, names)
    credentials = environ.get("CREDENTIALS_DIRECTORY", "")
    if credentials and names == LIVE:
        return _in_credentials(Path(credentials), names)
    raise KeysError(
        f"API key: expected {names[0]} and {names[1]} in the environment, in {usual} (mode 0600) or in the file "
        "named with --env-file, found none; set them"
    )


def are_set(names: Names = LIVE) -> bool:
    """Whether there is a place that should have keys; nothing is read."""
    return (
        any(name in os.environ for name in names)
        or os.path.lexists(config_folder() / KEY_FILE)
        or bool(os.environ.get("CREDENTIALS_DIRECTORY"))
    )


def is_loopback(url: str) -> bool:
    """Whether this address is on this machine, whatever path follows."""
    host = re.match(r"https?://(\[::1\]|127\.\d+\.\d+\.\d+|localhost)(:\d*)?(/|$)", url, re.IGNORECASE)
    return host is not None


def environment_of(mode: str, environment: str, rest_url: str) -> str:
    """Whose account settings speak of: embedded (on this machine), or Bybit's own name; empty: nobody's."""
    if mode in _WITHOUT_AN_ACCOUNT:
        return _WITHOUT_AN_ACCOUNT[mode]
    return EMBEDDED if is_loopback(rest_url) else environment


def names_for(url: str, environ: MutableMapping[str, str] = os.environ) -> Names:
    """Which names a key for this address has. Raises KeysError where only a live one is there for a loopback."""
    if not is_loopback(url):
        return LIVE
    if LIVE[0] in environ and LOOPBACK[0] not in environ:
        raise KeysError(
            f"{url}: expected {LOOPBACK[0]} and {LOOPBACK[1]}, found {LIVE[0]}: a live key is never sent to a "
            "process on this machine; name the keys of an embedded exchange by its own names",
            code=6,
        )
    return LOOPBACK


def harden() -> None:
    """What every start does first: files of ours are private, and a crash leaves no picture of our memory."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


# Where they may come from.


def _in_environment(names: Names, environ: MutableMapping[str, str]) -> Keys | None:
    found = [environ.pop(name, None) for name in names]
    if found == [None, None]:
        return None
    return _keys(names, found, "the environment", "set both, or neither")


def _in_file(path: Path, names: Names) -> Keys:
    values: dict[str, str] = {}
    for number, line in enumerate(read_private(path).splitlines(), 1):
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        name, equals, value = words.removeprefix("export ").partition("=")
        if not equals:
            raise KeysError(f"{path}, line {number}: expected NAME=VALUE, found no =; one value a line")
        if name.strip() in values and name.strip() in names:
            raise KeysError(f"{path}, line {number}: expected {name.strip()} once, found it twice; keep one")
        values[name.strip()] = _unquoted(value.strip())
    found = [values.get(name) for name in names]
    if names == LOOPBACK and LIVE[0] in values:
        raise KeysError(
            f"{path}: expected {names[0]} and {names[1]}, found {LIVE[0]}: a live key is never sent to a process on "
            "this machine; keep the keys of an embedded exchange in a file of their own",
            code=6,
        )
    if found == [None, None]:
        raise KeysError(f"{path}: expected {names[0]}=... and {names[1]}=..., found neither; add both")
    return _keys(names, found, str(path), "add both")


def _in_credentials(folder: Path, names: Names) -> Keys:
    """What `LoadCredential=` gave to the service: one file a value, named as the variable in small letters."""
    paths = [folder / name.lower() for name in names]
    found = [_content(path, trusted=True).strip() if os.path.lexists(path) else None for path in paths]
    if found == [None, None]:
        raise KeysError(
            f"{folder}: expected the credentials {paths[0].name} and {paths[1].name}, found neither; "
            "name them with LoadCredential= in the unit"
        )
    return _keys(names, found, "systemd credentials", "load both")


def _keys(names: Names, found: list[str | None], source: str, remedy: str) -> Keys:
    for name, value in zip(names, found, strict=True):
        if not value:
            raise KeysError(
                f"{source}: expected {name}, found {'nothing' if value is None else 'it empty'}; {remedy}"
            )
        if not (value.isascii() and value.isprintable()) or " " in value:
            raise KeysError(f"{source}: expected {name} to be one word of plain letters, found other characters")
    key, secret = found
    assert key is not None
    assert secret is not None
    return Keys(Secret(key), Secret(secret), source)


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


def read_private(path: Path) -> str:
    """The text of a file that nobody else may read; raises KeysError saying why it is not taken."""
    return _content(path, trusted=False)


def _content(path: Path, *, trusted: bool) -> str:
    """`trusted`: systemd owns it, and may give it to us by a list of its own; others still may not read it."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        if path.is_symlink():
            raise KeysError(f"{path}: expected a file, found a link; put the file itself there", code=6) from error
        raise KeysError(f"{path}: cannot be read ({error.strerror}); make it yours, `chmod 600`") from error
    try:
        _check(path, os.fstat(file), trusted=trusted)
        content = os.read(file, _MOST_BYTES + 1)
    finally:
        os.close(file)
    if not content.strip():
        raise KeysError(f"{path}: expected a key and its secret, found an empty file; write NAME=VALUE lines")
    if len(content) > _MOST_BYTES:
        raise KeysError(f"{path}: expected at most {_MOST_BYTES} bytes, found more; this is no key file")
    try:
        return content.decode("ascii")
    except UnicodeDecodeError:
        raise KeysError(f"{path}: expected plain text, found other bytes; write NAME=VALUE lines") from None


def _check(path: Path, found: os.stat_result, *, trusted: bool) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise KeysError(f"{path}: expected a file, found something else; put a file there", code=6)
    if found.st_uid != os.geteuid() and not (trusted and found.st_uid == 0):
        raise KeysError(
            f"{path}: expected a file of yours (user {os.geteuid()}), found one of user {found.st_uid}; "
            "make a copy that is yours alone",
            code=6,
        )
    open_to = found.st_mode & (stat.S_IRWXO if trusted else _PRIVATE)
    if open_to:
        raise KeysError(
            f"{path}: expected mode 0600, found {stat.S_IMODE(found.st_mode):04o}: others may read it; "
            f"`chmod 600 {path}`, and if others were on this machine, make a new key",
            code=6,
        )
