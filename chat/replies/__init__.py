"""The job that writes a reply, and the jobs that follow it: titles and summaries."""
