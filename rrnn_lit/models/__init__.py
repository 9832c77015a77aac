"""The networks and their loss, in plain torch."""
