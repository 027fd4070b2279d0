"""Build the site with Sphinx, in the environment of the tools."""

import os
import subprocess
import sys
from pathlib import Path

from deploy.local.bootstrap import ROOT
from deploy.lock import tools_python

SITE = Path(ROOT) / "var" / "docs"


def main() -> int:
    """Build the site. Return the exit code, which is not 0 after a warning."""
    os.umask(0o077)  # `var` is private
    command = [
        tools_python(),
        "-m",
        "sphinx",
        "--quiet",
        "--fail-on-warning",
        "--keep-going",
        "--jobs",
        "auto",
    ]
    command += ["-b", "dirhtml", "-c", "deploy/docs", "-d", "var/docs-doctrees", ".", str(SITE)]
    code = subprocess.run(command, cwd=ROOT).returncode
    if code == 0:
        print(f"docs: {SITE / 'docs' / 'README' / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main())
