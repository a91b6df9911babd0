"""Client ids: one story each, read back exactly, never mistaken for anybody else's."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakwall.model.ids import ClientId, base36, parse, trace


@given(
    run=st.integers(0, 36**5),
    seq=st.integers(0, 36**10),
    leg=st.sampled_from("exfsck"),
    n=st.integers(0, 36**2),
)
@settings(max_examples=100, deadline=None)
def test_round_trip_within_what_the_venue_allows(run, seq, leg, n):
    made = ClientId(run, seq, leg, n)
    assert parse(made.text) == made
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,36}", made.text)


@pytest.mark.parametrize(
    "text",
    [
        "", "bw", "web-1", "bw-1-2", "bw-1-2-ee", "bw-1-2-3", "bw-1-2-e-3-4", "bw--2-e", "bw-1-2-e-0", "xx-1-2-e",
        "bw-1_0-2-e", "bw- 1-2-e", "bw-+1-2-e", "bw-A-2-e", "bw-01-2-e", "bw-1-2-é", "bw-\u0661-2-e", "BW-1-2-e",
    ],
)  # fmt: skip
def test_anything_else_is_not_ours(text):
    assert parse(text) is None


@given(text=st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_parsing_never_fails(text):
    found = parse(text)
    assert found is None or found.text == text


def test_trace_and_digits():
    assert (base36(0), base36(35), base36(36), trace(1, 36)) == ("0", "z", "10", "1-10")
    with pytest.raises(ValueError, match="at least 0"):
        base36(-1)
