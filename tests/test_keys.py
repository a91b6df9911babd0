"""Keys: from where they may come, and who may see them."""

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from breakwall import keys, places, redaction
from breakwall.keys import LIVE, LOOPBACK, KeysError, Secret, find
from breakwall.storage.runs import InstanceLock

KEY, SECRET = "canary-key-4711", "canary-secret-0815"
LINES = f"BYBIT_API_KEY={KEY}\nBYBIT_API_SECRET={SECRET}\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without keys, and a registry of secrets of our own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (*LIVE, *LOOPBACK, "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(redaction, "_hidden", set())
    return tmp_path


def file(path: Path, content: str | bytes = LINES, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


def shown(found: keys.Keys) -> tuple[str, str]:
    return found.key.reveal(), found.secret.reveal()


def test_the_environment_comes_first_and_is_emptied(home: Path) -> None:
    file(places.config_folder() / "bybit.keys", "BYBIT_API_KEY=other\nBYBIT_API_SECRET=other-secret\n")
    environ = {"BYBIT_API_KEY": KEY, "BYBIT_API_SECRET": SECRET, "PATH": "/bin"}
    assert shown(find(environ=environ)) == (KEY, SECRET)
    assert environ == {"PATH": "/bin"}


def test_a_named_file_comes_before_all_and_the_environment_is_emptied_all_the_same(home: Path) -> None:
    environ = {"BYBIT_API_KEY": "old", "BYBIT_API_SECRET": "older"}
    named = file(home / ".env", f'# mine\nexport BYBIT_API_KEY="{KEY}"\r\n\nOTHER=x\nBYBIT_API_SECRET={SECRET}')
    assert shown(find(env_file=named, environ=environ)) == (KEY, SECRET)
    assert environ == {}


def test_an_env_file_that_nobody_named_is_not_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    file(home / ".env")
    with pytest.raises(KeysError, match="found none; set them"):
        find(environ={})


def test_then_the_file_of_the_user_then_systemd(home: Path) -> None:
    folder = home / "credentials"
    file(folder / "bybit_api_key", f"{KEY}\n", 0o440)
    file(folder / "bybit_api_secret", f"{SECRET}\n", 0o400)
    environ = {"CREDENTIALS_DIRECTORY": str(folder)}
    found = find(environ=environ)
    assert (*shown(found), found.source) == (KEY, SECRET, "systemd credentials")
    file(places.config_folder() / "bybit.keys", "BYBIT_API_KEY=a-file-key\nBYBIT_API_SECRET=a-file-secret\n")
    assert shown(find(environ=environ)) == ("a-file-key", "a-file-secret")
    elsewhere = file(home / "elsewhere")
    assert shown(find(key_file=elsewhere, environ=environ)) == (KEY, SECRET)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o666, 0o601])
def test_a_file_that_others_can_open_is_refused(home: Path, mode: int) -> None:
    with pytest.raises(KeysError, match=rf"expected mode 0600, found {mode:04o}.*chmod 600") as caught:
        find(env_file=file(home / "keys", mode=mode), environ={})
    assert caught.value.code == 6


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused(home: Path) -> None:
    path = file(home / "keys")
    os.chown(path, 12345, -1)
    with pytest.raises(KeysError, match=r"expected a file of yours .* found one of user 12345") as caught:
        find(env_file=path, environ={})
    assert caught.value.code == 6


