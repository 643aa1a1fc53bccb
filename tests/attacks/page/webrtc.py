"""A script opens a WebRTC connection, which no policy of a page covers: packets go to a STUN server."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import STUN


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    script = f"""const p = new RTCPeerConnection({{iceServers: [{{urls: 'stun:{STUN}:3478'}}]}}); p.createDataChannel('x'); p.createOffer().then((o) => p.setLocalDescription(o))"""
    before = ground.world.count("udp 3478")
    ground.leave_by_script(script)
    return ground.world.count("udp 3478") > before


ATTACK = Attack("a script in an output", attempt, recorded=("gateway.refused", "message.media"))
