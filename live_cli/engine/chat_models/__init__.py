"""The chat models on this machine: found, or pulled from their address."""
