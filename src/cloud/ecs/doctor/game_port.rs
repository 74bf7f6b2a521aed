//! The port of the game: whether the manager will know it of a running task.

use aws_sdk_ecs::types::TaskDefinition;

use crate::cloud::ecs::EcsSettings;
use crate::cloud::ecs::port::{Foretold, NoPort, foretold};
use crate::doctor::Finding;

const CHECK: &str = "game port";

pub(super) fn judge(definition: &TaskDefinition, settings: &EcsSettings) -> Finding {
    let mend = match foretold(definition, settings) {
        Ok(Foretold::Fixed(port)) => return Finding::pass(CHECK, format!("{port}")),
        Ok(Foretold::Dynamic) => return Finding::pass(CHECK, "another one for each task, as the instance picks it"),
        Err(NoPort::Several(_)) => "set MANAGER_CONTAINER (aws.container) or MANAGER_CONTAINER_PORT",
        Err(NoPort::NoSuchContainer(_)) => {
            "set MANAGER_CONTAINER (aws.container) to a container of the task definition"
        }
        Err(_) => "map the game's TCP port in the task definition (portMappings), in network mode bridge or host",
    };
    let found = foretold(definition, settings).err().map(|error| error.to_string()).unwrap_or_default();
    Finding::fail(CHECK, found, mend)
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::{ContainerDefinition, PortMapping};

    use super::*;
    use crate::cloud::ecs::settings::tests::settings;
    use crate::doctor::Verdict;

    #[test]
    fn each_reason_for_no_port_has_its_mend() {
        let container = |name: &str, ports: &[i32]| {
            let mappings =
                ports.iter().map(|port| PortMapping::builder().container_port(*port).host_port(*port).build());
            ContainerDefinition::builder().name(name).set_port_mappings(Some(mappings.collect())).build()
        };
        let definition = |containers| TaskDefinition::builder().set_container_definitions(Some(containers)).build();
        let one = definition(vec![container("game", &[8000]), container("logs", &[])]);
        assert_eq!(judge(&one, &settings()), Finding::pass("game port", "8000"));
        let none = definition(vec![container("game", &[])]);
        let two = definition(vec![container("game", &[8000]), container("metrics", &[9000])]);
        let other = EcsSettings { container: Some("web".into()), ..settings() };
        for (definition, settings, mend) in [
            (&none, &settings(), "portMappings"),
            (&two, &settings(), "MANAGER_CONTAINER (aws.container) or"),
            (&two, &other, "to a container of"),
        ] {
            let finding = judge(definition, settings);
            assert_eq!(finding.result, Verdict::Fail);
            assert!(finding.mend.as_deref().unwrap_or_default().contains(mend), "{finding:?}");
        }
    }
}
