//! A manager that starts where ten thousand servers run: how often it asks AWS, and when it answers its first client.
//!
//! The adapter for ECS and the SDK are the real ones. AWS is made up here, for it has pages of the sizes that the real one
//! has, and takes its time for each.
#![cfg(feature = "aws")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actors::fleet_supervisor::{FleetArgs, FleetMsg, FleetSupervisor};
use actors::journal::Journal;
use actors::model::{HealthAnswer, Policy, Timestamp};
use actors::ports::{Clock, HealthProbe, HealthProbes, ProbeError};
use async_trait::async_trait;
use aws_config::BehaviorVersion;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use playlivechess_manager::cloud::ecs::{AccessKeys, EcsCloud, EcsSettings, HealthAddress};
use ractor::call_t;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

const SERVERS: usize = 10_000;

/// How long AWS takes for an answer.
const LATENCY: Duration = Duration::from_millis(50);

/// What ECS lists, and describes, at once: "up to 100 results", "up to 100 tasks" (ECS API Reference).
const ECS_PAGE: usize = 100;

/// What EC2 gives at most: "between 5 and 1000" (EC2 API Reference, DescribeInstances).
const EC2_PAGE: usize = 1000;

/// The calls that were made, by name.
type Calls = Arc<Mutex<BTreeMap<String, usize>>>;

/// Ten thousand servers that stand, each alone on an instance.
#[derive(Clone, Debug, Default)]
struct Aws(Calls);

impl HttpClient for Aws {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let calls = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            sleep(LATENCY).await;
            let body = request.body().bytes().unwrap_or_default();
            let target = request.headers().get("x-amz-target").and_then(|target| target.split_once('.'));
            let (action, answer) = match target {
                Some((_, action)) => (action.to_owned(), ecs(action, &serde_json::from_slice(body).expect("JSON"))),
                None => {
                    let form: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
                    (form["Action"].clone(), ec2(&form))
                }
            };
            *calls.lock().unwrap_or_else(PoisonError::into_inner).entry(action).or_default() += 1;
            Ok(HttpResponse::new(StatusCode::try_from(200).expect("a status"), SdkBody::from(answer)))
        })
    }
}

fn ecs(action: &str, request: &Value) -> String {
    let stopped = request["desiredStatus"] == "STOPPED";
    let answer = match action {
        "ListTasks" if stopped => json!({ "taskArns": [] }),
        "ListTasks" => list("task", "taskArns", request),
        "ListContainerInstances" => list("member", "containerInstanceArns", request),
        "DescribeTasks" => json!({ "tasks": named(&request["tasks"]).map(task).collect::<Vec<_>>() }),
        "DescribeContainerInstances" => {
            json!({ "containerInstances": named(&request["containerInstances"]).map(member).collect::<Vec<_>>() })
        }
        "DescribeTaskDefinition" => json!({ "taskDefinition": {
            "taskDefinitionArn": "task-definition/game:1", "family": "game", "revision": 1, "networkMode": "bridge",
            "containerDefinitions": [{ "name": "game", "portMappings": [{ "containerPort": 8000, "protocol": "tcp" }] }],
        }}),
        "ListTaskDefinitions" => json!({ "taskDefinitionArns": ["task-definition/game:1"] }),
        action => panic!("nothing but reading is to be done, and no {action}"),
    };
    answer.to_string()
}

fn list(kind: &str, field: &str, request: &Value) -> Value {
    let from: usize = request["nextToken"].as_str().map_or(0, |token| token.parse().expect("a token of ours"));
    let until = (from + ECS_PAGE).min(SERVERS);
    let arns: Vec<String> = (from..until).map(|number| format!("{kind}/{number:05}")).collect();
    json!({ field: arns, "nextToken": (until < SERVERS).then(|| until.to_string()) })
}

fn named(arns: &Value) -> impl Iterator<Item = &str> {
    let arns = arns.as_array().expect("a list");
    assert!(arns.len() <= ECS_PAGE, "{} at once", arns.len());
    arns.iter().map(|arn| arn.as_str().and_then(|arn| arn.split_once('/')).expect("an ARN of ours").1)
}

fn task(number: &str) -> Value {
    json!({
        "taskArn": format!("task/{number}"), "taskDefinitionArn": "task-definition/game:1",
        "containerInstanceArn": format!("member/{number}"), "lastStatus": "RUNNING", "desiredStatus": "RUNNING",
        "startedAt": 1_800_000_000, "tags": [],
        "containers": [{ "name": "game", "networkBindings": [
            { "bindIP": "0.0.0.0", "containerPort": 8000, "hostPort": 8000, "protocol": "tcp" },
        ]}],
    })
}

fn member(number: &str) -> Value {
    json!({
        "containerInstanceArn": format!("member/{number}"), "ec2InstanceId": format!("i-{number}"), "status": "ACTIVE",
        "agentConnected": true, "registeredAt": 1_800_000_000, "runningTasksCount": 1, "pendingTasksCount": 0,
    })
}

