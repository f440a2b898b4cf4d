"""THE FACE: rich view, plain lines, JSON lines, keys."""
