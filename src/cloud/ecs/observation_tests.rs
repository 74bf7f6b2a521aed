//! What AWS shows, and what the fleet is told of it.

use actors::model::{Address, Revision, Role};
use aws_sdk_ec2::types::Tag as Ec2Tag;
use aws_sdk_ecs::types::{Attachment, Container, KeyValuePair, NetworkBinding, NetworkInterface, NetworkMode, Tag};

use super::*;
use crate::cloud::ecs::settings::tests::settings;
use crate::cloud::ecs::{HealthAddress, ROLE_TAG};

const BEGUN_AT: Timestamp = Timestamp::from_secs(1_700_000_100);

fn instance(id: &str, state: InstanceStateName) -> ec2::builders::InstanceBuilder {
    ec2::Instance::builder()
        .instance_id(id)
        .state(ec2::InstanceState::builder().name(state).build())
        .launch_time(DateTime::from_secs(1_700_000_000))
        .public_ip_address("203.0.113.7")
        .private_ip_address("10.0.0.7")
        .ipv6_address("2001:db8::7")
        .public_dns_name("ec2-203-0-113-7.example.com")
}

fn owned(id: &str, fleet: &str, ordinal: &str) -> ec2::Instance {
    instance(id, InstanceStateName::Running)
        .tags(Ec2Tag::builder().key(FLEET_TAG).value(fleet).build())
        .tags(Ec2Tag::builder().key(LAUNCH_TAG).value(ordinal).build())
        .build()
}

fn member(arn: &str, instance: &str) -> ecs::builders::ContainerInstanceBuilder {
    ecs::ContainerInstance::builder()
        .container_instance_arn(arn)
        .ec2_instance_id(instance)
        .status("ACTIVE")
        .agent_connected(true)
        .registered_at(DateTime::from_secs_and_nanos(1_700_000_050, 250_000_000))
}

fn task(last_status: &str, desired_status: &str) -> ecs::builders::TaskBuilder {
    let binding = NetworkBinding::builder().container_port(8000).host_port(32768).build();
    ecs::Task::builder()
        .task_arn("task-1")
        .task_definition_arn("arn:aws:ecs:ap-south-1:1:task-definition/game:1")
        .container_instance_arn("member-1")
        .last_status(last_status)
        .desired_status(desired_status)
        .containers(Container::builder().name("game").network_bindings(binding).build())
        .started_at(DateTime::from_secs(1_700_000_060))
}

/// One owned instance in the cluster with that task on it.
fn shown(task: ecs::Task) -> Shown {
    Shown {
        instances: vec![owned("i-1", "default/chess", "3")],
        members: vec![member("member-1", "i-1").build()],
        tasks: vec![task],
        ..Shown::default()
    }
}

fn observe(shown: &Shown, settings: &EcsSettings) -> (Observation, Unreachable) {
    observation(shown, settings, BEGUN_AT).expect("a readable look")
}

fn state_and_complaint(shown: &Shown, settings: &EcsSettings) -> (TaskState, Option<String>) {
    let (observation, unreachable) = observe(shown, settings);
    (observation.tasks[0].state.clone(), unreachable.values().next().map(ToString::to_string))
}

fn running(players: &str, health: &str) -> TaskState {
    let health = health.parse().expect("an address");
    TaskState::Running(actors::model::Endpoint { players: Address::new(players), health })
}

#[test]
fn a_game_server_is_shown_with_its_instance() {
    let (observation, unreachable) = observe(&shown(task("RUNNING", "RUNNING").build()), &settings());
    assert!(unreachable.is_empty());
    assert_eq!(
        observation.instances,
        [Instance {
            id: InstanceId::new("i-1"),
            owned: true,
            ordinal: Some(LaunchOrdinal(3)),
            launch_size: 1,
            state: InstanceState::Running,
            launched_at: Timestamp::from_secs(1_700_000_000),
            leaving: false,
            registration: Some(Registration {
                joined_at: Timestamp::from_micros(1_700_000_050_250_000),
                connected: true,
                foreign_tasks: false,
            }),
        }]
    );
    assert_eq!(
        observation.tasks,
        [Task {
            id: TaskId::new("task-1"),
            instance: Some(InstanceId::new("i-1")),
            state: running("203.0.113.7:32768", "203.0.113.7:32768"),
            revision: Revision::new("game:1"),
            role: Role::Available,
            started_at: Some(Timestamp::from_secs(1_700_000_060)),
        }]
    );
}

