"""Runs in the session's image: sends all cells of a notebook at once, as JupyterLab's "Run All" does.

Usage: run_all.py NOTEBOOK [more code]. Prints one JSON object: for each code cell in order its state (null when the
kernel never answered for it), its text and its outputs.
"""

import json
import queue
import sys

import nbformat
from jupyter_client import KernelManager

codes = [cell.source for cell in nbformat.read(sys.argv[1], as_version=4).cells if cell.cell_type == "code"]
codes += sys.argv[2:]
manager = KernelManager(kernel_name="python3")
manager.start_kernel()
client = manager.client()
client.start_channels()
client.wait_for_ready(timeout=120)
cells = {client.execute(code): {"state": None, "error": "", "text": "", "outputs": []} for code in codes}

waiting = set(cells)
while waiting:
    try:
        message = client.get_shell_msg(timeout=120)
    except queue.Empty:
        break
    parent = message["parent_header"]["msg_id"]
    if parent in waiting:
        waiting.remove(parent)
        cells[parent]["state"] = message["content"]["status"]
        cells[parent]["error"] = f"{message['content'].get('ename', '')} {message['content'].get('evalue', '')}".strip()
while True:
    try:
        message = client.get_iopub_msg(timeout=3)
    except queue.Empty:
        break
    cell = cells.get(message["parent_header"].get("msg_id"))
    if cell is None:
        continue
    if message["msg_type"] == "stream":
        cell["text"] += message["content"]["text"]
    elif message["msg_type"] in ("display_data", "execute_result"):
        cell["outputs"].append(message["content"]["data"])
    elif message["msg_type"] == "error":
        cell["text"] += "\n".join(message["content"]["traceback"])
manager.shutdown_kernel(now=True)
sys.stdout.write(json.dumps({"alive": not waiting, "cells": list(cells.values())}))
