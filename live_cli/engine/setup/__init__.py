"""The setup message read for the local engine: refused, or turned into a session config."""