#[test]
fn a_task_is_running_only_while_it_is_meant_to() {
    let running = running("203.0.113.7:32768", "203.0.113.7:32768");
    for (last, desired, state) in [
        ("PROVISIONING", "RUNNING", TaskState::Pending),
        ("PENDING", "RUNNING", TaskState::Pending),
        ("ACTIVATING", "RUNNING", TaskState::Pending),
        ("RUNNING", "RUNNING", running),
        ("RUNNING", "STOPPED", TaskState::Stopped),
        ("PENDING", "STOPPED", TaskState::Stopped),
        ("DEACTIVATING", "RUNNING", TaskState::Stopped),
        ("STOPPING", "RUNNING", TaskState::Stopped),
        ("DEPROVISIONING", "STOPPED", TaskState::Stopped),
        ("STOPPED", "STOPPED", TaskState::Stopped),
    ] {
        let shown = shown(task(last, desired).build());
        assert_eq!(state_and_complaint(&shown, &settings()), (state, None), "{last} {desired}");
    }
}

#[test]
fn a_standby_tag_survives_a_restart() {
    let tag = Tag::builder().key(ROLE_TAG).value("standby").build();
    let (observation, _) = observe(&shown(task("RUNNING", "RUNNING").tags(tag).build()), &settings());
    assert_eq!(observation.tasks[0].role, Role::Standby);
}

#[test]
fn only_the_fleets_own_name_makes_an_instance_its_own() {
    let instances = vec![
        owned("i-1", "default/chess", "3"),
        owned("i-2", "go", "4"),
        instance("i-3", InstanceStateName::Running).build(),
        owned("i-4", "default/chess", "three"),
    ];
    let (observation, _) = observe(&Shown { instances, ..Shown::default() }, &settings());
    let ownership = observation.instances.iter().map(|instance| (instance.owned, instance.ordinal));
    let expected = [(true, Some(3)), (false, Some(4)), (false, None), (true, None)];
    assert_eq!(ownership.collect::<Vec<_>>(), expected.map(|(owned, number)| (owned, number.map(LaunchOrdinal))));
}

#[test]
fn instances_are_shown_in_every_state() {
    for (name, state) in [
        (InstanceStateName::Pending, InstanceState::Pending),
        (InstanceStateName::Running, InstanceState::Running),
        (InstanceStateName::Stopping, InstanceState::Stopped),
        (InstanceStateName::Stopped, InstanceState::Stopped),
        (InstanceStateName::ShuttingDown, InstanceState::Terminated),
        (InstanceStateName::Terminated, InstanceState::Terminated),
        (InstanceStateName::from("hibernating"), InstanceState::Running),
    ] {
        let instances = vec![instance("i-1", name.clone()).build()];
        let (observation, _) = observe(&Shown { instances, ..Shown::default() }, &settings());
        assert_eq!(observation.instances[0].state, state, "{name}");
    }
}

#[test]
fn a_member_takes_tasks_while_it_is_active_and_its_agent_answers() {
    for (status, agent, connected) in
        [("ACTIVE", true, true), ("ACTIVE", false, false), ("DRAINING", true, false), ("REGISTERING", true, false)]
    {
        let members = vec![member("member-1", "i-1").status(status).agent_connected(agent).build()];
        let shown = Shown { instances: vec![owned("i-1", "default/chess", "3")], members, ..Shown::default() };
        let shown = observe(&shown, &settings()).0.instances[0].clone();
        assert_eq!(shown.registration.expect("a member").connected, connected, "{status} {agent}");
        assert_eq!(shown.leaving, status == "DRAINING", "a spot notice, or an operator who empties the machine");
    }
}

#[test]
fn an_instance_that_joined_again_is_the_newer_member() {
    let newer = member("member-2", "i-1").registered_at(DateTime::from_secs(1_700_000_090)).build();
    let members = vec![newer, member("member-1", "i-1").agent_connected(false).build()];
    let shown = Shown { instances: vec![owned("i-1", "default/chess", "3")], members, ..Shown::default() };
    let registration = observe(&shown, &settings()).0.instances[0].registration.expect("a member");
    assert_eq!((registration.joined_at, registration.connected), (Timestamp::from_secs(1_700_000_090), true));
}

#[test]
fn somebody_elses_tasks_are_told_of() {
    let shown = Shown { shared: BTreeSet::from(["member-1".into()]), ..shown(task("RUNNING", "RUNNING").build()) };
    let registration = observe(&shown, &settings()).0.instances[0].registration.expect("a member");
    assert!(registration.foreign_tasks);
}

#[test]
fn a_time_that_is_not_shown_counts_as_now() {
    let shown = Shown {
        instances: vec![ec2::Instance::builder().instance_id("i-1").build()],
        members: vec![ecs::ContainerInstance::builder().ec2_instance_id("i-1").build()],
        ..Shown::default()
    };
    let instance = &observe(&shown, &settings()).0.instances[0];
    let joined_at = instance.registration.expect("a member").joined_at;
    assert_eq!((instance.launched_at, joined_at), (BEGUN_AT, BEGUN_AT));
}

