//! The protocol of ECS: JSON in, JSON out.

use actors::model::{InstanceId, Registration, Revision, Role, RolloutState, Task, TaskId, TaskState};
use serde_json::{Value, json};

use super::{Act, page};
use crate::event::{Call, Cause, ManagerId};
use crate::world::World;
use crate::world::aws::{ApiError, PORT};
use crate::world::revisions::FAMILY;

/// The ARN of an instance's place in the cluster begins so.
const MEMBER: &str = "member/";
/// The ARN of somebody else's task begins so.
const OTHER: &str = "other/";
/// The ARN of a revision begins so.
const DEFINITION: &str = "task-definition/";
const ROLE_TAG: &str = "playlivechess-manager:role";
const ROLLOUT_TAG: &str = "playlivechess-manager:rollout:playlivechess-";
/// The 32-bit FNV-1a hash of the cluster's name.
const CLUSTER_HASH: &str = "933b5bde";

/// Reads a request: which call it is, and what is done for it.
pub(super) fn read(action: &str, body: &[u8], manager: ManagerId) -> (Call, Act) {
    let request: Value = serde_json::from_slice(body).expect("the SDK writes JSON");
    let by = Cause::Manager(manager);
    match action {
        "ListContainerInstances" => reading("ListContainerInstances", request, list_members),
        "DescribeContainerInstances" => reading("DescribeContainerInstances", request, describe_members),
        "ListTasks" => reading("ListTasks", request, list_tasks),
        "DescribeTasks" => reading("DescribeTasks", request, describe_tasks),
        "DescribeTaskDefinition" => definition(request),
        "ListTaskDefinitions" => reading("ListTaskDefinitions", request, list_definitions),
        "RunTask" => run_task(&request, by),
        "StopTask" => {
            let task = TaskId::new(text(&request["task"]));
            let call = Call::StopTask { task: task.clone() };
            (call, Box::new(move |world| world.stop_task(&task, by).map(|()| json!({ "task": {} }).to_string())))
        }
        "TagResource" => {
            let (arn, tag) = (text(&request["resourceArn"]), &request["tags"][0]);
            if let Some(name) = arn.strip_prefix(DEFINITION) {
                return mark(Revision::new(name), tag, by);
            }
            let task = TaskId::new(arn);
            assert_eq!(tag["key"], ROLE_TAG, "one tag is written: {request}");
            let role = if tag["value"] == "standby" { Role::Standby } else { Role::Available };
            let call = Call::Tag { task: task.clone(), role };
            (call, Box::new(move |world| world.tag(&task, role).map(|()| "{}".to_owned())))
        }
        action => panic!("the made-up ECS knows no {action}"),
    }
}

type Read = fn(&mut World, &Value) -> Value;

fn reading(action: &'static str, request: Value, read: Read) -> (Call, Act) {
    (Call::Read(action), Box::new(move |world| Ok(read(world, &request).to_string())))
}

fn list_members(world: &mut World, request: &Value) -> Value {
    let members: Vec<InstanceId> = world.machines_known();
    let shown = members.into_iter().filter(|id| world.member_shown(id).is_some());
    let arns = shown.map(|id| format!("{MEMBER}{id}")).map(|arn| (arn.clone(), arn)).collect();
    let (page, next) = page(arns, request["nextToken"].as_str());
    json!({ "containerInstanceArns": page, "nextToken": next })
}

fn describe_members(world: &mut World, request: &Value) -> Value {
    let (mut members, mut failures) = (Vec::new(), Vec::new());
    for arn in texts(&request["containerInstances"]) {
        let id = InstanceId::new(arn.trim_start_matches(MEMBER));
        match world.member_shown(&id) {
            Some(registration) => members.push(member(world, &id, registration)),
            None => failures.push(json!({ "arn": arn, "reason": "MISSING" })),
        }
    }
    json!({ "containerInstances": members, "failures": failures })
}

fn member(world: &World, id: &InstanceId, registration: Registration) -> Value {
    let Registration { joined_at, connected, foreign_tasks } = registration;
    let (running, pending) = world.task_counts(id);
    json!({
        "containerInstanceArn": format!("{MEMBER}{id}"),
        "ec2InstanceId": id.as_str(),
        "status": if world.drains(id) { "DRAINING" } else { "ACTIVE" },
        "agentConnected": connected,
        "registeredAt": joined_at.as_micros() as f64 / 1e6,
        "runningTasksCount": running + u32::from(foreign_tasks),
        "pendingTasksCount": pending,
    })
}

fn list_tasks(world: &mut World, request: &Value) -> Value {
    let stopped = request["desiredStatus"] == "STOPPED";
    let member = request["containerInstance"].as_str().map(|arn| InstanceId::new(arn.trim_start_matches(MEMBER)));
    assert!(member.is_some() || request["family"] == FAMILY, "only the fleet's tasks are listed: {request}");
    let shown = world.tasks_shown().into_iter().filter(|task| {
        let is_there = member.is_none() || task.instance == member;
        is_there && (task.state == TaskState::Stopped) == stopped
    });
    let mut arns: Vec<String> = shown.map(|task| task.id.to_string()).collect();
    if let Some(id) = member.filter(|id| world.member_shown(id).is_some_and(|member| member.foreign_tasks)) {
        arns.push(format!("{OTHER}{id}"));
    }
    arns.sort();
    let (page, next) = page(arns.into_iter().map(|arn| (arn.clone(), arn)).collect(), request["nextToken"].as_str());
    json!({ "taskArns": page, "nextToken": next })
}

