"""The screens: trade, and the dialogs above it."""
