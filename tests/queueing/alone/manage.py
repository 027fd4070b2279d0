"""`manage.py` on a computer without the packages that only one face of the engine needs."""

import importlib.abc
import os
import sys
from typing import Any

MISSING = {"channels", "channels_redis", "daphne", "rich", "prometheus_client"}


class _Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def main() -> None:
    sys.meta_path.insert(0, _Missing())
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.queueing.alone.settings"
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
