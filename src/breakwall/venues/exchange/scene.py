"""One crisis at play on a served exchange, and what the exchange saw of it: the half of its receipt that is true."""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum

from msgspec import structs

from breakwall.model.crisis import Deed, Done, Held, Story
from breakwall.venues.exchange.crises import CRISES, Crisis, Needs
from breakwall.venues.exchange.exchange import Exchange
from breakwall.venues.exchange.exposure import Exposure
from breakwall.venues.exchange.faults import EXCHANGE_ACTS, Fault
from breakwall.venues.exchange.positions import Position
from breakwall.venues.exchange.synthetic import SyntheticMarket

_STANDING_MS = 1_000  # a position must have stood so long with its stop before something befalls it
_LATEST_S = 30.0  # how long after its time a crisis waits for the account to be safe
_MOST_DEEDS = 200


class Phase(Enum):
    WAITING = "waiting"
    STRUCK = "struck"
    OVER = "over"


class Scene:
    """Waits for its occasion, strikes, and goes on looking until all is quiet. Times are the exchange's."""

    def __init__(self, name: str, symbol: str, exchange: Exchange) -> None:
        self.name = name
        self.crisis: Crisis = CRISES[name]
        self.phase = Phase.WAITING
        self._wanted = symbol
        self._exchange = exchange
        self._standing: dict[str, int] = {}
        self._struck_ms = 0
        self._symbol = symbol
        self._before: tuple[Held, ...] = ()
        self._after: tuple[Held, ...] = ()
        self._deeds: list[Deed] = []
        self._exposure = Exposure()
        self._over_ms = 0
        self._equity = Decimal(0)
        self._equity_after = Decimal(0)

    @property
    def waits_for_orders(self) -> bool:
        """Whether its faults find their occasion themselves."""
        return self.crisis.needs is Needs.ENTRY

    def tick(self, struck: int) -> tuple[Fault, ...]:
        """Look around; returns the faults to order now. `struck` is how often those ordered before have struck."""
        now_ms = self._exchange.now_ms
        if self.phase is Phase.WAITING:
            if self.waits_for_orders:
                if struck:
                    self._strike(self._newest(), self._deeds[-1].after_ms if self._deeds else now_ms)
                else:
                    self._before, self._equity = self._held(), self._worth()
                return ()
            position = self._occasion(now_ms)
            return () if position is None else self._befall(position, now_ms)
        if self.phase is Phase.STRUCK:
            self._look(now_ms)
        return ()

    def deed(self, text: str) -> Deed | None:
        """The program asks for something; the answer is filled in when it is given."""
        if self.phase is Phase.OVER or len(self._deeds) >= _MOST_DEEDS:
            return None
        if self.phase is Phase.WAITING:
            self._deeds.clear()  # only the order that it strikes is part of the story
        deed = Deed(self._exchange.now_ms, text)
        self._deeds.append(deed)
        return deed

    def story(self) -> Story:
        now_ms = self._over_ms or self._exchange.now_ms
        struck_ms = self._struck_ms
        return Story(
            self.name,
            self.crisis.text,
            self.phase.value,
            self.crisis.needs.value,
            self._symbol,
            struck_ms,
            round((now_ms - struck_ms) / 1000, 3) if struck_ms else 0.0,
            self._before,
            self._after or self._held(),
            tuple(structs.replace(deed, after_ms=deed.after_ms - struck_ms) for deed in self._deeds if struck_ms),
            self._fills(),
            self._exposure.longest_ms(now_ms),
            self._equity,
            self._equity_after or self._worth(),
        )

    # The stroke

    def _occasion(self, now_ms: int) -> Position | None:
        """A position that has stood long enough, with its stop and what else is needed."""
        for position in self._exchange.account.all_positions():
            symbol = position.instrument.symbol
            safe = bool(position.lots) and position.stop is not None
            if not safe or self._wanted not in {"", symbol}:
                self._standing.pop(symbol, None)
            elif now_ms - self._standing.setdefault(symbol, now_ms) >= _STANDING_MS and self._has_wall(symbol):
                return position
        return None

    def _has_wall(self, symbol: str) -> bool:
        market = self._exchange.market
        return self.crisis.needs is not Needs.WALL or (
            isinstance(market, SyntheticMarket) and bool(market.standing(symbol))
        )

    def _befall(self, position: Position, now_ms: int) -> tuple[Fault, ...]:
        symbol, market = position.instrument.symbol, self._exchange.market
        self._strike(symbol, now_ms)
        if isinstance(market, SyntheticMarket):
            if self.crisis.crash:
                sign = 1 if position.lots > 0 else -1
                legs = tuple(
                    leg._replace(move_bp=leg.move_bp * sign, flow=leg.flow * sign) for leg in self.crisis.crash
                )
                market.run(symbol, legs)
            if self.crisis.pulls:
                market.pull(symbol)
        return tuple(
            structs.replace(fault, symbol=symbol) if fault.kind in EXCHANGE_ACTS else fault
            for fault in self.crisis.faults
        )

    def _strike(self, symbol: str, struck_ms: int) -> None:
        self.phase, self._symbol, self._struck_ms = Phase.STRUCK, symbol, struck_ms
        if not self.waits_for_orders:
            self._before, self._equity = self._held(), self._worth()
            self._deeds.clear()

    def _newest(self) -> str:
        orders = [order for order in self._exchange.log.live() if order.link_id]
        orders += [order for order in self._exchange.log.closed if order.link_id]
        return max(orders, key=lambda order: order.created_ms).symbol if orders else ""

    # The aftermath

    def _look(self, now_ms: int) -> None:
        naked = any(position.unprotected for position in self._exchange.account.all_positions())
        self._exposure.see(naked, now_ms)
        since_s = (now_ms - self._struck_ms) / 1000
        if since_s >= self.crisis.lasts_s and (not naked or since_s >= self.crisis.lasts_s + _LATEST_S):
            self._exposure.see(False, now_ms)
            self.phase, self._over_ms = Phase.OVER, now_ms
            self._after, self._equity_after = self._held(), self._worth()

    def _held(self) -> tuple[Held, ...]:
        return tuple(
            Held(
                position.instrument.symbol,
                position.qty * position.sign,
                position.entry,
                None if position.stop is None else position.instrument.price(position.stop.trigger_ticks),
            )
            for position in self._exchange.account.all_positions()
            if position.lots
        )

    def _fills(self) -> tuple[Done, ...]:
        until_ms = self._over_ms or self._exchange.now_ms
        return tuple(
            Done(
                fill.at_ms - self._struck_ms,
                fill.symbol,
                fill.side.value,
                fill.instrument.lot * fill.lots,
                fill.price,
                fill.exec_type,
                bool(fill.link_id),
            )
            for fill in self._exchange.executions
            if self._struck_ms and self._struck_ms <= fill.at_ms <= until_ms
        )

    def _worth(self) -> Decimal:
        return self._exchange.account.equity(self._exchange.listings)


def asked(path: str, door: str, body: Mapping[str, object]) -> str:
    """A request that changes something, in words."""
    words = [path.removeprefix("/v5/"), *(str(body[name]) for name in ("symbol", "side", "qty") if body.get(name))]
    words += [f"{name} {body[name]}" for name in ("triggerPrice", "stopLoss") if body.get(name)]
    words += ["reduce-only"] if body.get("reduceOnly") else []
    return f"{' '.join(words)} ({door})"
