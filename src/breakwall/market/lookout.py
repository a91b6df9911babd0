"""The lookout of one side of the book: finds walls and follows each until it ends."""

from collections.abc import Iterable, Mapping

from breakwall.market import erosion
from breakwall.market.book import BookSide
from breakwall.market.buckets import Buckets
from breakwall.market.chronicle import Chronicle
from breakwall.market.criteria import Criteria, large, outstanding, weighty
from breakwall.market.walls import GONE_AT, Wall

FADED_AFTER_MS = 30_000
"""How long a wall may miss the criteria before it is no longer one: an attack on it must not end it."""
HIDDEN_FOR_MS = 60_000
"""How long a wall out of view is remembered."""
SAME_WALL = 0.5
"""Share of its last size a bucket must still hold, after a time unseen, to be called the same wall."""


class Lookout:
    """Walls of one side. Only touched buckets are looked at per message; time does the rest.

    A bucket that meets the criteria becomes a candidate, a candidate that meets them for the minimum
    age a wall. The outermost visible bucket is known in part only: it is never a wall, and a wall in
    it or beyond is out of view, where nothing that happens to it is known.
    """

    __slots__ = ("at_best", "bid", "buckets", "chronicle", "criteria", "floor", "outermost", "walls")

    def __init__(self, buckets: Buckets, criteria: Criteria, chronicle: Chronicle) -> None:
        self.bid = buckets.bid
        self.buckets = buckets
        self.criteria = criteria
        self.chronicle = chronicle
        self.floor = 1  # lots worth the absolute criterion's USDT
        self.walls: dict[int, Wall] = {}  # candidates too, by bucket
        self.outermost = 0
        self.at_best = 0

    def follow(self, side: BookSide, touched: Mapping[int, int], shown_seq: int, seq: int, at_ms: int) -> None:
        """The buckets `touched` changed with the book message `seq`, which followed `shown_seq`."""
        if not side.prices:
            return
        best, edge = (side.prices[-1], side.prices[0]) if self.bid else (side.prices[0], side.prices[-1])
        width = self.buckets.width
        if edge // width != self.outermost:
            self._reframe(edge // width, at_ms)
        if best // width != self.at_best:
            self.at_best = best // width
            self._count_touches()
        walls = self.walls
        sums = self.buckets.sums
        threshold = self._threshold()
        for bucket, difference in touched.items():
            wall = walls.get(bucket)
            if wall is not None:
                if difference and wall.in_view:
                    self._changed(wall, sums[bucket], shown_seq, seq, at_ms)
            elif sums[bucket] >= threshold and self._visible(bucket) and self._meets(bucket):
                self._discover(bucket, at_ms)

    def traded(self, ticks: int, lots: int, seq: int, book_seq: int, at_ms: int) -> None:
        """A trade took `lots` from this side at `ticks`."""
        wall = self.walls.get(ticks // self.buckets.width)
        if wall is not None and wall.in_view:
            erosion.traded(wall, lots, seq, book_seq, at_ms)

    def settle(self, book_seq: int, tape_seq: int, at_ms: int) -> None:
        """Decide what is ripe: eaten or pulled, candidates old enough or no longer big enough, ends."""
        for wall in list(self.walls.values()):
            if wall.undecided or wall.ahead:
                erosion.decide(wall, book_seq, tape_seq, at_ms, self.criteria.catch_up_ms)
            if not wall.built:
                self._ripen(wall, at_ms)
            elif wall.in_view and wall.eroded >= GONE_AT and not wall.undecided:
                self._end(wall, "eaten" if wall.eaten_lots >= wall.pulled_lots else "pulled", at_ms)

    def survey(self, side: BookSide, at_ms: int) -> None:
        """The slow round, once a second: weigh prices, fade what is no wall, find what its neighbours uncovered."""
        width = self.buckets.width
        for wall in list(self.walls.values()):
            if not wall.in_view:
                if at_ms - wall.hidden_ms >= HIDDEN_FOR_MS:
                    self._end(wall, "left", at_ms)
                continue
            price = side.weighed(wall.bucket * width, (wall.bucket + 1) * width - 1)
            wall.price_ticks = wall.price_ticks if price is None else price
            if wall.built:
                self._fade(wall, at_ms)
        threshold = self._threshold()
        for bucket, lots in self.buckets.sums.items():
            if lots >= threshold and bucket not in self.walls and self._visible(bucket) and self._meets(bucket):
                self._discover(bucket, at_ms)

    def blind(self, at_ms: int) -> None:
        """The book can no longer be trusted: candidates are forgotten, walls wait out of view."""
        for wall in list(self.walls.values()):
            if not wall.built:
                del self.walls[wall.bucket]
            else:
                erosion.rebase(wall, wall.lots)
                if wall.in_view:
                    self._hide(wall, at_ms)

    def look_again(self, side: BookSide, at_ms: int) -> None:
        """A trusted book is back: each wall is found again, still out of view, or unknown."""
        if side.prices:
            width = self.buckets.width
            best, edge = (side.prices[-1], side.prices[0]) if self.bid else (side.prices[0], side.prices[-1])
            self.at_best = best // width
            self.outermost = edge // width
        for wall in list(self.walls.values()):
            if not side.prices or self._visible(wall.bucket):
                self._reappear(wall, at_ms)

    def regrid(self, buckets: Buckets, at_ms: int) -> None:
        """Take another grid: each wall moves to the bucket of its price; of two in one the elder keeps its id."""
        self.buckets = buckets
        walls = sorted((wall for wall in self.walls.values() if wall.built), key=lambda wall: wall.seen_ms)
        self.walls = {}
        for wall in walls:
            price = wall.price_ticks
            bucket = price // buckets.width
            if bucket in self.walls:
                self.chronicle.close(wall, "unknown", at_ms)
                continue
            wall.place(bucket, buckets.width)
            wall.price_ticks = price
            erosion.rebase(wall, buckets.sums[bucket])
            self.walls[bucket] = wall

    def _threshold(self) -> float:
        """The least lots with which a bucket can still meet the criteria, before its neighbours are asked."""
        share = self.criteria.share * self.buckets.near_lots
        if self.criteria.require == 3:
            return max(self.floor, share)
        return min(self.floor, share) if self.criteria.require == 2 else 1

    def _meets(self, bucket: int) -> bool:
        criteria = self.criteria
        lots = self.buckets.sums[bucket]
        met = large(lots, self.floor) + weighty(lots, self.buckets.near_lots, criteria.share)
        if met >= criteria.require:
            return True
        if met + 1 < criteria.require:
            return False
        mean = self.buckets.mean_around(bucket, criteria.neighbours, self.at_best, self.outermost)
        return met + outstanding(lots, mean, criteria.relative_k) >= criteria.require

    def _visible(self, bucket: int) -> bool:
        return bucket > self.outermost if self.bid else bucket < self.outermost

    def _discover(self, bucket: int, at_ms: int) -> None:
        wall_id = self.chronicle.number(at_ms)
        wall = Wall(wall_id, self.bid, bucket, self.buckets.width, self.buckets.sums[bucket], at_ms)
        wall.touching = bucket == self.at_best
        wall.touches = int(wall.touching)
        self.walls[bucket] = wall

    def _changed(self, wall: Wall, lots: int, shown_seq: int, seq: int, at_ms: int) -> None:
        if not wall.built and not self._meets(wall.bucket):
            del self.walls[wall.bucket]
            return
        erosion.changed(wall, lots, shown_seq, seq, at_ms)

    def _ripen(self, wall: Wall, at_ms: int) -> None:
        if not self._meets(wall.bucket):
            del self.walls[wall.bucket]
        elif at_ms - wall.seen_ms >= self.criteria.min_age_ms:
            wall.built_ms = at_ms
            self.chronicle.tell(wall, "built", at_ms)

    def _fade(self, wall: Wall, at_ms: int) -> None:
        if wall.undecided or wall.eroded >= GONE_AT or self._meets(wall.bucket):
            wall.fading_ms = 0
        elif not wall.fading_ms:
            wall.fading_ms = at_ms
        elif at_ms - wall.fading_ms >= FADED_AFTER_MS:
            self._end(wall, "faded", at_ms)

    def _reframe(self, outermost: int, at_ms: int) -> None:
        """The window moved: walls at its rim go out of view, walls inside it come back."""
        self.outermost = outermost
        for wall in list(self.walls.values()):
            visible = self._visible(wall.bucket)
            if visible and not wall.in_view:
                self._reappear(wall, at_ms)
            elif not visible and not wall.built:
                del self.walls[wall.bucket]
            elif not visible and wall.in_view:
                self._hide(wall, at_ms)
                self.chronicle.tell(wall, "left", at_ms)

    def _reappear(self, wall: Wall, at_ms: int) -> None:
        lots = self.buckets.sums[wall.bucket]
        if lots < SAME_WALL * wall.lots or lots == 0:
            self._end(wall, "unknown", at_ms)
            return
        erosion.rebase(wall, lots)
        wall.in_view = True
        self.chronicle.version += 1

    def _hide(self, wall: Wall, at_ms: int) -> None:
        wall.in_view = False
        wall.hidden_ms = at_ms
        self.chronicle.version += 1

    def _count_touches(self) -> None:
        for wall in self.walls.values():
            distance = abs(self.at_best - wall.bucket)
            if distance == 0 and not wall.touching:
                wall.touching = True
                wall.touches += 1
            elif distance > 1:
                wall.touching = False

    def _end(self, wall: Wall, kind: str, at_ms: int) -> None:
        del self.walls[wall.bucket]
        self.chronicle.close(wall, kind, at_ms)


def nearest_first(walls: Iterable[Wall], bid: bool) -> list[Wall]:
    """Walls of one side from the price outwards."""
    return sorted(walls, key=lambda wall: wall.near_ticks, reverse=bid)
