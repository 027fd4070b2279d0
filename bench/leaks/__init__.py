"""Whether anything grows with the work that a system has done."""
