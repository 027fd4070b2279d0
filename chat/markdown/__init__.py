"""Markdown to safe HTML.

`render.py` renders a whole text, `partial.py` an unfinished one, `highlighting.py` colours code.
"""
