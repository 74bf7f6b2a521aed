"""A CloudFormation stack, and the role of the manager in it, on an AWS API server.

`python stack.py URL DOES [ARGUMENT …]`, where DOES is the name of a function below, prints as JSON what came of it.
"""

import json
import sys
from base64 import b64decode
from pathlib import Path
from urllib.request import Request, urlopen

import boto3
from botocore.exceptions import ClientError

REGION = "ap-south-1"
RUNNING = {"Name": "instance-state-name", "Values": ["pending", "running"]}


class Aws:
    def __init__(self, url: str) -> None:
        self.url = url

    def client(self, service: str):
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, **keys)


def create(aws: Aws, name: str, template: str, parameters: str) -> dict:
    """The outputs of the stack."""
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName=name, **body(template, parameters))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    return outputs(aws, name)


def update(aws: Aws, name: str, template: str, parameters: str) -> dict:
    """The outputs of the stack."""
    cloudformation = aws.client("cloudformation")
    cloudformation.update_stack(StackName=name, **body(template, parameters))
    cloudformation.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    return outputs(aws, name)


def delete(aws: Aws, name: str) -> None:
    cloudformation = aws.client("cloudformation")
    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})


def body(template: str, parameters: str) -> dict:
    pairs = [{"ParameterKey": key, "ParameterValue": value} for key, value in json.loads(parameters).items()]
    return {"TemplateBody": Path(template).read_text(), "Parameters": pairs, "Capabilities": ["CAPABILITY_IAM"]}


def outputs(aws: Aws, name: str) -> dict:
    [stack] = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def policies(aws: Aws, role: str) -> dict:
    """The role's own policies by their names."""
    iam = aws.client("iam")
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}


def credentials(aws: Aws, role: str) -> dict:
    """What an instance with that role has of its metadata."""
    arn = aws.client("iam").get_role(RoleName=role)["Role"]["Arn"]
    keys = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="manager")["Credentials"]
    return {name: keys[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")}


def enforce(aws: Aws) -> None:
    """From now on nobody may do what no policy allows."""
    headers = {"Content-Type": "text/plain"}
    urlopen(Request(f"{aws.url}/moto-api/reset-auth", b"0", headers)).close()


def fleet(aws: Aws, tag: str) -> list[dict]:
    """The machines of the fleet with that tag, the oldest first."""
    ours = {"Name": "tag:playlivechess-manager:fleet", "Values": [tag]}
    reservations = aws.client("ec2").describe_instances(Filters=[ours, RUNNING])["Reservations"]
    machines = [machine for reservation in reservations for machine in reservation["Instances"]]
    return [
        {
            "id": machine["InstanceId"],
            "type": machine["InstanceType"],
            "subnet": machine["SubnetId"],
            "groups": [group["GroupId"] for group in machine["SecurityGroups"]],
        }
        for machine in sorted(machines, key=lambda machine: machine["LaunchTime"])
    ]


def templates(aws: Aws) -> list[dict]:
    """The latest version of each launch template, with its user data as text."""
    ec2 = aws.client("ec2")
    ids = [template["LaunchTemplateId"] for template in ec2.describe_launch_templates()["LaunchTemplates"]]
    versions = [ec2.describe_launch_template_versions(LaunchTemplateId=id, Versions=["$Latest"]) for id in ids]
    data = [version["LaunchTemplateVersions"][0]["LaunchTemplateData"] for version in versions]
    return [template | {"UserData": b64decode(template["UserData"]).decode()} for template in data]


def network(aws: Aws) -> dict:
    """A VPC that is there already, and two of its subnets."""
    subnets = aws.client("ec2").describe_subnets()["Subnets"]
    game, manager = (subnet for subnet in subnets[:2])
    return {"VpcId": game["VpcId"], "GameSubnetId": game["SubnetId"], "ManagerSubnetId": manager["SubnetId"]}


def is_refused(aws: Aws, key: str, secret: str, token: str) -> bool:
    """Whether who has these keys may not do what the daemon never does."""
    keys = {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_session_token": token}
    ec2 = boto3.client("ec2", endpoint_url=aws.url, region_name=REGION, **keys)
    try:
        ec2.describe_vpcs()
    except ClientError as error:
        return error.response["Error"]["Code"] in ("AccessDenied", "UnauthorizedOperation")
    return False


def end_fleet(aws: Aws, tag: str) -> None:
    """As the guide has it before the stack is deleted."""
    aws.client("ec2").terminate_instances(InstanceIds=[machine["id"] for machine in fleet(aws, tag)])


def leftovers(aws: Aws) -> list[str]:
    """What a deleted stack must not leave behind: it would cost, or allow something."""
    ec2, ecs = aws.client("ec2"), aws.client("ecs")
    # A deleted cluster is shown as INACTIVE for some time.
    clusters = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
    groups = aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    machines = ec2.describe_instances(Filters=[RUNNING])["Reservations"]
    return [
        *(machine["InstanceId"] for reservation in machines for machine in reservation["Instances"]),
        *(address["AllocationId"] for address in ec2.describe_addresses()["Addresses"]),
        *(template["LaunchTemplateId"] for template in ec2.describe_launch_templates()["LaunchTemplates"]),
        *(group["AutoScalingGroupName"] for group in groups),
        *(role["RoleName"] for role in aws.client("iam").list_roles()["Roles"]),
        *(cluster["clusterName"] for cluster in clusters if cluster["status"] == "ACTIVE"),
    ]


def main() -> None:
    url, does, *arguments = sys.argv[1:]
    print(json.dumps(globals()[does](Aws(url), *arguments)))


if __name__ == "__main__":
    main()
