"""A whole run in virtual time: the real engine and adapter on a simulated network with faults."""
