//! What the settings mean to the fleet, to its clients, and to the cloud on this machine.

use actors::model::{Address, AllocationRule, Policy};

use crate::cloud::local::{self, LocalSettings};
use crate::config::{self, Settings};
use crate::http::AnswerRules;

/// What the operator wants of the fleet.
pub fn policy(settings: &Settings) -> Policy {
    let Settings { scaling, health, launch, cloud_calls, .. } = settings;
    Policy {
        upscale_margin: scaling.upscale_margin,
        downscale_margin: scaling.downscale_margin,
        server_capacity: scaling.server_capacity,
        min_servers: scaling.min_servers,
        max_servers: scaling.max_servers,
        max_launching: launch.max_in_flight,
        allocation: match scaling.allocation {
            config::Allocation::Packed => AllocationRule::Packed,
            config::Allocation::Distributed => AllocationRule::Distributed,
        },
        hold_ttl: scaling.hold_ttl,
        health_interval: health.interval,
        health_timeout: health.timeout,
        silent_after_misses: health.misses,
        silence_grace: health.grace,
        boot_deadline: launch.boot_deadline,
        placement_deadline: launch.placement_deadline,
        healthy_deadline: launch.healthy_deadline,
        launch_backoff: launch.backoff,
        launch_backoff_max: launch.backoff_max,
        observe_interval: cloud_calls.observe_interval,
        call_timeout: cloud_calls.timeout,
    }
}

/// How clients are answered.
pub fn answer_rules(settings: &Settings) -> AnswerRules {
    AnswerRules { backup: Address::new(&settings.backup_gameserver), timeout: settings.http.answer_timeout }
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
