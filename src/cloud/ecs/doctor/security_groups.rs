//! Whether the security groups let players and the manager in.

use actors::ports::CloudError;
use aws_sdk_ec2::types::{Filter, IpPermission, ResponseLaunchTemplateData, SecurityGroup, Subnet};
use aws_sdk_ecs::types::TaskDefinition;

use super::Read;
use super::unanswered::unanswered;
use crate::cloud::ecs::errors::failed;
use crate::cloud::ecs::port::{Foretold, foretold};
use crate::cloud::ecs::{EcsCloud, EcsSettings};
use crate::doctor::Finding;

const PLAYERS: &str = "way in for players";
const HEALTH: &str = "way in for health";

/// What an ECS-optimized image lets Docker pick of: `/proc/sys/net/ipv4/ip_local_port_range`.
const DYNAMIC: (i32, i32) = (32_768, 60_999);

impl EcsCloud {
    /// The groups of the launch template, or the default one of the network.
    pub(super) async fn groups(
        &self,
        template: &ResponseLaunchTemplateData,
        subnets: &[Subnet],
    ) -> Read<Vec<SecurityGroup>> {
        let of_interface = template.network_interfaces().first().map(|it| it.groups().to_vec()).unwrap_or_default();
        let ids = [template.security_group_ids(), &of_interface].concat();
        let names = template.security_groups().to_vec();
        let call = self.ec2.describe_security_groups();
        let filter = |name: &str, values: Vec<String>| Filter::builder().name(name).set_values(Some(values)).build();
        let call = if !ids.is_empty() {
            call.set_group_ids(Some(ids))
        } else {
            let names = if names.is_empty() { vec!["default".to_owned()] } else { names };
            let networks = subnets.iter().filter_map(Subnet::vpc_id).map(str::to_owned).collect();
            call.filters(filter("group-name", names)).filters(filter("vpc-id", networks))
        };
        match call.send().await.map_err(failed("DescribeSecurityGroups")) {
            Ok(answer) => Ok(answer.security_groups.unwrap_or_default()),
            Err(CloudError::NotFound(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// How far the groups let others in to the game's port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Open {
    /// No rule covers it.
    ToNobody,
    /// Some rule covers some of the ports that it may be.
    InPart,
    /// Rules cover it, for some addresses, groups or prefix lists.
    ToSome,
    /// A rule covers it for every address.
    ToAll,
}

pub(super) fn judge(
    groups: &Read<Vec<SecurityGroup>>,
    definition: &TaskDefinition,
    settings: &EcsSettings,
) -> Vec<Finding> {
    let groups = match groups {
        Ok(groups) if groups.is_empty() => {
            let mend = "name security groups of the instances' network in the launch template";
            let found = "those of the launch template are not there";
            return [PLAYERS, HEALTH].map(|check| Finding::fail(check, found, mend)).into();
        }
        Ok(groups) => groups,
        Err(error) => {
            return [PLAYERS, HEALTH].map(|check| unanswered(check, "ec2:DescribeSecurityGroups", error)).into();
        }
    };
    // Without a port there is nothing to be let in to; the game port's own check tells why.
    let Ok(port) = foretold(definition, settings) else { return Vec::new() };
    let ports = match port {
        Foretold::Fixed(port) => (port.into(), port.into()),
        Foretold::Dynamic => DYNAMIC,
    };
    let told = if ports.0 == ports.1 { format!("TCP {}", ports.0) } else { format!("TCP {}-{}", ports.0, ports.1) };
    let ids = groups.iter().filter_map(SecurityGroup::group_id).collect::<Vec<_>>().join(", ");
    let rules: Vec<&IpPermission> = groups.iter().flat_map(SecurityGroup::ip_permissions).collect();
    let open = rules.iter().map(|rule| open_by(rule, ports)).max().unwrap_or(Open::ToNobody);
    vec![players(open, &ids, &told), health(open, &ids, &told)]
}

fn players(open: Open, ids: &str, ports: &str) -> Finding {
    let mend = format!("add a rule to {ids} that lets 0.0.0.0/0 in to {ports}");
    match open {
        Open::ToAll => Finding::pass(PLAYERS, format!("{ids} lets everybody in to {ports}")),
        Open::ToSome => Finding::warn(
            PLAYERS,
            format!("{ids} lets some addresses in to {ports}, not all"),
            format!("{mend}, unless all players come through a proxy that is among those"),
        ),
        Open::InPart => Finding::warn(PLAYERS, format!("{ids} lets nobody in to all of {ports}"), mend),
        Open::ToNobody => Finding::fail(PLAYERS, format!("no rule of {ids} covers {ports}"), mend),
    }
}

fn health(open: Open, ids: &str, ports: &str) -> Finding {
    let mend = format!("add a rule to {ids} that lets the manager in to {ports}");
    match open {
        Open::ToAll => Finding::pass(HEALTH, format!("{ids} lets everybody in to {ports}")),
        Open::ToSome => Finding::warn(
            HEALTH,
            format!("{ids} lets some addresses in to {ports}; it cannot be told whether the manager is among them"),
            format!("{mend}, unless it is: by its security group, or its address"),
        ),
        Open::InPart => Finding::warn(HEALTH, format!("{ids} lets nobody in to all of {ports}"), mend),
        Open::ToNobody => Finding::fail(HEALTH, format!("no rule of {ids} covers {ports}"), mend),
    }
}

fn open_by(rule: &IpPermission, (first, last): (i32, i32)) -> Open {
    /// All protocols and all ports, in AWS's way of putting it.
    const ALL: &str = "-1";
    let (from, to) = match rule.ip_protocol() {
        Some(ALL) => (0, 65_535),
        Some("tcp" | "6") => (rule.from_port().unwrap_or(0), rule.to_port().unwrap_or(65_535)),
        _ => return Open::ToNobody,
    };
    if to < first || last < from {
        return Open::ToNobody;
    }
    if from > first || to < last {
        return Open::InPart;
    }
    let everybody = rule.ip_ranges().iter().any(|range| range.cidr_ip() == Some("0.0.0.0/0"))
        || rule.ipv6_ranges().iter().any(|range| range.cidr_ipv6() == Some("::/0"));
    if everybody { Open::ToAll } else { Open::ToSome }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{IpRange, UserIdGroupPair};
    use aws_sdk_ecs::types::{ContainerDefinition, PortMapping};

    use super::*;
    use crate::cloud::ecs::settings::tests::settings;
    use crate::doctor::Verdict;

    fn judged(rules: Vec<IpPermission>, host_port: i32) -> (Verdict, Verdict) {
        let mapping = PortMapping::builder().container_port(8000).host_port(host_port).build();
        let game = ContainerDefinition::builder().name("game").port_mappings(mapping).build();
        let definition = TaskDefinition::builder().container_definitions(game).build();
        let group = SecurityGroup::builder().group_id("sg-1").set_ip_permissions(Some(rules)).build();
        let findings = judge(&Ok(vec![group]), &definition, &settings());
        (findings[0].result, findings[1].result)
    }

    fn rule(protocol: &str, from: i32, to: i32, source: &str) -> IpPermission {
        let source = IpRange::builder().cidr_ip(source).build();
        IpPermission::builder().ip_protocol(protocol).from_port(from).to_port(to).ip_ranges(source).build()
    }

    #[test]
    fn a_way_in_is_one_that_covers_the_port() {
        const ALL: &str = "0.0.0.0/0";
        let (pass, warn, fail) = (Verdict::Pass, Verdict::Warn, Verdict::Fail);
        for (rules, host_port, result) in [
            (vec![], 8000, fail),
            (vec![rule("tcp", 8000, 8000, ALL)], 8000, pass),
            (vec![rule("tcp", 22, 22, ALL), rule("tcp", 7000, 9000, ALL)], 8000, pass),
            (vec![rule("tcp", 22, 22, ALL)], 8000, fail),
            (vec![rule("udp", 8000, 8000, ALL)], 8000, fail),
            (vec![rule("tcp", 8000, 8000, "10.0.0.0/8")], 8000, warn),
            (vec![rule("tcp", 8000, 8000, ALL)], 0, fail),
            (vec![rule("tcp", 32_768, 40_000, ALL)], 0, warn),
            (vec![rule("tcp", 32_768, 60_999, ALL)], 0, pass),
        ] {
            assert_eq!(judged(rules.clone(), host_port), (result, result), "{rules:?} {host_port}");
        }
        let any = IpPermission::builder().ip_protocol("-1").user_id_group_pairs(UserIdGroupPair::builder().build());
        assert_eq!(judged(vec![any.build()], 8000), (warn, warn));
    }

    #[test]
    fn groups_that_are_not_there_let_nobody_in() {
        let findings = judge(&Ok(vec![]), &TaskDefinition::builder().build(), &settings());
        assert!(findings.iter().all(|finding| finding.result == Verdict::Fail), "{findings:?}");
        let denied = Err(CloudError::Denied("no".into()));
        let findings = judge(&denied, &TaskDefinition::builder().build(), &settings());
        assert!(findings.iter().all(|finding| finding.result == Verdict::Unknown), "{findings:?}");
    }
}
