"""Options that mean the same in each command that has them."""

from pathlib import Path
from typing import Annotated

import typer

StateOption = Annotated[
    Path | None, typer.Option("--state", metavar="DIR", help="the run folder; the newest demo's where absent")
]
ConfigOption = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="the settings file")]
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON object")]
