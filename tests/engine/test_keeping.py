"""Facts of the markets leave the core as actions, in turn and only of what can be trusted."""

from collections import Counter

from breakwall.model.actions import Keep
from breakwall.model.records import BookShot, MarketStats


def facts(actions):
    return [action.fact for action in actions if isinstance(action, Keep)]


def test_each_live_book_is_pictured_every_ten_seconds_and_each_market_counted_every_minute(floor):
    ticks = [facts(floor.tick()) for _ in range(600)]
    told = Counter((type(fact), fact.symbol) for tick in ticks for fact in tick)
    assert told == {
        (BookShot, "BTCUSDT"): 6, (BookShot, "ETHUSDT"): 6, (MarketStats, "BTCUSDT"): 1, (MarketStats, "ETHUSDT"): 1,
    }  # fmt: skip
    assert max(sum(isinstance(fact, BookShot) for fact in tick) for tick in ticks) == 1


def test_a_book_that_is_not_live_is_not_pictured(floor):
    floor.pass_time(10_000)  # no book message: stale after five seconds
    told = [fact for action_list in [floor.pass_time(60_000)] for fact in facts(action_list)]
    assert {type(fact) for fact in told} == {MarketStats}
    assert [fact.bid for fact in told] == [None, None]


def test_a_mover_is_pictured_only_while_something_is_held_in_it(floor):
    floor.state.roster.named = frozenset({"BTCUSDT"})
    floor.state.roster.screener.chosen = {"ETHUSDT": 0}
    floor.state.strategies = ()

    def pictured() -> set[str]:
        ticks = [facts(floor.tick()) for _ in range(200)]
        return {fact.symbol for tick in ticks for fact in tick if isinstance(fact, BookShot)}

    assert pictured() == {"BTCUSDT"}
    floor.held["ETHUSDT"] = 5
    floor.read_back()
    assert pictured() == {"BTCUSDT", "ETHUSDT"}
