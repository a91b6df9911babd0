"""The keys in force: the table with the trader's own `[keys]` over it, checked, on every keyboard."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from breakwall.app.keys.acts import ACTS, BY_ID, GROUPS, Act, Guard, shown
from breakwall.app.keys.keyboards import elsewhere
from breakwall.config import ConfigError
from breakwall.mistakes import listed, nearest_name

PREFIX = "g"
PANIC_KEY = "f9"

Overrides = Mapping[str, str | Sequence[str]]

_KEY = re.compile(r"\S|g \S|(?:shift\+|ctrl\+)?f(?:[1-9]|1[0-2])|ctrl\+(?:[a-z]|\\|\[)|(?:ctrl\+shift|alt)\+\S+|"
                  r"(?:shift\+|ctrl\+)?(?:up|down|left|right|home|end|pageup|pagedown|insert|delete|tab|enter|escape|"
                  r"backspace|space)")  # fmt: skip
_RESERVED = {
    "ctrl+a": "tmux and screen take it",
    "ctrl+b": "tmux takes it",
    "ctrl+c": "it always asks whether to quit",
    "ctrl+z": "it suspends programs",
    "ctrl+s": "it stops terminals",
    "ctrl+\\": "it kills programs",
    "ctrl+i": "terminals send it as Tab",
    "ctrl+m": "terminals send it as Enter",
    "ctrl+j": "terminals send it as Enter",
    "ctrl+h": "terminals send it as Backspace",
    "ctrl+[": "terminals send it as Esc",
    "f10": "desktops open a menu with it",
    "f11": "desktops switch to full screen with it",
    "f12": "desktops and terminals take it",
    "enter": "it confirms",
    "escape": "it only dismisses",
    "tab": "it moves the focus",
    "shift+tab": "it moves the focus",
    "up": "arrows move",
    "down": "arrows move",
    "left": "arrows move",
    "right": "arrows move",
    PREFIX: "it begins two-key names such as g 1",
} | dict.fromkeys("12345", "it is kept for working volumes")

# Textual's short names of characters whose Unicode names are long.
_NAMES = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}


def name_of(key: str) -> str:
    """Textual's name of a key: letters and digits of any script are themselves, other characters have words."""
    if " " in key[1:]:
        return " ".join(name_of(part) for part in key.split(" "))
    if len(key) > 1 or key.isalnum():
        return key
    name = unicodedata.name(key, key).lower().replace("-", "_").replace(" ", "_")
    return _NAMES.get(name, name)


class Keymap:
    """Which act a key means. Raises ConfigError with every mistake of the overrides; `source` names their place."""

    def __init__(self, overrides: Overrides | None = None, source: str = "settings") -> None:
        own = {id_: (keys,) if isinstance(keys, str) else tuple(keys) for id_, keys in (overrides or {}).items()}
        own = {id_: tuple(_written(key) for key in keys) for id_, keys in own.items()}
        if mistakes := _mistakes(own):
            raise ConfigError(listed(source, mistakes))
        self._keys = {act.id: own.get(act.id, act.keys) for act in ACTS}
        self._acts = self._by_name()
        self.prefixes = frozenset(name.split(" ")[0] for name in self._acts if " " in name)

    def act(self, name: str) -> Act | None:
        """The act of a key by Textual's name, or of two (`g t`); None where it means nothing."""
        return self._acts.get(name)

    def keys(self, act: Act) -> tuple[str, ...]:
        """The act's keys as they are printed."""
        if act.id == "slot":
            return (f"{act.keys[0]}-{act.keys[-1][-1]}",)
        return tuple(shown(key) for key in self._keys[act.id])

    def _by_name(self) -> dict[str, Act]:
        acts = {name_of(key): act for act in ACTS for key in self._keys[act.id]}
        acts["ctrl+c"] = BY_ID["quit"]  # whatever the settings say: it is what hands do when they want out
        for act in ACTS:
            for key in self._keys[act.id]:
                for other in elsewhere(key):
                    # On a US keyboard an ASCII alias is another key, which may do something harmless at most.
                    if not (act.trades and other.isascii()):
                        acts.setdefault(name_of(other), act)
        return acts


def markdown(keymap: Keymap) -> str:
    """The keys as the table that stands in the README."""
    lines = ["| key | what it does | name in `[keys]` |", "|---|---|---|"]
    for group in GROUPS:
        lines.append(f"| **{group}** | | |")
        for act in ACTS:
            if act.group == group:
                keys = " ".join(f"`{key}`" for key in keymap.keys(act)) or "no key"
                then = " then `Enter`" if act.guard is Guard.CHORD else ""
                lines.append(f"| {keys}{then} | {act.help} | {'' if act.fixed else act.id} |")
    return "\n".join(lines)


def _written(key: str) -> str:
    return key if len(key) == 1 or " " in key else key.lower()


def _mistakes(own: Mapping[str, tuple[str, ...]]) -> list[str]:
    lines = [line for id_, keys in own.items() for line in _of_one(id_, keys)]
    return sorted(lines + _twice(own))


def _of_one(id_: str, keys: tuple[str, ...]) -> list[str]:
    act = BY_ID.get(id_)
    if act is None:
        return [f"[keys] {id_}: unknown action; {nearest_name(id_, BY_ID)}"]
    if act.fixed:
        return [f"[keys] {id_}: cannot be changed; it is always {', '.join(map(shown, act.keys))}. Remove this line."]
    lines = [line for key in keys if (line := _of_key(act, key))]
    if id_ == "panic" and PANIC_KEY not in keys:
        lines.append(f"[keys] panic: expected F9 among its keys, found {_listed(keys)}; F9 always panics")
    if id_ == "quit" and not set(keys) - {"ctrl+c"}:
        lines.append(f"[keys] quit: expected at least one key beside Ctrl+C, found {_listed(keys)}")
    return lines


def _of_key(act: Act, key: str) -> str:
    if key in act.keys:
        return ""
    if key == PANIC_KEY:
        return f"[keys] {act.id}: F9 is panic's and nothing may take it; choose another key"
    if not _KEY.fullmatch(key) or not key.isprintable():
        return f"[keys] {act.id}: expected a key such as x, [, f5, ctrl+t or g x, found {key!r}"
    reason = _RESERVED.get(key)
    if key.startswith("ctrl+shift+"):
        reason = "tmux does not deliver it"
    elif key.startswith("alt+"):
        reason = "terminals deliver it late, as Esc and a key"
    return f"[keys] {act.id}: {shown(key)} cannot be used: {reason}; choose another key" if reason else ""


def _twice(own: Mapping[str, tuple[str, ...]]) -> list[str]:
    """One line per key that several acts, or one act twice, would have."""
    users: dict[str, list[str]] = {}
    for act in ACTS:
        for key in own.get(act.id, act.keys):
            users.setdefault(key, []).append(act.id)
    return [
        f"[keys] {shown(key)}: used by {' and '.join(ids)}; every key means one thing"
        for key, ids in users.items()
        if len(ids) > 1 and key not in {PANIC_KEY, *_RESERVED} and set(ids) & own.keys()
    ]


def _listed(keys: tuple[str, ...]) -> str:
    return ", ".join(map(shown, keys)) or "none"
