"""The peer: JupyterHub with DockerSpawner as one gets it, on loopback, with our image on an internal network.

No gateway, no policy, no audit, no views. Everything comes from the environment that `plain_hub` sets.
"""

import os

c = get_config()  # noqa: F821  (given by JupyterHub)

c.JupyterHub.bind_url = f"http://127.0.0.1:{os.environ['BENCH_PORT']}"
c.JupyterHub.hub_bind_url = f"http://{os.environ['BENCH_HUB_ADDRESS']}:{os.environ['BENCH_HUB_PORT']}"
c.JupyterHub.hub_connect_url = c.JupyterHub.hub_bind_url
c.JupyterHub.db_url = "sqlite:///plain-hub.sqlite"
c.JupyterHub.cookie_secret_file = "plain-hub-cookie-secret"
c.ConfigurableHTTPProxy.command = [os.environ["BENCH_NODE"], os.environ["BENCH_PROXY"]]
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{os.environ['BENCH_PROXY_PORT']}"

c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = os.environ["BENCH_TOKEN"]
c.Authenticator.allow_all = True
c.JupyterHub.services = [{"name": "bench", "api_token": os.environ["BENCH_TOKEN"]}]
c.JupyterHub.load_roles = [
    {"name": "bench", "services": ["bench"], "scopes": ["servers", "read:users", "read:servers"]},
]

c.JupyterHub.spawner_class = "dockerspawner.DockerSpawner"
c.DockerSpawner.image = os.environ["BENCH_IMAGE"]
c.DockerSpawner.pull_policy = "never"
c.DockerSpawner.network_name = os.environ["BENCH_NETWORK"]
c.DockerSpawner.use_internal_ip = True
c.DockerSpawner.remove = True
c.DockerSpawner.name_template = f"ngc-plain-{os.environ['BENCH_LABEL']}-{{username}}"
if os.environ["BENCH_MEMORY_MB"] != "0":
    c.DockerSpawner.mem_limit = int(os.environ["BENCH_MEMORY_MB"]) * 1024**2
    c.DockerSpawner.cpu_limit = float(os.environ["BENCH_CPUS"])
c.DockerSpawner.extra_create_kwargs = {"labels": {"ngc-workbench": os.environ["BENCH_LABEL"]}}
if os.environ["BENCH_DNS"]:
    c.DockerSpawner.extra_host_config = {"dns": [os.environ["BENCH_DNS"]]}
c.Spawner.default_url = "/lab"
