"""The full-screen client: what is shown and typed, around `triochat.client`.

`buffer` and `desk` know what there is to show and nothing of a terminal; `app` has the terminal, and knows
nothing of the protocol. What stands between them are the widgets, a file each.
"""
