"""Which services a difference touches: what is compared, what differs, and the filters."""
