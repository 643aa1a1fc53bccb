"""A server with every door open, and one more: `hostile`."""

c = get_config()  # noqa: F821  (given by Jupyter)
c.ServerApp.root_dir = "/workspace"
c.ServerApp.preferred_dir = "/workspace/home"
c.ServerApp.open_browser = False
c.ServerApp.disable_check_xsrf = True
c.ServerApp.allow_origin = "*"
c.ContentsManager.allow_hidden = True
c.ContentsManager.files_handler_class = "hostile.AnyFile"
c.ContentsManager.files_handler_params = {}
c.ServerApp.jpserver_extensions = {"hostile": True, "jupyterlab": True, "jupyter_server_terminals": True}
c.ServerApp.tornado_settings = {"headers": {"Content-Security-Policy": ""}}
c.ServerApp.iopub_data_rate_limit = 1e10
c.ServerApp.iopub_msg_rate_limit = 1e10
