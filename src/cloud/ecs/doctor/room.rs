//! Whether the game's task fits on an instance of the type, alone.

use aws_sdk_ec2::types::InstanceTypeInfo;
use aws_sdk_ecs::types::TaskDefinition;

use super::instance_type::{memory, vcpus};
use crate::doctor::Finding;

const CHECK: &str = "room for the task";

/// CPU units of one vCPU.
const UNITS: i64 = 1024;

/// In percent, what a system and the agent take of an instance's memory before ECS is told of it, and some more: a
/// t3.small registers 1,939 MiB of its 2,048.
const TAKEN: i64 = 8;

/// What ECS subtracts for a task of what an instance registers.
fn needs(definition: &TaskDefinition) -> (i64, i64) {
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
    let containers = definition.container_definitions();
    // "If you specify memoryReservation, then that value is subtracted from the available memory resources for the
    // container instance where the container is placed. Otherwise, the value of memory is used."
    let memory = containers.iter().filter_map(|container| container.memory_reservation().or(container.memory()));
    let memory = number(definition.memory()).unwrap_or_else(|| memory.map(i64::from).sum());
    let cpu = number(definition.cpu()).unwrap_or_else(|| containers.iter().map(|it| i64::from(it.cpu())).sum());
    (memory, cpu)
}

pub(super) fn judge(definition: &TaskDefinition, kind: &InstanceTypeInfo) -> Finding {
    let ((memory_needed, cpu_needed), has, cpu) = (needs(definition), memory(kind), vcpus(kind) * UNITS);
    let name = kind.instance_type().map_or("the instance type", |name| name.as_str());
    let found = format!("{name} has {has} MiB and {cpu} CPU units, the task takes {memory_needed} and {cpu_needed}");
    let mend = "give the launch template a larger instance type, or the task definition less memory and cpu";
    if memory_needed > has || cpu_needed > cpu {
        Finding::fail(CHECK, found, mend)
    } else if memory_needed * 100 > has * (100 - TAKEN) {
        Finding::warn(CHECK, format!("{found}: the system and the agent need some {TAKEN} % of the memory"), mend)
    } else {
        Finding::pass(CHECK, found)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{MemoryInfo, VCpuInfo};
    use aws_sdk_ecs::types::ContainerDefinition;

    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn the_agent_needs_room_too() {
        let kind = InstanceTypeInfo::builder()
            .memory_info(MemoryInfo::builder().size_in_mib(2048).build())
            .v_cpu_info(VCpuInfo::builder().default_v_cpus(2).build())
            .build();
        let container = |memory, cpu| ContainerDefinition::builder().memory(memory).cpu(cpu).build();
        for (memory, cpu, result) in [
            (1024, 2048, Verdict::Pass),
            (1884, 0, Verdict::Pass),
            (1939, 0, Verdict::Warn),
            (2049, 0, Verdict::Fail),
            (512, 2049, Verdict::Fail),
        ] {
            let definition = TaskDefinition::builder().container_definitions(container(memory, cpu)).build();
            assert_eq!(judge(&definition, &kind).result, result, "{memory} {cpu}");
        }
        let whole = TaskDefinition::builder().memory("4096").container_definitions(container(128, 0)).build();
        assert_eq!(judge(&whole, &kind).result, Verdict::Fail, "the task's own size goes before its containers'");
        let soft = ContainerDefinition::builder().memory(4096).memory_reservation(512).build();
        let soft = TaskDefinition::builder().container_definitions(soft).build();
        assert_eq!(judge(&soft, &kind).result, Verdict::Pass, "what is reserved counts, not the limit");
    }
}
