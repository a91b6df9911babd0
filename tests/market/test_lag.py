"""Lateness without trusting either clock."""

from breakwall.market.lag import Lag


def test_a_slow_clock_of_ours_is_not_lateness():
    lag = Lag()
    for at_ms in range(0, 50_000, 100):
        lag.add(at_ms, at_ms + 1_270)  # our clock is 1.27 s behind the venue's
    assert (lag.late_ms, lag.offset_ms) == (0, -1_270)


def test_a_message_is_late_against_the_promptest():
    lag = Lag()
    lag.add(10_108, 10_000)
    lag.add(11_100, 11_000)
    lag.add(14_100, 12_000)
    assert lag.late_ms == 2_000


def test_a_clock_that_was_set_is_forgotten_after_two_minutes():
    lag = Lag()
    lag.add(0, 0)
    late = []
    for at_ms in range(1_000, 240_000, 1_000):
        lag.add(at_ms, at_ms - 500)
        late.append(lag.late_ms)
    assert late[0] == 500
    assert late[-1] == 0
