"""The session plan: which server, which model and what Setup message the settings ask for."""
