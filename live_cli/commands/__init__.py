"""THE VERBS: each wires rooms together; none sees another."""
