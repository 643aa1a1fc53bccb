"""Where attacks are tried: a plain JupyterHub with DockerSpawner, and an installation of the workbench.

Both start the same image, both have the same world around them (`world`), and both give an attack the same means (`ground`).
"""
