"""Pictures of the site in every state, and what a browser can measure of its looks."""
