"""What runs at a reader: the queue of unconfirmed quarters, and the uplink that sends them."""
