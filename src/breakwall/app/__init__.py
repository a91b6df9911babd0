"""The cockpit: one Textual app that reads the view a few times a second and submits commands."""
