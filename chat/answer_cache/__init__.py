"""The answer cache: the same companion, model and conversation get the stored answer again.

`keys.py` decides what is the same, `store.py` keeps answers in Redis, `lookup.py` finds one for a question
that is being asked, and `in_worker.py` for one whose turn has come.
docs/limits.md lists when no answer is reused.
"""
