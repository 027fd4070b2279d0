"""Documents, read part by part: what a file says, in a report.

`reader/` gets the text out of a file, in a process of its own that `sandbox.py` starts and watches.
`services.py` accepts a document; `jobs.py` reads it with the model: `splitting.py` makes the parts,
`prompts.py` asks and understands, `combining.py` brings many notes down to few, `report.py` writes it up.
"""
