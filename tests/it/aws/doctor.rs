//! The doctor on AWS: a fleet that is set up well, and one mistake after the other.

use std::collections::BTreeMap;
use std::process::Output;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::api::Api;
use super::by_hand::ByHand;
use crate::support::manager::Setup;

/// `#!/bin/bash`, `echo ECS_CLUSTER=games >> /etc/ecs/ecs.config`.
const JOINS_GAMES: &str = "IyEvYmluL2Jhc2gKZWNobyBFQ1NfQ0xVU1RFUj1nYW1lcyA+PiAvZXRjL2Vjcy9lY3MuY29uZmlnCg==";

/// The same with `chess` in place of `games`.
const JOINS_CHESS: &str = "IyEvYmluL2Jhc2gKZWNobyBFQ1NfQ0xVU1RFUj1jaGVzcyA+PiAvZXRjL2Vjcy9lY3MuY29uZmlnCg==";

/// The tag of the fleet in that cluster.
const FLEET_TAG: (&str, &str) = ("playlivechess-manager:fleet", "games/playlivechess");

/// Doctors at work at the same time: the API server answers one call after the other.
const AT_ONCE: usize = 3;

/// A mistake of an operator: one setting, or several that belong together, that are other than they should be.
struct Mistake {
    settings: &'static [(&'static str, &'static str)],
    /// The check that finds it, and how it comes out.
    check: &'static str,
    result: &'static str,
    /// What its mend names.
    mend: &'static str,
}

const fn mistake(
    settings: &'static [(&'static str, &'static str)],
    check: &'static str,
    result: &'static str,
    mend: &'static str,
) -> Mistake {
    Mistake { settings, check, result, mend }
}

const TEMPLATE: &str = "ECS_INSTANCE_LAUNCH_TEMPLATE";
const DEFINITION: &str = "SERVER_TASK_DEFINITION";

const MISTAKES: [Mistake; 27] = [
    mistake(&[("AWS_REGION", "eu-west-1")], "cluster", "fail", "AWS_REGION"),
    mistake(&[("MANAGER_ECS_CLUSTER", "nowhere")], "cluster", "fail", "create-cluster --cluster-name nowhere"),
    mistake(&[("MANAGER_ECS_CLUSTER", "closed")], "cluster", "fail", "create it anew"),
    mistake(&[(TEMPLATE, "nowhere")], "launch template", "fail", TEMPLATE),
    mistake(&[("MANAGER_LAUNCH_TEMPLATE_VERSION", "99")], "launch template", "fail", "MANAGER_LAUNCH_TEMPLATE_VERSION"),
    mistake(&[(TEMPLATE, "no-image")], "image", "fail", "ECS-optimized AMI"),
    mistake(&[(TEMPLATE, "image-gone")], "image", "fail", "ECS-optimized AMI"),
    mistake(&[(TEMPLATE, "type-of-arm")], "image", "fail", "one architecture"),
    mistake(&[(TEMPLATE, "no-profile")], "instance profile", "fail", "AmazonEC2ContainerServiceforEC2Role"),
    mistake(&[(TEMPLATE, "no-user-data")], "user data", "fail", "ECS_CLUSTER=games"),
    mistake(&[(TEMPLATE, "joins-chess")], "user data", "fail", "ECS_CLUSTER=games"),
    mistake(&[(TEMPLATE, "no-such-type")], "instance type", "fail", "launch template"),
    mistake(&[(TEMPLATE, "private-subnet")], "addresses", "fail", "MapPublicIpOnLaunch"),
    mistake(&[(TEMPLATE, "no-public-address")], "addresses", "fail", "AssociatePublicIpAddress"),
    mistake(&[(TEMPLATE, "closed-to-all")], "way in for health", "fail", "TCP 9000"),
    mistake(&[(TEMPLATE, "open-to-some")], "way in for health", "warn", "the manager"),
    mistake(&[(DEFINITION, "nowhere")], "task definition", "fail", DEFINITION),
    mistake(&[(DEFINITION, "withdrawn:1")], "task definition", "fail", "a new revision"),
    mistake(&[(DEFINITION, "for-fargate")], "task definition", "warn", "requiresCompatibilities EC2"),
    mistake(&[(DEFINITION, "in-awsvpc")], "addresses", "fail", "network mode bridge"),
    mistake(&[(DEFINITION, "no-ports")], "game port", "fail", "portMappings"),
    mistake(&[(DEFINITION, "two-containers")], "game port", "fail", "aws.container"),
    mistake(&[(DEFINITION, "large")], "room for the task", "fail", "a larger instance type"),
    mistake(&[(DEFINITION, "dynamic-port")], "way in for players", "fail", "TCP 32768-60999"),
    mistake(&[("MANAGER_POOLS", "template; t9.huge")], "pools", "fail", "launch template"),
    mistake(&[("MANAGER_POOLS", "template; subnet-00000000")], "pools", "fail", "subnet"),
    mistake(&[("MANAGER_MAX_SERVERS", "33")], "quota", "warn", "--quota-code L-1216C47A --desired-value 66"),
];

