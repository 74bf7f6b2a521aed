//! What settings must be to each other. A rule is skipped when a value it needs is wrong already.

use super::mistakes::{Findings, Mistake};
use super::resolve::{Resolved, Winner};

/// Checks all the rules.
pub(super) fn check(settings: &Resolved, findings: &mut Findings) {
    let broken =
        [margins(settings), server_limits(settings), backoff(settings), command(settings), credentials(settings)];
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
