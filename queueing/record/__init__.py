"""The record in the database: attempts, runs, dependencies, end hooks, pruning."""
