"""Who acts, and what they may do: owners, sessions, API tokens, and how access ends."""
