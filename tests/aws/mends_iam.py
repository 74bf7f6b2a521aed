"""Where moto's IAM is not as AWS documents it, once it is enforced: whom a policy allows what, and how AWS refuses."""

from moto.core.exceptions import AccessDeniedError, JsonRESTError
from moto.iam.access_control import IAMPolicyStatement, IAMRequest

moto_element_matches = IAMPolicyStatement._check_element_matches
moto_raise_access_denied = IAMRequest._raise_access_denied


class UnauthorizedOperation(AccessDeniedError):
    """EC2's list of error codes: "UnauthorizedOperation: You are not authorized to perform this operation"."""

    def __init__(self) -> None:
        super(AccessDeniedError, self).__init__(
            "UnauthorizedOperation", "You are not authorized to perform this operation."
        )


def install() -> None:
    IAMPolicyStatement._check_element_matches = element_matches
    IAMRequest._raise_access_denied = raise_access_denied


def element_matches(statement: IAMPolicyStatement, element: str, value: str) -> bool:
    """Moto does not know what an EC2 or ECS call is about, and asks for a statement on `*` alone. Here any resource
    counts: what is enforced is the list of actions, and nothing is shown of resources and conditions."""
    return (element == "Resource" and value == "*") or moto_element_matches(statement, element, value)


def raise_access_denied(request: IAMRequest) -> None:
    """Moto refuses whatever the service, in XML and as AccessDenied."""
    if request._service == "ec2":
        raise UnauthorizedOperation()
    if request._service in ("ecs", "servicequotas"):
        # Their lists of common errors: "AccessDeniedException: You don't have authorization to perform the requested
        # action", with status 400, and they speak JSON.
        raise JsonRESTError("AccessDeniedException", "You don't have authorization to perform the requested action.")
    moto_raise_access_denied(request)
