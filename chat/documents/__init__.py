"""Documents: a file or a long text is read part by part, and a report answers a question about it.

`services.py` accepts a document. `sandbox.py` starts the process that extracts its text (`reader/`).
`jobs.py` reads it with the model as map and reduce: `splitting.py` cuts it into parts, `map_parts.py` takes
notes of each, `reduce_parts.py` summarizes the notes, `report.py` writes the report. `model_session.py` and
`model_calls.py` call the model; `prompts.py` (`prompts_small_model.py` for the demo model) builds prompts and
parses answers, with the help of `sentence_ranking.py`; `concurrency.py` runs calls side by side.
`api.py` and `selectors.py` serve HTTP; `texts.py` holds the sentences for users.
"""
