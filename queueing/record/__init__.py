"""Write the record in the database: new jobs, runs and results, dependencies, end hooks, pruning."""
