"""Writing the results of runs: into the database, then to Redis, then to the owners."""
