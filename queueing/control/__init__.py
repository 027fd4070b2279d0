"""What owners and operators may do to jobs and queues."""
