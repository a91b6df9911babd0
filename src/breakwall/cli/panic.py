"""`breakwall panic` as a command among the others; `breakwall.__main__` starts it without them."""

import typer


def panic(context: typer.Context) -> None:
    """Cancel, close and prove flat, without the engine: it may hang, be stopped or dead."""
    from breakwall.panic.command import main

    raise typer.Exit(main(context.args))
