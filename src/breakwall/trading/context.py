"""A decided signal, told with everything it was decided on."""

from breakwall.model.actions import Note, Refused, Sized
from breakwall.model.records import SignalContext
from breakwall.trading.validation import Card, Scene


def signal_note(card: Card, scene: Scene, refused: Refused | None, client_id: str = "") -> Note:
    """For journal and ledger. `client_id` is the order's that was made of it, `refused` why there is none."""
    signal = card.signal
    words = f"refused by {refused.check}: {refused.reason}" if refused else "ordered"
    return Note(
        kind="signal",
        level="debug",  # what comes of it is told by itself
        text=f"{signal.strategy} {signal.side.value.lower()}: {words}",
        symbol=signal.symbol,
        trace=signal.trace,
        client_id=client_id,
        durable=True,
        record=_context(card, scene, refused),
    )


def _context(card: Card, scene: Scene, refused: Refused | None) -> SignalContext:
    signal, instrument = card.signal, scene.instrument
    two_sided = scene.bid_ticks is not None and scene.ask_ticks is not None
    return SignalContext(
        strategy=signal.strategy,
        side=signal.side.value,
        strength=signal.strength,
        price=instrument.price(signal.entry_ticks),
        stop=instrument.price(signal.stop_ticks),
        target=instrument.price(signal.target_ticks),
        qty=instrument.qty(card.sized.lots if isinstance(card.sized, Sized) else 0),
        spread=instrument.price((scene.ask_ticks or 0) - (scene.bid_ticks or 0)) if two_sided else None,
        imbalance=signal.imbalance,
        indicators=signal.indicators,
        reasons=signal.reasons,
        checks=tuple((answer.check, answer.passed, answer.reason) for answer in card.answers),
        refused_by=refused.check if refused else "",
        reason=refused.reason if refused else "",
        loss_at_stop_usdt=card.loss_at_stop_usdt,
    )
