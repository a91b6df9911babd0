"""`breakwall watch`: a second, small process that raises an alarm when the one that trades falls silent.

Standard library only, below 40 MB. What it knows of the run is its heartbeat; by policy it runs panic.
"""
