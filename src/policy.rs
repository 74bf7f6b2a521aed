//! What the settings mean to the fleet, to its clients, and to its cloud.

use std::time::Duration;

use actors::model::{Address, AllocationRule, BufferPolicy, LeadTimePolicy, MarginPolicy, Policy, ToldPolicy};

#[cfg(feature = "ecs")]
use crate::cloud::ecs::{self, EcsSettings};
use crate::cloud::local::{self, LocalSettings};
use crate::config::{self, Secret, Settings};
use crate::http::{AnswerRules, ConnectionRules, DoorRules, RateRules, Tokens};
use crate::journal_file::JournalFile;
use crate::open_files;
use crate::webhook::WebhookRules;

/// The longest pause between two looks at this machine's own processes: they cost nothing and have no limit.
const LOCAL_OBSERVE_INTERVAL: Duration = Duration::from_millis(500);

/// What the operator wants of the fleet.
pub fn policy(settings: &Settings) -> Policy {
    let Settings { scaling, health, launch, rollout, cloud_calls, aws, .. } = settings;
    Policy {
        upscale_margin: scaling.upscale_margin,
        downscale_margin: scaling.downscale_margin,
        margin_policy: margin_policy(scaling, scaling.policy),
        shadow_policy: match scaling.policy_shadow {
            config::ShadowPolicy::None => None,
            config::ShadowPolicy::Of(policy) => Some(margin_policy(scaling, policy)),
        },
        // One that cannot be read did not get here.
        schedule: scaling.schedule.as_deref().and_then(|text| text.parse().ok()).unwrap_or_default(),
        server_capacity: scaling.server_capacity,
        min_servers: scaling.min_servers,
        quiet_time: Some(scaling.quiet_time),
        max_servers: scaling.max_servers,
        max_launching: launch.max_in_flight,
        allocation: match scaling.allocation {
            config::Allocation::Packed => AllocationRule::Packed,
            config::Allocation::Distributed => AllocationRule::Distributed,
        },
        hold_ttl: scaling.hold_ttl,
        sticky_ttl: settings.api.sticky_ttl,
        health_interval: health.interval,
        health_timeout: health.timeout,
        silent_after_misses: health.misses,
        silence_grace: health.grace,
        boot_deadline: launch.boot_deadline,
        placement_deadline: launch.placement_deadline,
        healthy_deadline: launch.healthy_deadline,
        launch_backoff: launch.backoff,
        launch_backoff_max: launch.backoff_max,
        rollout_surge: rollout.surge,
        rollout_failures: rollout.failures,
        pools: match settings.cloud {
            config::CloudKind::Ecs => aws.pools.count(),
            config::CloudKind::Local => 1,
        },
        intents_span_pools: aws.pools.share_a_subnet(),
        observe_interval: match settings.cloud {
            config::CloudKind::Ecs => cloud_calls.observe_interval,
            config::CloudKind::Local => cloud_calls.observe_interval.min(LOCAL_OBSERVE_INTERVAL),
        },
        call_timeout: cloud_calls.timeout,
    }
}

fn margin_policy(scaling: &config::Scaling, policy: config::ScalingPolicy) -> MarginPolicy {
    let least = scaling.least_upscale_margin;
    match policy {
        config::ScalingPolicy::Margins => MarginPolicy::Fixed,
        config::ScalingPolicy::Buffer => MarginPolicy::Buffer(BufferPolicy { percent: scaling.buffer_percent, least }),
        config::ScalingPolicy::LeadTime => {
            MarginPolicy::LeadTime(LeadTimePolicy { one_in: scaling.turned_away_one_in, least })
        }
        config::ScalingPolicy::Webhook => MarginPolicy::Told(ToldPolicy { keep: scaling.webhook_keep }),
    }
}

/// Whom to ask for margins. None: nobody, as no policy goes by it.
pub fn webhook_rules(settings: &Settings) -> Option<WebhookRules> {
    let scaling = &settings.scaling;
    let goes_by_it = scaling.policy == config::ScalingPolicy::Webhook
        || scaling.policy_shadow == config::ShadowPolicy::Of(config::ScalingPolicy::Webhook);
    let url = scaling.webhook_url.as_ref().filter(|_| goes_by_it)?.parse().ok()?;
    Some(WebhookRules { url, interval: scaling.webhook_interval, timeout: scaling.webhook_timeout })
}

