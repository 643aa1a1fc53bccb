"""The gateway: the one door of a session.

Two listeners. The *browser side* stands behind the hub's proxy and passes on to a session's container what the table
in `policy` lists. The *session side* is the only address that a container can reach, and passes on to the hub the few
calls that a single-user server makes for itself. Everything else is refused with a reason, and recorded.

A container is hostile ground: nothing that it answers is believed. Types, headers, cookies and redirects that reach the
browser are the gateway's own (`headers`), bodies are bounded (`proxy`) and looked into where the route asks for it
(`contents`, `messages`).
"""
