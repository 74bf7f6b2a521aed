//! EC2's query protocol: forms in, XML out.

use std::collections::BTreeMap;
use std::fmt::Write;

use actors::model::{Instance, InstanceId, InstanceState, LaunchOrder, LaunchOrdinal, Pool};

use super::{Act, FLEET, page};
use crate::event::{Call, Cause, ManagerId};
use crate::world::World;
use crate::world::aws::ApiError;

/// A request's parameters, `Filter.1.Name` and so on.
type Form = BTreeMap<String, String>;

/// Reads a request: which call it is, and what is done for it.
pub(super) fn read(body: &[u8], manager: ManagerId) -> (Call, Act) {
    let form: Form = form_urlencoded::parse(body).into_owned().collect();
    match text(&form, "Action") {
        "DescribeInstances" => (Call::Read("DescribeInstances"), Box::new(move |world| describe(world, &form))),
        // Nothing is planned here: what is on its way out drains.
        "DescribeInstanceStatus" => (
            Call::Read("DescribeInstanceStatus"),
            Box::new(|_| Ok(answer("DescribeInstanceStatus", "<instanceStatusSet></instanceStatusSet>"))),
        ),
        "RunInstances" => run(&form, manager),
        "TerminateInstances" => {
            let instances: Vec<InstanceId> = list(&form, "InstanceId").iter().map(InstanceId::new).collect();
            let call = Call::Terminate { instances: instances.clone() };
            let act = move |world: &mut World| {
                world.terminate(&instances, Cause::Manager(manager))?;
                Ok(answer("TerminateInstances", "<instancesSet></instancesSet>"))
            };
            (call, Box::new(act))
        }
        action => panic!("the made-up EC2 knows no {action}"),
    }
}

fn run(form: &Form, manager: ManagerId) -> (Call, Act) {
    let tags: BTreeMap<&str, &str> = (1..)
        .map(|number| format!("TagSpecification.1.Tag.{number}"))
        .map_while(|tag| Some((form.get(&format!("{tag}.Key"))?.as_str(), form.get(&format!("{tag}.Value"))?.as_str())))
        .collect();
    assert_eq!(text(form, "TagSpecification.1.ResourceType"), "instance");
    assert_eq!(tags.get("playlivechess-manager:fleet"), Some(&FLEET), "an instance is tagged from its first moment");
    let ordinal = tags["playlivechess-manager:launch"].parse().map(LaunchOrdinal).expect("the ordinal of a launch");
    let count = text(form, "MaxCount").parse().expect("a number");
    assert_eq!(tags.get("playlivechess-manager:launch-size"), Some(&text(form, "MaxCount")));
    // The simulated pools differ by their type, and stand for subnets as well.
    let pool =
        super::KINDS.iter().position(|kind| *kind == text(form, "InstanceType")).expect("a pool's instance type");
    let pool = Pool(u32::try_from(pool).unwrap_or_default());
    // One that is not given is a new one each time.
    let token = form.get("ClientToken").cloned();
    let act = move |world: &mut World| {
        let token = token.unwrap_or_else(|| world.chance.any().to_string());
        let launched = world.run_instances(token, LaunchOrder { ordinal, count, pool }, Cause::Manager(manager))?;
        let items: String = launched.iter().map(|(id, lives)| launched_item(id, *lives)).collect();
        Ok(answer("RunInstances", &format!("<instancesSet>{items}</instancesSet>")))
    };
    (Call::RunInstances { ordinal, count, pool }, Box::new(act))
}

fn launched_item(id: &InstanceId, lives: bool) -> String {
    let (code, name) = if lives { (0, "pending") } else { (48, "terminated") };
    format!(
        "<item><instanceId>{id}</instanceId><instanceState><code>{code}</code><name>{name}</name></instanceState></item>"
    )
}

fn describe(world: &mut World, form: &Form) -> Result<String, ApiError> {
    let wanted = list(form, "Filter.1.Value");
    let shown: Vec<Instance> = match text(form, "Filter.1.Name") {
        "instance-id" => wanted.iter().filter_map(|id| world.instance_shown(&InstanceId::new(id))).collect(),
        tag => {
            assert_eq!((tag, wanted), ("tag:playlivechess-manager:fleet", vec![FLEET.to_owned()]));
            world.instances_shown()
        }
    };
    let named = shown.into_iter().map(|instance| (instance.id.to_string(), instance)).collect();
    let (instances, next) = page(named, form.get("NextToken").map(String::as_str));
    let items: String = instances.iter().map(|instance| item(world, instance)).collect();
    let next = next.map(|next| format!("<nextToken>{next}</nextToken>")).unwrap_or_default();
    Ok(answer("DescribeInstances", &format!("<reservationSet>{items}</reservationSet>{next}")))
}

fn item(world: &World, instance: &Instance) -> String {
    let (code, name) = match instance.state {
        InstanceState::Pending => (0, "pending"),
        InstanceState::Running => (16, "running"),
        InstanceState::Stopped => (80, "stopped"),
        InstanceState::Terminated => (48, "terminated"),
    };
    let mut item = format!(
        "<item><instancesSet><item><instanceId>{}</instanceId><instanceState><code>{code}</code><name>{name}</name>\
         </instanceState><launchTime>{}</launchTime>",
        instance.id,
        iso(instance.launched_at.as_micros()),
    );
    if let Some(address) = world.address_of(&instance.id) {
        // Writing to a string does not fail.
        let _ = write!(item, "<ipAddress>{address}</ipAddress><privateIpAddress>{address}</privateIpAddress>");
    }
    if instance.owned {
        let ordinal = instance.ordinal.map(|ordinal| ordinal.to_string()).unwrap_or_default();
        let _ = write!(
            item,
            "<tagSet><item><key>playlivechess-manager:fleet</key><value>{FLEET}</value></item>\
             <item><key>playlivechess-manager:launch</key><value>{ordinal}</value></item>\
             <item><key>playlivechess-manager:launch-size</key><value>{}</value></item></tagSet>",
            instance.launch_size
        );
    }
    item + "</item></instancesSet></item>"
}

fn answer(action: &str, content: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{action}Response \
         xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>1</requestId>{content}</{action}Response>"
    )
}

/// A time as AWS writes it, to the millisecond.
fn iso(micros: u64) -> String {
    let seconds = i64::try_from(micros / 1_000_000).unwrap_or_default();
    let nanos = u32::try_from(micros % 1_000_000 / 1000 * 1_000_000).unwrap_or_default();
    let time = aws_smithy_types::DateTime::from_secs_and_nanos(seconds, nanos);
    time.fmt(aws_smithy_types::date_time::Format::DateTime).expect("a time of this century")
}

fn text<'a>(form: &'a Form, name: &str) -> &'a str {
    form.get(name).map(String::as_str).unwrap_or_default()
}

fn list(form: &Form, name: &str) -> Vec<String> {
    (1..).map_while(|number| form.get(&format!("{name}.{number}")).cloned()).collect()
}
