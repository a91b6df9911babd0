"""What a person may order, and what is told of it where it is wrong."""

import tomllib
from pathlib import Path

import pytest

from breakwall.model.events import Link
from breakwall.venues.exchange.faults import BOOKS, CODES, DELAYS, EXCHANGE_ACTS, SERVED, Fault, FaultKind
from breakwall.venues.exchange.forecast import Forecast, ForecastError, forecast_of, forecast_of_file, told

DOCS = Path(__file__).parents[3] / "docs/faults.md"


def mistakes(table: object) -> list[str]:
    with pytest.raises(ForecastError) as raised:
        forecast_of(table, "the file")
    return [line.strip() for line in str(raised.value).splitlines()[1:]]


def test_a_plan_is_read_as_it_is_written() -> None:
    row = {"kind": "frame-late", "link": "private", "match": "order", "delay_s": 0.5, "jitter_s": 1, "count": 3}
    forecast = forecast_of({"seed": 3, "ack_ms": [1, 2], "faults": [{**row, "from_s": 10, "for_s": 5}]}, "x")
    assert (forecast.seed, forecast.ack_ms) == (3, (1, 2))
    assert forecast.faults == (
        Fault(FaultKind.FRAME_LATE, 10, 15, link=Link.PRIVATE, match="order", delay_s=0.5, jitter_s=1, count=3),
    )
    assert forecast_of({"faults": [told(forecast.faults[0])]}, "again").faults == forecast.faults


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"kind": "frame-droped"}, "kind: unknown 'frame-droped'; did you mean 'frame-dropped'?"),
        ({"kind": "killed"}, "kind: unknown 'killed'"),  # a program's death is not for an exchange to cause
        ({"kind": "refused", "code": 10006, "probabilty": 1}, "unknown 'probabilty'; did you mean 'probability'?"),
        ({"kind": "refused", "code": 10006, "probability": 2}, "probability: expected a number from 0 to 1, found 2"),
        ({"kind": "refused"}, "code: missing; refused needs"),
        ({"kind": "answer-late"}, "delay_s: missing"),
        ({"kind": "link-clogged"}, "for_s: missing"),
        ({"kind": "answer-late", "delay_s": -1}, "delay_s: expected 0 or more, found -1"),
        ({"kind": "answer-lost", "link": "trade"}, "link: only for frames and sockets"),
        ({"kind": "frame-dropped", "link": "rest"}, "link: rest has no frames"),
        ({"kind": "frame-dropped", "link": "privat"}, "link: unknown 'privat'; did you mean 'private'?"),
        ({"kind": "frame-dropped", "count": True}, "count: expected a whole number"),
        ({"kind": "frame-dropped", "symbol": 7}, "symbol: expected a text"),
        ({"match": "x"}, "kind: missing"),
        ("rain", "expected a table with kind and more, found 'rain'"),
    ],
)
def test_each_mistake_is_named_with_its_remedy(row: object, said: str) -> None:
    (mistake,) = mistakes({"faults": [{"kind": "book-gap"}, row]})
    assert mistake.startswith("faults, item 2: ")
    assert said in mistake


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    assert len(mistakes({"seeds": 1, "ack_ms": [8, 5], "faults": [{"kind": "rain"}, {}]})) == 4
    assert len(mistakes([])) == 1
    file = tmp_path / "plan.toml"
    for text, said in (("faults = [", "not valid TOML"), ("\xff", "not valid TOML")):
        file.write_text(text)
        with pytest.raises(ForecastError, match=said):
            forecast_of_file(file)
    with pytest.raises(ForecastError, match="cannot be read"):
        forecast_of_file(tmp_path / "nowhere.json")


def test_every_served_kind_can_be_ordered_and_is_explained() -> None:
    text = DOCS.read_text()
    for kind in SERVED:
        row = {
            "kind": kind.value,
            "for_s": 5,
            **({"code": 10016} if kind in CODES else {}),
            **({"delay_s": 1} if kind in DELAYS else {}),
        }
        (fault,) = forecast_of({"faults": [row]}, "x").faults
        assert (fault.kind, fault.until_s, fault.is_act) == (kind, 5, kind in EXCHANGE_ACTS)
        assert fault.link is Link.PUBLIC or kind not in BOOKS
        assert f"`{kind.value}`" in text, "docs/faults.md does not tell of it"


def test_the_example_of_the_docs_is_right() -> None:
    example = DOCS.read_text().split("```toml\n")[1].split("```")[0]
    forecast = forecast_of(tomllib.loads(example), "the example")
    assert forecast.faults
    assert forecast != Forecast()
