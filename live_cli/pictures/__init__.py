"""Pictures that leave this machine: read, made small, freed of what is nobody's business. Pure."""
