"""The list of symbols as markets come and go."""

from decimal import Decimal

from breakwall.app.look import Look


def test_those_of_the_settings_come_first_and_keep_their_place() -> None:
    look = Look(("BTC", "ETH"), Decimal(0))
    look.follow(("BTC", "ETH", "NEW", "OLD"))
    assert look.symbols == ("BTC", "ETH", "NEW", "OLD")
    look.follow(("BTC", "OLD", "ETH"))
    assert look.symbols == ("BTC", "ETH", "OLD")


def test_the_selected_one_stays_until_another_is_looked_at() -> None:
    look = Look(("BTC",), Decimal(0))
    look.follow(("BTC", "NEW"))
    look.select("NEW")
    look.follow(("BTC",))
    assert (look.symbol, look.symbols) == ("NEW", ("BTC", "NEW"))
    look.step_symbol(1)
    look.follow(("BTC",))
    assert (look.symbol, look.symbols) == ("BTC", ("BTC",))
