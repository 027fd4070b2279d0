"""`make wheel`: build the wheel and the source distribution of the engine into dist/.

They are built from a copy that has only files of the repository. So nothing else that lies in the folder
is published, and a source distribution, which cannot reach out of its own folder, has everything.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: What the package is made of.
CODE = ["queueing"]
#: What only the source distribution has besides: the pages of the engine, and the tests with what they use.
_PAGES = [
    "tutorial",
    "engine",
    "queueing-api",
    "django-tasks",
    "recurring",
    "glossary",
    "failures",
    "operating",
    "dashboard",
    "terminal",
    "testing",
]
MORE = [f"docs/{name}.md" for name in _PAGES]
MORE += [
    "tests/__init__.py",
    "tests/queueing",
    "tests/support",
    "tests/requirements.txt",
    "bench/__init__.py",
]
MORE += ["bench/waits.py", "deploy/production/certificate.py", "deploy/engine/example"]
#: What is at the top of it. The tests start clusters with manage.py.
TOP = ["LICENSE", *(f"deploy/engine/{name}" for name in ("pyproject.toml", "README.md", "example/manage.py"))]


def main() -> int:
    """Build both. Return the exit code."""
    return build(ROOT / "dist")


def build(target: Path) -> int:
    """Write the wheel and the source distribution to a folder, from which earlier ones are removed."""
    for old in [*target.glob("django_queueing-*.whl"), *target.glob("django_queueing-*.tar.gz")]:
        old.unlink()
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory)
        for name in files(*CODE, *MORE):
            place = copy / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place)
        for source in TOP:
            shutil.copy(ROOT / source, copy)
        command = [sys.executable, "-m", "hatchling", "build", "-d", str(target)]
        return subprocess.run(command, cwd=copy).returncode


def files(*paths: str) -> list[str]:
    """Return the files of the repository below these paths, with new ones that are not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted(name for name in set(listed.split("\0")) if name and (ROOT / name).is_file())


if __name__ == "__main__":
    sys.exit(main())
