"""Maintenance: what keeps a workspace small, safe, and as many or as few as a team wants.

`collect` takes away what nothing names, `backup` copies a workspace while a build runs, `merge` makes one of
several and `split` several of one. All four follow two rules: what people have done is never lost, and a
kill at any moment leaves something that the same command, run again, brings to its end.
"""
