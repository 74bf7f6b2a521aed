//! What Amazon ECS and EC2 call things.

pub(in crate::config) const CLUSTER_ALLOWED: &str = "the name of an ECS cluster, or its ARN";
pub(in crate::config) const TASK_DEFINITION_ALLOWED: &str =
    "a task definition: \"family\", \"family:revision\" or its ARN";
pub(in crate::config) const LAUNCH_TEMPLATE_ALLOWED: &str =
    "a launch template: its name, 3 to 128 of a-z A-Z 0-9 ( ) . - / _, or its id, \"lt-\" and hexadecimal digits";
pub(in crate::config) const VERSION_ALLOWED: &str =
    "\"$Default\", \"$Latest\" or a version number in quotes, such as \"3\"";
pub(in crate::config) const CONTAINER_ALLOWED: &str = "the name of a container in the task definition";

pub(in crate::config) fn cluster(text: &str) -> Result<(), String> {
    if text.starts_with("arn:") { arn(text, "cluster/").and_then(plain_name) } else { plain_name(text) }
}

pub(in crate::config) fn task_definition(text: &str) -> Result<(), String> {
    let name = if text.starts_with("arn:") { arn(text, "task-definition/")? } else { text };
    let (family, revision) = name.split_once(':').map_or((name, None), |(family, revision)| (family, Some(revision)));
    plain_name(family)?;
    match revision {
        Some(revision) if !is_count(revision) => {
            Err(format!("{revision:?} is not a revision: it is a number from 1 up"))
        }
        _ => Ok(()),
    }
}

pub(in crate::config) fn launch_template(text: &str) -> Result<(), String> {
    if !(3..=128).contains(&text.len()) {
        return Err(format!("{} characters long", text.len()));
    }
    match text.chars().find(|c| !(c.is_ascii_alphanumeric() || "().-/_".contains(*c))) {
        Some(other) => Err(format!("{other:?} in it")),
        None => Ok(()),
    }
}

pub(in crate::config) fn version(text: &str) -> Result<(), String> {
    match text {
        "$Default" | "$Latest" => Ok(()),
        number if is_count(number) => Ok(()),
        _ => Err("not a version".to_owned()),
    }
}

pub(in crate::config) fn container(text: &str) -> Result<(), String> {
    plain_name(text)
}

/// What ECS allows in the names of clusters, families and containers.
fn plain_name(text: &str) -> Result<(), String> {
    if !(1..=255).contains(&text.len()) {
        return Err(format!("a name {} characters long, where 1 to 255 are allowed", text.len()));
    }
    match text.chars().find(|c| !(c.is_ascii_alphanumeric() || *c == '-' || *c == '_')) {
        Some(other) => Err(format!("{other:?} in a name, where only letters, digits, - and _ are allowed")),
        None => Ok(()),
    }
}

/// The name within `arn:partition:ecs:region:account:kind/name`.
fn arn<'a>(text: &'a str, kind: &str) -> Result<&'a str, String> {
    let mut parts = text.splitn(6, ':');
    let is_ecs = parts.nth(2) == Some("ecs");
    let name = parts.nth(2).and_then(|resource| resource.strip_prefix(kind));
    name.filter(|_| is_ecs).ok_or_else(|| format!("not an ARN of the form arn:aws:ecs:region:account:{kind}name"))
}

fn is_count(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit()) && text.parse::<u32>().is_ok_and(|number| number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Check = fn(&str) -> Result<(), String>;

    #[test]
    fn good_names() {
        let table: [(Check, &[&str]); 5] = [
            (cluster, &["default", "arn:aws:ecs:eu-west-1:123456789012:cluster/games"]),
            (
                task_definition,
                &[
                    "LaunchGameserver",
                    "LaunchGameserver:12",
                    "arn:aws-cn:ecs:cn-north-1:123456789012:task-definition/game:3",
                ],
            ),
            (launch_template, &["defaultECS", "lt-0abcdef1234567890", "a(b).c/d_e-f"]),
            (version, &["$Default", "$Latest", "1", "42"]),
            (container, &["game", "game_server-2"]),
        ];
        for (check, texts) in table {
            texts.iter().for_each(|text| assert_eq!(check(text), Ok(()), "{text}"));
        }
    }

    #[test]
    fn bad_names() {
        let table: [(Check, &[&str]); 5] = [
            (cluster, &["", "my cluster", "arn:aws:ecs:eu-west-1:123456789012:service/games", "arn:aws"]),
            (
                task_definition,
                &["", "game:", "game:0", "game:latest", "game:1:2", "arn:aws:s3:eu-west-1:1:task-definition/game"],
            ),
            (launch_template, &["", "ab", "my template", "lt_é"]),
            (version, &["", "0", "$latest", "Default", "-1", "+1"]),
            (container, &["", "game server"]),
        ];
        for (check, texts) in table {
            texts.iter().for_each(|text| assert!(check(text).is_err(), "{text}"));
        }
    }
}
