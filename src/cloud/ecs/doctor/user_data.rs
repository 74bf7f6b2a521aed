//! Which cluster the instances join: what their user data says to the ECS agent.

use aws_smithy_types::base64;

use crate::doctor::Finding;

const CHECK: &str = "user data";

/// What the agent joins when it is told nothing.
const BY_ITSELF: &str = "default";

/// What user data says of a cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Says {
    /// That one.
    Joins(String),
    /// It sets up the agent in a way that cannot be read here.
    Unclear(&'static str),
    /// Nothing of a cluster.
    Nothing,
}

pub(super) fn judge(user_data: Option<&str>, cluster: &str) -> Finding {
    let mend = format!(
        "put this into the user data of a new version of the launch template, after #!/bin/bash: \
         echo ECS_CLUSTER={cluster} >> /etc/ecs/ecs.config"
    );
    let given = user_data.filter(|text| !text.is_empty());
    let says = given.map_or(Says::Nothing, |encoded| match base64::decode(encoded.trim()) {
        Ok(bytes) => said(&bytes),
        Err(_) => Says::Unclear("it is no base64"),
    });
    match says {
        Says::Joins(joined) if joined == cluster => Finding::pass(CHECK, format!("instances join {joined}")),
        Says::Joins(joined) => {
            Finding::fail(CHECK, format!("instances join {joined}, and the fleet is in {cluster}"), mend)
        }
        Says::Unclear(why) => Finding::warn(
            CHECK,
            format!("it cannot be told which cluster instances join: {why}"),
            format!("see that they join {cluster}"),
        ),
        Says::Nothing if cluster == BY_ITSELF => {
            Finding::pass(CHECK, format!("names no cluster: instances join {BY_ITSELF}"))
        }
        Says::Nothing => {
            let found = if given.is_some() { "names no cluster" } else { "there is none" };
            Finding::fail(CHECK, format!("{found}: instances join {BY_ITSELF}, and the fleet is in {cluster}"), mend)
        }
    }
}

/// User data is a script, cloud-init's YAML, Bottlerocket's TOML, or several of these in MIME parts.
fn said(bytes: &[u8]) -> Says {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    if bytes.starts_with(&GZIP) {
        return Says::Unclear("it is compressed");
    }
    let text = String::from_utf8_lossy(bytes);
    let text = format!("{text}\n{}", encoded_parts(&text));
    if let Some(cluster) = in_agents_settings(&text).or_else(|| in_bottlerockets(&text)) {
        return if cluster.contains('$') { Says::Unclear("a variable names it") } else { Says::Joins(cluster) };
    }
    // AWS's own guide has ecs.config fetched from S3, as one way.
    if text.contains("ecs.config") { Says::Unclear("ecs.config comes from elsewhere") } else { Says::Nothing }
}

/// The last `ECS_CLUSTER=` counts, as it does for the agent; not one in a comment.
fn in_agents_settings(text: &str) -> Option<String> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let mut named = lines.filter_map(|line| line.split_once("ECS_CLUSTER=")).map(|(_, value)| value);
    named.next_back().map(first_word).filter(|name| !name.is_empty())
}

/// `cluster = "games"` in the section `[settings.ecs]`.
fn in_bottlerockets(text: &str) -> Option<String> {
    let (_, section) = text.split_once("[settings.ecs]")?;
    let lines = section.lines().skip(1).map(str::trim).take_while(|line| !line.starts_with('['));
    let mut values = lines.filter_map(|line| line.split_once('=')).filter(|(name, _)| name.trim() == "cluster");
    values.next().map(|(_, value)| first_word(value.trim())).filter(|name| !name.is_empty())
}

fn first_word(text: &str) -> String {
    let ends = |c: char| c.is_whitespace() || "\"'`;|&>\\".contains(c);
    text.trim_start_matches(['"', '\'']).split(ends).next().unwrap_or_default().to_owned()
}

