"""Stores of sessions and ephemeral tokens: in this process, or where replicas share them."""