def test_a_link_is_refused_and_so_is_what_is_no_file(home: Path) -> None:
    (home / "link").symlink_to(file(home / "keys"))
    os.mkfifo(home / "pipe", 0o600)
    for path, words in ((home / "link", "found a link"), (home / "pipe", "something else"), (home, "something else")):
        with pytest.raises(KeysError, match=words):
            find(env_file=path, environ={})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "found an empty file"),
        ("\n \n", "found an empty file"),
        (b"\x00\xff\xfe" * 10, "found other bytes"),
        ("x" * 5000, "expected at most 4096 bytes"),
        ("BYBIT_API_KEY=abc\n", "expected BYBIT_API_SECRET, found nothing"),
        ("BYBIT_API_KEY=\nBYBIT_API_SECRET=abc\n", "expected BYBIT_API_KEY, found it empty"),
        ("OTHER=1\n", "found neither"),
        (f"{SECRET}\n", "line 1: expected NAME=VALUE"),
        (f"BYBIT_API_KEY={KEY}\nBYBIT_API_KEY=b\nBYBIT_API_SECRET=c\n", "line 2: expected BYBIT_API_KEY once"),
        (f"BYBIT_API_KEY={KEY}\nBYBIT_API_SECRET=two words\n", "one word of plain letters"),
        (f"BYBIT_API_KEY={KEY}\x1b[2J\nBYBIT_API_SECRET={SECRET}\n", "one word of plain letters"),
        ("BYBIT_API_KEY=a\x00b\nBYBIT_API_SECRET=c\n", "one word of plain letters"),
    ],
)
def test_what_is_no_key_is_refused_without_being_shown(home: Path, content: str | bytes, words: str) -> None:
    with pytest.raises(KeysError, match=words) as caught:
        find(env_file=file(home / "keys", content), environ={})
    assert KEY not in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "two words" not in str(caught.value)


def test_half_a_key_in_the_environment_is_refused() -> None:
    with pytest.raises(KeysError, match="expected BYBIT_API_SECRET, found nothing; set both, or neither"):
        find(environ={"BYBIT_API_KEY": KEY})


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("http://127.0.0.1:8080", LOOPBACK),
        ("http://localhost", LOOPBACK),
        ("http://[::1]:1/", LOOPBACK),
        ("http://127.0.0.1:8080/proxy", LOOPBACK),
        ("https://127.0.0.1:/", LOOPBACK),
        ("HTTP://LocalHost:8080//", LOOPBACK),
        ("https://api.bybit.com", LIVE),
        ("http://127.0.0.1.evil.example", LIVE),
        ("http://localhost@evil.example", LIVE),
        ("http://localhost:80@evil.example/", LIVE),
        ("http://evil.example/127.0.0.1", LIVE),
    ],
)
def test_a_loopback_has_names_of_its_own(url: str, names: tuple[str, str]) -> None:
    assert keys.names_for(url, {}) == names


def test_a_live_key_is_never_sent_to_this_machine() -> None:
    with pytest.raises(KeysError, match="a live key is never sent") as caught:
        keys.names_for("http://127.0.0.1:1", {"BYBIT_API_KEY": KEY})
    assert caught.value.code == 6


def test_a_secret_has_no_other_text() -> None:
    secret = Secret(SECRET)
    assert secret.reveal() == SECRET
    assert redaction.redact(f"x {SECRET}") == "x ***"
    assert {repr(secret), str(secret), f"{secret}", f"{secret!r}"} == {"***"}
    assert SECRET not in repr(keys.Keys(Secret(KEY), secret, "a test"))
    for store in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="never stored"):
            store(secret)


def test_a_start_leaves_no_core_and_no_open_files(tmp_path: Path) -> None:
    code = (
        "import os, resource; from breakwall.keys import harden; harden(); "
        "print(resource.getrlimit(resource.RLIMIT_CORE), oct(os.umask(0)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "(0, 0) 0o77\n"


@pytest.mark.parametrize("given", ["", "elsewhere"])
def test_the_folders_are_where_the_platform_has_them(home: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(home / given) if given else "")
    assert places.state_folder() == home / (given or ".local/state") / "breakwall"
    assert places.config_folder() == home / (given or ".config") / "breakwall"


def test_panic_and_the_lock_call_an_account_the_same(tmp_path: Path) -> None:
    lock = InstanceLock("bybit", "mainnet", KEY)
    assert lock.path.with_suffix(".panic") == places.mark_of_panic("bybit", "mainnet", KEY)
