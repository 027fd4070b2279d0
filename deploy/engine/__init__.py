"""The engine as a package of its own: its metadata, what builds it (`make wheel`), and an example project."""
