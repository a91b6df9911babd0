"""`breakwall import`: archives of exchanges and of others, written as one recording of ours."""

from pathlib import Path
from typing import Annotated

import typer

from breakwall.cli.options import names_in


def import_(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="archives and recordings; joined by the times in them")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="the recording to write, such as btc.jsonl.zst")],
    symbols: Annotated[str, typer.Option(help="only these, joined by commas; all where absent")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="what was written as one JSON line")] = False,
) -> None:
    """Join order books and trades that were archived apart into one recording for `replay` and `exchange`.

    Reads archives of Bybit (order books 2025-06-01_BTCUSDT_ob200.data.zip, trades BTCUSDT2025-06-01.csv.gz),
    recordings of Breakwall, cryptofeed and of Binance USD-M, trades of tardis.dev, minute bars and quotes of Lean.
    """
    import msgspec

    from breakwall.model.text import sanitise
    from breakwall.replay.importing import bring_in

    done = bring_in(files, out, names_in(symbols))
    if as_json:
        print(msgspec.json.encode(done).decode())
        return
    print(f"{out}: {done.frames} frames of {', '.join(done.symbols)}, {done.seconds:.0f} s, {done.bytes} bytes")
    for topic, count in done.topics.items():
        print(f"  {sanitise(topic, 80)}: {count}")
    if done.unreadable:
        print(f"  unreadable lines: {done.unreadable}")
    for note in done.notes:
        print(f"  note: {sanitise(note, 300)}")
