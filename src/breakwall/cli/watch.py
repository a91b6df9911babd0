"""`breakwall watch` as a command among the others; `breakwall.__main__` starts it without them."""

import typer


def watch(context: typer.Context) -> None:
    """Raise an alarm, or panic, when the process that trades falls silent with something open."""
    from breakwall.watch.command import main

    raise typer.Exit(main(context.args))