fn describe_tasks(world: &mut World, request: &Value) -> Value {
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for arn in texts(&request["tasks"]) {
        match world.task_shown(&TaskId::new(arn)) {
            Some(shown) => tasks.push(task(&shown)),
            None => failures.push(json!({ "arn": arn, "reason": "MISSING" })),
        }
    }
    json!({ "tasks": tasks, "failures": failures })
}

fn task(task: &Task) -> Value {
    let (last, desired) = match task.state {
        TaskState::Pending => ("PENDING", "RUNNING"),
        TaskState::Running(_) => ("RUNNING", "RUNNING"),
        TaskState::Stopped => ("STOPPED", "STOPPED"),
    };
    let bindings = json!([{ "bindIP": "0.0.0.0", "containerPort": PORT, "hostPort": PORT, "protocol": "tcp" }]);
    let is_running = matches!(task.state, TaskState::Running(_));
    let tags = if task.role == Role::Standby { json!([{ "key": ROLE_TAG, "value": "standby" }]) } else { json!([]) };
    json!({
        "taskArn": task.id.as_str(),
        "taskDefinitionArn": format!("{DEFINITION}{}", task.revision),
        "containerInstanceArn": task.instance.as_ref().map(|id| format!("{MEMBER}{id}")),
        "lastStatus": last,
        "desiredStatus": desired,
        "startedAt": task.started_at.map(|at| at.as_micros() as f64 / 1e6),
        "containers": [{ "name": "game", "networkBindings": if is_running { bindings } else { json!([]) } }],
        "tags": tags,
    })
}

/// One that is named, or the newest of the family.
fn definition(request: Value) -> (Call, Act) {
    let act = move |world: &mut World| {
        let name = text(&request["taskDefinition"]).trim_start_matches(DEFINITION);
        let revision = if name == FAMILY { world.newest_shown() } else { Revision::new(name) };
        let state = world.revision_shown(&revision).ok_or(ApiError::NotFound)?;
        let (_, number) = revision.as_str().rsplit_once(':').ok_or(ApiError::NotFound)?;
        let answer = json!({
            "taskDefinition": {
                "taskDefinitionArn": format!("{DEFINITION}{revision}"),
                "family": FAMILY,
                "revision": number.parse::<u32>().map_err(|_| ApiError::NotFound)?,
                "networkMode": "bridge",
                "containerDefinitions": [{
                    "name": "game",
                    "portMappings": [{ "containerPort": PORT, "hostPort": PORT, "protocol": "tcp" }],
                }],
            },
            "tags": [{ "key": format!("{ROLLOUT_TAG}{CLUSTER_HASH}"), "value": state.name() }],
        });
        Ok(answer.to_string())
    };
    (Call::Read("DescribeTaskDefinition"), Box::new(act))
}

fn list_definitions(world: &mut World, request: &Value) -> Value {
    assert_eq!((&request["familyPrefix"], &request["sort"]), (&json!(FAMILY), &json!("DESC")));
    let arns = world.revisions_shown().into_iter().map(|revision| format!("{DEFINITION}{revision}"));
    json!({ "taskDefinitionArns": arns.collect::<Vec<_>>() })
}

fn mark(revision: Revision, tag: &Value, by: Cause) -> (Call, Act) {
    assert_eq!(tag["key"], format!("{ROLLOUT_TAG}{CLUSTER_HASH}"), "one tag is written");
    let states = [RolloutState::Active, RolloutState::Paused, RolloutState::RolledBack];
    let state = states.into_iter().find(|state| tag["value"] == state.name()).expect("a state");
    let call = Call::Mark { revision: revision.clone(), state };
    (call, Box::new(move |world| world.mark(&revision, state, by).map(|()| "{}".to_owned())))
}

fn run_task(request: &Value, by: Cause) -> (Call, Act) {
    let constraints = request["placementConstraints"].as_array().cloned().unwrap_or_default();
    let alone = constraints.iter().any(|constraint| constraint["type"] == "distinctInstance");
    let here = constraints.iter().filter_map(|constraint| constraint["expression"].as_str());
    let instance = here.filter_map(|expression| expression.strip_prefix("ec2InstanceId == ")).next();
    let instance = InstanceId::new(instance.expect("a task is placed on one instance"));
    let token = request["clientToken"].as_str().map(str::to_owned);
    let revision = Revision::new(text(&request["taskDefinition"]).trim_start_matches(DEFINITION));
    let shown = token.clone().unwrap_or_default();
    let call = Call::RunTask { instance: instance.clone(), token: shown, revision: revision.clone() };
    let act = move |world: &mut World| {
        let token = token.unwrap_or_else(|| world.chance.any().to_string());
        match world.run_task(token, &instance, &revision, alone, by) {
            Ok(task) => Ok(json!({ "tasks": [{ "taskArn": task.as_str() }], "failures": [] }).to_string()),
            // A placement that fails is told in an answer with status 200.
            Err(ApiError::Refused(reason)) => {
                let failure = json!({ "arn": format!("{MEMBER}{instance}"), "reason": reason });
                Ok(json!({ "tasks": [], "failures": [failure] }).to_string())
            }
            Err(error) => Err(error),
        }
    };
    (call, Box::new(act))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}
