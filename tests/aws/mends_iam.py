"""Where moto refuses what is not permitted in another way than AWS: whatever the service, in XML and as AccessDenied."""

from moto.core.exceptions import AccessDeniedError, JsonRESTError
from moto.iam.access_control import IAMRequest

moto_raise_access_denied = IAMRequest._raise_access_denied


class UnauthorizedOperation(AccessDeniedError):
    """EC2's list of error codes: "UnauthorizedOperation: You are not authorized to perform this operation"."""

    def __init__(self) -> None:
        super(AccessDeniedError, self).__init__(
            "UnauthorizedOperation", "You are not authorized to perform this operation."
        )


def install() -> None:
    IAMRequest._raise_access_denied = raise_access_denied


def raise_access_denied(request: IAMRequest) -> None:
    if request._service == "ec2":
        raise UnauthorizedOperation()
    if request._service == "ecs":
        # ECS's list of common errors: "AccessDeniedException: You don't have authorization to perform the requested
        # action", with status 400, and ECS speaks JSON.
        raise JsonRESTError("AccessDeniedException", "You don't have authorization to perform the requested action.")
    moto_raise_access_denied(request)
