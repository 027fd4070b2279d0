"""Conversations: `services.py` accepts questions, `threads.py` and `edit.py` change, `selectors.py` reads.

The data of a message on its way is in `messages.py`; `questions.py` writes it and submits its job.
"""
