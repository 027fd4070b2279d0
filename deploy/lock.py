"""`make lock`: write exact versions and hashes of all packages, for all Pythons and machines."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deploy.local.bootstrap import (
    APP,
    LOCKS,
    MODEL,
    MONITORING,
    OLDEST,
    PIP_INSTALL,
    ROOT,
    SPEECH,
    TEST,
    TOOLS,
    VALKEY,
    fingerprint,
)

#: The environment of uv and pip-audit. The application needs none of their packages.
VENV = Path(ROOT) / "var" / "tools"
_COMPILE = ["--universal", "--python-version", ".".join(map(str, OLDEST)), "--generate-hashes", "--no-build"]
_COMPILE += ["--quiet", "--no-annotate", "--no-emit-index-url", "--custom-compile-command", "make lock"]


def main() -> int:
    """Resolve all requirement files, the first three together. Return the exit code."""
    os.chdir(ROOT)
    python = tools_python()
    with tempfile.TemporaryDirectory() as directory:
        together = f"{directory}/together.txt"
        try:
            resolve(python, [APP, VALKEY, TEST, MONITORING], together, [])
            for path, locked in LOCKS.items():
                print(f"lock: writing {locked}", flush=True)
                resolve(
                    python, [path], locked, ["--no-deps"] if path in (MODEL, SPEECH) else ["-c", together]
                )
        except subprocess.CalledProcessError:
            print("lock: uv found no compatible set of versions. See above.", file=sys.stderr)
            return 1
    return 0


def resolve(python: str, paths: Sequence[str], locked: str, options: Sequence[str]) -> None:
    """Write the lock file of requirement files."""
    command = [python, "-m", "uv", "pip", "compile", *_COMPILE, "-o", locked, *options, *paths]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def tools_python() -> str:
    """Return the Python of the environment for tools. Make it, with exactly the locked versions."""
    python, done = str(VENV / "bin" / "python"), VENV / "installed"
    if not done.exists() or done.read_text() != fingerprint(TOOLS):
        for directory in (VENV.parent, VENV):
            directory.mkdir(mode=0o700, exist_ok=True)  # `var` is private
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
        subprocess.run([python, *PIP_INSTALL, "--quiet", "-r", LOCKS[TOOLS]], cwd=ROOT, check=True)
        done.write_text(fingerprint(TOOLS))
    return python


if __name__ == "__main__":
    sys.exit(main())
