"""Files, commands and links that the docs, docstrings and comments name exist."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.project import texts

#: Documents and other files that are prose from the first to the last line.
PROSE = texts.named(".md", ".env.example", "Makefile")
CODE = [path for path in texts.named(".py") if "migrations" not in path.parts]
SCRIPTS = texts.named(".js", ".lua", ".css")

_EXTENSIONS = "py|lua|js|mjs|html|css|toml|md|txt|svg|png|json|webmanifest"
FILE = re.compile(rf"(?<![\w/.:<{{*~-])((?:[\w.-]+/)*[\w-]+\.(?:{_EXTENSIONS}))(?![\w/*-])")
FOLDER = re.compile(
    r"(?<![\w/.:-])((?:bench|buddy|chat|deploy|docs|queueing|templates|tests)/(?:[\w-]+/)*)(?![\w/*<])"
)
COMMAND = re.compile(r"manage\.py (?!commands\b)([a-z_0-9]*[a-z0-9])\b(?!_)")
LINK = re.compile(r"\]\(([^)\s]+)\)")

#: Files that the program makes or a user has, and names of libraries that look like files.
NOT_OURS = {
    "account.json",
    "chat/care/jobs.py",  # of docs/extending.md
    "chat/companions/study.py",
    "report.md",
    "transcript.md",
    "openapi.json",
    "package.json",
    "installed.json",
    "jobs.py",
    "urls.py",
    "views.py",
}
NOT_OURS_FOLDERS = (
    "yourapp/",
    "shop/",
    "website/",
    "var/",
    "static/",
    "node_modules/",
    "api/",
    "bin/",
    "threads/",
)


#: Names of former files in texts that are still to be rewritten: path -> names. This list only gets shorter.
NOT_YET: dict[str, set[str]] = {}


@cache
def passages() -> list[tuple[str, str]]:
    """Return (place, text) of everything that people read about the code."""
    return list(read_passages())


def read_passages() -> Iterator[tuple[str, str]]:
    """Yield them."""
    for path in PROSE:
        yield str(path), texts.read(path)
    for path in CODE:
        source = texts.read(path)
        for line, text in texts.strings(source, docstrings=True, others=False):
            yield f"{path}:{line}", text
        for line, text in texts.comments(source):
            yield f"{path}:{line}", text
    for path in SCRIPTS:
        for line, text in script_comments(texts.read(path)):
            yield f"{path}:{line}", text


def script_comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of the lines of a JavaScript, Lua or CSS source that are comments."""
    for number, line in enumerate(source.splitlines(), 1):
        if line.lstrip().startswith(("//", "--", "/*", "*")):
            yield number, line


def exists(name: str, place: str) -> bool:
    """Return True when the repository has the file: from the root, beside the place, or by its name alone."""
    path = place.partition(":")[0]
    if name.startswith(NOT_OURS_FOLDERS) or name in NOT_OURS | NOT_YET.get(path, set()):
        return True
    here = (texts.ROOT / path).parent
    if any((folder / name).exists() for folder in (texts.ROOT, here, *here.parents)):
        return True
    return any(str(path).endswith("/" + name) for path in texts.files())


def test_files_named_in_texts_exist():
    missing = [
        f"{place}: {name}"
        for place, text in passages()
        for name in FILE.findall(text)
        if not exists(name, place)
    ]
    assert not missing, "\n".join(missing)


def test_folders_named_in_texts_exist():
    missing = [
        f"{place}: {name}"
        for place, text in passages()
        for name in FOLDER.findall(text)
        if not (texts.ROOT / name).is_dir() and not exists(name, place)
    ]
    assert not missing, "\n".join(missing)


def test_commands_named_in_texts_exist():
    known = get_commands()
    missing = [
        f"{place}: {name}"
        for place, text in passages()
        for name in COMMAND.findall(text)
        if name not in known
    ]
    assert not missing, "\n".join(missing)


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as code hosts make them."""
    headings = re.findall(r"(?m)^#+ (.+)$", texts.read(path))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", texts.named(".md"), ids=str)
def test_links_of_document_resolve(path: Path):
    missing = []
    for link in LINK.findall(texts.read(path)):
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        if not (texts.ROOT / target).exists() or (anchor and anchor not in anchors(target)):
            missing.append(link)
    assert not missing, "\n".join(missing)


#: Names in the docs that are not in the code: of other programs, made from parts, or examples.
OTHER_NAMES = {
    "BUDDY_DEMO_EAR",
    "MALLOC_ARENA_MAX",
    "client_max_body_size",
    "OPENAI_STUDY_THINKING_TOKENS",
    "OTEL_TRACES_SAMPLER",
    "QUEUE_REPORTS_CONCURRENCY",
    "mediaType",
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_start_time_seconds",
    "process_virtual_memory_bytes",
    "proxy_read_timeout",
    "test_permission_missing_is_403",
}


def test_identifiers_in_docs_exist_in_code():
    code = "\n".join(
        texts.read(path)
        for path in texts.named(".py", ".js", ".mjs", ".html", ".lua", ".toml", ".env.example")
    )
    code += "\n".join(str(path) for path in texts.files())
    missing = []
    for path in texts.named(".md"):
        prose = re.sub(r"```.*?```", "", texts.read(path), flags=re.DOTALL)
        for token in re.findall(r"`([^`\n]+)`", prose):
            for word in re.findall(r"[A-Za-z]\w*_\w+|\b[a-z]+[A-Z]\w+|[A-Z]{5,}", token):
                if word.removeprefix("buddy_") not in code and word not in OTHER_NAMES:
                    missing.append(f"{path}: {word}")
    assert not missing, "\n".join(missing)


def test_docs_index_lists_every_page():
    index = texts.read(Path("docs/README.md"))
    pages = [path.name for path in texts.named(".md") if path.parent == Path("docs")]
    assert [page for page in pages if page != "README.md" and f"({page})" not in index] == []
