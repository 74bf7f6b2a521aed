//! Which port players connect to, in each of the network modes of ECS.
//!
//! In bridge mode the container's port is bound to one of the instance's, often picked by the instance itself; ECS
//! shows it in `networkBindings`, and in host mode too if the task definition maps it. In awsvpc mode, and in host
//! mode without a mapping that is shown, it is the container's own port, which the task definition knows.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::types::{NetworkMode, PortMapping, Task, TaskDefinition, TransportProtocol};
use thiserror::Error;

use super::EcsSettings;

/// Why no port can be told.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(super) enum NoPort {
    #[error("it has no container {0:?} (setting aws.container)")]
    NoSuchContainer(String),
    #[error("no TCP port {port}of {container} is open: the task definition has to map it", port = described(.port), container = named(.container))]
    NoneOpen { container: Option<String>, port: Option<u16> },
    #[error("several ports may be meant, {0}: tell which by aws.container or aws.container_port")]
    Several(String),
    #[error("its task definition {0} is not known, which would tell the port")]
    NoDefinition(String),
}

fn described(port: &Option<u16>) -> String {
    port.map(|port| format!("{port} ")).unwrap_or_default()
}

fn named(container: &Option<String>) -> String {
    container.as_ref().map_or_else(|| "any container".to_owned(), |name| format!("container {name:?}"))
}

/// A TCP port that is open, and what it leads to.
#[derive(Debug)]
struct Open<'a> {
    container: &'a str,
    container_port: Option<i32>,
    port: Option<i32>,
}

/// Whether only the task definition can tell the port of this task.
pub(super) fn is_told_by_definition(task: &Task) -> bool {
    task.containers().iter().all(|container| container.network_bindings().is_empty())
}

/// The port that players reach the task at.
pub(super) fn port_of(
    task: &Task,
    definitions: &BTreeMap<String, TaskDefinition>,
    settings: &EcsSettings,
) -> Result<u16, NoPort> {
    if !is_told_by_definition(task) {
        let names = task.containers().iter().filter_map(|container| container.name());
        return choose(names, bound(task), settings);
    }
    let arn = task.task_definition_arn().unwrap_or_default();
    let definition = definitions.get(arn).ok_or_else(|| NoPort::NoDefinition(arn.to_owned()))?;
    let names = definition.container_definitions().iter().filter_map(|container| container.name());
    let as_inside = matches!(definition.network_mode(), Some(NetworkMode::Awsvpc | NetworkMode::Host));
    let open = if as_inside { mapped(definition) } else { Vec::new() };
    match (choose(names, open, settings), settings.container_port) {
        // Without a mapping every port is open as it is: the setting tells which.
        (Err(NoPort::NoneOpen { .. }), Some(port)) if as_inside => Ok(port),
        (chosen, _) => chosen,
    }
}

/// Where the tasks of a definition will be reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Foretold {
    /// At that port.
    Fixed(u16),
    /// At one of the instance's own choice, another for each task.
    Dynamic,
}

/// The port that players will reach the tasks of this definition at, by the rules of [`port_of`].
pub(super) fn foretold(definition: &TaskDefinition, settings: &EcsSettings) -> Result<Foretold, NoPort> {
    let names = definition.container_definitions().iter().filter_map(|container| container.name());
    let mappings = tcp_mappings(definition);
    let told = |chosen: Result<u16, NoPort>| match chosen {
        Err(NoPort::Several(_)) => Err(NoPort::Several(by_container(&mappings, settings))),
        chosen => chosen,
    };
    match definition.network_mode() {
        Some(NetworkMode::Awsvpc | NetworkMode::Host) => {
            match (choose(names, mapped(definition), settings), settings.container_port) {
                (Err(NoPort::NoneOpen { .. }), Some(port)) => Ok(Foretold::Fixed(port)),
                (chosen, _) => told(chosen).map(Foretold::Fixed),
            }
        }
        Some(NetworkMode::None) => told(choose(names, Vec::new(), settings)).map(Foretold::Fixed),
        // Each mapping has a port of the host to itself, which may not be known yet: they are told apart by their
        // places here.
        _ => {
            let open = (1..).zip(&mappings).map(|(place, (container, mapping))| Open {
                container,
                container_port: mapping.container_port(),
                port: Some(place),
            });
            let place = told(choose(names, open.collect(), settings))?;
            let host_port = mappings.get(usize::from(place) - 1).and_then(|(_, mapping)| mapping.host_port());
            let fixed = host_port.and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0);
            Ok(fixed.map_or(Foretold::Dynamic, Foretold::Fixed))
        }
    }
}

/// `port 8000 of game, port 9000 of metrics`
fn by_container(mappings: &[(&str, &PortMapping)], settings: &EcsSettings) -> String {
    let meant = |container: &str| settings.container.as_deref().is_none_or(|wanted| wanted == container);
    let meant = mappings.iter().filter(|(container, _)| meant(container));
    let lines = meant
        .map(|(container, mapping)| format!("port {} of {container}", mapping.container_port().unwrap_or_default()));
    lines.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
}

