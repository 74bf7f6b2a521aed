//! What settings must be to each other. A rule is skipped when a value it needs is wrong already.

use std::net::SocketAddr;

use super::mistakes::{Findings, Mistake};
use super::resolve::{Resolved, Winner};
use super::shapes::token;

/// Checks all the rules.
pub(super) fn check(settings: &Resolved, findings: &mut Findings) {
    let broken = [
        margins(settings),
        server_limits(settings),
        backoff(settings),
        command(settings),
        credentials(settings),
        listeners(settings),
        one_token(settings),
        good_token(settings),
        guarded(settings),
        webhook(settings),
    ];
    findings.mistakes.extend(broken.into_iter().flatten().chain(needed_on_ecs(settings)));
}

fn mistake(winners: &[&Winner], wrong: impl Into<String>, allowed: impl Into<String>) -> Mistake {
    let found = winners.iter().map(|winner| winner.found()).collect();
    Mistake { found, wrong: wrong.into(), allowed: allowed.into() }
}

/// With margins closer than one server's places, the server that is added for the lower one crosses the upper one.
fn margins(settings: &Resolved) -> Option<Mistake> {
    let up = settings.get("scaling.upscale_margin")?;
    let down = settings.get("scaling.downscale_margin")?;
    let capacity = settings.get("scaling.server_capacity")?;
    let (apart, places) = (down.integer()? - up.integer()?, capacity.integer()?);
    (apart <= places).then(|| {
        let wrong = format!("the margins are {apart} apart, one server has {places} places: the fleet would flap");
        mistake(&[down, up, capacity], wrong, "downscale_margin - upscale_margin > server_capacity")
    })
}

fn server_limits(settings: &Resolved) -> Option<Mistake> {
    let (min, max) = (settings.get("scaling.min_servers")?, settings.get("scaling.max_servers")?);
    (min.integer()? > max.integer()?)
        .then(|| mistake(&[min, max], "the minimum is above the maximum", "min_servers <= max_servers"))
}

fn backoff(settings: &Resolved) -> Option<Mistake> {
    let (first, longest) = (settings.get("launch.backoff")?, settings.get("launch.backoff_max")?);
    (first.duration()? > longest.duration()?)
        .then(|| mistake(&[first, longest], "the first pause is longer than the longest", "backoff <= backoff_max"))
}

/// A command that leaves out what differs starts every server at the same place.
fn command(settings: &Resolved) -> Option<Mistake> {
    let (command, spread) = (settings.get("local.command")?, settings.get("local.spread")?);
    let needed = if spread.text()? == "port" { "{port}" } else { "{ip}" };
    let line = command.text()?;
    (!line.is_empty() && !line.contains(needed)).then(|| {
        let wrong = format!("no {needed} in the command, though it is what tells two servers apart");
        mistake(&[command, spread], wrong, format!("{needed} in the command, or another spread"))
    })
}

/// Half a pair of credentials would be passed over in silence, and others used.
fn credentials(settings: &Resolved) -> Option<Mistake> {
    let [id, key, token] =
        ["access_key_id", "secret_access_key", "session_token"].map(|name| settings.get(&format!("aws.{name}")));
    let alone = match (id, key) {
        (Some(_), Some(_)) => return None,
        (id, key) => id.or(key).or(token)?,
    };
    let allowed = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY together, AWS_SESSION_TOKEN only with them";
    Some(mistake(&[alone], "half of a pair of credentials", allowed))
}

/// The second to listen would find its place taken.
fn listeners(settings: &Resolved) -> Option<Mistake> {
    let (clients, operators) = (settings.get("listen")?, settings.get("operations.listen")?);
    let (one, other): (SocketAddr, SocketAddr) = (clients.text()?.parse().ok()?, operators.text()?.parse().ok()?);
    let everywhere = one.ip().is_unspecified() || other.ip().is_unspecified();
    let is_same = one.port() == other.port() && one.port() != 0 && (everywhere || one.ip() == other.ip());
    is_same.then(|| {
        mistake(&[clients, operators], "clients and operators at the same place", "another port for one of them")
    })
}

fn one_token(settings: &Resolved) -> Option<Mistake> {
    let (token, file) = (settings.get("operations.token")?, settings.get("operations.token_file")?);
    Some(mistake(&[token, file], "two tokens, and which one is meant is not known", "one of the two"))
}

fn good_token(settings: &Resolved) -> Option<Mistake> {
    let token = settings.get("operations.token")?;
    token::check(token.text()?).err().map(|wrong| mistake(&[token], wrong, token::ALLOWED))
}

/// Whoever reaches the operators' address can steer the fleet, unless it takes a token.
fn guarded(settings: &Resolved) -> Option<Mistake> {
    let listen = settings.get("operations.listen")?;
    let address: SocketAddr = listen.text()?.parse().ok()?;
    let is_open = ["operations.token", "operations.token_file"].iter().all(|path| settings.is_unset(path));
    (is_open && !address.ip().to_canonical().is_loopback()).then(|| {
        let wrong = "other machines reach this address, and without a token whoever does can steer the fleet";
        let allowed = "MANAGER_OPERATIONS_TOKEN or operations.token_file, of 16 or more characters; or an address of \
            this machine alone, such as \"127.0.0.1:8001\"; or \"off\"";
        mistake(&[listen], wrong, allowed)
    })
}

/// A policy by the word of a service needs to know which.
fn webhook(settings: &Resolved) -> Option<Mistake> {
    let by_it = |path| settings.get(path).filter(|policy| policy.text() == Some("webhook"));
    let policy = by_it("scaling.policy").or_else(|| by_it("scaling.policy_shadow"))?;
    settings.is_unset("scaling.webhook_url").then(|| {
        let allowed = "scaling.webhook_url, for example \"http://127.0.0.1:8080/margins\"; or another policy";
        mistake(&[policy], "scaling.webhook_url is not set: nobody can be asked", allowed)
    })
}

fn needed_on_ecs(settings: &Resolved) -> Vec<Mistake> {
    let Some(cloud) = settings.get("cloud").filter(|cloud| cloud.text() == Some("ecs")) else {
        return Vec::new();
    };
    let missing = [
        ("aws.task_definition", "SERVER_TASK_DEFINITION, the task definition of the game server"),
        ("aws.launch_template", "ECS_INSTANCE_LAUNCH_TEMPLATE, the launch template of its instances"),
    ];
    let missing = missing.iter().filter(|(path, _)| settings.is_unset(path));
    let told = missing.map(|(path, what)| {
        let allowed = format!("{what}; or --local (cloud = \"local\"), which needs no AWS");
        mistake(&[cloud], format!("{path} is not set, and ECS cannot do without it"), allowed)
    });
    told.collect()
}
