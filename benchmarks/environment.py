"""How large the environment of the README's first line is: a fresh virtual environment with `pip install .`.

Prints the megabytes on disk beside the limit (250 MB) and the packages that take the most. With
`--peers`, the same for environments of peers, each in its own (needs a package registry, takes minutes).

    python benchmarks/environment.py [--peers]
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT_MB = 250
PEERS = ("ccxt", "nautilus_trader==1.221.0")


def megabytes(folder: Path) -> float:
    """Disk blocks, as `du` counts them; hard links once."""
    seen: set[int] = set()
    total = 0
    for path in folder.rglob("*"):
        status = path.lstat()
        if status.st_ino not in seen:
            seen.add(status.st_ino)
            total += status.st_blocks * 512
    return total / 1_048_576


def environment(wish: str) -> tuple[float, list[tuple[float, str]]]:
    """Size of an environment with `wish` installed, and its largest packages."""
    with tempfile.TemporaryDirectory() as folder:
        venv = Path(folder) / ".venv"
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([str(venv / "bin" / "pip"), "-q", "install", wish], check=True, stderr=subprocess.DEVNULL)
        packages = next(venv.glob("lib/python*/site-packages"))
        sizes = [(megabytes(path), path.name) for path in packages.iterdir() if path.is_dir()]
        return megabytes(venv), sorted(sizes, reverse=True)[:8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", action="store_true")
    total, largest = environment(str(ROOT))
    print(f"breakwall   {total:6.0f} MB   limit {LIMIT_MB} MB   {'ok' if total <= LIMIT_MB else 'OVER'}")
    for size, name in largest:
        print(f"    {size:6.1f} MB  {name}")
    for peer in PEERS if parser.parse_args().peers else ():
        print(f"{peer:24} {environment(peer)[0]:6.0f} MB")


if __name__ == "__main__":
    main()
