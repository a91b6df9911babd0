"""The settings file: one TOML file into frozen settings, every mistake named at once.

`load` is the only reader of the file. Unknown keys are refused with the nearest known one, wrong
values with what was expected, all in one error.
"""

import hashlib
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from breakwall.mistakes import listed, nearest_name, text_of
from breakwall.model.text import sanitise
from breakwall.settings import Settings


class ConfigError(Exception):
    """The configuration cannot be used; the text lists every mistake with its remedy. Exit code 2."""


def load(path: Path | None) -> Settings:
    """Settings of a TOML file, or the defaults where `path` is None.

    Raises ConfigError with every mistake in the file, each with its place, what was expected, what
    was found, and the nearest known name of an unknown key.
    """
    if path is None:
        return Settings()
    try:
        text = text_of(path)
    except ValueError as error:
        raise ConfigError(f"{path}: cannot be read ({error}). `breakwall config init` writes a fresh one.") from error
    return parse(text, str(path))


def parse(text: str, source: str) -> Settings:
    """Settings of TOML text; `source` names it in errors."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}") from error
    try:
        return Settings.model_validate(table)
    except ValidationError as error:
        lines = sorted(_mistake(dict(mistake)) for mistake in error.errors())
        raise ConfigError(listed(source, lines)) from error


def digest(settings: Settings) -> str:
    """SHA-256 of the effective settings: two runs with the same one were told the same."""
    return hashlib.sha256(settings.model_dump_json(by_alias=True).encode()).hexdigest()


_IN_WORDS = {
    "model_type": "a table [{}]",
    "dict_type": "a table of names and amounts",
    "tuple_type": 'a list such as ["BTCUSDT"]',
    "string_type": "a text in quotes",
    "string_pattern_mismatch": "a time of day such as 00:00",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "decimal_parsing": "a number",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing_size": "a whole number",
    "float_type": "a number",
    "decimal_type": "a number",
    "bool_type": "true or false",
}
"""Pydantic's kinds of mistakes whose own words do not fit a settings file."""


def _mistake(mistake: dict[str, Any]) -> str:
    """One line per mistake. The value of an unknown key is never shown: it may be a secret."""
    place = [str(part) for part in mistake["loc"]]
    name = _place(mistake["loc"])
    if mistake["type"] == "extra_forbidden":
        known = _keys_of(place[:-1])
        return f"{name}: unknown key; {nearest_name(place[-1], known)}"
    expected = str(mistake["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    expected = expected.removeprefix("expected ")
    expected = _IN_WORDS.get(mistake["type"], expected).format(place[-1])
    if ", found " in expected:
        return f"{name}: expected {expected}"
    return f"{name}: expected {expected}, found {sanitise(repr(mistake['input']), 60)}"


def _place(loc: tuple[str | int, ...]) -> str:
    """`[walls] require`, `symbols, item 2`: where in the file, as a person would say it."""
    names = [str(part) for part in loc if isinstance(part, str)]
    items = "".join(f", item {part + 1}" for part in loc if isinstance(part, int))
    return (names[0] if len(names) == 1 else f"[{'.'.join(names[:-1])}] {names[-1]}") + items


def _keys_of(place: list[str]) -> list[str]:
    model: type[BaseModel] = Settings
    for part in place:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return [field.alias or name for name, field in model.model_fields.items()]
