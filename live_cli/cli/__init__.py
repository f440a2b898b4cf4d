"""The command line: the verbs with their options, and the run of one line to its exit code."""
