"""The doctor's line: pages, and what it calls that which goes wrong."""

from typing import Any

import pytest
import requests
from pybit.exceptions import FailedRequestError, InvalidRequestError

from breakwall.clock import SystemClock
from breakwall.doctor.line import Line, LostError, RefusedError


def line(answers: list[Any]) -> Line:
    """One whose client answers so, one answer after the other; an error is raised."""
    made = Line("http://127.0.0.1:9", None, SystemClock())
    made.close()

    class Client:
        def __init__(self) -> None:
            self.asked: list[dict[str, Any]] = []

        def get_things(self, **params: Any) -> Any:
            self.asked.append(params)
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer, None, {"X-Bapi-Limit": "50", "X-Bapi-Limit-Status": "49"}

    made._client = Client()
    return made


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("breakwall.doctor.line.PAUSE_S", 0.0)


def page(*rows: object, cursor: str = "") -> dict[str, Any]:
    return {"result": {"list": list(rows), "nextPageCursor": cursor}}


def test_all_pages_are_read_and_what_is_no_row_is_left_out() -> None:
    asked = line([page({"a": 1}, "x", cursor="c%3A1"), page({"a": 2})])
    assert asked.rows("get_things", limit=1000) == [{"a": 1}, {"a": 2}]
    assert [params.get("cursor") for params in asked._client.asked] == [None, "c%3A1"]
    assert asked.limits == {"get_things": (50, 49)}


def test_pages_without_an_end_are_given_up() -> None:
    with pytest.raises(LostError, match="expected at most 20 pages"):
        line([page(cursor="again")] * 21).rows("get_things")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"result": None}, "expected a result, found none"),
        ({"result": {"list": "x"}}, "expected a list, found none"),
        ("x", "expected an object, found str"),
        (requests.ReadTimeout("https://api.bybit.com/?api_key=secret"), "no answer within 4 s"),
        (requests.exceptions.SSLError("long"), "TLS refused"),
        (requests.ConnectionError("long"), "no connection"),
        (FailedRequestError("GET", "gateway", 502, "now", {}), "HTTP 502"),
        (FailedRequestError("GET", "half", 409, "now", {}), "an answer that cannot be read"),
        (FailedRequestError("GET", "no", 403, "now", {}), "our address is banned"),
        (InvalidRequestError("GET", "busy", 10016, "now", {}), "10016: "),
        (InvalidRequestError("GET", "limit", 10006, "now", {}), "10006: "),
        (ValueError("\x1b[31mred"), r"ValueError: \[31mred"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_few_words(answer: object, words: str) -> None:
    with pytest.raises(LostError, match=words) as caught:
        line([answer] * 3).rows("get_things")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("code", [10003, 10004, 10005, 10010, 33004])
def test_a_no_of_the_exchange_is_asked_for_once(code: int) -> None:
    asked = line([InvalidRequestError("GET", "no, \x1b[31m", code, "now", {})])
    with pytest.raises(RefusedError, match=f"{code}: ") as caught:
        asked.result("get_things")
    assert "\x1b" not in str(caught.value)


def test_what_was_lost_is_asked_for_again_but_not_under_a_ban() -> None:
    lost = FailedRequestError("GET", "gateway", 502, "now", {})
    assert line([lost, lost, page({"a": 1})]).rows("get_things") == [{"a": 1}]
    banned = line([FailedRequestError("GET", "no", 403, "now", {}), page()])
    with pytest.raises(LostError):
        banned.rows("get_things")
    assert len(banned._client.asked) == 1
