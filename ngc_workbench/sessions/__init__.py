"""Sessions: one person's container in one project, its network, its mounts, its limits, its end.

`firewall` and `network` are what a container can reach, `container` what it is, `lifecycle` its start and its end with the records
of both, `spawner` puts that under JupyterHub, `login` lets people in, and `warden` asks every 15 seconds whether each session may go on.
`traffic` counts what sessions show, `pause` holds one that showed too much, `freezer` freezes its container, `notices` and `channels` tell the
security officer.

A container is hostile ground: nothing that this room relies on stands inside of it.
"""
