"""Many workers and visitors, simulated: real scripts in a real Redis, with a virtual clock."""