#[test]
fn what_has_no_name_makes_the_look_unreadable() {
    let nameless_instance = Shown { instances: vec![ec2::Instance::builder().build()], ..Shown::default() };
    let nameless_task = Shown { tasks: vec![ecs::Task::builder().build()], ..Shown::default() };
    for shown in [nameless_instance, nameless_task] {
        let error = observation(&shown, &settings(), BEGUN_AT).expect_err("a gap");
        assert_eq!(error.kind(), "unanswered");
    }
}

#[test]
fn players_and_health_have_addresses_of_their_own() {
    let shown = shown(task("RUNNING", "RUNNING").build());
    for (address, health_address, state) in [
        ("{public_ip}:{port}", HealthAddress::Private, running("203.0.113.7:32768", "10.0.0.7:32768")),
        ("{ipv6}:{port}", HealthAddress::Ipv6, running("[2001:db8::7]:32768", "[2001:db8::7]:32768")),
        (
            "{public_dns}:{port}",
            HealthAddress::Public,
            running("ec2-203-0-113-7.example.com:32768", "203.0.113.7:32768"),
        ),
        ("{instance_id}.example.com:443", HealthAddress::Public, running("i-1.example.com:443", "203.0.113.7:32768")),
    ] {
        let settings = EcsSettings { address: address.parse().expect(address), health_address, ..settings() };
        assert_eq!(state_and_complaint(&shown, &settings), (state, None), "{address}");
    }
}

#[test]
fn a_running_task_that_cannot_be_reached_waits_and_says_why() {
    let reachable = shown(task("RUNNING", "RUNNING").build());
    let no_public_address = instance("i-1", InstanceStateName::Running).set_public_ip_address(None).build();
    let no_binding = task("RUNNING", "RUNNING").set_containers(None).task_definition_arn("game:1").build();
    for (shown, complaint) in [
        (
            Shown { instances: vec![no_public_address], ..shown(task("RUNNING", "RUNNING").build()) },
            "instance i-1 has no public IPv4 address",
        ),
        (Shown { instances: vec![], ..reachable }, "its instance is not shown"),
        (shown(no_binding), "its task definition game:1 is not known, which would tell the port"),
    ] {
        assert_eq!(state_and_complaint(&shown, &settings()), (TaskState::Pending, Some(complaint.to_owned())));
    }
}

/// A task in awsvpc mode: an interface of its own, no bindings, the port in the task definition.
fn with_own_interface() -> Shown {
    let address = KeyValuePair::builder().name("privateIPv4Address").value("10.0.9.9").build();
    let own = Attachment::builder().id("eni-attach-1").r#type("ElasticNetworkInterface").details(address);
    let interface = NetworkInterface::builder().attachment_id("eni-attach-1").ipv6_address("2001:db8::9");
    let container = Container::builder().name("game").network_interfaces(interface.build());
    let task = task("RUNNING", "RUNNING")
        .set_containers(Some(vec![container.build()]))
        .attachments(own.build())
        .task_definition_arn("game:1");
    let mapping = ecs::PortMapping::builder().container_port(8000).build();
    let game = ecs::ContainerDefinition::builder().name("game").port_mappings(mapping).build();
    let definition = TaskDefinition::builder().network_mode(NetworkMode::Awsvpc).container_definitions(game).build();
    Shown { definitions: BTreeMap::from([("game:1".into(), definition)]), ..shown(task.build()) }
}

#[test]
fn a_task_with_an_interface_of_its_own_is_reached_there_and_not_at_its_instance() {
    let shown = with_own_interface();
    for (address, health_address, state) in [
        ("{private_ip}:{port}", HealthAddress::Private, running("10.0.9.9:8000", "10.0.9.9:8000")),
        ("{ipv6}:{port}", HealthAddress::Ipv6, running("[2001:db8::9]:8000", "[2001:db8::9]:8000")),
        ("{instance_id}:{port}", HealthAddress::Private, running("i-1:8000", "10.0.9.9:8000")),
    ] {
        let settings = EcsSettings { address: address.parse().expect(address), health_address, ..settings() };
        assert_eq!(state_and_complaint(&shown, &settings), (state, None), "{address}");
    }
    let (state, complaint) = state_and_complaint(&shown, &settings());
    assert_eq!(state, TaskState::Pending);
    let complaint = complaint.expect("a public address is asked for, and there is none");
    assert!(complaint.contains("awsvpc") && complaint.contains("no public IPv4 address"), "{complaint}");
}
