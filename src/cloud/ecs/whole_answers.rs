//! An answer that ends early is no answer.
//!
//! HTTP tells the end of a body only where its length or its last chunk is announced, and what stands between here and
//! AWS may announce another. The SDK takes XML that breaks off for all there is, and an empty body for an empty list:
//! half the fleet would be gone in a look that counts as complete.

use std::str;

use aws_sdk_ec2::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use aws_sdk_ecs::operation::tag_resource::TagResourceOutput;

/// Refuses what ends early, in each answer of a client that it is given to.
#[derive(Clone, Copy, Debug)]
pub(super) enum WholeAnswers {
    /// Of EC2.
    Xml,
    /// Of ECS.
    Json,
}

impl Intercept for WholeAnswers {
    fn name(&self) -> &'static str {
        "WholeAnswers"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (answer, made_of_it) = (context.response(), context.output_or_error());
        let (Ok(made_of_it), true) = (made_of_it, answer.status().is_success()) else { return Ok(()) };
        let body = answer.body().bytes().unwrap_or_default();
        let is_whole = match self {
            Self::Xml => is_whole_xml(body),
            // What breaks off later is no JSON. The API reference has TagResource answer with an empty body.
            Self::Json => !body.is_empty() || made_of_it.downcast_ref::<TagResourceOutput>().is_some(),
        };
        if is_whole { Ok(()) } else { Err(format!("the answer breaks off after {} bytes", body.len()).into()) }
    }
}

/// It ends with the end of the element that it begins with, which is nowhere else in an answer of AWS.
fn is_whole_xml(body: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(body) else { return false };
    let mut elements = text.split('<').skip(1).filter(|tag| !tag.starts_with(['?', '!']));
    let root = elements.next().and_then(|tag| tag.split(|c: char| c.is_whitespace() || c == '>').next());
    root.is_some_and(|root| text.trim_end().ends_with(&format!("</{root}>")))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use actors::model::{LaunchOrder, LaunchOrdinal, Pool, Role, TaskId};
    use aws_config::retry::RetryConfig;
    use aws_config::{BehaviorVersion, SdkConfig};
    use aws_sdk_ecs::types::DesiredStatus;
    use tokio::net::TcpListener;
    use warp::Filter;

    use super::super::connection::sdk_config;
    use super::super::settings::tests::settings;
    use super::super::{AccessKeys, EcsCloud, EcsSettings};

    /// As EC2 writes it: two instances of the fleet, of which the second must not be lost.
    const INSTANCES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>1</requestId><reservationSet>
<item><instancesSet><item><instanceId>i-1</instanceId><instanceState><code>16</code><name>running</name></instanceState>
<tagSet><item><key>playlivechess-manager:fleet</key><value>default/chess</value></item></tagSet></item></instancesSet></item>
<item><instancesSet><item><instanceId>i-2</instanceId><instanceState><code>16</code><name>running</name></instanceState>
<tagSet><item><key>playlivechess-manager:fleet</key><value>default/chess</value></item></tagSet></item></instancesSet></item>
</reservationSet></DescribeInstancesResponse>
"#;

    const LAUNCHED: &str = r#"<RunInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><instancesSet>
<item><instanceId>i-1</instanceId><instanceState><code>0</code><name>pending</name></instanceState></item>
<item><instanceId>i-2</instanceId><instanceState><code>0</code><name>pending</name></instanceState></item></instancesSet>
</RunInstancesResponse>"#;

    const TASKS: &str = r#"{"taskArns": ["arn:1", "arn:2"]}"#;

    const MEMBERS: &str = r#"{"containerInstances": [{"containerInstanceArn": "arn:1", "ec2InstanceId": "i-1",
        "status": "ACTIVE", "agentConnected": true, "runningTasksCount": 1}], "failures": []}"#;

    /// Clouds whose every call gets the answer that is put there.
    struct Answering {
        config: SdkConfig,
        settings: EcsSettings,
        answer: Arc<Mutex<Vec<u8>>>,
    }

    impl Answering {
        async fn new() -> Self {
            let answer = Arc::new(Mutex::new(Vec::new()));
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let address = listener.local_addr().expect("an address");
            let put = Arc::clone(&answer);
            let aws = warp::any().map(move || put.lock().unwrap_or_else(PoisonError::into_inner).clone());
            tokio::spawn(warp::serve(aws).incoming(listener).run());
            let keys =
                AccessKeys { access_key_id: "test".into(), secret_access_key: "test".into(), session_token: None };
            let settings = EcsSettings {
                region: Some("eu-west-1".into()),
                endpoint_url: Some(format!("http://{address}")),
                credentials: Some(keys),
                ..settings()
            };
            let config =
                sdk_config(aws_config::defaults(BehaviorVersion::latest()), &settings).await.expect("a region is set");
            let once = config.into_builder().retry_config(RetryConfig::disabled()).build();
            Self { config: once, settings, answer }
        }

        /// One that has called nothing yet, so that none of its calls has to wait for AWS's buckets to fill.
        fn cloud(&self) -> EcsCloud {
            EcsCloud::over(&self.config, self.settings.clone())
        }

        /// The lengths at which a shortened answer passes for one.
        async fn taken_short<T>(&self, whole: &str, call: impl AsyncFn(&EcsCloud) -> Option<T>) -> Vec<usize> {
            let put = |bytes: &[u8]| *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = bytes.to_vec();
            put(whole.as_bytes());
            assert!(call(&self.cloud()).await.is_some(), "the whole answer is one");
            let mut taken = Vec::new();
            for length in 0..whole.trim_end().len() {
                put(&whole.as_bytes()[..length]);
                if call(&self.cloud()).await.is_some() {
                    taken.push(length);
                }
            }
            taken
        }
    }

    #[tokio::test]
    async fn no_beginning_of_an_answer_passes_for_the_whole() {
        let aws = Answering::new().await;
        let none = [0; 0];
        let taken = aws.taken_short(INSTANCES, async |cloud| cloud.owned_instances().await.ok()).await;
        assert_eq!(taken, none, "DescribeInstances");
        let order = LaunchOrder { ordinal: LaunchOrdinal(1), count: 2, pool: Pool::default() };
        let taken = aws.taken_short(LAUNCHED, async |cloud| cloud.run_instances(order).await.ok()).await;
        assert_eq!(taken, none, "RunInstances");
        let running = async |cloud: &EcsCloud| cloud.list_tasks(DesiredStatus::Running).await.ok();
        assert_eq!(aws.taken_short(TASKS, running).await, none, "ListTasks");
        let members = async |cloud: &EcsCloud| cloud.describe_members(vec!["arn:1".into()]).await.ok();
        assert_eq!(aws.taken_short(MEMBERS, members).await, none, "DescribeContainerInstances");
    }

    #[tokio::test]
    async fn an_answer_that_has_nothing_to_say_may_be_empty() {
        let aws = Answering::new().await;
        assert_eq!(aws.cloud().tag(&TaskId::new("arn:1"), Role::Standby).await, Ok(()));
    }
}
