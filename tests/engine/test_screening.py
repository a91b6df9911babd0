"""Symbols that come and go, at a table: only the core, its events and its actions."""

from decimal import Decimal

import pytest

from breakwall.engine.screening import ANSWER_MS, REST_MS
from breakwall.market.walls import Wall
from breakwall.model.actions import Admit, Follow, Keep, Note
from breakwall.model.events import BookDelta, BookSnapshot, Command, CommandKind, Link, LinkChanged, ReadBack
from breakwall.model.listings import Admitted, Listed, Listings
from breakwall.model.records import WallLife
from tests.engine.conftest import ASK, BID, STOP, WALLET, Floor, Table, held, orders, rules_of

SCREENER = {"enabled": True, "gainers": 2, "losers": 1, "keep_ranks": 0}


def listings(**changes: str) -> Listings:
    rows = [
        Listed(symbol, Decimal(50_000_000), Decimal(change), Decimal(100), Decimal("100.01"))
        for symbol, change in changes.items()
    ]
    return Listings(tuple(rows))


def of(actions, kind):
    return [action for action in actions if isinstance(action, kind)]


@pytest.fixture
def table() -> Table:
    table = Table("BTCUSDT", screener=SCREENER)
    table.start()
    return table


def follow(table: Table, *symbols: str) -> list:
    return table.say(Admitted(tuple(map(rules_of, symbols))))


def shown(table: Table) -> list[str]:
    return [market.symbol for market in table.view().symbols]


def test_who_moves_is_made_ready_then_followed(table: Table) -> None:
    actions = table.say(listings(AUSDT="0.3", BUSDT="0.2", CUSDT="0.1", DUSDT="-0.1"))
    assert of(actions, Admit) == [Admit(("AUSDT", "BUSDT", "DUSDT"))]
    assert shown(table) == ["BTCUSDT"], "not before it is ready"
    actions = follow(table, "AUSDT", "BUSDT")
    depths = (("BTCUSDT", 200), ("AUSDT", 200), ("BUSDT", 200))
    assert of(actions, Follow) == [Follow(depths)]
    assert shown(table) == ["BTCUSDT", "AUSDT", "BUSDT"]
    assert of(table.say(listings(AUSDT="0.3", BUSDT="0.2", DUSDT="-0.1")), Admit) == [], "DUSDT is on its way"


def test_the_view_tells_what_the_screener_saw(table: Table) -> None:
    assert table.view().screener.age_ms is None
    table.say(listings(AUSDT="0.3", BUSDT="0"))
    seen = table.view().screener
    assert (seen.age_ms, seen.listed, seen.eligible, seen.chosen) == (0, 2, 2, (("AUSDT", Decimal("0.3")),))
    table.say(Listings((), "time-out"))
    assert table.view().screener.trouble == "time-out"
    assert table.view().screener.chosen == seen.chosen, "a list that was not read changes nothing"


def test_a_list_that_is_not_read_is_told_once(table: Table) -> None:
    assert [note.kind for note in of(table.say(Listings((), "time-out")), Note)] == ["screener"]
    assert of(table.say(Listings((), "time-out")), Note) == []


def test_who_moves_no_more_leaves_and_the_settings_own_stays(table: Table) -> None:
    table.say(listings(AUSDT="0.3"))
    follow(table, "AUSDT")
    actions = table.say(listings(BUSDT="0.3", AUSDT="0"))
    assert of(actions, Follow) == [Follow((("BTCUSDT", 200),))]
    assert shown(table) == ["BTCUSDT"]
    assert table.view().market("AUSDT") is None
    table.say(BookSnapshot("AUSDT", [(BID, 5)], [(ASK, 5)], 10, 10, table.now, 200))  # was under way
    assert shown(table) == ["BTCUSDT"]


def test_nobody_is_let_go_while_the_account_cannot_be_seen(table: Table) -> None:
    table.say(listings(AUSDT="0.3"))
    follow(table, "AUSDT")
    table.say(LinkChanged(Link.PRIVATE, up=False, reason="lost"))
    table.say(listings(BUSDT="0.3"))
    table.pass_time(300)
    assert shown(table) == ["BTCUSDT", "AUSDT"]
    table.say(LinkChanged(Link.PRIVATE, up=True))
    table.say(ReadBack((), (), (), WALLET, table.now + 1, "reconnect"), 2)
    table.pass_time(100)
    assert shown(table) == ["BTCUSDT"]


def test_who_could_not_be_made_ready_rests(table: Table) -> None:
    table.say(listings(AUSDT="0.3"))
    actions = table.say(Admitted((), (("AUSDT", "leverage: expected at most 5"),)))
    assert "leverage" in of(actions, Note)[0].text
    table.pass_time(100)
    assert of(table.say(listings(AUSDT="0.3")), Admit) == []
    assert of(table.say(listings(AUSDT="0.3"), REST_MS), Admit) == [Admit(("AUSDT",))]


def test_an_answer_that_never_comes_is_asked_for_again(table: Table) -> None:
    table.say(listings(AUSDT="0.3"))
    assert of(table.say(listings(AUSDT="0.3"), ANSWER_MS - 10), Admit) == []
    assert of(table.say(listings(AUSDT="0.3"), ANSWER_MS), Admit) == [Admit(("AUSDT",))]


def test_where_somebody_else_trades_nobody_goes(table: Table) -> None:
    table.say(ReadBack((), (), (), WALLET, table.now, "periodic", strangers=("AUSDT",)))
    assert of(table.say(listings(AUSDT="0.3", BUSDT="0.2")), Admit) == [Admit(("BUSDT",))]
    table.say(ReadBack((), (), (), WALLET, table.now, "periodic"))
    assert of(table.say(listings(AUSDT="0.3", BUSDT="0.2")), Admit) == [Admit(("AUSDT",))], "they have gone"


