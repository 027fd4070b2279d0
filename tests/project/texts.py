"""The texts that people read in this repository: documents, templates, scripts, docstrings, comments."""

import ast
import io
import subprocess
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def files() -> tuple[Path, ...]:
    """Return the files of the repository, relative to its root: tracked, and new but not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(command, cwd=ROOT, text=True).split("\0")
    return tuple(Path(name) for name in sorted(set(names)) if name and (ROOT / name).is_file())


def named(*suffixes: str) -> list[Path]:
    """Return the files with one of these endings."""
    return [path for path in files() if path.suffix in suffixes or path.name in suffixes]


def read(path: Path) -> str:
    """Return the text of a file."""
    return (ROOT / path).read_text()


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of each comment of a Python source."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("#: ")


def strings(source: str, *, docstrings: bool, others: bool) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of the docstrings (also those of constants) or of the other strings of a source."""
    tree = ast.parse(source)
    free = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_docstring = id(node) in free
            if docstrings if is_docstring else others:
                yield node.lineno, node.value