/// The actions that the manager cannot do without, in groups of which no one hides another.
const NEEDED: [&[&str]; 3] = [
    &[
        "ec2:DescribeInstances",
        "ec2:DescribeInstanceStatus",
        "ecs:ListContainerInstances",
        "ecs:DescribeContainerInstances",
        "ecs:ListTasks",
        "ecs:DescribeTasks",
        "ecs:DescribeTaskDefinition",
        "ecs:ListTaskDefinitions",
    ],
    &["ec2:RunInstances", "ec2:TerminateInstances", "ecs:RunTask"],
    &["ec2:CreateTags", "ecs:StopTask", "ecs:TagResource"],
];

/// Those that only the doctor asks for, grouped so as well, and the checks that it cannot make without.
const HELPFUL: [&[(&str, &str)]; 3] = [
    &[("ecs:DescribeClusters", "cluster"), ("ec2:DescribeLaunchTemplateVersions", "launch template")],
    &[
        ("ec2:DescribeImages", "image"),
        ("ec2:DescribeInstanceTypes", "instance type"),
        ("ec2:DescribeSubnets", "addresses"),
        ("ec2:DescribeSecurityGroups", "way in for players"),
    ],
    &[("servicequotas:GetServiceQuota", "quota")],
];

/// What a doctor said.
#[derive(Debug)]
struct Report {
    status: Option<i32>,
    findings: BTreeMap<String, Value>,
}

impl Report {
    async fn of(setup: &Setup) -> Self {
        let Output { status, stdout, stderr } =
            setup.command(&["doctor", "--json"]).output().await.expect("the binary starts");
        let findings: Vec<Value> = serde_json::from_slice(&stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&stderr)));
        let findings = findings.into_iter().map(|finding| {
            let check = finding["check"].as_str().expect("a name").to_owned();
            (check, finding)
        });
        Self { status: status.code(), findings: findings.collect() }
    }

    /// The checks with that result.
    fn having(&self, result: &str) -> Vec<&str> {
        let having = self.findings.iter().filter(|(_, finding)| finding["result"] == result);
        having.map(|(check, _)| check.as_str()).collect()
    }

    fn assert_finds(&self, check: &str, result: &str, mend: &str) {
        let finding = self.findings.get(check).unwrap_or_else(|| panic!("no {check} in {self:#?}"));
        assert_eq!(finding["result"], result, "{finding:#}");
        assert!(finding["mend"].as_str().is_some_and(|named| named.contains(mend)), "{mend} is not in {finding:#}");
        assert_eq!(self.status, Some(i32::from(!self.having("fail").is_empty())), "{self:#?}");
    }
}

/// A fleet that lacks nothing, beside the things that mistakes name.
struct Clinic {
    api: Api,
    by_hand: ByHand,
    /// An image of the architecture of Intel.
    image: Value,
}

impl Clinic {
    async fn open() -> Self {
        let api = Api::start().await;
        api.tell("world", json!({ "cluster": "games", "container_port": 9000, "host_port": 9000 })).await;
        let by_hand = ByHand::on(&api).await;
        let mut clinic = Self { api, by_hand, image: Value::Null };
        clinic.call("ecs", "create_cluster", json!({ "clusterName": "closed" })).await;
        clinic.call("ecs", "delete_cluster", json!({ "cluster": "closed" })).await;
        clinic.make_templates().await;
        clinic.make_definitions().await;
        clinic
    }

    async fn call(&mut self, service: &str, operation: &str, parameters: Value) -> Value {
        self.by_hand.call(service, operation, parameters).await
    }

