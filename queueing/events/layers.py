"""The project's channel layer, in a project that has one."""

from typing import Any

try:
    from channels.layers import get_channel_layer as _get
except ModuleNotFoundError as missing:
    if missing.name is None or missing.name.partition(".")[0] != "channels":
        raise
    HAS_CHANNELS = False

    def get_channel_layer() -> Any:
        """Return None: Channels is not installed. Events are not sent, and clients read the record."""
        return None

else:
    HAS_CHANNELS = True

    def get_channel_layer() -> Any:
        """Return the default channel layer, or None if the project has none."""
        return _get()
