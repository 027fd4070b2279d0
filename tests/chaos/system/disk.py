"""A file system of the run's own, which can be filled."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path


class Disk:
    """A tmpfs where the user may mount one (root), else a plain folder that cannot be filled.

    It is not below `var/`, which is private: PostgreSQL runs as another user when root starts it.
    """

    def __init__(self, megabytes: int = 768) -> None:
        self.path = path = Path(tempfile.mkdtemp(prefix="buddy-chaos-"))
        path.chmod(0o755)
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "chaos", str(path)]
        self.can_be_filled = os.geteuid() == 0 and not subprocess.run(command, capture_output=True).returncode
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Leave no free byte."""
        with self._ballast.open("wb", buffering=0) as file:
            for size in (1 << 20, 4096):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue

    def empty(self) -> None:
        self._ballast.unlink(missing_ok=True)

    def remove(self) -> None:
        if self.can_be_filled:
            subprocess.run(["umount", "-l", str(self.path)], check=False)
        shutil.rmtree(self.path)
