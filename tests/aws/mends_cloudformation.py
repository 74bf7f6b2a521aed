"""Where moto's CloudFormation makes of a template something else than AWS documents."""

import json
import re
from collections.abc import Iterator

from moto.cloudformation.parsing import ResourceMap
from moto.core.utils import pascal_to_camelcase, remap_nested_keys
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.models.route_tables import RouteTable
from moto.ecs.models import Cluster, TaskDefinition, ecs_backends
from moto.iam.models import Role
from moto.ssm.models import Parameter

# `${Name}` and `${Name.Attribute}` in Fn::Sub.
SUBSTITUTED = re.compile(r"\$\{(\w+)(?:\.(\w+))?\}")

# The attributes, of the resources that are used here, which an update of the resource may change.
CHANGING = {"Value", "LatestVersionNumber"}

moto_resource_diff = ResourceMap.build_resource_diff
moto_create_role = Role.create_from_cloudformation_json
moto_create_parameter = Parameter.create_from_cloudformation_json


def install() -> None:
    ResourceMap.build_resource_diff = resource_diff
    Role.create_from_cloudformation_json = create_role
    Parameter.create_from_cloudformation_json = create_parameter
    Parameter.has_cfn_attr = staticmethod(lambda attribute: attribute in ("Type", "Value"))
    Parameter.get_cfn_attribute = parameter_attribute
    ElasticAddress.has_cfn_attr = staticmethod(lambda attribute: attribute in ("AllocationId", "PublicIp"))
    ElasticAddress.get_cfn_attribute = address_attribute
    ElasticAddress.delete = release_address
    RouteTable.delete = delete_route_table
    Cluster.delete = delete_cluster
    TaskDefinition.create_from_cloudformation_json = create_task_definition
    TaskDefinition.update_from_cloudformation_json = update_task_definition


def resource_diff(resources: ResourceMap, template: dict, parameters: dict | None = None) -> dict[str, list[str]]:
    """AWS: "CloudFormation updates only the resources that have changed", which are those too whose parameters come by
    Fn::Sub, and those which have an attribute of a changed one. Moto sees what comes by Ref."""
    for resource in template["Resources"].values():
        # As moto has written it into those that it knows.
        resource.setdefault("Properties", {})
    diff = moto_resource_diff(resources, template, parameters)
    given = {name for name, value in (parameters or {}).items() if resources.input_parameters.get(name) != value}
    found = {name: set(references(resource)) for name, resource in template["Resources"].items()}
    modified, fresh = diff["Modify"], True
    while fresh:
        fresh = [
            name
            for name, used in found.items()
            if name not in modified
            and name not in diff["Add"]
            and any(used_name in given or (used_name in modified and what in CHANGING) for used_name, what in used)
        ]
        modified.extend(fresh)
    return diff


def references(part) -> Iterator[tuple[str, str | None]]:
    """The names that a part of a template refers to, each with the attribute that is meant."""
    if isinstance(part, list):
        for item in part:
            yield from references(item)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key == "Ref":
                yield value, None
            elif key == "Fn::GetAtt":
                name, attribute = value.split(".", 1) if isinstance(value, str) else value
                yield name, attribute
            elif key == "Fn::Sub":
                text, *variables = value if isinstance(value, list) else [value]
                yield from ((name, attribute or None) for name, attribute in SUBSTITUTED.findall(text))
                yield from references(variables)
            else:
                yield from references(value)


def create_role(resource_name: str, cloudformation_json: dict, account_id: str, region_name: str, **kwargs) -> Role:
    """A policy document is kept as text. Moto keeps this one as it is in the template, and cannot read it then."""
    properties = dict(cloudformation_json["Properties"])
    properties["Policies"] = [
        policy | {"PolicyDocument": json.dumps(policy["PolicyDocument"])} for policy in properties.get("Policies", [])
    ]
    return moto_create_role(resource_name, {"Properties": properties}, account_id, region_name, **kwargs)


def create_parameter(resource_name: str, cloudformation_json: dict, account_id: str, region_name: str, **kwargs):
    """A parameter needs no name. Moto fails without one, though it has made one up."""
    properties = {"Name": resource_name, **cloudformation_json["Properties"]}
    return moto_create_parameter(resource_name, {"Properties": properties}, account_id, region_name, **kwargs)


def parameter_attribute(parameter: Parameter, attribute: str) -> str:
    """AWS: "Fn::GetAtt returns a value for a specified attribute": "Type" and "Value". Moto knows neither."""
    return {"Type": parameter.parameter_type, "Value": parameter.value}[attribute]


def address_attribute(address: ElasticAddress, attribute: str) -> str:
    """AWS, of PublicIp: "The Elastic IP address". Moto knows the AllocationId alone."""
    return {"AllocationId": address.allocation_id, "PublicIp": address.public_ip}[attribute]


def release_address(address: ElasticAddress, account_id: str, region_name: str) -> None:
    """AWS, of deleting a stack: "all resources in the stack are deleted". Moto leaves this one and the next two."""
    ec2_backends[account_id][region_name].release_address(allocation_id=address.allocation_id)


def delete_route_table(table: RouteTable, account_id: str, region_name: str) -> None:
    ec2_backends[account_id][region_name].delete_route_table(table.id)


def delete_cluster(cluster: Cluster, account_id: str, region_name: str) -> None:
    ecs_backends[account_id][region_name].delete_cluster(cluster.name)


def create_task_definition(resource_name: str, cloudformation_json: dict, account_id: str, region_name: str, **kwargs):
    """With all that the template says. Moto leaves out the network mode and the roles, among others."""
    properties = cloudformation_json["Properties"]
    containers = remap_nested_keys(properties["ContainerDefinitions"], pascal_to_camelcase)
    definition = ecs_backends[account_id][region_name].register_task_definition(
        family=properties["Family"],
        container_definitions=containers,
        network_mode=properties.get("NetworkMode"),
        task_role_arn=properties.get("TaskRoleArn"),
        execution_role_arn=properties.get("ExecutionRoleArn"),
    )
    # Not with the others: for EC2 moto would insist on `memory`, where "you must specify a non-zero integer for one or
    # both of memory or memoryReservation".
    definition.requires_compatibilities = properties.get("RequiresCompatibilities")
    return definition


def update_task_definition(
    original_resource: TaskDefinition,
    new_resource_name: str,
    cloudformation_json: dict,
    account_id: str,
    region_name: str,
):
    """"To update a task definition, you create a task definition revision". Moto registers one whose containers have
    their keys in CloudFormation's case, where ECS has another, and deregisters the one before whatever its
    UpdateReplacePolicy says."""
    if cloudformation_json.get("UpdateReplacePolicy") != "Retain":
        ecs_backends[account_id][region_name].deregister_task_definition(original_resource.arn)
    return create_task_definition(new_resource_name, cloudformation_json, account_id, region_name)
