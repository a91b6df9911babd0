"""Builders of small, explicit inputs for the trading core. Session-scoped, so that hypothesis may use them."""

from decimal import Decimal
from types import SimpleNamespace
from typing import ClassVar

import pytest

from breakwall.market.state import Status
from breakwall.market.walls import Wall
from breakwall.model.actions import OrderKind, PlaceOrder, Plan, TimeInForce
from breakwall.model.events import Fill, OrderReport, PositionReport, Wallet
from breakwall.model.records import ClosedTrade
from breakwall.model.units import Instrument, Side
from breakwall.settings import Settings
from breakwall.trading.breaker import TradingState
from breakwall.trading.cost import Costs
from breakwall.trading.origin import Origin
from breakwall.trading.portfolio import Portfolio
from breakwall.trading.position import Position
from breakwall.trading.risk import Gate
from breakwall.trading.signal import Signal
from breakwall.trading.validation import Scene

TAKER = Decimal("0.00055")
BTC = Instrument(
    symbol="BTCUSDT",
    tick=Decimal("0.1"),
    lot=Decimal("0.001"),
    min_lots=1,
    max_lots=1_190_000,
    max_market_lots=500_000,
)
SOL = Instrument(
    symbol="SOLUSDT", tick=Decimal("0.01"), lot=Decimal("0.1"), min_lots=1, max_lots=80_000, max_market_lots=40_000
)
ENTRY_ID = "bw-1-1-e"


