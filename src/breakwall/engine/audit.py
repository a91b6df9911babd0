"""Lines of the audit: who changed how we trade, from what to what, and why."""

import msgspec

from breakwall.engine.state import State
from breakwall.model.actions import Refused
from breakwall.model.events import Command
from breakwall.model.records import Deed
from breakwall.settings import Settings
from breakwall.trading.breaker import Trip

CLEAR = "clear"
"""What a breaker rule is that holds nothing back."""


def condition(state: State, symbol: str = "") -> str:
    """How we trade this symbol ("": all) right now, in words."""
    words = ("ARMED" if state.armed else "SAFE", state.trading_state, state.breaker.paused(symbol))
    return "; ".join(word for word in (*words, state.wants_flat(symbol)) if word)


def command(state: State, event: Command, symbol: str, before: str, answer: str | Refused) -> Deed:
    """A person's command after it was carried out, or refused; `before` is the condition it found."""
    refused = isinstance(answer, Refused)
    return Deed(
        action=event.kind.value,
        entity="symbol" if symbol else "trading",
        entity_id=symbol or "all",
        before=before,
        after=condition(state, symbol),
        who=event.who,
        why=event.why,
        success=not refused,
        error=answer.reason if isinstance(answer, Refused) else "",
    )


def tripped(trip: Trip) -> Deed:
    return Deed("trip", "breaker", _rule(trip), CLEAR, trip.tier.value, "breaker", trip.text)


def lifted(trip: Trip, why: str) -> Deed:
    return Deed("lift", "breaker", _rule(trip), trip.tier.value, CLEAR, "breaker", why)


def _rule(trip: Trip) -> str:
    """Its name, with the scope where it is not the account's."""
    return f"{trip.rule} {trip.scope}".rstrip()


def configured(before: Settings, after: Settings, run: int) -> Deed:
    """What the settings of this run change, against those in force (at a start: the defaults); as JSON."""
    old, new = _flat(before.model_dump(mode="json")), _flat(after.model_dump(mode="json"))
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    was, now = ({name: values[name] for name in names if name in values} for values in (old, new))
    return Deed("settings", "settings", f"run {run}", _json(was), _json(now), "configuration")


def _flat(values: dict[str, object], head: str = "") -> dict[str, object]:
    """Nested tables as one, with dotted names."""
    flat: dict[str, object] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{head}{name}.") if isinstance(value, dict) else {f"{head}{name}": value}
    return flat


def _json(values: dict[str, object]) -> str:
    return msgspec.json.encode(values).decode()
