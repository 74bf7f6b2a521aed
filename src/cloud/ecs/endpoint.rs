//! Where a running task is reached: its host's addresses, and its port.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use actors::model::{Address, Endpoint};
use aws_sdk_ec2::types::Instance;
use aws_sdk_ecs::types::{Attachment, KeyValuePair, Task, TaskDefinition};
use thiserror::Error;

use super::port::{NoPort, port_of};
use super::{EcsSettings, HealthAddress};
use crate::cloud::address_template::Placeholder;

/// The type of the attachment that is a task's own network interface, in awsvpc mode.
const OWN_INTERFACE: &str = "ElasticNetworkInterface";

/// Why it cannot be told where a task is reached. There is no guess in its place: players would be sent to nowhere.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(super) enum NoEndpoint {
    #[error("its instance is not shown")]
    NoInstance,
    #[error("instance {instance} has no {lacking}")]
    InstanceLacks { instance: String, lacking: &'static str },
    #[error(
        "its own network interface (network mode awsvpc) has no {0}: on EC2 such an interface has private addresses \
         only, so aws.address and aws.health_address have to name those"
    )]
    InterfaceLacks(&'static str),
    #[error("{0:?} is no IP address")]
    NoIp(String),
    #[error(transparent)]
    NoPort(#[from] NoPort),
}

/// Whose addresses a task has.
enum Host<'a> {
    /// Its instance's.
    Instance(&'a Instance),
    /// Those of a network interface of its own; its instance has others.
    Interface { instance: Option<&'a Instance>, private_ip: Option<&'a str>, ipv6: Option<&'a str> },
}

/// Where the task is reached: what players are told, and where its health is asked.
pub(super) fn endpoint_of(
    task: &Task,
    instance: Option<&Instance>,
    definitions: &BTreeMap<String, TaskDefinition>,
    settings: &EcsSettings,
) -> Result<Endpoint, NoEndpoint> {
    let host = Host::of(task, instance)?;
    let port = port_of(task, definitions, settings)?;
    let players = settings.address.render(|what| match what {
        Placeholder::Port => Ok(port.to_string()),
        what => host.value(what),
    })?;
    let ip = host.value(match settings.health_address {
        HealthAddress::Public => Placeholder::PublicIp,
        HealthAddress::Private => Placeholder::PrivateIp,
        HealthAddress::Ipv6 => Placeholder::Ipv6,
    })?;
    let ip: IpAddr = ip.parse().map_err(|_| NoEndpoint::NoIp(ip))?;
    Ok(Endpoint { players: Address::new(players), health: SocketAddr::new(ip, port) })
}

impl<'a> Host<'a> {
    fn of(task: &'a Task, instance: Option<&'a Instance>) -> Result<Self, NoEndpoint> {
        let own = task.attachments().iter().find(|attachment| attachment.r#type() == Some(OWN_INTERFACE));
        match (own, instance) {
            (Some(own), _) => {
                Ok(Self::Interface { instance, private_ip: private_ip_of(own), ipv6: ipv6_of(task, own) })
            }
            (None, Some(instance)) => Ok(Self::Instance(instance)),
            (None, None) => Err(NoEndpoint::NoInstance),
        }
    }

    fn value(&self, what: Placeholder) -> Result<String, NoEndpoint> {
        let (value, lacking) = match (what, self) {
            (Placeholder::PublicIp, Self::Instance(it)) => (it.public_ip_address(), "public IPv4 address"),
            (Placeholder::PublicIp, Self::Interface { .. }) => (None, "public IPv4 address"),
            (Placeholder::PrivateIp, Self::Instance(it)) => (it.private_ip_address(), "private IPv4 address"),
            (Placeholder::PrivateIp, Self::Interface { private_ip, .. }) => (*private_ip, "private IPv4 address"),
            (Placeholder::Ipv6, Self::Instance(it)) => (it.ipv6_address(), "IPv6 address"),
            (Placeholder::Ipv6, Self::Interface { ipv6, .. }) => (*ipv6, "IPv6 address"),
            (Placeholder::PublicDns, Self::Instance(it)) => (it.public_dns_name(), "public DNS name"),
            (Placeholder::PublicDns, Self::Interface { .. }) => (None, "public DNS name"),
            (Placeholder::InstanceId, Self::Instance(it)) => (it.instance_id(), "id"),
            (Placeholder::InstanceId, Self::Interface { instance, .. }) => {
                return Ok(instance.and_then(Instance::instance_id).ok_or(NoEndpoint::NoInstance)?.to_owned());
            }
            (Placeholder::Port, _) => (None, "port"),
        };
        // EC2 shows a DNS name that there is none of as an empty text.
        value.filter(|value| !value.is_empty()).map(str::to_owned).ok_or_else(|| self.lacks(lacking))
    }

    fn lacks(&self, lacking: &'static str) -> NoEndpoint {
        match self {
            Self::Instance(it) => {
                NoEndpoint::InstanceLacks { instance: it.instance_id().unwrap_or_default().to_owned(), lacking }
            }
            Self::Interface { .. } => NoEndpoint::InterfaceLacks(lacking),
        }
    }
}

fn private_ip_of(own: &Attachment) -> Option<&str> {
    own.details().iter().find(|detail| detail.name() == Some("privateIPv4Address")).and_then(KeyValuePair::value)
}

/// The containers of a task share its interface; each shows its addresses.
fn ipv6_of<'a>(task: &'a Task, own: &Attachment) -> Option<&'a str> {
    let mut shown = task.containers().iter().flat_map(|container| container.network_interfaces());
    shown.find(|interface| interface.attachment_id() == own.id()).and_then(|interface| interface.ipv6_address())
}
