"""Runs in a plain container of the sessions' image: seconds from a kernel's start to the end of one cell.

Usage: first_answer.py CODE. Prints the seconds, then what the cell printed.
"""

import sys
import time

from jupyter_client import KernelManager

began = time.monotonic()
manager = KernelManager(kernel_name="python3")
manager.start_kernel()
client = manager.client()
client.start_channels()
client.wait_for_ready(timeout=120)
printed = []
reply = client.execute_interactive(
    sys.argv[1],
    timeout=300,
    output_hook=lambda message: printed.append(str(message["content"].get("text", ""))),
)
seconds = time.monotonic() - began
manager.shutdown_kernel(now=True)
if reply["content"]["status"] != "ok":
    sys.exit(f"the cell failed: {reply['content']}")
sys.stdout.write(f"{seconds}\n{''.join(printed)}")
