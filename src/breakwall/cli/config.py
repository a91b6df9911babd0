"""`breakwall config`: write an example, name every mistake, show what is in force."""

from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from breakwall.config import ConfigError, digest, load
from breakwall.mistakes import listed, nearest_name
from breakwall.model.text import sanitise
from breakwall.settings import Settings

DEFAULT_NAME = "breakwall.toml"
EXAMPLE = "config.example.toml"

app = typer.Typer(help="Write, check and show the settings.", no_args_is_help=True)

FileArgument = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="the settings file")]
ConfigOption = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="the same, as an option")]


@app.command()
def init(
    file: FileArgument = None,
    config: ConfigOption = None,
    force: Annotated[bool, typer.Option("--force", help="overwrite a file that is there")] = False,
) -> None:
    """Write a settings file with every setting, its unit, its default and the reason for it."""
    path = file or config or Path(DEFAULT_NAME)
    try:
        with path.open("w" if force else "x", encoding="utf-8") as out:
            out.write(example())
    except FileExistsError:
        raise ConfigError(f"{path}: already there; give another name, or --force to overwrite it.") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}). Give another place.") from error
    print(f"{path}: written. Use it with --config {path}")


@app.command()
def check(file: FileArgument = None, config: ConfigOption = None) -> None:
    """Name every mistake of a settings file and of your own themes at once; exit code 2 where there is one."""
    path = file or config
    settings = load(path)
    mistakes = [text for text in (_of_keys(settings, path), *_of_themes(settings, path)) if text]
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    print(f"{path or 'defaults'}: fine ({digest(settings)[:12]})")


@app.command()
def show(
    file: FileArgument = None,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Show the settings in force and their hash; secrets are never among them."""
    settings = load(file or config)
    if as_json:
        print(settings.model_dump_json(by_alias=True))
        return
    import sys

    if sys.stdout.isatty():
        _show_table(settings)
    else:
        print(_toml(settings))
    print(f"# sha256 {digest(settings)}")


@app.command()
def keys(file: FileArgument = None, config: ConfigOption = None) -> None:
    """Print the keys of the cockpit that are in force, as a Markdown table."""
    from breakwall.app.keys.keymap import Keymap, markdown

    path = file or config
    print(markdown(Keymap(load(path).keys, str(path))))


@app.command()
def rules() -> None:
    """Print the rules of the breaker, as a Markdown table; their limits are the settings of [breaker]."""
    from breakwall.trading.breaker.showing import markdown

    print(markdown())


def load_checked(path: Path | None) -> Settings:
    """Settings whose keys can be used as well. Raises ConfigError with every mistake."""
    from breakwall.app.keys.keymap import Keymap

    settings = load(path)
    Keymap(settings.keys, str(path))
    return settings


def _of_keys(settings: Settings, path: Path | None) -> str:
    from breakwall.app.keys.keymap import Keymap

    try:
        Keymap(settings.keys, str(path))
    except ConfigError as error:
        return str(error)
    return ""


def _of_themes(settings: Settings, path: Path | None) -> list[str]:
    """Theme files of the user's that cannot be used, and a chosen theme that is none; the screen would do without."""
    from textual.theme import BUILTIN_THEMES

    from breakwall.app.themes.files import ThemeError, load_all, user_files
    from breakwall.app.themes.files import load as load_theme

    mistakes = []
    for own in user_files():
        try:
            load_theme(own)
        except ThemeError as error:
            mistakes.append(str(error))
    name, known = settings.ui.theme, sorted({*load_all()[0], *BUILTIN_THEMES})
    if name not in known:
        mistakes.append(
            listed(str(path), [f"[ui] theme: no theme {sanitise(name, 40)!r}; {nearest_name(name, known)}"])
        )
    return mistakes


def example() -> str:
    """The example settings: inside the wheel, or beside `src` in a checkout."""
    packed = files("breakwall") / EXAMPLE
    if packed.is_file():
        return packed.read_text(encoding="utf-8")
    return (Path(__file__).parents[3] / EXAMPLE).read_text(encoding="utf-8")


def _rows(settings: Settings) -> list[tuple[str, str, Any]]:
    """(section, name, value) of every setting; the first section has no name."""
    flat, sections = [], []
    for name, value in settings.model_dump(by_alias=True).items():
        if isinstance(value, dict):
            sections += [(name, key, inner) for key, inner in value.items()]
        else:
            flat.append(("", name, value))
    return flat + sections


def _toml(settings: Settings) -> str:
    lines, current = [], ""
    for section, name, value in _rows(settings):
        if section != current:
            lines += ["", f"[{section}]"]
            current = section
        lines.append(f"{name} = {_text(value)}")
    return "\n".join(lines)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_text(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    return str(value)


def _show_table(settings: Settings) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    defaults = {row[:2]: row[2] for row in _rows(Settings())}
    table = Table("section", "setting", "value", box=None, header_style="bold")
    for section, name, value in _rows(settings):
        changed = defaults.get((section, name)) != value
        table.add_row(section, name, Text(_text(value), style="bold yellow" if changed else ""))
    Console().print(table)
