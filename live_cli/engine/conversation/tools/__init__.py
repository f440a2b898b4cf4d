"""Function calling: the calls that are open, and their results on the way into the history."""
