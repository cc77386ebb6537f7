"""Prints every event of the hospital from now on as a line of JSON, until the session ends."""
import json, os, random, sys, time
from urllib.request import Request, urlopen
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect

URL = os.environ["ROLLCALL_URL"]
HEADERS = {"Authorization": "Token " + os.environ["ROLLCALL_TOKEN"]}
latest = json.load(urlopen(Request(f"{URL}/api/events/?limit=1", headers=HEADERS)))["latest"]
seq, attempt = int(os.environ.get("ROLLCALL_SINCE", latest)), 0
while True:
    try:
        address = f"{URL.replace('http', 'ws', 1)}/ws/doctor-status/?since={seq}"
        with connect(address, additional_headers=HEADERS, close_timeout=1) as socket:
            while message := json.loads(text := socket.recv()):
                attempt = 0
                if message.get("recovered") is False:
                    print(f"missed some: /api/events/?since={seq}", file=sys.stderr)
                if "doctor_id" in message:
                    if message["seq"] <= seq:
                        continue  # It was here before.
                    print(text, flush=True)
                seq = message.get("seq", seq)
    except ConnectionClosed as closed:
        if closed.rcvd and closed.rcvd.code in {1000, 1003, 1008, 1009, 4000, 4001, 4002, 4003, 4004}:
            sys.exit(f"stopped: {closed.rcvd.code} {closed.rcvd.reason}")
    except (OSError, InvalidHandshake):
        pass  # No server, no network.
    attempt = min(attempt + 1, 6)
    time.sleep(random.uniform(0, min(30, 0.5 * 2**attempt)))
