"""The command line: one file per command, heavy imports inside the command."""

import contextlib
import os
import sys
from typing import Annotated

import typer

from breakwall import __version__, points
from breakwall.cli.config import app as config_commands
from breakwall.cli.demo import demo, run_demo
from breakwall.cli.doctor import doctor
from breakwall.cli.errors import told
from breakwall.cli.exchange import exchange
from breakwall.cli.importing import import_
from breakwall.cli.inspect import inspect
from breakwall.cli.ledger import app as ledger_commands
from breakwall.cli.panic import panic
from breakwall.cli.reconcile import reconcile
from breakwall.cli.record import record
from breakwall.cli.replay import replay
from breakwall.cli.report import report
from breakwall.cli.run import run
from breakwall.cli.sim import sim
from breakwall.cli.streams import mute_lost_streams, open_streams
from breakwall.cli.tell import tell
from breakwall.cli.trading import Asked
from breakwall.cli.watch import watch

app = typer.Typer(
    name="breakwall",
    help="Trade the walls of crypto perpetual futures, never without a stop on the exchange.",
    epilog="Without a command: breakwall demo. Exit codes: 0 done, 1 internal error, 2 bad usage or settings, "
    "3 venue unreachable, 4 not flat, 5 observing only, 6 refused by a safety check, 130 interrupted.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo)
app.command()(run)
app.command()(doctor)
app.command()(tell)
app.command()(exchange)
app.command()(inspect)
app.command()(replay)
app.command()(record)
app.command("import")(import_)
app.command()(reconcile)
app.command()(sim)
app.command()(report)
_BESIDE = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
app.command(context_settings=_BESIDE)(panic)  # these two read their own words
app.command(context_settings=_BESIDE)(watch)
app.add_typer(config_commands, name="config")
app.add_typer(ledger_commands, name="ledger")


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if version:
        print(f"breakwall {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        raise typer.Exit(run_demo(Asked()))


def _obey_tests() -> None:
    """Die at a crash point where the environment says so; see `breakwall.points`."""
    wish = os.environ.get(points.VARIABLE, "")
    if wish:
        try:
            points.obey(wish)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error


def main() -> None:
    """The only way in and the only way out: every error becomes one message and an exit code."""
    open_streams()
    try:
        _obey_tests()
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except BaseException as error:
        message, code = told(error)
        if message:
            with contextlib.suppress(OSError):
                print(message, file=sys.stderr)
    mute_lost_streams()
    sys.exit(code or 0)
