"""Where sessions and ephemeral tokens are kept: in this process, or where replicas share them."""
