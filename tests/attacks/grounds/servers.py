"""Runs inside the world's namespace: listens at every door that an attack may knock at, and prints one JSON object for each knock.

{"what": "tcp 80" | "udp 53" | "icmp" | …, "from": address, "data": what came, as text with Latin-1 bytes}. Ends when its input does.
"""

import contextlib
import json
import socket
import sys
import threading

# A web server answers; at the other doors it is enough to see who knocks.
TCP = (22, 25, 53, 80, 443, 853, 3478, 6667, 8080, 9418)
UDP = (53, 69, 123, 161, 443, 514, 3478, 4500)
LOCK = threading.Lock()
EVERYWHERE = ""


def say(what, source, data=b""):
    """One line on standard output."""
    with LOCK:
        sys.stdout.write(json.dumps({"what": what, "from": source, "data": data.decode("latin-1")}) + "\n")
        sys.stdout.flush()


def answer(connection, source, port):
    """Reads what comes first; asks for more while a request's head or body is not whole; answers as a web server that lets anybody in."""
    connection.settimeout(1)
    data = b""
    try:
        while len(data) < 65536:
            piece = connection.recv(65536)
            data += piece
            if not piece or port not in (80, 8080) or _whole(data):
                break
    except OSError:
        pass
    say(f"tcp {port}", source, data)
    if port in (80, 8080):
        body = b"outside"
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nAccess-Control-Allow-Origin: *\r\nConnection: close\r\n\r\n"
        with contextlib.suppress(OSError):
            connection.sendall(head.encode() + body)
    connection.close()


def _whole(data):
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        return False
    length = next(
        (line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), b"0"
    )
    return len(body) >= int(length)


def tcp(port):
    """Accepts for ever."""
    with socket.create_server((EVERYWHERE, port), backlog=64) as server:
        while True:
            connection, (source, _) = server.accept()
            threading.Thread(target=answer, args=(connection, source, port), daemon=True).start()


def udp(port):
    """Receives for ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((EVERYWHERE, port))
        while True:
            data, (source, _) = server.recvfrom(65536)
            say(f"udp {port}", source, data)


def icmp():
    """Sees echo requests, which the kernel answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as server:
        while True:
            data, (source, _) = server.recvfrom(65536)
            if data[20] == 8:
                say("icmp", source, data[28:])


for number in TCP:
    threading.Thread(target=tcp, args=(number,), daemon=True).start()
for number in UDP:
    threading.Thread(target=udp, args=(number,), daemon=True).start()
threading.Thread(target=icmp, daemon=True).start()
say("ready", "")
sys.stdin.read()
