"""Options that mean the same in each command that has them."""

from pathlib import Path
from typing import Annotated

import typer

StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="DIR",
        help="the run folder; where absent the newest of what --config speaks of: a demo or an account",
    ),
]
ConfigOption = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="the settings file")]
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON object")]
