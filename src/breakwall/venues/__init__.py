"""The exchanges: their adapters, the embedded one, and the network below them."""
