from random import Random

import pytest

from breakwall.model.units import Side
from breakwall.venues.exchange.agents import MarketMaker, NoiseTaker, Pit, Spoofer, TrendTaker, Wall, WallBuilder
from breakwall.venues.exchange.instruments import INSTRUMENTS
from breakwall.venues.exchange.matching import ACCOUNT, MatchingBook
from breakwall.venues.exchange.synthetic import CHARACTERS


def pit_of(symbol: str = "SOLUSDT", seed: int = 1) -> Pit:
    return Pit(MatchingBook(symbol), INSTRUMENTS[symbol], CHARACTERS[symbol], Random(seed), 0)


@pytest.mark.parametrize(
    ("symbol", "levels", "from_bp", "to_bp"),
    [
        ("BTCUSDT", 200, 3.5, 6),  # the recorded book: 0.043 to 0.051 %
        ("BTCUSDT", 1000, 60, 74),
        ("ETHUSDT", 200, 10, 14),  # recorded: 0.12 %
        ("ETHUSDT", 1000, 60, 74),
        ("SOLUSDT", 200, 220, 300),  # 2.6 %
        ("DOGEUSDT", 200, 220, 300),
    ],
)
def test_a_ladder_reaches_as_far_as_the_venues(symbol: str, levels: int, from_bp: float, to_bp: float) -> None:
    pit = pit_of(symbol)
    MarketMaker(pit)
    for side in Side:
        depth = pit.book.depth(side, levels)
        assert len(depth) == levels
        assert from_bp <= abs(depth[-1][0] / pit.centre - 1) * 10_000 <= to_bp


def test_sizes_are_dominated_by_dust() -> None:
    pit = pit_of("BTCUSDT")
    MarketMaker(pit)
    lots = sorted(lots for _, lots in pit.book.depth(Side.BUY, 1000))
    assert sum(lots) / len(lots) > 4 * lots[len(lots) // 2]
    assert lots[-1] * pit.centre * pit.usdt_per_tick_lot < CHARACTERS["BTCUSDT"].wall_usdt / 10


def test_the_ladder_follows_the_price_wherever_it_goes() -> None:
    pit = pit_of()
    maker = MarketMaker(pit)
    random = Random(5)
    for _ in range(300):
        pit.centre += random.choice((-300, -7, -1, 0, 1, 2, 40))
        maker.quote()
        maker.breathe()
        assert pit.book.best_bid == pit.centre
        assert pit.book.best_ask == pit.centre + 1
    moved = {side: len(pit.book.depth(side, 10_000)) for side in Side}
    assert all(220 <= levels <= 330 for levels in moved.values()), moved


def test_an_order_that_price_passes_is_filled() -> None:
    pit = pit_of()
    maker = MarketMaker(pit)
    mine = pit.book.add(ACCOUNT, Side.SELL, pit.centre + 10, 50, now_ms=0).order
    pit.centre += 9
    maker.quote()
    assert mine is not None
    assert mine.lots == 50
    pit.centre += 1
    maker.quote()
    assert mine.lots == 0
    assert pit.book.best_bid == pit.centre


def test_a_wall_is_put_up_in_clips_eaten_by_trades_and_forgotten() -> None:
    pit = pit_of()
    maker, builder, taker = MarketMaker(pit), WallBuilder(pit), TrendTaker(pit)
    wall = builder.build(Side.SELL, pit.centre + 1, 40_000)
    sizes = []
    for _ in range(5):
        builder.tend()
        sizes.append(wall.lots)
    assert sizes == [10_000, 20_000, 30_000, 40_000, 40_000]
    taker.attack(wall, 2.0)
    start_ms = pit.now_ms
    while wall.lots and pit.now_ms < 60_000:
        pit.now_ms += 50
        taker.trade(0.0)
        maker.quote()
        builder.tend()
    assert 1000 <= pit.now_ms - start_ms <= 2100
    assert wall.eaten == 40_000
    assert wall.ended_ms is not None
    assert not builder.walls


def test_a_spoofer_pulls_before_price_touches() -> None:
    pit = pit_of()
    maker, spoofer = MarketMaker(pit), Spoofer(pit)
    spoofer.tend()
    wall = spoofer.build(Side.BUY, pit.centre - pit.ticks(20), 30_000)
    for _ in range(60):
        pit.now_ms += 50
        pit.centre -= 1
        spoofer.tend()
        maker.quote()
    assert wall.eaten == 0
    assert wall.pulled == 30_000
    assert wall.ended_ms is not None


def test_flickering_orders_live_shorter_than_a_wall() -> None:
    pit = pit_of(seed=3)
    MarketMaker(pit)
    spoofer = Spoofer(pit)
    wall = WallBuilder(pit).build(Side.BUY, pit.centre - pit.ticks(25), 30_000)
    lives: dict[int, tuple[Wall, int]] = {}
    for _ in range(20 * 120):
        pit.now_ms += 50
        spoofer.flicker([wall])
        spoofer.tend()
        lives.update({id(flicker): (flicker, pit.now_ms) for flicker in spoofer.walls})
    assert len(lives) >= 5
    assert all(last_ms - flicker.built_ms < 3000 for flicker, last_ms in lives.values())
    assert all(abs(flicker.ticks - wall.ticks) > pit.ticks(8) for flicker, _ in lives.values())


def test_takers_lean_as_they_are_told() -> None:
    pit = pit_of()
    maker = MarketMaker(pit)
    noise, trend = NoiseTaker(pit), TrendTaker(pit)
    bought = {"noise-crowd": 0, "trend-riders": 0}
    total = dict(bought)
    for _ in range(20 * 60):
        pit.now_ms += 50
        for taker, lean in ((noise, 0.0), (trend, 0.8)):
            taker.trade(lean)
            for trade in pit.book.take_trades():
                total[taker.name] += trade.lots
                bought[taker.name] += trade.lots if trade.side is Side.BUY else 0
        maker.quote()
        maker.breathe()
    assert bought["trend-riders"] > 0.8 * total["trend-riders"] > 0
    assert 0.2 * total["noise-crowd"] < bought["noise-crowd"] < 0.8 * total["noise-crowd"]
