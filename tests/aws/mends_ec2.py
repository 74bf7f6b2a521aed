"""Where moto's EC2 is not as AWS documents it: launching, describing and terminating instances."""

from copy import copy
from datetime import timedelta

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError, InvalidInstanceIdError, InvalidParameterCombination
from moto.ec2.models import instances as moto_instances
from moto.ec2.models.instances import Reservation
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ec2.responses.instances import InstanceResponse

from client_tokens import ClientTokens, OtherParameters
from delays import delays
from machine import Machine
from paging import page

moto_run_instances = InstanceResponse.run_instances

tokens = ClientTokens("ClientToken")


def install() -> None:
    moto_instances.Instance = Machine
    InstanceResponse.run_instances = run_instances
    InstanceResponse.describe_instances = describe_instances
    InstanceResponse.describe_instance_status = describe_instance_status
    # With this moto shows every instance as pending, whatever it is by now: "the result might contain updated
    # information, such as the current creation status".
    del EC2BaseResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER["RunInstances.Reservation.Instances.Instance.State"]


def run_instances(response: InstanceResponse) -> ActionResult:
    """AWS: "if the original request completes successfully, any subsequent retries complete successfully without
    performing any further actions". Moto launches again, and as few as MinCount."""
    if response._get_param("TagSpecifications"):
        authorize(response, "CreateTags")
    response.error_on_dryrun()
    request = dict(response.params)
    scope = scope_of(response)
    try:
        reservation = tokens.recall(scope, request)
    except OtherParameters as error:
        # "If you retry a successful request using the same client token, but one or more of the parameters are
        # different, […] the retry fails with an IdempotentParameterMismatch error."
        message = "Arguments on this idempotent request are inconsistent with arguments used in previous request(s)."
        raise EC2ClientError("IdempotentParameterMismatch", message) from error
    if reservation is None:
        # "Amazon EC2 launches the largest possible number of instances above the specified minimum count."
        response.params["MinCount"] = response.params["MaxCount"]
        reservation = moto_run_instances(response).result
        tokens.remember(scope, request, reservation)
    elif all(machine.has_ended for machine in reservation.instances):
        # Such is the meaning of this code in EC2's list of error codes.
        message = "The instances that were launched under this client token have been terminated."
        raise EC2ClientError("IdempotentInstanceTerminated", message)
    return ActionResult(reservation)


def scope_of(response: InstanceResponse) -> str:
    """AWS: "The request uses zonal idempotency […] if you implicitly specify an Availability Zone using the SubnetId
    parameter", and "a request with the same client token can complete only once within each Availability Zone"."""
    interfaces = response._get_param("NetworkInterfaces", [])
    subnets = [response._get_param("SubnetId"), *(interface.get("SubnetId") for interface in interfaces)]
    named = next(filter(None, subnets), None)
    return response.ec2_backend.get_subnet(named).availability_zone if named else response.region


def authorize(response: InstanceResponse, action: str) -> None:
    """AWS: "If tags are specified in the resource-creating action, Amazon performs additional authorization on the
    ec2:CreateTags action to verify if users have permissions to create tags". Moto looks at the call's own action."""
    as_if = copy(response)
    as_if._get_action = lambda: action
    as_if._authenticate_and_authorize_normal_action()


def describe_instances(response: InstanceResponse) -> ActionResult:
    """Pages by instance, where moto pages by reservation, and of 5 to 1,000, where moto takes any number. An answer
    without MaxResults is whole, where moto's ends after a hundred."""
    response.error_on_dryrun()
    ids, size = response._get_param("InstanceIds", []), response._get_int_param("MaxResults")
    if ids and size is not None:
        # "You cannot specify this parameter and the instance IDs parameter in the same request."
        raise InvalidParameterCombination("The parameter instancesSet cannot be used with the parameter maxResults")
    if size is not None and not 5 <= size <= 1000:
        message = f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value from 5 to 1000."
        raise EC2ClientError("InvalidParameterValue", message)
    filters = response._filters_from_querystring()
    if ids:
        reservations = response.ec2_backend.get_reservations_by_instance_ids(ids, filters=filters)
    else:
        reservations = response.ec2_backend.describe_instances(filters=filters)
    found = [(reservation, machine) for reservation in reservations for machine in reservation.instances]
    then = utcnow() - timedelta(milliseconds=delays.describe_instances_ms)
    shown = [(reservation, machine) for reservation, machine in found if machine.launch_time <= then]
    if ids and len(shown) < len(found):
        raise InvalidInstanceIdError([machine.id for _, machine in found if machine.launch_time > then])
    shown, token = page(shown, lambda pair: pair[1].id, response._get_param("NextToken"), size)
    return ActionResult({"Reservations": grouped(shown), "NextToken": token})


def describe_instance_status(response: InstanceResponse) -> ActionResult:
    """With the scheduled events, which moto has none of, and by the filter for their codes."""
    response.error_on_dryrun()
    codes = response._filters_from_querystring().get("event.code")
    machines = response.ec2_backend.all_running_instances()
    if codes is not None:
        machines = [machine for machine in machines if any(code in codes for code, _ in machine.events)]
    size = response._get_int_param("MaxResults")
    shown, token = page(machines, lambda machine: machine.id, response._get_param("NextToken"), size)
    statuses = [
        {
            "InstanceId": machine.id,
            "InstanceState": {"Code": 16, "Name": "running"},
            "Events": [{"Code": code, "Description": description} for code, description in machine.events],
        }
        for machine in shown
    ]
    return ActionResult({"InstanceStatuses": statuses, "NextToken": token})


def grouped(shown: list[tuple[Reservation, Machine]]) -> list[Reservation]:
    """The reservations with no other instances than those shown."""
    groups: dict[str, Reservation] = {}
    for reservation, machine in shown:
        if reservation.id not in groups:
            groups[reservation.id] = copy(reservation)
            groups[reservation.id].instances = []
        groups[reservation.id].instances.append(machine)
    return list(groups.values())
