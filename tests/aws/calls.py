"""The AWS calls that came in."""

import json
import re
import time
from dataclasses import dataclass, field

from werkzeug.wrappers import Request, Response

# How a call is signed: `Credential=AKIAEXAMPLE/20260101/ap-south-1/ec2/aws4_request`.
CREDENTIAL = re.compile(r"Credential=(?P<key>[^/]+)/\d+/[^/]+/(?P<service>[^/]+)/")

EC2_ERROR = re.compile(r"<Code>(.*?)</Code>")


@dataclass
class Call:
    action: str
    parameters: dict
    # The service and the access key that it is signed for and with.
    service: str | None = None
    access_key: str | None = None
    # Seconds since 1970.
    at: float = field(default_factory=time.time)
    # None as long as it is under way, and if it was never answered.
    status: int | None = None
    error: str | None = None

    @classmethod
    def of(cls, request: Request) -> "Call":
        """ECS names its action in a header and has JSON as its body, EC2 sends a form."""
        signed = CREDENTIAL.search(request.headers.get("Authorization", ""))
        by = (signed["service"], signed["key"]) if signed else ()
        target = request.headers.get("X-Amz-Target")
        if target:
            return cls(target.rsplit(".", 1)[-1], json.loads(request.get_data()), *by)
        form = request.form.to_dict()
        form.pop("Version", None)
        return cls(form.pop("Action", request.path), form, *by)

    def answered(self, response: Response) -> None:
        self.status = response.status_code
        if self.status >= 400:
            self.error = error_of(response.get_data(as_text=True))


def error_of(body: str) -> str | None:
    if body.startswith("{"):
        return json.loads(body).get("__type", "").rsplit("#", 1)[-1]
    code = EC2_ERROR.search(body)
    return code and code[1]
