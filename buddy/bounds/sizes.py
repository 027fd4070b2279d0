"""Maximum bytes of the body of a request, by its address."""

from django.conf import settings

from chat.documents.reader import MAX_BYTES as MAX_DOCUMENT
from chat.uploads.storage import MAX_BYTES as MAX_RECORDING

#: Bytes of a form: of a page, or around the file of an upload.
FORM = 64 * 1024


def _maxima() -> dict[str, int]:
    """Return the maximum by the beginning of the address, the longest beginning first."""
    json = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return {
        "/api/analysis": MAX_DOCUMENT + FORM,
        "/api/audio": MAX_RECORDING + FORM,
        "/admin/queue": FORM,
        "/admin/": json,
        "/api/": json,
    }


def max_body(path: str) -> int:
    """Return the maximum bytes of a body that is sent to `path`."""
    return next((most for start, most in _maxima().items() if path.startswith(start)), FORM)
