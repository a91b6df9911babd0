"""The embedded exchange: a market, an account and Bybit's v5 interface, without a socket."""
