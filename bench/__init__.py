"""The figures in docs/bench.md, re-runnable: ours and its peers side by side. `python -m bench --help`."""
