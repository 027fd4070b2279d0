"""The search of conversations: folded texts, the words of a search, and what it finds."""