/// How clients are answered, of whom so many may be connected.
pub fn answer_rules(settings: &Settings, max_connections: usize) -> AnswerRules {
    AnswerRules {
        backup: Address::new(&settings.backup_gameserver),
        timeout: settings.http.answer_timeout,
        max_wait: settings.api.max_wait,
        // The other half is for who wants an answer at once.
        max_waiting: max_connections / 2,
    }
}

/// How clients' connections are kept: no more than so many, whatever the setting says.
pub fn connection_rules(settings: &Settings, most: u64) -> ConnectionRules {
    let http = &settings.http;
    ConnectionRules {
        header_timeout: http.header_timeout,
        idle_timeout: http.idle_timeout,
        max_connections: usize::try_from(most.min(http.max_connections.into())).unwrap_or(usize::MAX),
        max_head_size: http.max_head_size as usize,
    }
}

/// How operators' connections are kept.
pub fn operator_connection_rules(settings: &Settings) -> ConnectionRules {
    connection_rules(settings, open_files::OPERATORS)
}

/// How often each client may ask for a place.
pub fn rate_rules(settings: &Settings) -> RateRules {
    RateRules { burst: settings.api.burst, rate: settings.api.rate }
}

/// Which clients are let in.
pub fn door_rules(settings: &Settings) -> DoorRules {
    let trusted_proxies = settings.api.trusted_proxies.clone();
    DoorRules { keys: settings.api.keys.as_deref().map(tokens), trusted_proxies }
}

/// This one an operator must show. None: it need not.
pub fn operations_token(settings: &Settings) -> Option<Tokens> {
    settings.operations.token.as_ref().map(std::slice::from_ref).map(tokens)
}

fn tokens(secrets: &[Secret]) -> Tokens {
    Tokens::new(secrets.iter().map(|secret| secret.reveal().to_owned()))
}

/// Where the journal is written. None: nowhere.
pub fn journal_file(settings: &Settings) -> Option<JournalFile> {
    let config::Journal { path, max_size, keep, .. } = settings.journal.clone();
    path.map(|path| JournalFile { path, max_size, keep })
}

/// The cloud on this machine. Without a command of the operator's it runs the manager's own game server.
pub fn local(settings: &Settings) -> std::io::Result<LocalSettings> {
    let config::Local { command, boot_delay, first_address, spread, first_port, stop_grace } = settings.local.clone();
    let capacity = settings.scaling.server_capacity;
    Ok(LocalSettings {
        command: if command.is_empty() { local::built_in_game_server(capacity)? } else { command },
        boot_delay,
        first_address,
        first_port,
        spread: match spread {
            config::Spread::Port => local::Spread::Ports,
            config::Spread::Address => local::Spread::Addresses,
        },
        stop_grace,
    })
}

/// A setting that ECS cannot do without, and that the configuration should not have passed without.
#[cfg(feature = "ecs")]
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0} is not set, and ECS cannot do without it")]
pub struct NotSet(&'static str);

/// The cloud on Amazon ECS.
///
/// # Errors
/// When a setting is missing that the rules of the configuration ask for.
#[cfg(feature = "ecs")]
pub fn ecs(settings: &Settings) -> Result<EcsSettings, NotSet> {
    let aws = settings.aws.clone();
    let credentials = aws.access_key_id.zip(aws.secret_access_key).map(|(id, key)| ecs::AccessKeys {
        access_key_id: id.reveal().to_owned(),
        secret_access_key: key.reveal().to_owned(),
        session_token: aws.session_token.as_ref().map(Secret::reveal).map(str::to_owned),
    });
    Ok(EcsSettings {
        region: aws.region,
        profile: aws.profile,
        endpoint_url: aws.endpoint_url,
        credentials,
        fleet: settings.fleet.clone(),
        cluster: aws.cluster,
        task_definition: aws.task_definition.ok_or(NotSet("aws.task_definition"))?,
        launch_template: aws.launch_template.ok_or(NotSet("aws.launch_template"))?,
        launch_template_version: aws.launch_template_version,
        pools: aws.pools,
        address: aws.address,
        health_address: match aws.health_address {
            config::HealthAddress::Public => ecs::HealthAddress::Public,
            config::HealthAddress::Private => ecs::HealthAddress::Private,
            config::HealthAddress::Ipv6 => ecs::HealthAddress::Ipv6,
        },
        container: aws.container,
        container_port: aws.container_port,
        call_timeout: settings.cloud_calls.timeout,
    })
}
