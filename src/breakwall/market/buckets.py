"""The book in buckets: an absolute grid of whole ticks, summed incrementally.

Single levels are dominated by dust (measured: "5x the median level" flags 148 of 400 levels of a
real book every second); a bucket of 1-2 basis points is what a trader calls a level.
"""

from collections.abc import Mapping
from itertools import repeat

_BP = 10_000


def bucket_width(mid_half_ticks: int, reach_ticks: int, bucket_bp: float, min_buckets: int) -> int:
    """`auto`: max(1 tick, min(`bucket_bp`, reach / `min_buckets`)) in whole ticks, from twice the mid."""
    by_price = int(mid_half_ticks * bucket_bp / (2 * _BP))
    return max(1, min(by_price, reach_ticks // min_buckets))


def too_short(mid_half_ticks: int, reach_ticks: int, bucket_bp: float, min_buckets: int) -> bool:
    """Whether the window reaches less than `min_buckets` full buckets of `bucket_bp` on a side."""
    return reach_ticks * 2 * _BP < mid_half_ticks * bucket_bp * min_buckets


class Buckets:
    """Bucket sums of one side of the book. Bucket `b` holds the ticks from `b * width` to `(b + 1) * width - 1`.

    `sums` is kept by `BookSide` level by level. `near_lots` is what a wall's share of the side is held
    against; it is as old as the last `survey`.
    """

    __slots__ = ("bid", "near_lots", "sums", "width")

    def __init__(self, bid: bool, width: int) -> None:
        self.bid = bid
        self.width = width
        self.near_lots = 0
        self.sums: dict[int, int] = {}

    def rebuild(self, levels: Mapping[int, int]) -> None:
        """Sum everything again, from all visible levels."""
        sums: dict[int, int] = {}
        for ticks, lots in levels.items():
            bucket = ticks // self.width
            sums[bucket] = sums.get(bucket, 0) + lots
        self.sums = sums

    def survey(self, limit: int) -> None:
        """Forget empty buckets and weigh the side from the best price to the bucket `limit`."""
        sums = self.sums
        if 0 in sums.values():
            self.sums = sums = {bucket: lots for bucket, lots in sums.items() if lots}
        if self.bid:
            self.near_lots = sum([lots for bucket, lots in sums.items() if bucket >= limit])
        else:
            self.near_lots = sum([lots for bucket, lots in sums.items() if bucket <= limit])

    def mean_around(self, bucket: int, reach: int, innermost: int, outermost: int) -> float | None:
        """Mean lots of up to `reach` buckets on each side, without the bucket itself.

        Only buckets between the best price's and the outermost visible one count (the latter is
        known in part only); None where there is no such neighbour.
        """
        low, high = (outermost + 1, innermost) if self.bid else (innermost, outermost - 1)
        low, high = max(low, bucket - reach), min(high, bucket + reach)
        count = high - low + 1
        total = sum(map(self.sums.get, range(low, high + 1), repeat(0)))
        if low <= bucket <= high:
            count -= 1
            total -= self.sums.get(bucket, 0)
        return total / count if count > 0 else None