def test_before_the_account_is_known_and_while_leaving_nobody_comes() -> None:
    table = Table("BTCUSDT", screener=SCREENER)
    table.start_up()
    assert of(table.say(listings(AUSDT="0.3")), Admit) == []
    table.say(ReadBack((), (), (), WALLET, table.now, "start"))
    assert of(table.pass_time(100), Admit) == [Admit(("AUSDT",))], "at once, not at the next look"
    table.say(Command(CommandKind.STOP))
    assert of(table.say(listings(BUSDT="0.3")), Admit) == []


def test_who_leaves_while_made_ready_never_stays(table: Table) -> None:
    table.say(listings(AUSDT="0.3"))
    table.say(listings(BUSDT="0.3"))
    follow(table, "AUSDT")
    table.pass_time(100)
    assert shown(table) == ["BTCUSDT"]


def test_walls_of_who_leaves_have_left_and_its_counts_stay(table: Table) -> None:
    table.say(listings(AUSDT="0.3"))
    follow(table, "AUSDT")
    table.say(BookSnapshot("AUSDT", [(BID, 500)], [(ASK, 500)], 10, 10, table.now, 200))
    market = table.state.markets["AUSDT"]
    wall = Wall(7, True, BID // 100, 100, 500, table.now)
    wall.built_ms = table.now
    market.bid_walls.walls[wall.bucket] = wall
    before = table.view().counters
    actions = table.say(listings(AUSDT="0"))
    lives = [keep.fact for keep in of(actions, Keep) if isinstance(keep.fact, WallLife)]
    assert [(life.symbol, life.wall_id, life.end) for life in lives] == [("AUSDT", 7, "left")]
    assert table.view().counters == before
    assert before.book_messages == 1


class Mover(Floor):
    """A floor whose second symbol comes from the screener."""

    def __init__(self) -> None:
        super().__init__("AUSDT")
        self.settings = self.settings.model_copy(
            update={
                "symbols": ("BTCUSDT",),
                "screener": self.settings.screener.model_copy(update=SCREENER),
            }
        )

    def start_up(self, entries=()) -> None:
        mine, self.symbols = self.symbols, ("BTCUSDT",)
        super().start_up(entries)
        self.symbols = mine
        self.say(ReadBack((), (), (), WALLET, self.now, "start"))
        self.say(listings(AUSDT="0.3"))
        follow(self, "AUSDT")


def in_position() -> tuple[Mover, object]:
    floor = Mover()
    floor.open()
    entry = floor.enter()
    assert entry.symbol == "AUSDT"
    return floor, entry


def test_a_symbol_with_an_order_or_a_position_never_leaves_but_opens_nothing_more() -> None:
    floor, entry = in_position()
    assert of(floor.say(listings(BUSDT="0.3")), Follow) == []
    floor.deliver(entry)
    floor.tell()
    floor.tick()
    market = floor.view().market("AUSDT")
    assert "not among the movers" in market.reducing
    assert floor.view().positions[0].symbol == "AUSDT"
    floor.order("flatten", "AUSDT")
    for order in [order for order in orders(floor.log) if order.reduce_only]:
        floor.deliver(order)
    floor.tell()
    assert floor.view().market("AUSDT") is not None, "until the venue has proven it"
    floor.read_back("flatten")
    floor.tick()
    assert floor.view().positions == ()
    assert floor.view().market("AUSDT") is None


def test_what_the_screener_has_dropped_is_refused_by_name() -> None:
    floor = Mover()
    floor.open()
    floor.state.roster.screener.chosen = {}
    floor.state.roster.read_ms = 0  # nobody leaves in this test
    floor._update += 1
    floor.say(BookDelta("AUSDT", [], [], floor._update, floor._update, floor.now, 200), 0)
    assert orders(floor.tick()) == []
    signal = floor.view().signals[-1]
    assert signal.refused_by == "symbol active"
    assert "not among the movers" in signal.reason


def test_a_position_that_turns_up_where_nobody_looks_any_more_is_followed_again(table: Table) -> None:
    table.say(listings(AUSDT="0.3"))
    follow(table, "AUSDT")
    table.say(listings(BUSDT="0.3"))
    assert shown(table) == ["BTCUSDT"]
    table.say(ReadBack((), (held("AUSDT", 5, (1, table.now)),), (), WALLET, table.now, "periodic"))
    actions = table.pass_time(100)
    assert of(actions, Follow) == [Follow((("BTCUSDT", 200), ("AUSDT", 200)))]
    assert table.view().positions[0].stop == Decimal(STOP) / 10
    table.pass_time(1000)
    assert shown(table) == ["BTCUSDT", "AUSDT"]


def test_a_word_for_all_positions_bears_one_whose_market_is_not_followed_yet(table: Table) -> None:
    table.say(listings(AUSDT="0.3"))
    follow(table, "AUSDT")
    table.say(listings(BUSDT="0.3"))
    table.say(ReadBack((), (held("AUSDT", 5, (1, table.now)),), (), WALLET, table.now, "periodic"))
    told = [note.text for note in table.say(Command(CommandKind.BREAKEVEN, who="hand")) if isinstance(note, Note)]
    assert any("AUSDT stop not moved: its market is only now followed again" in text for text in told)


def test_without_the_screener_nobody_leaves() -> None:
    table = Table("BTCUSDT", "ETHUSDT")
    table.start()
    assert of(table.pass_time(500), Follow) == []
    assert shown(table) == ["BTCUSDT", "ETHUSDT"]
    assert table.view().screener is None
