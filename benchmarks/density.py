"""What the map of all markets costs: the largest walls of each of them, asked for again and again.

    python benchmarks/density.py [--symbols N] [--walls N]

Every market has walls on both sides, and a new book message between two looks. Target: 600 markets looked at once
a second take at most 1 % of a core (10 ms).
"""

import argparse
from decimal import Decimal
from statistics import median
from time import process_time

from breakwall.market.density import density_view
from breakwall.market.state import Market
from breakwall.model.events import BookDelta, BookSnapshot
from breakwall.model.units import Instrument
from breakwall.settings import Settings

LOOKS = 20
LEVELS = 200
MID = 100_000
SETTINGS = Settings.model_validate(
    {
        "walls": {
            "floor_usdt_default": 300_000,
            "relative_k": 1.1,
            "side_percent": 0.1,
            "side_reach_percent": 5,
            "min_age_s": 0,
        }
    }
)


def market(number: int, walls: int) -> Market:
    """A book of one lot a level with walls on it, far apart from each other."""
    symbol = f"M{number:03d}USDT"
    made = Market(Instrument(symbol, Decimal("0.01"), Decimal(1), 1, 10**6, 10**6), SETTINGS, LEVELS)
    high = {9 + 20 * place: 500 + 7 * place for place in range(walls)}

    def side(sign: int) -> list[tuple[int, int]]:
        return [(MID + sign * (1 + away), high.get(away, 1)) for away in range(LEVELS)]

    made.on_book(BookSnapshot(symbol, side(-1), side(1), 10, 10, 0, LEVELS), 1_000)
    for at_ms in range(1_100, 4_000, 100):
        made.on_tick(at_ms)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description="the map of all markets: what its data costs")
    parser.add_argument("--symbols", type=int, default=600)
    parser.add_argument("--walls", type=int, default=8, help="walls on each side of each book")
    args = parser.parse_args()
    markets = [market(number, args.walls) for number in range(args.symbols)]
    times: list[float] = []
    for look in range(LOOKS):
        for made in markets:
            symbol = made.instrument.symbol
            touched = [(MID - 5, 2 + look % 2)]
            made.on_book(BookDelta(symbol, touched, [], 11 + look, 11 + look, 0, LEVELS), 4_000 + look)
        began = process_time()
        seen = [density_view(made, 5_000) for made in markets]
        times.append(process_time() - began)
    walls = sum(len(row.walls) for row in seen)
    each_us = median(times) / len(markets) * 1e6
    look_ms = median(times) * 1000
    print(f"{len(markets)} markets, {walls} walls told: {look_ms:.2f} ms a look (limit 10), {each_us:.1f} us each")


if __name__ == "__main__":
    main()
