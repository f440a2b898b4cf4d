"""Admission: who may connect, by which key, token or origin, and which session they get."""
