"""Whether anything grows with the work that a system has done."""

from .questions import make_questions

__all__ = ["make_questions"]