/// The MIME parts that are encoded once more, in clear.
fn encoded_parts(text: &str) -> String {
    let is_encoded = |part: &str| {
        part.lines().any(|line| line.to_ascii_lowercase().replace(' ', "") == "content-transfer-encoding:base64")
    };
    let Some(boundary) = boundary(text) else { return String::new() };
    let delimiter = format!("--{boundary}");
    let parts = text.split(&delimiter).map(|part| part.replace('\r', "")).filter(|part| is_encoded(part));
    let bodies = parts.filter_map(|part| {
        let (_, body) = part.trim_start().split_once("\n\n")?;
        base64::decode(body.split_whitespace().collect::<String>()).ok()
    });
    bodies.map(|body| String::from_utf8_lossy(&body).into_owned()).collect::<Vec<_>>().join("\n")
}

fn boundary(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("boundary=")?;
    rest.trim_start_matches('"').split(['"', ';', '\r', '\n']).next().filter(|boundary| !boundary.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    fn judged(text: &str, cluster: &str) -> Verdict {
        judge(Some(&base64::encode(text)), cluster).result
    }

    #[test]
    fn a_cluster_is_found_in_each_form_that_user_data_has() {
        let encoded = base64::encode("#!/bin/sh\necho ECS_CLUSTER=games >> /etc/ecs/ecs.config\n");
        let encoded = format!(
            "Content-Type: multipart/mixed; boundary=\"==B==\"\nMIME-Version: 1.0\n\n--==B==\n\
             Content-Type: text/x-shellscript\nContent-Transfer-Encoding: base64\n\n{encoded}\n--==B==--\n"
        );
        for text in [
            "#!/bin/bash\necho ECS_CLUSTER=games >> /etc/ecs/ecs.config",
            "#!/bin/bash\necho \"ECS_CLUSTER=games\" >> /etc/ecs/ecs.config",
            "#!/bin/bash\ncat <<'EOF' >> /etc/ecs/ecs.config\nECS_CLUSTER=games\nECS_LOGLEVEL=warn\nEOF\n",
            "#!/bin/bash\necho ECS_CLUSTER=old >> /etc/ecs/ecs.config\necho ECS_CLUSTER='games'>>/etc/ecs/ecs.config",
            "#cloud-config\nwrite_files:\n- path: /etc/ecs/ecs.config\n  content: |\n    ECS_CLUSTER=games\n",
            "[settings.ecs]\ncluster = \"games\"\n\n[settings.host]\nx = 1\n",
            "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"B\"\n\n--B\nContent-Type: text/x-shellscript\n\n\
             #!/bin/bash\necho ECS_CLUSTER=games >> /etc/ecs/ecs.config\n--B--\n",
            &encoded,
        ] {
            assert_eq!(judged(text, "games"), Verdict::Pass, "{text}");
            assert_eq!(judged(text, "chess"), Verdict::Fail, "{text}");
        }
    }

    #[test]
    fn what_names_no_cluster_joins_default() {
        for text in [
            "#!/bin/bash\nyum update -y",
            "#!/bin/bash\n# echo ECS_CLUSTER=games",
            "[settings.host]\ncluster = \"games\"",
        ] {
            assert_eq!(judged(text, "games"), Verdict::Fail, "{text}");
            assert_eq!(judged(text, "default"), Verdict::Pass, "{text}");
        }
        assert_eq!(judge(None, "games").result, Verdict::Fail);
        assert_eq!(judge(None, "default").result, Verdict::Pass);
    }

    #[test]
    fn what_cannot_be_read_is_no_mistake_yet() {
        for text in [
            "#!/bin/bash\naws s3 cp s3://bucket/ecs.config /etc/ecs/ecs.config",
            "#!/bin/bash\necho ECS_CLUSTER=${NAME} >> /etc/ecs/ecs.config",
        ] {
            assert_eq!(judged(text, "games"), Verdict::Warn, "{text}");
        }
        assert_eq!(judge(Some("no base64!"), "games").result, Verdict::Warn);
        assert_eq!(judge(Some(&base64::encode([0x1f, 0x8b, 0x08])), "games").result, Verdict::Warn);
    }
}