class Make:
    """One method per thing; every argument has a sensible default."""

    btc, sol, taker = BTC, SOL, TAKER
    instruments: ClassVar = {"BTCUSDT": BTC, "SOLUSDT": SOL}

    def settings(self, **sections: dict[str, object]) -> Settings:
        return Settings.model_validate(sections)

    def origin(self, seq: int = 1, at_ms: int = 1_000_000, run: int = 1) -> Origin:
        return Origin(run, seq, at_ms)

    def costs(self) -> Costs:
        return Costs.of(Settings().entry, TAKER)

    def plan(self, strategy: str = "breakout", side: Side = Side.BUY, **changes: object) -> Plan:
        sign = side.sign
        fields: dict[str, object] = {
            "strategy": strategy,
            "wall_id": 7,
            "wall_side": side if strategy == "bounce" else side.opposite,
            "wall_near_ticks": 600_000 - sign * 200,
            "wall_far_ticks": 600_000 - sign * 300,
            "entry_ticks": 600_000,
            "stop_ticks": 600_000 - sign * 1_200,
            "target_ticks": 600_000 + sign * 12_000,
        }
        return Plan(**{**fields, **changes})

    def entry(
        self, client_id: str = ENTRY_ID, side: Side = Side.BUY, lots: int = 10, plan: Plan | None = None
    ) -> PlaceOrder:
        plan = plan or self.plan(side=side)
        return PlaceOrder(
            client_id=client_id,
            trace="1-1",
            symbol="BTCUSDT",
            decided_ms=1_000_000,
            why="test",
            side=side,
            kind=OrderKind.LIMIT,
            lots=lots,
            tif=TimeInForce.IOC,
            limit_ticks=600_360 if side is Side.BUY else 599_640,
            stop_ticks=plan.stop_ticks,
            plan=plan,
        )

    def exit(self, client_id: str = "bw-1-2-x", side: Side = Side.SELL, lots: int = 10) -> PlaceOrder:
        return PlaceOrder(
            client_id=client_id,
            trace="1-2",
            symbol="BTCUSDT",
            decided_ms=1_000_000,
            why="take-profit",
            side=side,
            kind=OrderKind.MARKET,
            lots=lots,
            tif=TimeInForce.IOC,
            reduce_only=True,
        )

    def report(self, status: str, filled: int = 0, client_id: str = ENTRY_ID, **changes: object) -> OrderReport:
        fields: dict[str, object] = {
            "order_id": f"v-{client_id}",
            "client_id": client_id,
            "symbol": "BTCUSDT",
            "side": Side.BUY,
            "status": status,
            "lots": 10,
            "filled_lots": filled,
        }
        return OrderReport(**{**fields, **changes})

    def fill(
        self, exec_id: str, lots: int = 10, ticks: int = 600_000, side: Side = Side.BUY, **changes: object
    ) -> Fill:
        fields: dict[str, object] = {
            "exec_id": exec_id,
            "order_id": f"v-{ENTRY_ID}",
            "client_id": ENTRY_ID,
            "symbol": "BTCUSDT",
            "side": side,
            "ticks": ticks,
            "lots": lots,
            "fee_usdt": BTC.notional(ticks, lots) * TAKER,
            "at_ms": 1_000_000,
        }
        return Fill(**{**fields, **changes})

    def position_report(self, lots: int, stop_ticks: int | None = 598_800, **changes: object) -> PositionReport:
        fields: dict[str, object] = {
            "symbol": "BTCUSDT",
            "lots": lots,
            "entry": Decimal(60_000) if lots else Decimal(0),
            "stop_ticks": stop_ticks,
            "take_profit_ticks": None,
            "mark": Decimal(60_000),
            "liquidation": None,
            "leverage": Decimal(10),
            "updated_ms": 1_000_000,
        }
        return PositionReport(**{**fields, **changes})

    def position(
        self, lots: int = 10, strategy: str = "breakout", stop_ticks: int | None = None, **changes: object
    ) -> Position:
        """An open position at 60,000 with its plan; `stop_ticks` None: nobody has proven a stop."""
        side = Side.BUY if lots > 0 else Side.SELL
        position = Position(BTC, 0, 1_000_000, "1-1")
        position.plan = self.plan(strategy, side)
        position.add(self.fill("x", abs(lots), side=side), lots, self.origin())
        if stop_ticks is not None:
            position.prove(self.position_report(lots, stop_ticks), 1_000_000)
        for name, value in changes.items():
            setattr(position, name, value)
        return position

    def wall(
        self, bid: bool = False, near: int = 600_200, lots: int = 100, peak: int = 100, **changes: object
    ) -> Wall:
        wall = Wall(7, bid, 0, 100, peak, 0)
        wall.near_ticks, wall.far_ticks = near, near + (-99 if bid else 99)
        wall.price_ticks = near
        wall.lots, wall.built_ms = lots, 1
        for name, value in changes.items():
            setattr(wall, name, value)
        return wall

    def market(
        self, bid: int = 600_000, ask: int = 600_001, walls: tuple[Wall, ...] = (), **changes: object
    ) -> SimpleNamespace:
        """A market that stands still: what the rules read of `Market`, and nothing else."""
        known = {wall.wall_id: wall for wall in walls}
        fields: dict[str, object] = {
            "instrument": BTC,
            "status": Status.LIVE,
            "best_bid": bid,
            "best_ask": ask,
            "mark": BTC.price(bid),
            "trend_now": 1,
            "atr_ticks": None,
            "live_walls": lambda: tuple(wall for wall in walls if wall.alive and wall.in_view),
            "wall": known.get,
        }
        return SimpleNamespace(**{**fields, **changes})

    def signal(
        self, strategy: str = "breakout", side: Side = Side.BUY, instrument: Instrument = BTC, **changes: object
    ) -> Signal:
        plan, sign = self.plan(strategy, side), side.sign
        fields: dict[str, object] = {
            "strategy": strategy,
            "symbol": instrument.symbol,
            "side": side,
            "wall_id": 7,
            "wall_side": plan.wall_side,
            "wall_near_ticks": plan.wall_near_ticks,
            "wall_far_ticks": plan.wall_far_ticks,
            "entry_ticks": 600_000 + (sign > 0),
            "stop_ticks": plan.stop_ticks,
            "target_ticks": plan.target_ticks,
            "strength": 0.5,
            "at_ms": 1_000_000,
            "trace": "1-1",
            "reasons": ("a wall breaks",),
        }
        return Signal(**{**fields, **changes})

    def portfolio(self, equity: int = 10_000, **changes: object) -> Portfolio:
        fields: dict[str, object] = {
            "equity_usdt": Decimal(equity),
            "available_usdt": Decimal(equity),
            "daily_loss_left_usdt": Decimal(300),
        }
        return Portfolio(**{**fields, **changes})

    def scene(self, **changes: object) -> Scene:
        fields: dict[str, object] = {
            "at_ms": 1_000_100,
            "instrument": BTC,
            "enabled": True,
            "inactive": "",
            "processed": False,
            "bid_ticks": 600_000,
            "ask_ticks": 600_001,
            "wall": self.wall(),
            "portfolio": self.portfolio(),
            "settings": Settings(),
            "costs": self.costs(),
        }
        return Scene(**{**fields, **changes})

    def gate(self, **changes: object) -> Gate:
        fields: dict[str, object] = {
            "instrument": BTC,
            "settings": Settings(),
            "costs": self.costs(),
            "portfolio": self.portfolio(),
            "state": TradingState.ACTIVE,
            "armed": True,
            "blind": False,
            "journal_ok": True,
            "unresolved": False,
            "rest_ms": 0,
            "bid_ticks": 600_000,
            "ask_ticks": 600_001,
            "mark": Decimal(60_000),
        }
        return Gate(**{**fields, **changes})

    def trade(self, net: str = "-5", **changes: object) -> ClosedTrade:
        """A finished long of 0.01 BTC from 60,000, with 0.66 USDT of fees."""
        net_usdt, fees = Decimal(net), Decimal("0.66")
        gross = net_usdt + fees
        fields: dict[str, object] = {
            "symbol": "BTCUSDT",
            "strategy": "breakout",
            "side": Side.BUY,
            "lots": 10,
            "entry": Decimal(60_000),
            "exit": 60_000 + gross * 100,
            "gross_usdt": gross,
            "fees_usdt": fees,
            "funding_usdt": Decimal(0),
            "net_usdt": net_usdt,
            "reason": "stop",
            "external": False,
            "estimated": False,
            "opened_ms": 1_000_000,
            "closed_ms": 1_060_000,
            "best": Decimal(10),
            "worst": Decimal(-450),
            "entry_id": ENTRY_ID,
            "trace": "1-1",
            "qty": Decimal("0.010"),
        }
        return ClosedTrade(**{**fields, **changes})

    def wallet(self, equity: int = 10_000, at_ms: int = 0) -> Wallet:
        return Wallet(Decimal(equity), Decimal(equity), Decimal(equity), at_ms)


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()
