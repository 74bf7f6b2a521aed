"""The quotas of EC2, of which moto knows none."""

from moto.servicequotas.exceptions import NoSuchResource
from moto.servicequotas.models import ServiceQuotasBackend

moto_get_service_quota = ServiceQuotasBackend.get_service_quota

# vCPUs that the account has of each, by the quota's code, once AWS has raised them from a new account's 5 for a small
# fleet: "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", "All Standard (…) Spot Instance Requests".
VCPUS = {"L-1216C47A": 64.0, "L-34B43A08": 64.0}


def install() -> None:
    ServiceQuotasBackend.get_service_quota = get_service_quota


def get_service_quota(backend: ServiceQuotasBackend, service_code: str, quota_code: str) -> dict:
    if service_code != "ec2":
        return moto_get_service_quota(backend, service_code, quota_code)
    if quota_code not in VCPUS:
        raise NoSuchResource
    return {"ServiceCode": service_code, "QuotaCode": quota_code, "Value": VCPUS[quota_code]}
