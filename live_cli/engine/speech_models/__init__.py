"""Models that hear or speak: which are on this machine, and how one is pulled."""
