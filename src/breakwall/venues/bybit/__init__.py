"""Bybit v5 linear perpetuals: frames, requests, feed and broker."""
