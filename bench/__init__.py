"""The measurements of docs/bench.md: the engine and its peers side by side. See `python -m bench --help`."""
