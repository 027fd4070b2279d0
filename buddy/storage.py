"""Static files: names with a hash of the contents, and our scripts without comments."""

import os
import stat
from collections.abc import Iterator
from typing import Any

from django.contrib.staticfiles.apps import StaticFilesConfig
from django.contrib.staticfiles.storage import HashedFilesMixin
from django.core.files.base import ContentFile, File
from rjsmin import jsmin
from servestatic.compress import Compressor
from servestatic.storage import CompressedManifestStaticFilesStorage

#: Folders of our own scripts. Files of libraries are delivered unchanged.
OURS = ("chat/js/", "queueing/", "accounts/")


_CSS, _MODULES = HashedFilesMixin.patterns[0], HashedFilesMixin._js_module_import_aggregation_patterns


class Collected(StaticFilesConfig):
    """The static files app without 16 MB that no page uses: source maps, and an unused API viewer."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "*.map", "redoc*"]

    def ready(self) -> None:
        """Register the project's system checks and metrics."""
        from queueing.api.metrics import register_metrics

        from . import error_reports
        from .start import checks  # noqa: F401
        from .web import loop_watch, web_metrics

        register_metrics(loop_watch.metrics)
        register_metrics(web_metrics.metrics)
        error_reports.install()
        super().ready()


class ModuleStorage(CompressedManifestStaticFilesStorage):
    """A storage that also rewrites imports between JavaScript modules, so that releases never mix."""

    #: Patterns of references between files. Source maps of stylesheets are left out. Only our scripts are
    #: searched: libraries have no references, and searching their megabytes takes seconds.
    patterns = ((_CSS[0], _CSS[1][:2]), *((f"{place}*.js", _MODULES[1]) for place in OURS))

    def create_compressor(self, **options: Any) -> Compressor:
        """Return the maker of the compressed copies."""
        return _Compressor(**options)

    def file_hash(self, name: str, content: File | None = None) -> str:
        """Return eight digits: enough to tell versions apart, and each import of a module repeats them."""
        return (super().file_hash(name, content) or "")[:8]

    def post_process(
        self, paths: dict[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[tuple[str, str | None, Any]]:
        """Minify our scripts, then process all files as Django does.

        `paths` maps each name to the storage and path of its source.
        """
        scripts = [name for name in paths if name.startswith(OURS) and name.endswith(".js")]
        paths = paths | {name: (_Minified(paths[name][0]), paths[name][1]) for name in scripts}
        return super().post_process(paths, dry_run, **options)


class _Compressor(Compressor):
    """A compressor whose files have the permissions of the original: web servers have other accounts."""

    @staticmethod
    def write_data(path: str, data: bytes, suffix: str, stat_result: os.stat_result) -> str:
        """Write a compressed copy. Return its name."""
        name: str = Compressor.write_data(path, data, suffix, stat_result)
        os.chmod(name, stat.S_IMODE(stat_result.st_mode))
        return name


class _Minified:
    """A storage that minifies the scripts of another storage."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage

    def open(self, path: str) -> File:
        """Return the minified file."""
        with self._storage.open(path) as file:
            return ContentFile(minify(file.read().decode()).encode())


def minify(script: str) -> str:
    """Return the script without comments and extra spaces. It must not have nested template literals."""
    return str(jsmin(script))
