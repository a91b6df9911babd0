"""`breakwall panic`: cancel, close, prove flat, when everything else is broken.

It shares nothing with the program that trades: no engine, no settings, no database, no lock. It asks the exchange
what there is, and it ends when the exchange shows that nothing is left. Standard library and pybit only; a test
watches what it loads.
"""
