"""Static files under names that change with their contents, and our scripts without what only people read."""

from collections.abc import Iterator
from typing import Any

from django.contrib.staticfiles.apps import StaticFilesConfig
from django.contrib.staticfiles.storage import HashedFilesMixin
from django.core.files.base import ContentFile, File
from rjsmin import jsmin
from whitenoise.storage import CompressedManifestStaticFilesStorage

#: Where our own scripts are. What others wrote is delivered as they made it.
OURS = ("chat/js/", "queueing/")


_CSS, _MODULES = HashedFilesMixin.patterns[0], HashedFilesMixin._js_module_import_aggregation_patterns


class Collected(StaticFilesConfig):
    """Without 16 MB that no page asks for: source maps, and the API viewer we do not use."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "*.map", "redoc*"]


class ModuleStorage(CompressedManifestStaticFilesStorage):
    """Also rewrites the imports between JavaScript modules: after a deploy, old and new never mix."""

    #: What a file names by its address. Not the source maps of stylesheets; and of scripts only ours name
    #: others, while looking through the megabytes of others' takes seconds.
    patterns = ((_CSS[0], _CSS[1][:2]), *((f"{place}*.js", _MODULES[1]) for place in OURS))

    def post_process(
        self, paths: dict[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[tuple[str, str | None, Any]]:
        """As Django's, after scripts were made smaller. `paths`: name -> (storage, path) of the source."""
        scripts = [name for name in paths if name.startswith(OURS) and name.endswith(".js")]
        paths = paths | {name: (_Smaller(paths[name][0]), paths[name][1]) for name in scripts}
        return super().post_process(paths, dry_run, **options)


class _Smaller:
    """The scripts of another storage, without what only people read."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage

    def open(self, path: str) -> File:
        """As the storage's."""
        with self._storage.open(path) as file:
            return ContentFile(smaller(file.read().decode()).encode())


def smaller(script: str) -> str:
    """`script` without comments and needless space. It must have no template literal inside another."""
    return str(jsmin(script))
