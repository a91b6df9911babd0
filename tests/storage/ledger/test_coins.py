import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from breakwall.model.actions import Note
from breakwall.settings import Settings
from breakwall.storage.ledger.at_start import with_coins
from breakwall.storage.ledger.bookkeeper import Bookkeeper
from breakwall.storage.ledger.books import opened
from breakwall.storage.ledger.coins import StaleVersionError, Wish, change
from breakwall.storage.ledger.database import make_room


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    make_room(path)
    keeper = Bookkeeper(path)
    keeper.open({}, 0)
    keeper.close()
    return path


def wish(symbol: str = "BTCUSDT", version: int | None = None, **values: bool | Decimal | None) -> Wish:
    return Wish(symbol, values, version, "me", "because")


def test_each_change_is_a_version_and_a_line_of_the_audit(ledger: Path) -> None:
    assert change(ledger, wish(enabled=False), 1) == 1
    assert change(ledger, wish(floor_usdt=Decimal("2.5e6"), version=1), 2) == 2
    with opened(ledger) as books:
        (coin,) = books.coins()
        lines = books.audit()
    assert (coin.enabled, coin.floor_usdt, coin.version, coin.who) == (False, Decimal(2_500_000), 2, "me")
    assert [(line.before, line.after) for line in lines] == [
        ('{"enabled":null}', '{"enabled":false}'),
        ('{"floor_usdt":null}', '{"floor_usdt":"2.5E+6"}'),
    ]
    assert [(line.who, line.why, line.entity_id) for line in lines] == [("me", "because", "BTCUSDT")] * 2


@pytest.mark.parametrize("version", [0, 2])
def test_a_change_of_a_stale_version_is_refused_in_words(ledger: Path, version: int) -> None:
    change(ledger, wish(enabled=False), 1)
    with pytest.raises(StaleVersionError, match=f"expected version {version}, found version 1 .* by me"):
        change(ledger, wish(enabled=True, version=version), 2)
    with opened(ledger) as books:
        assert books.coins()[0].enabled is False
        assert len(books.audit()) == 1


def test_they_are_in_force_in_the_settings_of_the_next_run(ledger: Path) -> None:
    change(ledger, wish(enabled=False, floor_usdt=Decimal(2_000_000)), 1)
    change(ledger, wish("DOGEUSDT", enabled=False), 1)
    settings, note = with_coins(Settings(), ledger)
    assert settings.disabled == ("BTCUSDT",)
    assert not settings.trades("BTCUSDT")
    assert settings.trades("ETHUSDT")
    assert settings.walls.floor_usdt["BTCUSDT"] == 2_000_000
    assert settings.walls.floor_usdt["ETHUSDT"] == Settings().walls.floor_usdt["ETHUSDT"]
    assert note == Note(
        "ledger", "coin parameters of the ledger: BTCUSDT not traded, BTCUSDT walls from 2000000 USDT"
    )
    again = Settings.model_validate_json(settings.model_dump_json(by_alias=True))
    assert again == settings


def test_enabled_overrules_the_settings(ledger: Path) -> None:
    change(ledger, wish(enabled=True), 1)
    settings, _ = with_coins(Settings(disabled=("BTCUSDT", "ETHUSDT")), ledger)
    assert settings.disabled == ("ETHUSDT",)


def test_nothing_set_or_no_ledger_yet_changes_nothing(ledger: Path, tmp_path: Path) -> None:
    change(ledger, wish(enabled=None), 1)
    for path in (ledger, tmp_path / "none.db"):
        assert with_coins(Settings(), path) == (Settings(), None)


def test_a_ledger_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"nothing of a database" * 100)
    settings, note = with_coins(Settings(), path)
    assert settings == Settings()
    assert note is not None
    assert note.level == "warning"
    assert "not in force" in note.text
    assert "ledger.db" in note.text


def test_the_audit_can_only_grow(ledger: Path) -> None:
    change(ledger, wish(enabled=False), 1)
    db = sqlite3.connect(ledger)
    for statement in ("UPDATE audit SET why = 'x'", "DELETE FROM audit"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(statement)
    db.close()