fn ec2(form: &BTreeMap<String, String>) -> String {
    let (items, next) = match (form["Action"].as_str(), form.get("Filter.1.Name").map(String::as_str)) {
        ("DescribeInstances", Some("instance-id")) => {
            let ids = (1..).map_while(|value| form.get(&format!("Filter.1.Value.{value}")));
            (ids.map(|id| instance(id.trim_start_matches("i-"))).collect(), None)
        }
        ("DescribeInstances", _) => {
            let from: usize = form.get("NextToken").map_or(0, |token| token.parse().expect("a token of ours"));
            let most: usize = form.get("MaxResults").map_or(EC2_PAGE, |most| most.parse().expect("a number"));
            let until = (from + most.min(EC2_PAGE)).min(SERVERS);
            let items: String = (from..until).map(|number| instance(&format!("{number:05}"))).collect();
            (items, (until < SERVERS).then_some(until))
        }
        ("DescribeInstanceStatus", _) => (String::new(), None),
        (action, _) => panic!("nothing but reading is to be done, and no {action}"),
    };
    let set = if form["Action"] == "DescribeInstances" { "reservationSet" } else { "instanceStatusSet" };
    let next = next.map(|next| format!("<nextToken>{next}</nextToken>")).unwrap_or_default();
    let action = &form["Action"];
    format!(
        "<{action}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><{set}>{items}</{set}>{next}</{action}Response>"
    )
}

fn instance(number: &str) -> String {
    let address = address(number.parse().expect("a number"));
    format!(
        "<item><instancesSet><item><instanceId>i-{number}</instanceId><instanceState><code>16</code><name>running</name>\
         </instanceState><launchTime>2027-01-15T08:00:00.000Z</launchTime><ipAddress>{address}</ipAddress>\
         <tagSet><item><key>playlivechess-manager:fleet</key><value>default/games</value></item></tagSet>\
         </item></instancesSet></item>"
    )
}

fn address(number: usize) -> String {
    format!("10.0.{}.{}", number / 250, number % 250 + 1)
}

/// Each server answers at once.
struct Answering;

impl HealthProbes for Answering {
    fn probe(&self, _: SocketAddr) -> Box<dyn HealthProbe> {
        Box::new(Self)
    }
}

#[async_trait]
impl HealthProbe for Answering {
    async fn ask(&mut self) -> Result<HealthAnswer, ProbeError> {
        Ok(HealthAnswer { available_capacity: 5, ready_to_close: false })
    }
}

fn settings() -> EcsSettings {
    let keys = AccessKeys { access_key_id: "made up".into(), secret_access_key: "too".into(), session_token: None };
    EcsSettings {
        region: Some("eu-west-1".into()),
        profile: None,
        endpoint_url: Some("http://aws.invalid".into()),
        credentials: Some(keys),
        fleet: "games".into(),
        cluster: "default".into(),
        task_definition: "game".into(),
        launch_template: "games".into(),
        launch_template_version: "$Default".into(),
        pools: "c7i.large".parse().expect("good pools"),
        address: "{public_ip}:{port}".parse().expect("a good template"),
        health_address: HealthAddress::Public,
        container: None,
        container_port: None,
        call_timeout: Duration::from_secs(30),
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_among_ten_thousand_servers_asks_no_more_than_it_must_and_answers_from_the_first_page_on() {
    let aws = Aws::default();
    let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(aws.clone());
    let loader = loader.sleep_impl(TokioSleep::new());
    let cloud = Arc::new(EcsCloud::connect_by(loader, settings()).await.expect("a region is set"));
    let policy = Policy {
        server_capacity: 5,
        upscale_margin: 4,
        downscale_margin: u32::MAX / 2,
        max_servers: 10_000,
        ..Policy::default()
    };
    let begun = Instant::now();
    let args = FleetArgs {
        policy,
        cloud,
        concurrency: 8,
        probes: Arc::new(Answering),
        polling: Handle::current(),
        background: Handle::current(),
        clock: Clock::starting_at(Timestamp::from_secs(1_800_100_000)),
        journal: Journal::default(),
    };
    let (fleet, _) = FleetSupervisor::spawn(args).await.expect("a fleet starts");
    let answered = loop {
        sleep(Duration::from_millis(10)).await;
        if call_t!(fleet, FleetMsg::Allocate, 10_000).expect("an answer").is_some() {
            break begun.elapsed();
        }
    };
    let complete = loop {
        sleep(Duration::from_millis(10)).await;
        if call_t!(fleet, FleetMsg::Ready, 10_000).expect("an answer") {
            break begun.elapsed();
        }
    };
    let calls = aws.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    println!("first client answered after {answered:?}, all known after {complete:?}, by {calls:?}");
    let servers = call_t!(fleet, FleetMsg::List, 10_000).expect("an answer").expect("they are known");
    assert!(!servers.is_empty());

    // Lists and descriptions of tasks and members by the hundred, instances by the thousand; a list of what has stopped,
    // what is planned for instances, and the revision that is to run.
    let pages = SERVERS / ECS_PAGE;
    let fewest = 4 * pages + SERVERS / EC2_PAGE + 4;
    let made: usize = calls.values().sum();
    assert!(made * 10 <= fewest * 11, "{made} calls, and {fewest} are the fewest: {calls:?}");
    // Four calls, one after the other, and a second at most until a server is first asked for its health.
    assert!(answered < 4 * LATENCY + Duration::from_millis(1200), "{answered:?}");
    assert!(complete > 2 * answered, "all was known as early: {complete:?} and {answered:?}");
}
