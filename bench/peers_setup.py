"""Peers, each in an environment of its own under `bench/.peers` (not kept in git), from the pinned versions in `bench/peers`.

They are measured beside this project and never installed with it.
"""

import subprocess
import sys
import venv
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
ENVIRONMENTS = Path(__file__).parent / ".peers"


def peer_python(name: str) -> str:
    """The Python that can import a peer; its environment is made at the first call."""
    wanted = (PEERS / f"{name}.txt").read_text(encoding="utf-8")
    place = ENVIRONMENTS / name
    python, stamp = place / "bin" / "python", place / "installed.txt"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        print(f"installing {wanted.strip()}", file=sys.stderr)
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "-r", str(PEERS / f"{name}.txt")], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return str(python)
