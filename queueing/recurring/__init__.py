"""Recurring jobs: rules that submit a job at each of their ticks, exactly once over all clusters."""
