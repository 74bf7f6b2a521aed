//! What is in force, and where it comes from.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::{NEEDED, OLD, Place, shown};
use crate::config::kind::Kind;
use crate::config::setting::Given;
use crate::config::{Allocation, CloudKind, Loaded, print_effective, table};

#[test]
fn the_old_env_works_as_it_stands() {
    let loaded = Place::on_ecs().file(".env", OLD).load();
    let settings = &loaded.settings;
    assert_eq!(settings.aws.region.as_deref(), Some("ap-south-1"));
    assert_eq!(settings.aws.launch_template.as_deref(), Some("defaultECS"));
    assert_eq!(settings.aws.task_definition.as_deref(), Some("LaunchGameserver"));
    assert_eq!((settings.scaling.upscale_margin, settings.scaling.downscale_margin), (4, 18));
    assert_eq!(settings.scaling.server_capacity, 10);
    assert_eq!(settings.health.interval, Duration::from_secs(1));
    assert_eq!(settings.backup_gameserver, "127.0.0.1:8888");
    assert_eq!(settings.cloud, CloudKind::Ecs);
    assert_eq!(shown(&loaded, "aws.region"), ("ap-south-1", ".env line 7"));
    assert_eq!(shown(&loaded, "health.interval"), ("1s", ".env line 10 (SLEEP_TIME)"));
    let expected = [
        "AWS_REGION is set in .env lines 1 and 7: the last one counts",
        "SECRET_KEY is not used any more (.env line 2)",
        "DEBUG is not used any more (.env line 3)",
    ];
    assert_eq!(loaded.notices, expected);
}

#[test]
fn nothing_at_all_gives_the_defaults() {
    let Loaded { settings, notices, effective } = Place::new().load();
    assert_eq!(settings.listen.to_string(), "0.0.0.0:8000");
    assert_eq!(settings.cloud, CloudKind::Local);
    assert_eq!(settings.scaling.allocation, Allocation::Packed);
    assert_eq!(settings.local.command, Vec::<String>::new());
    assert_eq!(settings.aws.region, None);
    assert_eq!(notices, Vec::<String>::new());
    assert!(effective.iter().all(|effective| effective.path == "cloud" || effective.source == "default"));
    assert_eq!(effective.len(), table::settings().count());
}

#[test]
fn later_layers_go_over_earlier_ones() {
    let toml = r#"
        listen = "127.0.0.1:1"
        fleet = "toml"
        scaling = { max_servers = 5, server_capacity = 9 }
        health.misses = 2
    "#;
    let mut place = Place::new()
        .file("manager.toml", toml)
        .file(".env", "\nMANAGER_LISTEN=127.0.0.1:2\nMANAGER_MAX_SERVERS=6\nSERVER_CAPACITY=8\n")
        .env("MANAGER_LISTEN", "127.0.0.1:3")
        .env("SERVER_CAPACITY", "7")
        .env("PATH", "/bin");
    place.flags.listen = Some("127.0.0.1:4".to_owned());
    let loaded = place.load();
    let expected = [
        ("listen", "127.0.0.1:4", "flag --listen"),
        ("cloud", "local", "flag --local"),
        ("fleet", "toml", "manager.toml"),
        ("scaling.upscale_margin", "4", "default"),
        ("scaling.server_capacity", "7", "environment variable SERVER_CAPACITY"),
        ("scaling.max_servers", "6", ".env line 3"),
        ("health.misses", "2", "manager.toml"),
    ];
    for (path, value, source) in expected {
        assert_eq!(shown(&loaded, path), (value, source), "{path}");
    }
    assert_eq!((loaded.settings.scaling.server_capacity, loaded.settings.scaling.max_servers), (7, 6));
}

#[test]
fn a_file_that_is_named_is_read_instead() {
    let mut place = Place::new().file("manager.toml", "fleet = \"usual\"").file("other.toml", "fleet = \"other\"");
    place.flags.config = Some(PathBuf::from("other.toml"));
    assert_eq!(shown(&place.load(), "fleet"), ("other", "other.toml"));

    place.flags.config = Some(PathBuf::from("missing.toml"));
    let mistake = place.mistake();
    assert!(mistake.starts_with("missing.toml, from flag --config\n    wrong:   cannot be read"), "{mistake}");
}

#[test]
fn the_file_that_comes_with_the_program_changes_nothing() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/manager.toml");
    let place = Place::new().file("manager.toml", fs::read(file).expect("manager.toml"));
    assert_eq!(place.load().settings, Place::new().load().settings);
}

#[test]
fn every_example_in_it_can_be_used() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/manager.toml")).expect("manager.toml");
    let used: Vec<_> =
        text.lines().map(|line| line.strip_prefix("# ").filter(|_| is_example(line)).unwrap_or(line)).collect();
    let loaded = Place::new().with_examples().file("manager.toml", used.join("\n")).load();
    let examples = table::settings().filter(|setting| setting.is_optional() && !setting.is_secret());
    for setting in examples {
        let Given::Unset(example) = setting.default else { continue };
        assert_eq!(shown(&loaded, setting.path), (example, "manager.toml"));
    }
}

