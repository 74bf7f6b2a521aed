#!/usr/bin/env python3
"""A matchmaker: has places held for a party, shows where to play, and gives them back if asked to.

    python3 matchmaker.py http://127.0.0.1:8000 --seats 2 --give-back
"""
import argparse, json, os, sys, time, urllib.error, urllib.request, uuid

AUTHORIZATION = {"Authorization": f"Bearer {os.environ['API_KEY']}"} if "API_KEY" in os.environ else {}


def ask(method, url, headers={}, body=None):
    """The status, the headers and the JSON of an answer, also of one that tells of an error."""
    request = urllib.request.Request(url, body, {**AUTHORIZATION, **headers}, method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=90)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, json.loads(answer.read() or b"null")


def hold(manager, seats, wait):
    # With the same key no second ones are held, should an answer be lost on its way.
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    while True:
        try:
            url, body = f"{manager}/v1/allocations?wait={wait}", json.dumps({"seats": seats}).encode()
            status, answered, told = ask("POST", url, headers, body)
            pause, why = int(answered.get("Retry-After", 1)), told.get("detail")
        except OSError as lost:
            status, pause, why = None, 1, lost
        if status == 201:
            return told
        if status not in (None, 409, 429, 503):
            sys.exit(f"refused: {why}")
        print(f"again in {pause} s: {why}", file=sys.stderr, flush=True)
        time.sleep(pause)


options = argparse.ArgumentParser()
options.add_argument("manager")
options.add_argument("--seats", type=int, default=1)
options.add_argument("--wait", default="20s")
options.add_argument("--give-back", action="store_true")
asked = options.parse_args()
place = hold(asked.manager, asked.seats, asked.wait)
print(f"places for {place['seats']} at {place['address']} until {place['held_until']}")
if asked.give_back:
    status, _, _ = ask("DELETE", f"{asked.manager}/v1/allocations/{place['id']}")
    print("given back" if status == 204 else f"not given back: {status}")
