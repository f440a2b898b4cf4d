"""The verbs of the command line. Each wires the other folders together; none sees another verb."""
