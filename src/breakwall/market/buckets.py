"""The book in buckets: an absolute grid of whole ticks, summed incrementally.

Single levels are dominated by dust (domain fact: "5x the median level" flags 148 of 400 levels of a
real book every second); a bucket of 1-2 basis points is what a trader calls a level.
"""

from collections.abc import Iterable, Mapping

from breakwall.market.book import Change

_BP = 10_000


def bucket_width(mid_half_ticks: int, reach_ticks: int, bucket_bp: float, min_buckets: int) -> int:
    """`auto`: max(1 tick, min(`bucket_bp`, reach / `min_buckets`)) in whole ticks, from twice the mid."""
    by_price = int(mid_half_ticks * bucket_bp / (2 * _BP))
    return max(1, min(by_price, reach_ticks // min_buckets))


def too_short(mid_half_ticks: int, reach_ticks: int, bucket_bp: float, min_buckets: int) -> bool:
    """Whether the window reaches less than `min_buckets` full buckets of `bucket_bp` on a side."""
    return reach_ticks * 2 * _BP < mid_half_ticks * bucket_bp * min_buckets


class Sums(dict[int, int]):
    """Lots by bucket; a bucket that is not there holds nothing."""

    def __missing__(self, bucket: int) -> int:
        return 0


class Buckets:
    """Bucket sums of one side of the book. Bucket `b` holds the ticks from `b * width` to `(b + 1) * width - 1`.

    `near_lots` is the sum of the buckets up to `limit`, the outermost bucket that counts for a
    wall's share of the side.
    """

    __slots__ = ("bid", "limit", "near_lots", "sums", "width")

    def __init__(self, bid: bool, width: int) -> None:
        self.bid = bid
        self.width = width
        self.limit = 0
        self.near_lots = 0
        self.sums = Sums()

    def rebuild(self, levels: Mapping[int, int]) -> None:
        """Sum everything again, from all visible levels."""
        self.sums = Sums()
        for ticks, lots in levels.items():
            self.sums[ticks // self.width] += lots
        self._sum_near()

    def set_limit(self, limit: int) -> None:
        if limit != self.limit:
            self.limit = limit
            self._sum_near()

    def update(self, changes: Iterable[Change]) -> dict[int, int]:
        """Apply level changes; the answer is each touched bucket's difference in lots (which may be 0)."""
        width = self.width
        differences: dict[int, int] = {}
        for ticks, before, now in changes:
            bucket = ticks // width
            if bucket in differences:
                differences[bucket] += now - before
            else:
                differences[bucket] = now - before
        sums = self.sums
        sign = 1 if self.bid else -1
        inside = self.limit * sign
        for bucket, difference in differences.items():
            lots = sums[bucket] + difference
            if lots:
                sums[bucket] = lots
            else:
                sums.pop(bucket, None)
            if bucket * sign >= inside:
                self.near_lots += difference
        return differences

    def mean_around(self, bucket: int, reach: int, innermost: int, outermost: int) -> float | None:
        """Mean lots of up to `reach` buckets on each side, without the bucket itself.

        Only buckets between the best price's and the outermost visible one count (the latter is
        known in part only); None where there is no such neighbour.
        """
        low, high = (outermost + 1, innermost) if self.bid else (innermost, outermost - 1)
        low, high = max(low, bucket - reach), min(high, bucket + reach)
        count = high - low + 1
        total = sum(map(self.sums.__getitem__, range(low, high + 1)))
        if low <= bucket <= high:
            count -= 1
            total -= self.sums[bucket]
        return total / count if count > 0 else None

    def _sum_near(self) -> None:
        limit = self.limit
        if self.bid:
            self.near_lots = sum(lots for bucket, lots in self.sums.items() if bucket >= limit)
        else:
            self.near_lots = sum(lots for bucket, lots in self.sums.items() if bucket <= limit)