    async fn make_templates(&mut self) {
        let default = json!({ "Filters": [{ "Name": "default-for-az", "Values": ["true"] }] });
        let subnet = self.call("ec2", "describe_subnets", default).await["Subnets"][0].clone();
        let network = subnet["VpcId"].as_str().expect("an id").to_owned();
        let private = json!({ "VpcId": network, "CidrBlock": "172.31.255.0/28" });
        let private = self.call("ec2", "create_subnet", private).await["Subnet"]["SubnetId"].clone();
        let (open, closed, half) = (
            self.group(&network, "open", 9000, "0.0.0.0/0").await,
            self.group(&network, "closed", 22, "0.0.0.0/0").await,
            self.group(&network, "half", 9000, "10.0.0.0/8").await,
        );
        let of_intel = json!({ "Filters": [{ "Name": "architecture", "Values": ["x86_64"] }] });
        let image = self.call("ec2", "describe_images", of_intel).await["Images"][0]["ImageId"].clone();
        self.image = image.clone();
        let gone = self.call("ec2", "register_image", json!({ "Name": "gone" })).await["ImageId"].clone();
        self.call("ec2", "deregister_image", json!({ "ImageId": gone })).await;

        let good = json!({
            "ImageId": image,
            "InstanceType": "t3.small",
            "IamInstanceProfile": { "Name": "ecsInstanceRole" },
            "UserData": JOINS_GAMES,
            "SecurityGroupIds": [open],
        });
        let interface = |subnet: &Value, public: Value| {
            let interface = json!({ "DeviceIndex": 0, "SubnetId": subnet, "Groups": [open] });
            match public {
                Value::Null => json!([interface]),
                public => {
                    let mut interface = interface;
                    interface["AssociatePublicIpAddress"] = public;
                    json!([interface])
                }
            }
        };
        // A template is the good one with one thing other than it should be, or without it.
        for (name, part, other) in [
            ("games", "ImageId", image.clone()),
            ("no-image", "ImageId", Value::Null),
            ("image-gone", "ImageId", gone),
            ("type-of-arm", "InstanceType", json!("t4g.small")),
            ("no-profile", "IamInstanceProfile", Value::Null),
            ("no-user-data", "UserData", Value::Null),
            ("joins-chess", "UserData", json!(JOINS_CHESS)),
            ("no-such-type", "InstanceType", json!("t9.huge")),
            ("private-subnet", "NetworkInterfaces", interface(&private, Value::Null)),
            ("no-public-address", "NetworkInterfaces", interface(&subnet["SubnetId"], json!(false))),
            ("closed-to-all", "SecurityGroupIds", json!([closed])),
            ("open-to-some", "SecurityGroupIds", json!([half])),
        ] {
            let mut template = good.clone();
            template[part] = other;
            let parts = template.as_object_mut().expect("an object");
            parts.retain(|_, value| !value.is_null());
            if part == "NetworkInterfaces" {
                parts.remove("SecurityGroupIds");
            }
            let template = json!({ "LaunchTemplateName": name, "LaunchTemplateData": template });
            self.call("ec2", "create_launch_template", template).await;
        }
    }

    async fn make_definitions(&mut self) {
        let container = |name: &str, host_port: i64, memory: i64| {
            let mapping = json!({ "containerPort": 9000 + host_port % 2, "hostPort": host_port });
            json!({ "name": name, "image": name, "memory": memory, "portMappings": [mapping] })
        };
        let bare = json!({ "name": "game", "image": "game", "memory": 512 });
        let inside =
            json!({ "name": "game", "image": "game", "memory": 512, "portMappings": [{ "containerPort": 9000 }] });
        for (family, mode, containers) in [
            ("withdrawn", "bridge", json!([container("game", 9000, 512)])),
            ("no-ports", "bridge", json!([bare])),
            ("two-containers", "bridge", json!([container("game", 9000, 512), container("metrics", 9001, 64)])),
            ("large", "bridge", json!([container("game", 9000, 4096)])),
            ("dynamic-port", "bridge", json!([container("game", 0, 512)])),
            ("in-awsvpc", "awsvpc", json!([inside])),
        ] {
            let definition = json!({ "family": family, "networkMode": mode, "containerDefinitions": containers });
            self.call("ecs", "register_task_definition", definition).await;
        }
        self.call("ecs", "deregister_task_definition", json!({ "taskDefinition": "withdrawn:1" })).await;
        let fargate = json!({
            "family": "for-fargate", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
            "cpu": "256", "memory": "512", "containerDefinitions": [inside],
        });
        self.call("ecs", "register_task_definition", fargate).await;
    }

