"""Calls AWS as an operator does, with boto3, for a test that sets up what the manager only reads.

`python by_hand.py URL REGION` reads a call from each line of its stdin, `{"service", "operation", "parameters"}` in
boto3's names, and prints a line of JSON for each: what AWS answered. It ends with its stdin, and with the first call
that AWS refuses. `{"keys": [ID, SECRET]}` in a call signs it and those after it with other keys.
"""

import json
import sys

import boto3


def main(url: str, region: str) -> None:
    session, clients = boto3.Session("test", "test", region_name=region), {}
    for line in sys.stdin:
        call = json.loads(line)
        if "keys" in call:
            session, clients = boto3.Session(*call["keys"], region_name=region), {}
        service = call["service"]
        if service not in clients:
            clients[service] = session.client(service, endpoint_url=url)
        answer = getattr(clients[service], call["operation"])(**call["parameters"])
        answer.pop("ResponseMetadata")
        print(json.dumps(answer, default=str), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
