"""Events on their way to storage: checked, collected, and submitted as jobs."""
