#!/usr/bin/env python3
"""A matchmaker: has places held for a party, shows where to play, and gives them back if asked to.

    python3 matchmaker.py http://127.0.0.1:8000 --seats 2 --give-back
"""
import argparse, http.client, json, os, sys, time, urllib.error, urllib.request, uuid

AUTHORIZATION = {"Authorization": f"Bearer {os.environ['API_KEY']}"} if "API_KEY" in os.environ else {}


def ask(method, url, headers={}, body=None, wait=0):
    """The status, the headers and the JSON of an answer, whatever it tells. Where none came there is no status."""
    request = urllib.request.Request(url, body, {**AUTHORIZATION, **headers}, method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=wait + 10)
    except urllib.error.HTTPError as error:
        answer = error
    except (OSError, http.client.HTTPException) as lost:
        return None, {}, {"detail": lost}
    with answer:
        try:
            told = dict(json.loads(answer.read()))
        except (OSError, http.client.HTTPException, TypeError, ValueError):
            told = {}  # It is the page of a load balancer, half of something, or nothing.
        return answer.status, answer.headers, told


def hold(manager, seats, wait):
    url, body, key = f"{manager}/v1/allocations?wait={wait}s", json.dumps({"seats": seats}).encode(), uuid.uuid4()
    while True:
        # With the same key no second ones are held, should an answer be lost on its way.
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(key)}
        status, answered, told = ask("POST", url, headers, body, wait)
        why = told.get("detail", f"{status} without a reason")
        if status == 201 and told.get("state") == "held":
            return told
        if status == 201 and told:
            # They were held when that answer was lost, and there are no others for this key.
            key, why = uuid.uuid4(), f"the places are {told.get('state')}"
        elif status not in (None, 201, 409, 429, 502, 503, 504):
            sys.exit(f"refused by {url}: {why}")
        pause = int(seconds) if (seconds := answered.get("Retry-After", "")).isdecimal() else 1
        print(f"again in {pause} s: {why}", file=sys.stderr, flush=True)
        time.sleep(pause)


options = argparse.ArgumentParser()
options.add_argument("manager")
options.add_argument("--seats", type=int, default=1)
options.add_argument("--wait", type=int, default=20, metavar="SECONDS")
options.add_argument("--give-back", action="store_true")
asked = options.parse_args()
place = hold(asked.manager, asked.seats, asked.wait)
print(f"places for {place['seats']} at {place['address']} until {place['held_until']}")
if asked.give_back:
    status, _, _ = ask("DELETE", f"{asked.manager}/v1/allocations/{place['id']}")
    print("given back" if status == 204 else f"not given back: {status}")