    async fn group(&mut self, network: &str, name: &str, port: u16, source: &str) -> Value {
        let group = json!({ "GroupName": name, "Description": name, "VpcId": network });
        let group = self.call("ec2", "create_security_group", group).await["GroupId"].clone();
        let rule = json!({ "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{ "CidrIp": source }] });
        let rule = json!({ "GroupId": group, "IpPermissions": [rule] });
        self.call("ec2", "authorize_security_group_ingress", rule).await;
        group
    }

    /// The settings of the fleet that lacks nothing. Several doctors ask at once, and the server may share a slow machine:
    /// what is answered late is not what a mistake is told by.
    fn fleet(&self) -> Setup {
        self.api
            .setup("MANAGER_MAX_SERVERS=10\nMANAGER_CLOUD_TIMEOUT=5m")
            .environment("MANAGER_ECS_CLUSTER", "games")
            .environment(TEMPLATE, "games")
            .environment("MANAGER_LISTEN", "127.0.0.1:0")
    }

    async fn look(&self) -> Report {
        Report::of(&self.fleet()).await
    }

    /// Lets nothing be done any more without permission, and gives the name of a user who may do everything.
    async fn ask_for_permissions(&mut self) -> [String; 2] {
        let mut keys = Vec::new();
        for user in ["operator", "manager"] {
            self.call("iam", "create_user", json!({ "UserName": user })).await;
            let made = self.call("iam", "create_access_key", json!({ "UserName": user })).await["AccessKey"].clone();
            let key = ["AccessKeyId", "SecretAccessKey"].map(|part| made[part].as_str().expect("text").to_owned());
            keys.push(key);
            self.allow_all_but(user, &[]).await;
        }
        self.by_hand.sign_with(keys.remove(0));
        self.api.ask_for_permissions().await;
        keys.remove(0)
    }

    async fn allow_all_but(&mut self, user: &str, denied: &[&str]) {
        let mut statements = vec![json!({ "Effect": "Allow", "Action": "*", "Resource": "*" })];
        if !denied.is_empty() {
            statements.push(json!({ "Effect": "Deny", "Action": denied, "Resource": "*" }));
        }
        let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let policy = json!({ "UserName": user, "PolicyName": "policy", "PolicyDocument": policy });
        self.call("iam", "put_user_policy", policy).await;
    }
}

#[tokio::test]
async fn each_mistake_is_found_and_its_mend_is_named() {
    let mut clinic = Clinic::open().await;
    let healthy = clinic.look().await;
    assert_eq!(healthy.status, Some(0), "{healthy:#?}");
    assert_eq!(healthy.having("pass").len(), healthy.findings.len(), "{healthy:#?}");
    assert!(NEEDED.concat().iter().all(|action| healthy.findings.contains_key(*action)), "{healthy:#?}");

    let looks = stream::iter(&MISTAKES).map(async |mistake| {
        let setup = mistake.settings.iter().fold(clinic.fleet(), |setup, (name, value)| setup.environment(name, value));
        Report::of(&setup).await.assert_finds(mistake.check, mistake.result, mistake.mend);
    });
    looks.buffer_unordered(AT_ONCE).collect::<()>().await;
    without_a_way_to_aws(&clinic).await;

    quotas(&mut clinic).await;
    for (ahead, result) in [(120, "warn"), (-600, "fail")] {
        clinic.api.tell("clock", json!({ "ahead": ahead })).await;
        clinic.look().await.assert_finds("clock", result, "timedatectl");
    }
    clinic.api.tell("clock", json!({ "ahead": 0 })).await;

    assert_eq!(clinic.api.world().await.living(), [""; 0], "nothing was launched by asking");
    without_a_permission(&mut clinic).await;
}

/// What anybody in the account runs is taken of its quota, and spot instances have one of their own.
async fn quotas(clinic: &mut Clinic) {
    let image = clinic.image.clone();
    let theirs = json!({ "ImageId": image, "InstanceType": "c5.9xlarge", "MinCount": 1, "MaxCount": 1 });
    let theirs = clinic.call("ec2", "run_instances", theirs).await["Instances"][0]["InstanceId"].clone();
    let [on_demand, on_spot] = [
        clinic.fleet().environment("MANAGER_MAX_SERVERS", "20"),
        clinic.fleet().environment("MANAGER_MAX_SERVERS", "20").environment("MANAGER_POOLS", "spot"),
    ];
    Report::of(&on_demand).await.assert_finds("quota", "warn", "--quota-code L-1216C47A --desired-value 76");
    let report = Report::of(&on_spot).await;
    assert_eq!(report.findings["pools"]["result"], "pass", "{report:#?}");
    clinic.call("ec2", "terminate_instances", json!({ "InstanceIds": [theirs] })).await;

    let limit = json!({ "action": "RunInstances", "code": "VcpuLimitExceeded", "status": 400, "times": 1 });
    clinic.api.tell("fail", limit).await;
    clinic.look().await.assert_finds("ec2:RunInstances", "warn", "quota");
}

async fn without_a_way_to_aws(clinic: &Clinic) {
    let bare = || {
        let setup = Setup::new().dot_env("").environment("AWS_ENDPOINT_URL", &clinic.api.url);
        let setup = setup.environment("AWS_EC2_METADATA_DISABLED", "true").environment("MANAGER_LISTEN", "127.0.0.1:0");
        setup.environment(TEMPLATE, "games").environment(DEFINITION, "LaunchGameserver")
    };
    Report::of(&bare()).await.assert_finds("region", "fail", "AWS_REGION");
    let without_credentials = Report::of(&bare().environment("AWS_REGION", "ap-south-1")).await;
    without_credentials.assert_finds("credentials", "fail", "AWS_ACCESS_KEY_ID");
    without_credentials.assert_finds("cluster", "unknown", "credentials");
}

async fn without_a_permission(clinic: &mut Clinic) {
    let (tag, fleet) = FLEET_TAG;
    clinic.api.launch(json!({ "task": false, "register": false, "tags": { tag: fleet } })).await;
    let [id, secret] = clinic.ask_for_permissions().await;
    let fleet = clinic.fleet().environment("AWS_ACCESS_KEY_ID", &id).environment("AWS_SECRET_ACCESS_KEY", &secret);
    let allowed = Report::of(&fleet).await;
    assert!(allowed.having("fail").is_empty() && allowed.status == Some(0), "{allowed:#?}");

    for actions in NEEDED {
        clinic.allow_all_but("manager", actions).await;
        let report = Report::of(&fleet).await;
        for action in actions {
            report.assert_finds(action, "fail", &format!("allow {action}"));
        }
        if actions.contains(&"ecs:TagResource") {
            report.assert_finds("ecs:TagResource (rollouts)", "fail", "on the revisions of the task definition");
        }
        // Nothing else is blamed on it but what shows the same.
        let blamed = report.having("fail");
        let is_so =
            |check: &&str| actions.iter().any(|action| check.starts_with(action)) || *check == "task definition";
        assert!(blamed.iter().all(is_so), "{actions:?}: {blamed:?}");
    }
    for actions in HELPFUL {
        let denied: Vec<&str> = actions.iter().map(|(action, _)| *action).collect();
        clinic.allow_all_but("manager", &denied).await;
        let report = Report::of(&fleet).await;
        assert_eq!(report.status, Some(0), "the fleet runs without {denied:?}: {report:#?}");
        for (action, check) in actions {
            assert_eq!(report.findings[*check]["result"], "unknown", "{action}: {report:#?}");
        }
    }
    let world = clinic.api.world().await;
    assert_eq!((world.living().len(), world.tasks().len()), (1, 0), "nothing was changed by asking");
}

#[tokio::test]
async fn a_manager_says_at_its_start_what_will_go_wrong() {
    let api = Api::start().await;
    let setup = api.setup("").environment("MANAGER_LAUNCH_TEMPLATE_VERSION", "99");
    let manager = setup.start().await;
    let told = manager.log.message(0, "will go wrong").await;
    assert_eq!(told["check"], "launch template", "{told}");
    assert!(told["mend"].as_str().expect("a mend").contains("MANAGER_LAUNCH_TEMPLATE_VERSION"), "{told}");
    manager.stop().await;
}

/// AWS may be slow, and a fleet must not wait for what only says more about it.
#[tokio::test]
async fn a_manager_does_not_wait_for_what_it_asks_at_its_start() {
    let api = Api::start().await;
    api.hold("GetCallerIdentity", false).await;
    let manager = api.setup("").start().await;
    manager.serves(1).await;
    manager.stop().await;
    api.release().await;
}
