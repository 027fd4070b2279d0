"""Static files under names that change with their contents."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleStorage(CompressedManifestStaticFilesStorage):
    """Also rewrites the imports between JavaScript modules: after a deploy, old and new never mix."""

    support_js_module_import_aggregation = True
