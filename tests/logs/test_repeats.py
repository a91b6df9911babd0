"""What is said again: counted in its window, told at its end."""

import pytest

from breakwall.logs.repeats import MOST, Repeats, said

LINE = ("warning", "link", "", "", "public link is down: timeout after 3 s")


def told(repeats: Repeats, lines: list[tuple[int, tuple[str, str, str, str, str]]], end_ms: int) -> list[str]:
    """What is read in a log of these lines, with the time of each."""
    out = []
    for at_ms, line in lines:
        out += [repeat.words for repeat in repeats.over(at_ms)]
        if repeats.is_news(said(*line), at_ms, line[-1]):
            out.append(line[-1])
    return out + [repeat.words for repeat in repeats.over(end_ms)]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (LINE, True),
        (("warning", "link", "", "", "public link is down: timeout after 41.5 s"), True),
        (("info", "link", "", "", LINE[4]), False),
        (("warning", "book", "", "", LINE[4]), False),
        (("warning", "link", "BTCUSDT", "", LINE[4]), False),
        (("warning", "link", "", "bw-1-2-e", LINE[4]), False),
        (("warning", "link", "", "", "private link is down: timeout after 3 s"), False),
    ],
)
def test_what_is_a_repeat(other: tuple[str, str, str, str, str], same: bool) -> None:
    words = told(Repeats(60_000), [(0, LINE), (1_000, other)], 60_000)
    assert words[1:] == ([f"{other[-1]} ... repeated 1 time in 1 s"] if same else [other[-1]])


@pytest.mark.parametrize(("level", "lines"), [("info", 2), ("debug", 2), ("warning", 1), ("error", 1)])
def test_the_numbers_of_an_ordinary_line_are_its_news(level: str, lines: int) -> None:
    walls = [(at, (level, "wall", "BTCUSDT", "", f"ask wall {at} at 64{at}00.5 eaten")) for at in (1, 2)]
    assert len(told(Repeats(60_000), walls, 2)) == lines


def test_thirty_seven_times_in_a_minute() -> None:
    words = told(Repeats(60_000), [(at_ms, LINE) for at_ms in range(0, 58_001, 1_568)], 60_000)
    assert words == [LINE[4], f"{LINE[4]} ... repeated 36 times in 56 s"]


def test_after_its_window_it_is_news_again() -> None:
    repeats = Repeats(10_000)
    assert told(repeats, [(0, LINE), (9_999, LINE), (10_000, LINE), (15_000, LINE)], 15_000) == [
        LINE[4],
        f"{LINE[4]} ... repeated 1 time in 10 s",
        LINE[4],
    ]
    assert [repeat.times for repeat in repeats.rest()] == [1]
    assert repeats.rest() == []


def test_without_a_window_all_is_said() -> None:
    assert told(Repeats(0), [(at, LINE) for at in range(5)], 5) == [LINE[4]] * 5


def test_no_flood_of_texts_is_remembered() -> None:
    repeats = Repeats(10**9)
    flood = [(at, ("warning", "frame", f"S{at}", "", "bad")) for at in range(3 * MOST)]
    assert len(told(repeats, flood, 3 * MOST)) == 3 * MOST
    assert len(repeats._open) <= MOST + 1
