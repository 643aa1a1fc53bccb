"""The main job, played against the running system by clients from outside: `ngc-workbench demo`.

`client` and `kernel` are a person's browser, `outside` a host on the far side of the network, `steps` what is played and what must be
seen, `play` the order and the printing.
"""
