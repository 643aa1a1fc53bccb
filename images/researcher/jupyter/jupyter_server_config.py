"""The notebook server's configuration inside a session.

A second layer only: a session's owner can replace this server. What holds stands outside the container,
in the gateway, the network and the mounts.
"""

# /workspace holds links to the home, the project's folder and the outbox. Data (/data) stays outside: it is
# read by kernels, not by the file browser.
c.ServerApp.root_dir = "/workspace"
c.ServerApp.preferred_dir = "/workspace/home"
c.ServerApp.open_browser = False

# No raw files, no hidden ones; there is no bin to move deleted files to, across mounts.
c.ContentsManager.files_handler_class = None
c.ContentsManager.allow_hidden = False
c.FileContentsManager.delete_to_trash = False

# Terminals pass the gateway line by line; a shell that isn't a login shell keeps the session's own PATH. No language
# server: a way out that nobody reads.
c.ServerApp.terminals_enabled = True
c.ServerApp.terminado_settings = {"shell_command": ["/bin/bash"]}
c.ServerApp.jpserver_extensions = {
    "jupyter_lsp": False,
    "jupyter_server_terminals": True,
    "jupyterlab": True,
}

# The gateway cuts what a cell shows, and says so in words that help; this is only against a flood that never ends.
c.ZMQChannelsWebsocketConnection.iopub_data_rate_limit = 16 * 1024 * 1024

# JupyterLab neither installs nor enables anything, and asks nobody for news.
c.LabApp.extension_manager = "readonly"
c.LabApp.lock_all_plugins = True
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"

# Kernels speak through sockets in the runtime directory, not through TCP ports on loopback.
c.KernelManager.transport = "ipc"
