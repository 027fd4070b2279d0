"""The branches of a conversation: versions of questions and answers, of which one branch is chosen.

`tree.py` reads them, `choice.py` chooses one, `removal.py` closes the gap that deleted messages leave.
"""
