"""What a build is doing, for whoever watches: status, failures, pace, the progress file, Prometheus.

Everything is read from the workspace: its database, and the progress file that a build's driver writes.
Nothing here changes a workspace, except `progress_file`, which writes that one file.
"""
