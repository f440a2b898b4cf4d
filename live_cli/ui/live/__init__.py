"""The live view: meters, status and the growing transcript in the bottom rows of a terminal."""