fn bound(task: &Task) -> Vec<Open<'_>> {
    let bindings = task.containers().iter().flat_map(|container| {
        container.network_bindings().iter().map(move |binding| (container.name().unwrap_or_default(), binding))
    });
    bindings
        .filter(|(_, binding)| binding.protocol() != Some(&TransportProtocol::Udp))
        .map(|(container, binding)| Open {
            container,
            container_port: binding.container_port(),
            port: binding.host_port(),
        })
        .collect()
}

fn mapped(definition: &TaskDefinition) -> Vec<Open<'_>> {
    let open = tcp_mappings(definition).into_iter().map(|(container, mapping)| Open {
        container,
        container_port: mapping.container_port(),
        port: mapping.container_port(),
    });
    open.collect()
}

fn tcp_mappings(definition: &TaskDefinition) -> Vec<(&str, &PortMapping)> {
    let mappings = definition.container_definitions().iter().flat_map(|container| {
        container.port_mappings().iter().map(move |mapping| (container.name().unwrap_or_default(), mapping))
    });
    mappings.filter(|(_, mapping)| mapping.protocol() != Some(&TransportProtocol::Udp)).collect()
}

/// The one port that is open, of those that the settings allow. One port bound for IPv4 and IPv6 alike is one.
fn choose<'a>(
    mut names: impl Iterator<Item = &'a str>,
    open: Vec<Open<'_>>,
    settings: &EcsSettings,
) -> Result<u16, NoPort> {
    let (container, container_port) = (settings.container.as_deref(), settings.container_port);
    if let Some(wanted) = container
        && !names.any(|name| name == wanted)
    {
        return Err(NoPort::NoSuchContainer(wanted.to_owned()));
    }
    let candidates: Vec<&Open<'_>> = open
        .iter()
        .filter(|open| container.is_none_or(|wanted| open.container == wanted))
        .filter(|open| container_port.is_none_or(|wanted| open.container_port == Some(i32::from(wanted))))
        .collect();
    let ports: BTreeSet<u16> =
        candidates.iter().filter_map(|open| u16::try_from(open.port?).ok()).filter(|port| *port != 0).collect();
    match (ports.first(), ports.len()) {
        (Some(port), 1) => Ok(*port),
        (None, _) => Err(NoPort::NoneOpen { container: container.map(str::to_owned), port: container_port }),
        _ => Err(NoPort::Several(list(&candidates))),
    }
}

