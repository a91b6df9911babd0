from decimal import Decimal
from hashlib import sha256

import pytest
from msgspec import structs

from breakwall.model.units import Side
from breakwall.venues.exchange.agents import Wall
from breakwall.venues.exchange.instruments import INSTRUMENTS
from breakwall.venues.exchange.listing import Listing
from breakwall.venues.exchange.synthetic import SyntheticMarket

START_MS = 1_800_000_000_000


def market(seed: int, scenario: str = "tour") -> tuple[SyntheticMarket, dict[str, Listing]]:
    listings = {symbol: Listing(instrument, START_MS) for symbol, instrument in INSTRUMENTS.items()}
    return SyntheticMarket(listings, seed, scenario, START_MS), listings


def digest(listings: dict[str, Listing]) -> str:
    state = [
        (listing.book.seq, listing.book.depth(Side.BUY, 2000), listing.book.depth(Side.SELL, 2000), listing.mark)
        for listing in listings.values()
    ]
    trades = [listing.book.take_trades() for listing in listings.values()]
    return sha256(repr((state, trades)).encode()).hexdigest()


def test_seed_and_time_decide_everything_however_it_is_stepped() -> None:
    ends = []
    for seed, spacing_ms in ((4711, 10), (4711, 137), (4711, 12_000), (4712, 100)):
        synthetic, listings = market(seed)
        for at_ms in range(0, 12_000, spacing_ms):
            synthetic.step(START_MS + at_ms)
        synthetic.step(START_MS + 12_000)
        ends.append(digest(listings))
    assert ends[0] == ends[1] == ends[2]
    assert ends[0] != ends[3]


def distance_bp(wall: Wall, listing: Listing) -> float:
    """How far the best price of the wall's side is from the wall; negative once price is beyond it."""
    best = listing.book.best(wall.side)
    assert best is not None
    return (best - wall.ticks) * wall.side.sign / wall.ticks * 10_000


@pytest.mark.parametrize("seed", [4711, *range(9)])
def test_the_tour_breaks_holds_and_pulls_a_wall_within_a_minute(seed: int) -> None:
    leads = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    synthetic, listings = market(seed)
    near = dict.fromkeys(leads, 1000.0)  # nearest that price came while the wall stood
    now = dict(near)
    for at_ms in range(0, 60_001, 100):
        synthetic.step(START_MS + at_ms)
        for symbol in leads:
            for wall in synthetic.walls(symbol)[:1]:
                now[symbol] = distance_bp(wall, listings[symbol])
                near[symbol] = min(near[symbol], now[symbol]) if wall.lots else near[symbol]
    walls = {symbol: synthetic.walls(symbol)[0] for symbol in leads}
    broken = [s for s, wall in walls.items() if wall.eaten == wall.peak and now[s] < -30]
    held = [s for s, wall in walls.items() if wall.lots == wall.peak and near[s] < 15 and now[s] > 40]
    pulled = [s for s, wall in walls.items() if wall.pulled == wall.peak and near[s] > 10]
    assert [len(broken), len(held), len(pulled)] == [1, 1, 1]


def test_the_tour_goes_on_with_new_episodes() -> None:
    synthetic, _ = market(3)
    synthetic.step(START_MS + 120_000)
    walls = [wall for symbol in INSTRUMENTS for wall in synthetic.walls(symbol)]
    assert len(walls) >= 6
    assert sum(wall.eaten == wall.peak > 0 for wall in walls) >= 2


def test_books_never_cross_and_reference_prices_stay_near() -> None:
    synthetic, listings = market(11)
    for at_ms in range(0, 60_000, 500):
        synthetic.step(START_MS + at_ms)
        for listing in listings.values():
            bid, ask = listing.book.best_bid, listing.book.best_ask
            assert bid is not None
            assert ask is not None
            assert bid < ask
            assert len(listing.book.depth(Side.BUY, 220)) == len(listing.book.depth(Side.SELL, 220)) == 220
            mid = listing.instrument.price(bid + ask) / 2
            assert abs(listing.mark / mid - 1) < Decimal("0.0012")
            assert abs(listing.index / listing.mark - 1) < Decimal("0.0005")


def test_calm_has_no_scripted_walls() -> None:
    synthetic, _ = market(5, "calm")
    synthetic.step(START_MS + 60_000)
    assert not any(synthetic.walls(symbol) for symbol in INSTRUMENTS)


def test_a_symbol_without_character_is_refused() -> None:
    listing = Listing(structs.replace(INSTRUMENTS["BTCUSDT"], symbol="XRPUSDT"), 0)
    with pytest.raises(ValueError, match=r"expected symbols among BTCUSDT, .*, found XRPUSDT"):
        SyntheticMarket({"XRPUSDT": listing}, 1)


def test_a_day_has_passed_before_the_first_step() -> None:
    _, listings = market(1)
    for listing in listings.values():
        assert 0 < listing.low < listing.open_price < listing.high
        assert listing.low < listing.mark < listing.high
        assert listing.turnover_usdt > 10_000_000
