"""Keys from a terminal, the line being typed, and the terminal restored at the end."""
