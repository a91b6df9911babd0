"""Mixes: named ones, ones from files, and every mistake in a file named with its place."""

from pathlib import Path

import pytest

from breakwall.sim.mixes import MIXES, MixError, draw_plan, mix_of
from breakwall.venues.exchange.faults import FaultKind

MINE = """
people = false

[[faults]]
kind = "answer-lost"
times = [2, 2]
probability = 0.5
lasts_s = [10, 20]
matches = ["/v5/order/create"]

[[faults]]
kind = "killed-at"
matches = ["order-sent"]
"""


def test_a_mix_from_a_file_is_drawn_as_it_says(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    mix = mix_of(str(path))
    first, second, kill = draw_plan(mix, 3, 60)
    assert not mix.people
    assert first.kind is second.kind is FaultKind.ANSWER_LOST
    assert (first.probability, first.match) == (0.5, "/v5/order/create")
    assert 10 <= first.until_s - first.from_s <= 20
    assert (kill.kind, kill.match) == (FaultKind.KILLED_AT, "order-sent")


def test_the_same_as_json(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text('{"faults": [{"kind": "partition"}]}')
    kinds = {fault.kind for fault in draw_plan(mix_of(str(path)), 3, 60)}
    assert kinds == {FaultKind.LINK_CLOGGED, FaultKind.CONNECT_REFUSED}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '[[faults]]\nkind = "answer-lots"',
            "faults, item 1: kind: unknown 'answer-lots'; did you mean 'answer-lost'?",
        ),
        (
            '[[faults]]\nkind = "killed-at"\nmatches = ["order-snet"]',
            "no crash point 'order-snet'; did you mean 'order-sent'",
        ),
        ('[[faults]]\nkind = "refused"\nprobability = 1.5', "faults[0].probability: Expected `float` <= 1.0"),
        ('[[faults]]\nkind = "refused"\ntimes = [3, 1]', "times: expected from and to, not negative, in this order"),
        ('[[faults]]\nkind = "refused"\nlasts_s = [1, inf]', "lasts_s: expected from and to"),
        ('[[faults]]\nkind = "refused"\nlinks = []', "links: expected at least one"),
        ('[[faults]]\nkind = "refused"\nlinks = ["pulbic"]', "faults[0].links[0]: Invalid enum value 'pulbic'"),
        ("[[faults]]\ntimes = [1, 1]", "faults[0]: Object missing required field `kind`"),
        ("[[fault]]", "the file: Object contains unknown field `fault`"),
        ("[[faults", "not valid TOML"),
    ],
)
def test_every_mistake_is_told_with_its_place(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(MixError) as caught:
        mix_of(str(path))
    assert told in str(caught.value)
    assert "mine.toml" in str(caught.value)


def test_what_is_neither_a_mix_nor_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MixError, match="expected a mix or a file, found 'netwrok'; did you mean 'network'"):
        mix_of("netwrok")
    with pytest.raises(MixError, match="cannot be read"):
        mix_of(str(tmp_path / "nothing.toml"))
    path = tmp_path / "bad.json"
    path.write_text("{")
    with pytest.raises(MixError, match="not valid JSON"):
        mix_of(str(path))


def test_the_calm_has_no_faults_and_the_storm_more_than_a_little_of_everything() -> None:
    assert draw_plan(MIXES["calm"], 1, 60) == ()
    often, seldom = (
        sum(len(draw_plan(MIXES[name], seed, 60)) for seed in range(9)) for name in ("storm", "everything")
    )
    assert often > 2 * seldom > 0
