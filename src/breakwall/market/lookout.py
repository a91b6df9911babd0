"""The lookout of one side of the book: finds walls and follows each until it ends."""

from collections.abc import Iterable

from breakwall.market import erosion
from breakwall.market.book import BookSide
from breakwall.market.chronicle import Chronicle
from breakwall.market.criteria import Criteria, large, outstanding, weighty
from breakwall.market.walls import GONE_AT, Wall

FADED_AFTER_MS = 30_000
"""How long a wall may miss the criteria before it is no longer one: an attack on it must not end it."""
HIDDEN_FOR_MS = 60_000
"""How long a wall out of view is remembered."""
SAME_WALL = 0.5
"""Share of its last size a bucket must still hold, after a time unseen, to be called the same wall."""
_NEVER_MS = 2**62


class Lookout:
    """Walls of one side. Only touched buckets are looked at per message; time does the rest.

    A bucket that meets the criteria becomes a candidate, a candidate that meets them for the minimum
    age a wall. The outermost visible bucket is known in part only: it is never a wall, and a wall in
    it or beyond is out of view, where nothing that happens to it is known.
    """

    __slots__ = (
        "at_best",
        "bid",
        "chronicle",
        "criteria",
        "due_ms",
        "floor",
        "in_question",
        "outermost",
        "side",
        "threshold",
        "unfit",
        "walls",
    )

    def __init__(self, side: BookSide, criteria: Criteria, chronicle: Chronicle) -> None:
        self.side = side
        self.bid = side.bid
        self.criteria = criteria
        self.chronicle = chronicle
        self.floor = 1  # lots worth the absolute criterion's USDT
        self.threshold = 1.0  # the least lots that can meet the criteria, whatever the neighbours hold
        self.walls: dict[int, Wall] = {}  # candidates too, by bucket
        self.outermost = 0
        self.at_best = 0
        self.unfit: dict[int, int] = {}  # buckets found wanting since the last survey, and at how many lots
        self.due_ms = 0  # when the next deadline of any wall passes
        self.in_question = False  # whether trades may decide something before that

    def measure(self, floor: int, limit: int) -> None:
        """Take the floor in lots and the outermost bucket that counts for a wall's share of the side."""
        self.floor = floor
        self.side.buckets.survey(limit)
        share = self.criteria.share * self.side.buckets.near_lots
        if self.criteria.require == 3:
            self.threshold = max(floor, share)
        else:
            self.threshold = min(floor, share) if self.criteria.require == 2 else 1

    def follow(self, touched: set[int], shown_seq: int, seq: int, at_ms: int) -> None:
        """These buckets changed with the book message `seq`, which followed the message `shown_seq`."""
        buckets = self.side.buckets
        prices = self.side.prices
        if prices:
            best, outermost = prices[0] // buckets.width, prices[-1] // buckets.width
            if self.bid:
                best, outermost = outermost, best
            if outermost != self.outermost:
                self._reframe(outermost, at_ms)
            if best != self.at_best:
                self.at_best = best
                self._count_touches()
        sums = buckets.sums
        walls = self.walls
        unfit = self.unfit
        threshold = self.threshold
        for bucket in touched:
            lots = sums[bucket]
            if bucket in walls:
                wall = walls[bucket]
                if wall.in_view and wall.lots != lots:
                    self._changed(wall, lots, shown_seq, seq, at_ms)
            elif lots >= threshold and lots > unfit.get(bucket, 0):
                if self._meets(bucket):
                    self._discover(bucket, at_ms)
                else:
                    unfit[bucket] = lots

    def traded(self, ticks: int, lots: int, seq: int, book_seq: int, at_ms: int) -> None:
        """A trade took `lots` from this side at `ticks`."""
        wall = self.walls.get(ticks // self.side.buckets.width)
        if wall is not None and wall.in_view:
            erosion.traded(wall, lots, seq, book_seq, at_ms)
            self.due_ms = at_ms

    def settle(self, book_seq: int, tape_seq: int, at_ms: int) -> None:
        """Decide what is ripe: eaten or pulled, candidates old enough or no longer big enough, ends."""
        self.due_ms = _NEVER_MS
        self.in_question = False
        criteria = self.criteria
        for wall in tuple(self.walls.values()):
            if wall.undecided or wall.ahead:
                erosion.decide(wall, book_seq, tape_seq, at_ms, criteria.catch_up_ms)
            if not wall.built_ms and at_ms - wall.seen_ms >= criteria.min_age_ms:
                self._ripen(wall, at_ms)
            elif wall.built_ms and wall.in_view and not wall.undecided and wall.eroded >= GONE_AT:
                self._end(wall, "eaten" if wall.eaten_lots >= wall.pulled_lots else "pulled", at_ms)
            if not wall.built_ms:
                self.due_ms = min(self.due_ms, wall.seen_ms + criteria.min_age_ms)
            for waiting in (wall.undecided, wall.ahead):
                if waiting:
                    self.due_ms = min(self.due_ms, waiting[0][2] + criteria.catch_up_ms)
            self.in_question |= bool(wall.undecided or wall.ahead) or wall.eroded >= GONE_AT

    def survey(self, at_ms: int) -> None:
        """The slow round, every other second: weigh prices, fade walls, find what the neighbours uncovered."""
        width = self.side.buckets.width
        for wall in list(self.walls.values()):
            if not wall.in_view:
                if at_ms - wall.hidden_ms >= HIDDEN_FOR_MS:
                    self._end(wall, "left", at_ms)
                continue
            price = self.side.weighed(wall.bucket * width, (wall.bucket + 1) * width - 1)
            wall.price_ticks = wall.price_ticks if price is None else price
            if wall.built:
                self._fade(wall, at_ms)
            elif not self._meets(wall.bucket):
                del self.walls[wall.bucket]
        threshold = self.threshold
        self.unfit.clear()
        for bucket in [bucket for bucket, lots in self.side.buckets.sums.items() if lots >= threshold]:
            if bucket not in self.walls and self._meets(bucket):
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

    def leave(self, at_ms: int) -> None:
        """Nobody looks at this side any more."""
        for wall in list(self.walls.values()):
            if wall.built:
                self._end(wall, "left", at_ms)
        self.walls = {}

    def look_again(self, at_ms: int) -> None:
        """A trusted book is back: each wall is found again, still out of view, or unknown."""
        side = self.side
        if side.prices:
            best, edge = (side.prices[-1], side.prices[0]) if self.bid else (side.prices[0], side.prices[-1])
            self.at_best = best // side.buckets.width
            self.outermost = edge // side.buckets.width
        for wall in list(self.walls.values()):
            if not side.prices or self._visible(wall.bucket):
                self._reappear(wall, at_ms)

    def regrid(self, at_ms: int) -> None:
        """The side has another grid: each wall moves to the bucket of its price; of two in one the elder stays.

        Whether it is still there is found by `look_again`.
        """
        buckets = self.side.buckets
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
            self.walls[bucket] = wall

    def _meets(self, bucket: int) -> bool:
        """Whether the bucket is inside the window and meets as many criteria as required."""
        buckets = self.side.buckets
        lots = buckets.sums.get(bucket, 0)
        if lots < self.threshold or not self._visible(bucket):
            return False
        criteria = self.criteria
        met = large(lots, self.floor) + weighty(lots, buckets.near_lots, criteria.share)
        if met >= criteria.require:
            return True
        if met + 1 < criteria.require:
            return False
        mean = buckets.mean_around(bucket, criteria.neighbours, self.at_best, self.outermost)
        return met + outstanding(lots, mean, criteria.relative_k) >= criteria.require

    def _visible(self, bucket: int) -> bool:
        return bucket > self.outermost if self.bid else bucket < self.outermost

    def _discover(self, bucket: int, at_ms: int) -> None:
        wall_id = self.chronicle.number(at_ms)
        wall = Wall(wall_id, self.bid, bucket, self.side.buckets.width, self.side.buckets.sums[bucket], at_ms)
        wall.touching = bucket == self.at_best
        wall.touches = int(wall.touching)
        self.due_ms = min(self.due_ms, at_ms + self.criteria.min_age_ms)
        self.walls[bucket] = wall

    def _changed(self, wall: Wall, lots: int, shown_seq: int, seq: int, at_ms: int) -> None:
        if not wall.built_ms and not self._meets(wall.bucket):
            del self.walls[wall.bucket]
            return
        erosion.changed(wall, lots, shown_seq, seq, at_ms)
        wait = 0
        if wall.undecided:
            self.in_question = True
            wait = self.criteria.catch_up_ms
        if at_ms + wait < self.due_ms and (wait or wall.eroded >= GONE_AT):
            self.due_ms = at_ms + wait

    def _ripen(self, wall: Wall, at_ms: int) -> None:
        if self._meets(wall.bucket):
            wall.built_ms = at_ms
            self.chronicle.tell(wall, "built", at_ms)
        else:
            del self.walls[wall.bucket]

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
        lots = self.side.buckets.sums.get(wall.bucket, 0)
        if lots < SAME_WALL * wall.lots or lots == 0:
            self._end(wall, "unknown", at_ms)
            return
        erosion.rebase(wall, lots)
        wall.in_view = True
        self.due_ms = at_ms
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
