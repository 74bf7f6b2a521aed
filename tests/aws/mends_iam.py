"""Where moto's IAM is not as AWS documents it: whom a policy allows what, once it is enforced."""

from moto.iam.access_control import IAMPolicyStatement

moto_element_matches = IAMPolicyStatement._check_element_matches


def install() -> None:
    IAMPolicyStatement._check_element_matches = element_matches


def element_matches(statement: IAMPolicyStatement, element: str, value: str) -> bool:
    """Moto does not know what an EC2 or ECS call is about, and asks for a statement on `*` alone. Here any resource
    counts: what is enforced is the list of actions, and nothing is shown of resources and conditions."""
    return (element == "Resource" and value == "*") or moto_element_matches(statement, element, value)
