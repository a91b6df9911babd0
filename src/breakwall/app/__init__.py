"""The cockpit: one Textual app that reads the view a few times a second and submits commands.

`cockpit` is the app and `screens` what it shows: `widgets` placed by `layout`, with `dialogs` over them. What the
trader presses goes from `terminal` by way of `keys` to `controls`, and what trades on to `dealing`; `look` is what
the trader looks at, `trust` what may be believed. Panes are made of `rows` in the inks of `themes`; `heatmap` and
`book` work out what the greatest of them show.
"""
