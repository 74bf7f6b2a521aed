"""An EC2 instance that takes its time to start and to end, and has a loopback address of its own."""

import re
from copy import copy
from datetime import datetime, timedelta

from moto.core.utils import utcnow
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.models.instances import Instance, InstanceState

from delays import delays
from network import addresses


# Where the user data of an ECS-optimized machine image names the cluster.
ECS_CLUSTER = re.compile(r"^ECS_CLUSTER=(\S+)$", re.MULTILINE)


class Machine(Instance):
    # Moto files its models under the second part of their module's name.
    __module__ = "moto.ec2"

    def __init__(self, ec2_backend, image_id, user_data, security_groups, **kwargs) -> None:
        template = template_of(ec2_backend, kwargs)
        # "Any parameters that you specify override the same parameters in the launch template." Moto does not look at a
        # template's interfaces.
        for interface in (kwargs.get("nics") or template.get("NetworkInterfaces", []))[:1]:
            kwargs["subnet_id"] = interface.get("SubnetId") or kwargs.get("subnet_id")
            security_groups = [ec2_backend.get_security_group_from_id(group) for group in interface.get("Groups", [])]
            kwargs["associate_public_ip"] = interface.get("AssociatePublicIpAddress") in (True, "true")
        super().__init__(ec2_backend, image_id, user_data, security_groups, **kwargs)
        self.address = addresses.take()
        interface = self.nics[0]
        interface.private_ip_address = interface.public_ip = self.address
        interface.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": self.address}]
        self._become("pending", 0)
        # What AWS has planned for it: (code, description).
        self.events: list[tuple[str, str]] = []

    def joins(self, cluster: str) -> bool:
        """Whether its agent means to register there. One without user data stands for any machine of the fleet."""
        if not self.user_data:
            return True
        named = ECS_CLUSTER.search(self.user_data.decode())
        return named is not None and named[1] == cluster

    @property
    def has_ended(self) -> bool:
        return self.state in ("shutting-down", "terminated")

    def advance(self, now: datetime) -> None:
        """Moto's instances are `running` and `terminated` at once. AWS's enter `pending` and `shutting-down` first."""
        for_so_long = (now - self.state_since) / timedelta(milliseconds=1)
        if self.state == "pending" and for_so_long >= delays.pending_ms:
            self.run()
        elif self.state == "shutting-down" and for_so_long >= delays.shutting_down_ms:
            self._become("terminated", 48)

    def run(self) -> None:
        self._become("running", 16)

    def terminate(self) -> InstanceState:
        """AWS: "if you terminate an instance more than once, each call succeeds". Moto ends what has ended again."""
        previous = copy(self._state)
        if not self.has_ended:
            super().terminate()
            self._become("shutting-down", 32)
        return previous

    def get_tags(self) -> list[dict[str, str]]:
        """As moto's, which looks through the tags of all resources for those of one."""
        return [{"key": key, "value": value} for key, value in self.ec2_backend.tags.get(self.id, {}).items()]

    @property
    def cpu_options(self) -> dict[str, int]:
        """As DescribeInstances shows them, where moto shows none."""
        cpus = INSTANCE_TYPES[self.instance_type]["VCpuInfo"]
        return {"CoreCount": cpus["DefaultCores"], "ThreadsPerCore": cpus["DefaultThreadsPerCore"]}

    def _become(self, state: str, code: int) -> None:
        self._state = InstanceState(state, code)
        self.state_since = utcnow()


def template_of(ec2_backend, kwargs: dict) -> dict:
    """What the launch template says, if it is launched from one."""
    named = kwargs.get("launch_template")
    return ec2_backend._get_template_from_args(named).data if named else {}
