"""Answers that are given again: the same companion, model and conversation bring the stored answer.

`keys.py` says what is the same, `cache.py` keeps answers in Redis, `reuse.py` finds one for a question
that is just being asked, or the job that is answering the same one right now. `docs/limits.md` tells
when none is used.
"""
