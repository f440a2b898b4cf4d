"""One file per model; each imports its library late."""