fn is_example(line: &str) -> bool {
    table::settings()
        .any(|setting| setting.path.rsplit('.').next().is_some_and(|key| line.starts_with(&format!("# {key} = "))))
}

#[test]
fn every_setting_can_be_set_by_its_name_and_reaches_its_type() {
    // Credentials are not taken from there.
    for setting in table::settings().filter(|setting| !setting.is_secret()) {
        let (Given::Default(text) | Given::Unset(text)) = setting.default;
        let words: &[&str] = if let Kind::Choice(words) = &setting.kind { words } else { &[text] };
        for word in words {
            // The policy that asks somebody needs to know whom.
            let needed = format!("{NEEDED}\nMANAGER_WEBHOOK_URL=http://127.0.0.1:8080/margins");
            let loaded = Place::on_ecs().with_examples().file(".env", needed).env(setting.env, word).load();
            assert_eq!(shown(&loaded, setting.path).1, format!("environment variable {}", setting.env));
        }
    }
}

#[test]
fn sleep_time_is_in_seconds() {
    let table = [("0", "1s"), ("0.0", "1s"), ("2", "2s"), ("0.25", "250ms"), (" 1.5 ", "1s 500ms"), ("300", "5m")];
    for (text, expected) in table {
        for name in ["SLEEP_TIME", "THREAD_SLEEP_TIME"] {
            let loaded = Place::new().env(name, text).load();
            assert_eq!(
                shown(&loaded, "health.interval"),
                (expected, &*format!("environment variable {name}")),
                "{text}"
            );
        }
    }
    for text in ["", "soon", "-1", "NaN", "inf", "1s"] {
        let mistake = Place::new().file(".env", format!("SLEEP_TIME={text}")).mistake();
        assert!(mistake.contains("from .env line 1 (SLEEP_TIME)\n    wrong:   not a number of seconds"), "{mistake}");
    }
    let mistake = Place::new().env("SLEEP_TIME", "301").mistake();
    assert!(mistake.contains("out of range\n    allowed: a duration, \"50ms\" to \"5m\""), "{mistake}");
}

#[test]
fn the_new_name_goes_before_the_old_one() {
    let place = Place::new().file(".env", "MANAGER_HEALTH_INTERVAL=3s\nSLEEP_TIME=2\n");
    assert_eq!(shown(&place.load(), "health.interval").0, "3s");
    let place = place.env("SLEEP_TIME", "4");
    assert_eq!(shown(&place.load(), "health.interval").0, "4s");
}

#[test]
fn what_is_set_to_nothing_counts_as_not_set_if_it_may() {
    let place = Place::new().file("manager.toml", "[aws]\nregion = \"eu-west-1\"").env("AWS_REGION", "");
    let loaded = place.load();
    assert_eq!(shown(&loaded, "aws.region"), ("eu-west-1", "manager.toml"));
    assert_eq!(loaded.notices, ["AWS_REGION is empty and counts as not set (environment variable AWS_REGION)"]);

    let mistake = Place::new().env("UPSCALE_MARGIN", "").mistake();
    assert!(mistake.contains("= \"\", from environment variable UPSCALE_MARGIN"), "{mistake}");

    let missing = Place::on_ecs().file(".env", NEEDED.replace("LaunchGameserver", "")).mistake();
    assert!(missing.contains("aws.task_definition is not set"), "{missing}");
}

#[test]
fn a_command_becomes_words() {
    let line = r#"MANAGER_LOCAL_COMMAND="python 'my game.py' --bind {ip}:{port}""#;
    let words = Place::new().file(".env", line).load().settings.local.command;
    assert_eq!(words, ["python", "my game.py", "--bind", "{ip}:{port}"]);
}

#[test]
fn the_table_of_settings_fits_a_terminal() {
    let table = print_effective(&Place::on_ecs().file(".env", OLD).load().effective);
    for line in table.lines() {
        assert!(line.len() <= 80, "{line}");
    }
    assert!(table.contains("\nscaling.upscale_margin        4                   .env line 4\n"), "{table}");
}

#[test]
fn what_only_the_old_framework_read_is_never_a_mistake() {
    let dotenv = "ALLOWED_HOSTS=localhost, 127.0.0.1\nSECRET_KEY=it's $ecret #1\nUPSCALE_MARGIN=5\n";
    let loaded = Place::new().file(".env", dotenv).load();
    assert_eq!(loaded.settings.scaling.upscale_margin, 5);
    assert!(loaded.notices.iter().any(|notice| notice.contains("ALLOWED_HOSTS is not used any more (.env line 1)")));
}