/// `32768 (port 8000 of game), 32769 (port 9000 of metrics)`
fn list(candidates: &[&Open<'_>]) -> String {
    let lines = candidates.iter().filter_map(|open| {
        Some(format!("{} (port {} of {})", open.port?, open.container_port.unwrap_or_default(), open.container))
    });
    lines.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::{Container, ContainerDefinition, NetworkBinding, PortMapping};

    use super::*;
    use crate::cloud::ecs::settings::tests::settings;

    fn binding(container_port: i32, host_port: i32, protocol: TransportProtocol) -> NetworkBinding {
        NetworkBinding::builder().container_port(container_port).host_port(host_port).protocol(protocol).build()
    }

    fn container(name: &str, bindings: &[(i32, i32)]) -> Container {
        let bindings = bindings.iter().map(|(inside, outside)| binding(*inside, *outside, TransportProtocol::Tcp));
        Container::builder().name(name).set_network_bindings(Some(bindings.collect())).build()
    }

    fn task(containers: Vec<Container>) -> Task {
        Task::builder().set_containers(Some(containers)).task_definition_arn("game:1").build()
    }

    fn definition(mode: NetworkMode, ports: &[i32]) -> BTreeMap<String, TaskDefinition> {
        let mappings = ports.iter().map(|port| PortMapping::builder().container_port(*port).build()).collect();
        let game = ContainerDefinition::builder().name("game").set_port_mappings(Some(mappings)).build();
        let definition = TaskDefinition::builder().network_mode(mode).container_definitions(game).build();
        BTreeMap::from([("game:1".to_owned(), definition)])
    }

    fn meant(container: Option<&str>, container_port: Option<u16>) -> EcsSettings {
        EcsSettings { container: container.map(str::to_owned), container_port, ..settings() }
    }

    #[test]
    fn in_bridge_mode_the_hosts_port_counts() {
        let none = BTreeMap::new();
        let dynamic = task(vec![container("game", &[(8000, 32768)]), container("logs", &[])]);
        assert_eq!(port_of(&dynamic, &none, &meant(None, None)), Ok(32768));
        let fixed = task(vec![container("game", &[(8000, 80)])]);
        assert_eq!(port_of(&fixed, &none, &meant(None, None)), Ok(80));
        let both_families = task(vec![container("game", &[(8000, 32768), (8000, 32768)])]);
        assert_eq!(port_of(&both_families, &none, &meant(None, None)), Ok(32768));
        let voice = binding(9000, 32769, TransportProtocol::Udp);
        let with_udp = Container::builder()
            .name("game")
            .network_bindings(binding(8000, 32768, TransportProtocol::Tcp))
            .network_bindings(voice);
        assert_eq!(port_of(&task(vec![with_udp.build()]), &none, &meant(None, None)), Ok(32768));
    }

    #[test]
    fn of_several_ports_the_settings_tell_which() {
        let none = BTreeMap::new();
        let several =
            task(vec![container("game", &[(8000, 32768), (8001, 32769)]), container("metrics", &[(9000, 32770)])]);
        let port = |container, port| port_of(&several, &none, &meant(container, port));
        assert_eq!(port(Some("metrics"), None), Ok(32770));
        assert_eq!(port(None, Some(8001)), Ok(32769));
        assert_eq!(port(Some("game"), Some(8000)), Ok(32768));
        let unclear = port(Some("game"), None).expect_err("two ports may be meant");
        assert_eq!(
            unclear.to_string(),
            "several ports may be meant, 32768 (port 8000 of game), 32769 (port 8001 of game): \
             tell which by aws.container or aws.container_port"
        );
        assert_eq!(port(Some("web"), None), Err(NoPort::NoSuchContainer("web".into())));
        let none_open = port(Some("metrics"), Some(8000)).expect_err("no such port");
        assert_eq!(
            none_open.to_string(),
            "no TCP port 8000 of container \"metrics\" is open: the task definition has to map it"
        );
    }

    #[test]
    fn in_awsvpc_and_host_mode_the_containers_port_counts() {
        let task = task(vec![container("game", &[])]);
        for mode in [NetworkMode::Awsvpc, NetworkMode::Host] {
            let (mapped, unmapped) = (definition(mode.clone(), &[8000]), definition(mode, &[]));
            assert_eq!(port_of(&task, &mapped, &meant(None, None)), Ok(8000));
            assert_eq!(port_of(&task, &unmapped, &meant(None, Some(7000))), Ok(7000));
            let unclear = port_of(&task, &unmapped, &meant(None, None));
            assert_eq!(unclear, Err(NoPort::NoneOpen { container: None, port: None }));
        }
    }

    #[test]
    fn a_definition_tells_beforehand_what_its_tasks_will_show() {
        let mapping =
            |inside, host: Option<i32>| PortMapping::builder().container_port(inside).set_host_port(host).build();
        let container = |name: &str, mappings: Vec<PortMapping>| {
            ContainerDefinition::builder().name(name).set_port_mappings(Some(mappings)).build()
        };
        let definition = |mode, containers| {
            TaskDefinition::builder().network_mode(mode).set_container_definitions(Some(containers)).build()
        };
        let game = |host| vec![container("game", vec![mapping(8000, host)])];
        for (mode, host, expected) in [
            (NetworkMode::Bridge, Some(80), Foretold::Fixed(80)),
            (NetworkMode::Bridge, Some(0), Foretold::Dynamic),
            (NetworkMode::Bridge, None, Foretold::Dynamic),
            (NetworkMode::Host, Some(8000), Foretold::Fixed(8000)),
            (NetworkMode::Awsvpc, None, Foretold::Fixed(8000)),
        ] {
            let told = foretold(&definition(mode.clone(), game(host)), &meant(None, None));
            assert_eq!(told, Ok(expected), "{mode:?} {host:?}");
        }
        let none = foretold(&definition(NetworkMode::None, game(None)), &meant(None, None));
        assert_eq!(none, Err(NoPort::NoneOpen { container: None, port: None }));
        let two = [game(None), vec![container("metrics", vec![mapping(9000, None), mapping(9001, Some(81))])]].concat();
        let two = definition(NetworkMode::Bridge, two);
        let unclear = foretold(&two, &meant(Some("metrics"), None));
        assert_eq!(unclear, Err(NoPort::Several("port 9000 of metrics, port 9001 of metrics".into())));
        assert_eq!(foretold(&two, &meant(Some("metrics"), Some(9001))), Ok(Foretold::Fixed(81)));
    }

    #[test]
    fn in_bridge_mode_a_port_that_is_not_bound_is_not_guessed() {
        let task = task(vec![container("game", &[])]);
        let unbound = port_of(&task, &definition(NetworkMode::Bridge, &[8000]), &meant(None, Some(8000)));
        assert_eq!(unbound, Err(NoPort::NoneOpen { container: None, port: Some(8000) }));
        assert_eq!(port_of(&task, &BTreeMap::new(), &meant(None, None)), Err(NoPort::NoDefinition("game:1".into())));
    }
}
