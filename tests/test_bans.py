"""A ban outlives the program that met it, and nothing that lies in its place can do harm."""

import threading

import pytest

from breakwall.bans import MOST_MS, Ban
from breakwall.places import ban_file

NOW = 1_795_176_273_000


@pytest.fixture
def ban(tmp_path) -> Ban:
    return Ban(tmp_path / "bans" / "api.bybit.com")


def settled() -> None:
    for thread in threading.enumerate():
        if thread.name == "ban":
            thread.join(60)


def test_a_ban_is_known_to_the_next_start_until_it_is_over(ban) -> None:
    ban.tell(NOW + 600_000)
    settled()
    after = Ban(ban.path)
    assert after.until_ms(NOW) == NOW + 600_000
    assert after.until_ms(NOW + 600_000) == 0
    assert not ban.path.exists()


def test_an_answer_ends_it(ban) -> None:
    ban.tell(NOW + 600_000)
    ban.tell(0)
    settled()
    assert Ban(ban.path).until_ms(NOW) == 0
    assert not ban.path.exists()


@pytest.mark.parametrize("content", [b"", b"soon", b"\xff\xfe", b"12.5", b"{}"])
def test_what_cannot_be_read_bans_nobody(ban, content) -> None:
    ban.path.parent.mkdir()
    ban.path.write_bytes(content)
    assert ban.until_ms(NOW) == 0


def test_a_ban_of_years_is_not_believed(ban) -> None:
    ban.path.parent.mkdir()
    ban.path.write_bytes(b"9999999999999\n")
    assert ban.until_ms(NOW) == NOW + MOST_MS


def test_a_folder_that_cannot_be_written_costs_the_memory_alone(tmp_path) -> None:
    (tmp_path / "bans").write_text("a file where a folder should be")
    ban = Ban(tmp_path / "bans" / "host")
    ban.tell(NOW + 1)
    settled()
    assert ban.until_ms(NOW) == 0


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.bybit.com", "api.bybit.com"),
        ("http://127.0.0.1:8090/", "127.0.0.1_8090"),
        ("https://../../etc", "nobody"),
        ("nonsense", "nobody"),
    ],
)
def test_each_host_has_a_file_of_its_own(url, name, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert ban_file(url).name == name
