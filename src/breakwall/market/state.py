"""All that is known of one symbol."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import Enum
from zlib import crc32

from breakwall.market.bars import SAMPLE_MS, Bar, Bars, Samples
from breakwall.market.book import APPLIED, OrderBook, Verdict
from breakwall.market.buckets import bucket_width, too_short
from breakwall.market.chronicle import Chronicle
from breakwall.market.clusters import Cluster, clusters
from breakwall.market.criteria import criteria_of, floor_lots
from breakwall.market.indicators import AverageTrueRange
from breakwall.market.lag import Lag
from breakwall.market.lookout import Lookout, nearest_first
from breakwall.market.tape import Tape
from breakwall.market.trend import Trend
from breakwall.market.walls import Wall, WallEvent
from breakwall.model.candles import Candle
from breakwall.model.events import BookDelta, BookSnapshot, Ticker, Trades
from breakwall.model.units import Instrument
from breakwall.settings import Settings

_DEEPEST = 1_000


class Status(Enum):
    """WAITING for the first snapshot, LIVE, RESYNC after a loss, STALE when the book falls silent or far behind."""

    WAITING = "WAITING"
    LIVE = "LIVE"
    RESYNC = "RESYNC"
    STALE = "STALE"


LIVE = Status.LIVE
"""Asked with every message and tick; see `book.APPLIED`."""


class Market:
    """One symbol's book, walls, tape and trend. Prices are ticks, sizes lots, times engine milliseconds.

    `depth` is the number of levels subscribed. Nothing here is to be traded on unless `status` is LIVE.
    """

    def __init__(self, instrument: Instrument, settings: Settings, depth: int) -> None:
        self.instrument = instrument
        self.settings = settings
        self.depth = depth
        self.deepest = _DEEPEST  # levels the venue has of it, as far as is known
        self.status = Status.WAITING
        self.status_reason = "no snapshot yet"
        self.last_book_ms = 0
        self.book = OrderBook(depth, tolerant=settings.venue.gaps == "warn")
        self.tape = Tape(settings.trend.window_s * 1000)
        self.samples = Samples(settings.trend.window_s)
        self.trend = Trend(settings.trend)
        self.bars = Bars()
        self.lag = Lag()
        self.mark: Decimal | None = None
        self.index: Decimal | None = None
        self.last: Decimal | None = None
        self.funding_rate: Decimal | None = None
        self.next_funding_ms: int | None = None
        self.turnover_24h_usdt: Decimal | None = None
        self.change_24h: Decimal | None = None
        self.open_interest: Decimal | None = None
        self.last_ticker_ms = 0
        self.book_messages = self.resyncs = 0
        self._atr = AverageTrueRange()
        self._chronicle = Chronicle()
        criteria = criteria_of(settings.walls, instrument.symbol)
        self.bid_walls = Lookout(self.book.bids, criteria, self._chronicle)
        self.ask_walls = Lookout(self.book.asks, criteria, self._chronicle)
        self._reset_id = -1  # the update with which the venue began a living book anew
        self._grid_depth = 0  # the depth for which the bucket width was chosen
        self._blind_ms = round(settings.engine.stale_after_s * 1000)
        self._phase_ms = crc32(instrument.symbol.encode()) % SAMPLE_MS  # symbols take turns within the second
        self._second = 0
        self._ticked_seq = 0  # the last trade's sequence at the last tick
        self._live: tuple[Wall, ...] = ()
        self._live_version = -1

    # What others read

    @property
    def best_bid(self) -> int | None:
        """Best bid in ticks; None without one."""
        return self.book.bids.best

    @property
    def best_ask(self) -> int | None:
        """Best ask in ticks; None without one."""
        return self.book.asks.best

    @property
    def mid_half_ticks(self) -> int | None:
        """Bid plus ask: twice the mid in ticks, exact. None without both sides."""
        return self.book.mid_half_ticks

    @property
    def live(self) -> bool:
        return self.status is LIVE

    @property
    def trend_now(self) -> int:
        """1 up, -1 down, 0 flat or not known."""
        return self.trend.now

    @property
    def atr_ticks(self) -> float | None:
        """Average true range of one-minute bars of the mid, in ticks; None before the first bar."""
        return None if self._atr.value is None else self._atr.value / 2

    @property
    def width_ticks(self) -> int:
        """Bucket width; 1 before the first snapshot."""
        return self.book.bids.buckets.width

    @property
    def reach_ticks(self) -> int:
        """How far the visible book reaches on its shorter side."""
        return self.book.reach_ticks

    @property
    def reach(self) -> tuple[float, float] | None:
        """How far the visible book reaches below and above the mid, as fractions; None without both sides."""
        mid = self.mid_half_ticks
        if mid is None:
            return None
        return 1 - 2 * self.book.bids.prices[0] / mid, 2 * self.book.asks.prices[-1] / mid - 1

    @property
    def wants_depth(self) -> int:
        """The deeper subscription that walls need (`depth = "auto"`), or 0 where this one will do."""
        mid = self.mid_half_ticks
        walls = self.settings.walls
        if self.settings.venue.depth != "auto" or not self.live or mid is None or self.book.depth >= self.deepest:
            return 0
        full = len(self.book.bids.prices) >= self.book.depth or len(self.book.asks.prices) >= self.book.depth
        short = too_short(mid, self.book.reach_ticks, walls.bucket_bp, walls.min_buckets)
        return self.deepest if full and short else 0

    @property
    def trades_seen(self) -> int:
        return self.tape.seen

    @property
    def gaps(self) -> int:
        return self.book.gaps

    @property
    def duplicates(self) -> int:
        """Book messages dropped as duplicate, out of order or early."""
        return self.book.dropped

    @property
    def walls_seen(self) -> int:
        return self._chronicle.built

    @property
    def walls_eaten(self) -> int:
        return self._chronicle.eaten

    @property
    def walls_pulled(self) -> int:
        return self._chronicle.pulled

    def live_walls(self) -> Sequence[Wall]:
        """Built walls in view: bids from the price outwards, then asks."""
        if self._live_version != self._chronicle.version:
            self._live = tuple(wall for wall in self.all_walls() if wall.built and wall.in_view)
            self._live_version = self._chronicle.version
        return self._live

    def all_walls(self) -> list[Wall]:
        """Every wall followed, also candidates and walls out of view."""
        bids = nearest_first(self.bid_walls.walls.values(), bid=True)
        return bids + nearest_first(self.ask_walls.walls.values(), bid=False)

    def wall(self, wall_id: int) -> Wall | None:
        """A living or recently ended wall; `Wall.end` tells how it ended."""
        for lookout in (self.bid_walls, self.ask_walls):
            for wall in lookout.walls.values():
                if wall.wall_id == wall_id:
                    return wall
        return self._chronicle.ended(wall_id)

    def ended_walls(self, since_ms: int, most: int) -> list[Wall]:
        """At most `most` walls that ended at or after `since_ms`, newest first."""
        return self._chronicle.lately(since_ms, most)

    def clusters(self) -> list[Cluster]:
        """Clusters of the walls in view."""
        mid = self.mid_half_ticks
        if mid is None:
            return []
        walls = self.settings.walls
        return clusters(self.live_walls(), int(mid * walls.cluster_range_bp / 20_000), walls.cluster_walls)

    def take_wall_events(self) -> tuple[WallEvent, ...]:
        """What happened to walls since the last call."""
        return self._chronicle.take()

    def take_ended_walls(self) -> tuple[Wall, ...]:
        """Walls that ended since the last call; whoever was out of view for good is among them."""
        return self._chronicle.take_ended()

    # What comes in

    def on_book(self, event: BookSnapshot | BookDelta, at_ms: int) -> str:
        """Take a book message; the answer is why the symbol must be resubscribed, or ''."""
        self.book_messages += 1
        if isinstance(event, BookSnapshot) or event.update_id == 1:
            return self._start_again(event, at_ms)
        book = self.book
        shown_seq = book.seq
        verdict, bids, asks = book.apply(event)
        if verdict is not APPLIED:
            return "" if verdict is Verdict.DROPPED else self._distrust(at_ms)
        self.last_book_ms = at_ms
        self.lag.add(at_ms, event.cts_ms)
        if self.status is not LIVE or self.lag.late_ms > self._blind_ms:
            self._catch_up(at_ms)
            return ""
        if bids:
            self.bid_walls.follow(bids, shown_seq, event.seq, at_ms)
        if asks:
            self.ask_walls.follow(asks, shown_seq, event.seq, at_ms)
        return ""

    def on_trades(self, event: Trades, at_ms: int) -> None:
        """Take public trades: the tape, and what they eat from walls."""
        book_seq, live = self.book.seq, self.status is LIVE
        for trade in event.trades:
            if self.tape.add(trade, at_ms) and live and not trade.off_book:
                hit = self.ask_walls if trade.buy else self.bid_walls
                hit.traded(trade.ticks, trade.lots, trade.seq, book_seq, at_ms)

    def on_ticker(self, event: Ticker, at_ms: int) -> None:
        """Merge the changed fields; a field that is not there is unchanged."""
        self.last_ticker_ms = at_ms
        for name in (
            "mark",
            "index",
            "last",
            "funding_rate",
            "next_funding_ms",
            "turnover_24h_usdt",
            "change_24h",
            "open_interest",
        ):
            value = getattr(event, name)
            if value is not None:
                setattr(self, name, value)

    def warm(self, candles: Iterable[Candle]) -> None:
        """Take the range of minutes before we looked; once there are bars of our own, nothing."""
        if self._atr.value is None:
            for one in candles:
                self._atr.add(Bar(one.start_ms, 2 * one.open, 2 * one.high, 2 * one.low, 2 * one.close))

    def on_tick(self, at_ms: int) -> None:
        """Let time pass: staleness, catch-up deadlines, promotions, and once a second samples and trend."""
        seq = self.tape.last_seq
        traded, self._ticked_seq = seq != self._ticked_seq, seq
        if self.status is LIVE:
            if at_ms - self.last_book_ms > self._blind_ms:
                self._go_blind(Status.STALE, f"no book for {self._blind_ms / 1000:g} s", at_ms)
            else:
                for lookout in (self.bid_walls, self.ask_walls):
                    if at_ms >= lookout.due_ms or (traded and lookout.in_question):
                        lookout.settle(self.book.seq, seq, at_ms)
        second = (at_ms + self._phase_ms) // SAMPLE_MS
        if second != self._second:
            self._second = second
            self._sample(at_ms)

    def lose(self, reason: str, at_ms: int) -> None:
        """The book can no longer be trusted: RESYNC until the next snapshot."""
        self.book.lose()
        if self.status is not Status.RESYNC:
            counted = self.book.update_id == self._reset_id  # a gap right after a reset belongs to it
            self.resyncs += self.status is not Status.WAITING and not counted
            self._go_blind(Status.RESYNC, reason, at_ms)

    def leave(self, at_ms: int) -> None:
        """Nobody looks here any more: the walls are out of sight, and nothing more is known of them."""
        self.status, self.status_reason = Status.WAITING, "no longer followed"
        self.bid_walls.leave(at_ms)
        self.ask_walls.leave(at_ms)

    def use(self, settings: Settings) -> None:
        """Take new settings, from now on; the bucket width changes with the next snapshot of another depth."""
        self.settings = settings
        self.book.tolerant = settings.venue.gaps == "warn"
        self.trend.settings = settings.trend
        for lookout in (self.bid_walls, self.ask_walls):
            lookout.criteria = criteria_of(settings.walls, self.instrument.symbol)
            lookout.due_ms = 0
            self._measure(lookout)
        self._blind_ms = round(settings.engine.stale_after_s * 1000)

    def regrid(self, width: int, at_ms: int) -> None:
        """Take another bucket width; walls keep their ids where the new grid can tell them apart."""
        for side, lookout in ((self.book.bids, self.bid_walls), (self.book.asks, self.ask_walls)):
            side.regrid(width)
            lookout.regrid(at_ms)
        self._look_again(at_ms)

    # How it is done

    def _start_again(self, event: BookSnapshot | BookDelta, at_ms: int) -> str:
        self.bid_walls.blind(at_ms)
        self.ask_walls.blind(at_ms)
        if self.status is Status.LIVE and event.depth == self.book.depth:
            self.resyncs += 1
            self._reset_id = event.update_id
        verdict = self.book.replace(event)
        mid = self.book.mid_half_ticks
        if mid is None:
            self.book.lose()
            self.book.why = "the snapshot has an empty side"
        if verdict is not Verdict.APPLIED or mid is None:
            return self._distrust(at_ms)
        self.depth = event.depth
        self.last_book_ms = at_ms
        self.status, self.status_reason = Status.LIVE, ""
        if self._grid_depth != event.depth:
            self._grid_depth = event.depth
            walls = self.settings.walls
            self.regrid(bucket_width(mid, self.book.reach_ticks, walls.bucket_bp, walls.min_buckets), at_ms)
        else:
            self._look_again(at_ms)
        return ""

    def _distrust(self, at_ms: int) -> str:
        reason = self.book.why
        self.lose(reason, at_ms)
        return reason

    def _go_blind(self, status: Status, reason: str, at_ms: int) -> None:
        self.status, self.status_reason = status, reason
        self.bid_walls.blind(at_ms)
        self.ask_walls.blind(at_ms)

    def _look_again(self, at_ms: int) -> None:
        """Find the walls in a book that is new or trusted again."""
        for lookout in (self.bid_walls, self.ask_walls):
            self._measure(lookout)
            lookout.look_again(at_ms)
            lookout.survey(at_ms)

    def _catch_up(self, at_ms: int) -> None:
        """Messages that come too late are as bad as none; a prompt one ends the staleness."""
        late = self.lag.late_ms > self._blind_ms
        if late and self.status is Status.LIVE:
            self._go_blind(Status.STALE, f"the book is {self.lag.late_ms / 1000:.1f} s late", at_ms)
        elif not late:
            self.status, self.status_reason = Status.LIVE, ""
            self._look_again(at_ms)

    def _sample(self, at_ms: int) -> None:
        self.tape.expire(at_ms)
        mid = self.mid_half_ticks
        if self.status is Status.LIVE and mid is not None:
            lookout = self.bid_walls if self._second % 2 else self.ask_walls  # the sides take turns
            self._measure(lookout)
            lookout.survey(at_ms)
            self.samples.add(self._second, mid)
            closed = self.bars.add(at_ms, mid)
            if closed is not None:
                self._atr.add(closed)
            self.trend.update(self.samples, self.tape.imbalance)
        else:
            self.trend.now = 0

    def _measure(self, lookout: Lookout) -> None:
        """What depends on the price: the floor in lots, and how far a side counts for a wall's share."""
        mid = self.mid_half_ticks
        if mid is None:
            return
        criteria = lookout.criteria
        reach = int(mid * criteria.share_reach / 2)
        rim = mid // 2 - reach if lookout.bid else mid // 2 + reach
        lookout.measure(floor_lots(criteria.floor_usdt, self.instrument, mid), rim // self.width_ticks)
