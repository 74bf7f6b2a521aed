//! Whole configurations, from files on disk to typed settings.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use super::kind::Kind;
use super::setting::Given;
use super::table;
use super::*;

/// What ECS cannot do without.
const NEEDED: &str = "ECS_INSTANCE_LAUNCH_TEMPLATE=defaultECS\nSERVER_TASK_DEFINITION=LaunchGameserver\n";

/// The `.env` of the program before this one.
const OLD: &str = "\
AWS_REGION=ap_south_1
SECRET_KEY=lol
DEBUG=False
UPSCALE_MARGIN=4
DOWNSCALE_MARGIN=18
SERVER_CAPACITY=10
AWS_REGION=ap-south-1
ECS_INSTANCE_LAUNCH_TEMPLATE=defaultECS
SERVER_TASK_DEFINITION=LaunchGameserver
SLEEP_TIME=0
BACKUP_GAMESERVER=127.0.0.1:8888
";

/// A working directory with what is in force there.
struct Place {
    dir: TempDir,
    flags: Flags,
    env: Vec<(String, String)>,
}

impl Place {
    /// On this machine, where nothing must be set.
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        Self { dir, flags: Flags { local: true, ..Flags::default() }, env: Vec::new() }
    }

    fn on_ecs() -> Self {
        Self { flags: Flags::default(), ..Self::new() }
    }

    /// With the files that the examples of `manager.toml` name.
    fn with_examples(self) -> Self {
        self.file("operations-token", "0123456789abcdef\n").file("api-keys", "0123456789abcdef\n")
    }

    fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        fs::write(self.dir.path().join(name), text).expect("a file");
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn try_load(&self) -> Result<Loaded, Mistakes> {
        load(&self.flags, self.dir.path(), self.env.clone())
    }

    fn load(&self) -> Loaded {
        self.try_load().unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    /// The mistakes, in the form the operator sees.
    fn mistakes(&self) -> Vec<String> {
        let mistakes = self.try_load().expect_err("a mistake");
        mistakes.iter().map(ToString::to_string).collect()
    }

    /// The only mistake there is.
    fn mistake(&self) -> String {
        let mut mistakes = self.mistakes();
        assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
        mistakes.remove(0)
    }
}

fn shown<'a>(loaded: &'a Loaded, path: &str) -> (&'a str, &'a str) {
    let effective = loaded.effective.iter().find(|effective| effective.path == path).expect(path);
    (&effective.value, &effective.source)
}

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
            let loaded = Place::on_ecs().with_examples().file(".env", NEEDED).env(setting.env, word).load();
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
fn all_mistakes_are_told_at_once() {
    let place = Place::on_ecs()
        .file("manager.toml", "kubernetes = \"yes\"\n[scaling]\nmin_servers = \"4\"\nupscale_magrin = 5\n")
        .file(".env", "AWS_REGION=ap_south_1\nUPSCALE_MARGN=3\nno line\n")
        .env("MANAGER_MAX_SERVRES", "7")
        .env("SERVER_CAPACITY", "lots");
    let expected = "\
the configuration has 10 mistakes:

kubernetes = \"yes\", from manager.toml
    wrong:   no setting has this name
    allowed: the settings that manager.toml, as it comes with the program, lists

scaling.upscale_magrin = 5, from manager.toml
    wrong:   no setting has this name
    allowed: did you mean scaling.upscale_margin?

a line, from .env line 3
    wrong:   not of the form NAME=value
    allowed: NAME=value, with quotes around a value that has blanks or quotes in it: NAME='a value'

UPSCALE_MARGN = \"3\", from .env line 2
    wrong:   no setting has this name
    allowed: did you mean UPSCALE_MARGIN?

MANAGER_MAX_SERVRES = \"7\", from environment variable MANAGER_MAX_SERVRES
    wrong:   no setting has this name
    allowed: did you mean MANAGER_MAX_SERVERS?

scaling.server_capacity (SERVER_CAPACITY) = \"lots\", from environment variable SERVER_CAPACITY
    wrong:   not a whole number
    allowed: a whole number, 1 to 65535 (players)

scaling.min_servers (MANAGER_MIN_SERVERS) = \"4\", from manager.toml
    wrong:   wrong type: text; write 4 without quotes
    allowed: a whole number, 0 to 10000 (servers)

aws.region (AWS_REGION) = \"ap_south_1\", from .env line 1
    wrong:   not a region; did you mean ap-south-1?
    allowed: the code of a region, such as \"eu-west-1\" or \"us-gov-west-1\"

cloud (MANAGER_CLOUD) = \"ecs\", from default
    wrong:   aws.task_definition is not set, and ECS cannot do without it
    allowed: SERVER_TASK_DEFINITION, the task definition of the game server; or --local (cloud = \"local\"), which needs no AWS

cloud (MANAGER_CLOUD) = \"ecs\", from default
    wrong:   aws.launch_template is not set, and ECS cannot do without it
    allowed: ECS_INSTANCE_LAUNCH_TEMPLATE, the launch template of its instances; or --local (cloud = \"local\"), which needs no AWS";
    assert_eq!(place.try_load().expect_err("mistakes").to_string(), expected);
}

#[test]
fn settings_must_go_together() {
    let table = [
        (
            "DOWNSCALE_MARGIN=14\nMANAGER_MAX_SERVERS=20",
            "\
scaling.downscale_margin (DOWNSCALE_MARGIN) = 14, from .env line 1
scaling.upscale_margin (UPSCALE_MARGIN) = 4, from default
scaling.server_capacity (SERVER_CAPACITY) = 10, from default
    wrong:   the margins are 10 apart, one server has 10 places: the fleet would flap
    allowed: downscale_margin - upscale_margin > server_capacity",
        ),
        (
            "MANAGER_MIN_SERVERS=21",
            "\
scaling.min_servers (MANAGER_MIN_SERVERS) = 21, from .env line 1
scaling.max_servers (MANAGER_MAX_SERVERS) = 20, from default
    wrong:   the minimum is above the maximum
    allowed: min_servers <= max_servers",
        ),
        (
            "MANAGER_LAUNCH_BACKOFF_MAX=4s",
            "\
launch.backoff (MANAGER_LAUNCH_BACKOFF) = \"5s\", from default
launch.backoff_max (MANAGER_LAUNCH_BACKOFF_MAX) = \"4s\", from .env line 1
    wrong:   the first pause is longer than the longest
    allowed: backoff <= backoff_max",
        ),
        (
            "MANAGER_LOCAL_COMMAND='game --bind {ip}'",
            "\
local.command (MANAGER_LOCAL_COMMAND) = \"game --bind {ip}\", from .env line 1
local.spread (MANAGER_LOCAL_SPREAD) = \"port\", from default
    wrong:   no {port} in the command, though it is what tells two servers apart
    allowed: {port} in the command, or another spread",
        ),
        (
            "MANAGER_LISTEN=127.0.0.1:8001",
            "\
listen (MANAGER_LISTEN) = \"127.0.0.1:8001\", from .env line 1
operations.listen (MANAGER_OPERATIONS_LISTEN) = \"127.0.0.1:8001\", from default
    wrong:   clients and operators at the same place
    allowed: another port for one of them",
        ),
        (
            "MANAGER_OPERATIONS_LISTEN=0.0.0.0:8001",
            "\
operations.listen (MANAGER_OPERATIONS_LISTEN) = \"0.0.0.0:8001\", from .env line 1
    wrong:   other machines reach this address, and without a token whoever does can steer the fleet
    allowed: MANAGER_OPERATIONS_TOKEN or operations.token_file, of 16 or more characters; or an address of this machine \
        alone, such as \"127.0.0.1:8001\"; or \"off\"",
        ),
        (
            "MANAGER_OPERATIONS_TOKEN=hunter2",
            "\
operations.token (MANAGER_OPERATIONS_TOKEN) = ***, from .env line 1
    wrong:   7 characters long: too short
    allowed: 16 or more visible ASCII characters without a blank, such as `openssl rand -hex 16` prints",
        ),
        (
            "MANAGER_OPERATIONS_TOKEN_FILE=missing",
            "\
operations.token_file (MANAGER_OPERATIONS_TOKEN_FILE) = \"missing\", from .env line 1
    wrong:   cannot be read: No such file or directory (os error 2)
    allowed: a text file with a token alone: 16 or more visible ASCII characters without a blank, such as `openssl \
        rand -hex 16` prints",
        ),
        (
            "MANAGER_API_TRUSTED_PROXIES=10.0.0.1/16",
            "\
api.trusted_proxies (MANAGER_API_TRUSTED_PROXIES) = \"10.0.0.1/16\", from .env line 1
    wrong:   10.0.0.1/16 is an address within 10.0.0.0/16: write that, or the address alone
    allowed: IP networks or addresses with commas between them, such as \"10.0.0.0/16, 2001:db8::/32, 192.0.2.7\"",
        ),
        (
            "AWS_SECRET_ACCESS_KEY=hunter2",
            "\
aws.secret_access_key (AWS_SECRET_ACCESS_KEY) = ***, from .env line 1
    wrong:   half of a pair of credentials
    allowed: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY together, AWS_SESSION_TOKEN only with them",
        ),
    ];
    for (dotenv, expected) in table {
        assert_eq!(Place::new().file(".env", dotenv).mistake(), expected);
    }
    let settled = "UPSCALE_MARGIN=4\nDOWNSCALE_MARGIN=15\nMANAGER_MIN_SERVERS=20\nMANAGER_LAUNCH_BACKOFF=5m\n\
        MANAGER_LOCAL_SPREAD=address\nMANAGER_LOCAL_COMMAND='game {ip}'";
    Place::new().file(".env", settled).load();
}

#[test]
fn a_margin_that_is_wrong_already_breaks_no_rule() {
    let mistake = Place::new().file(".env", "DOWNSCALE_MARGIN=few").mistake();
    assert!(mistake.contains("not a whole number"), "{mistake}");
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
fn credentials_come_from_one_layer_and_are_shown_nowhere() {
    let dotenv = "AWS_ACCESS_KEY_ID=hunter1\nAWS_SECRET_ACCESS_KEY='hunter$2'\nAWS_SESSION_TOKEN=hunter3\n";
    let loaded = Place::new().file(".env", dotenv).load();
    let key = loaded.settings.aws.secret_access_key.as_ref().map(Secret::reveal);
    assert_eq!(key, Some("hunter$2"));
    assert_eq!(shown(&loaded, "aws.secret_access_key"), ("***", ".env line 2"));
    let everywhere = format!("{loaded:?}{}", print_effective(&loaded.effective));
    assert!(!everywhere.contains("hunter"), "{everywhere}");

    let place = Place::new().file(".env", dotenv).env("AWS_ACCESS_KEY_ID", "fresh").env("AWS_SECRET_ACCESS_KEY", "key");
    let loaded = place.load();
    assert_eq!(loaded.settings.aws.secret_access_key.as_ref().map(Secret::reveal), Some("key"));
    assert_eq!(loaded.settings.aws.session_token, None, "it belongs to the other key");

    let mistake = Place::new().file("manager.toml", "[aws]\nsession_token = \"hunter2\"").mistake();
    assert!(mistake.contains("put it into the environment or .env, as AWS_SESSION_TOKEN"), "{mistake}");
    assert!(!mistake.contains("hunter"), "{mistake}");
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let mistake = Place::new().file("manager.toml", "listen = \"a\"\n[scaling\n").mistake();
    assert!(mistake.contains("line 2"), "{mistake}");
    let mistake = Place::new().file("manager.toml", "fleet = \"a\"\nfleet = \"b\"\n").mistake();
    assert!(mistake.contains("duplicate key"), "{mistake}");
    for name in ["manager.toml", ".env"] {
        let mistake = Place::new().file(name, [0xff, 0xfe]).mistake();
        assert!(mistake.contains("cannot be read"), "{mistake}");
        let place = Place::new();
        fs::create_dir(place.dir.path().join(name)).expect("a directory in its place");
        assert!(place.mistake().contains("cannot be read"));
    }
}

#[test]
fn a_value_in_the_place_of_a_section_and_the_other_way_round() {
    let mistakes = Place::new().file("manager.toml", "scaling = 3\n[listen]\nport = 1\n").mistakes();
    assert!(mistakes[0].contains("a number, where a section begins"), "{}", mistakes[0]);
    assert!(mistakes[1].contains("listen (MANAGER_LISTEN) = { ... }, from manager.toml"), "{}", mistakes[1]);
    assert_eq!(mistakes.len(), 2);
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

#[test]
fn operators_are_listened_for_nowhere_or_with_a_token_everywhere() {
    let listen = |text| Place::new().env("MANAGER_OPERATIONS_LISTEN", text);
    let operations = |place: Place| place.load().settings.operations;
    assert_eq!(operations(listen("off")).listen, None);
    for address in ["127.0.0.1:0", "127.1.2.3:1", "[::1]:8001", "[::ffff:127.0.0.1]:8001"] {
        assert_eq!(operations(listen(address)).token, None, "{address}");
    }
    let token = |operations: Operations| operations.token.map(|token| token.reveal().to_owned());
    let everywhere = || listen("[::]:8001");
    let from_environment = everywhere().env("MANAGER_OPERATIONS_TOKEN", "hunter2_hunter2_");
    assert_eq!(token(operations(from_environment)).as_deref(), Some("hunter2_hunter2_"));
    let from_file = everywhere().with_examples().env("MANAGER_OPERATIONS_TOKEN_FILE", "operations-token");
    assert_eq!(token(operations(from_file)).as_deref(), Some("0123456789abcdef"));
    let empty = everywhere().env("MANAGER_OPERATIONS_TOKEN", "").mistake();
    assert!(empty.contains("without a token"), "{empty}");
}

#[test]
fn there_is_one_token_and_no_mistake_shows_it() {
    let place = Place::new()
        .file(".env", "MANAGER_OPERATIONS_TOKEN=hunter2 hunter2\n".replace(' ', "\u{e4}"))
        .file("token", "hunter2\n")
        .file("keys", "# keys\nhunter2\n")
        .env("MANAGER_OPERATIONS_TOKEN_FILE", "token")
        .env("MANAGER_API_KEYS_FILE", "keys");
    let mistakes = place.mistakes().join("\n");
    for told in ["7 characters long", "line 2: 7 characters long", "two tokens", "beyond ASCII"] {
        assert!(mistakes.contains(told), "{told} is not in {mistakes}");
    }
    assert!(!mistakes.contains("hunter"), "{mistakes}");
}

#[test]
fn keys_are_wanted_where_there_is_a_file_of_them() {
    assert_eq!(Place::new().load().settings.api.keys, None);
    let place = Place::new().file("keys", "hunter2_hunter2_ # the site\nhunter3_hunter3_\n");
    let loaded = place.env("MANAGER_API_KEYS_FILE", "keys").load();
    let keys: Vec<_> = loaded.settings.api.keys.iter().flatten().map(Secret::reveal).collect();
    assert_eq!(keys, ["hunter2_hunter2_", "hunter3_hunter3_"]);
    assert_eq!(shown(&loaded, "api.keys_file").0, "keys");
    assert!(!format!("{loaded:?}").contains("hunter"));
}

#[test]
fn a_reload_sees_what_has_changed_in_a_file_of_secrets() {
    let place = Place::new().with_examples().env("MANAGER_API_KEYS_FILE", "api-keys");
    let place = place.env("MANAGER_OPERATIONS_TOKEN_FILE", "operations-token");
    let old = place.load().effective;
    let place = place.file("api-keys", "another_key_for_all\n").file("operations-token", "another_token_too\n");
    let expected = [
        "api.keys_file: changed (environment variable MANAGER_API_KEYS_FILE)",
        "operations.token_file: changed (environment variable MANAGER_OPERATIONS_TOKEN_FILE)",
    ];
    assert_eq!(changes(&old, &place.load().effective), expected);
}

#[test]
fn a_token_in_the_environment_leaves_other_credentials_to_dot_env() {
    let dotenv = "AWS_ACCESS_KEY_ID=id\nAWS_SECRET_ACCESS_KEY=key\nMANAGER_OPERATIONS_TOKEN=0123456789abcdef\n";
    let place = Place::new().file(".env", dotenv).env("MANAGER_OPERATIONS_TOKEN", "fedcba9876543210");
    let Settings { aws, operations, .. } = place.load().settings;
    assert_eq!(aws.secret_access_key.as_ref().map(Secret::reveal), Some("key"));
    assert_eq!(operations.token.as_ref().map(Secret::reveal), Some("fedcba9876543210"));
}

#[test]
fn operators_need_no_more_than_where_to_ask_and_the_token() {
    let ask = |place: &Place| operators(&place.flags, place.dir.path(), place.env.clone());
    let token = |operations: Operations| operations.token.map(|token| token.reveal().to_owned());
    // A token that is brought along goes before a file that cannot be read.
    let place = Place::on_ecs().env("MANAGER_MAX_SERVERS", "many").env("MANAGER_OPERATIONS_TOKEN_FILE", "not-there");
    let mistakes = ask(&place).map(token).expect_err("no token");
    assert!(mistakes.to_string().contains("not-there"), "{mistakes}");
    let brought = place.env("MANAGER_OPERATIONS_TOKEN", "0123456789abcdef");
    let operations = ask(&brought).expect("an address and a token");
    assert_eq!(operations.listen, Some(([127, 0, 0, 1], 8001).into()));
    assert_eq!(token(operations).as_deref(), Some("0123456789abcdef"));
    assert_eq!(ask(&Place::new().env("MANAGER_OPERATIONS_LISTEN", "off")).map(|found| found.listen), Ok(None));
    for place in [
        Place { flags: Flags { config: Some("not-there.toml".into()), ..Flags::default() }, ..Place::new() },
        Place::new().env("MANAGER_OPERATIONS_LISTEN", "everywhere"),
    ] {
        assert!(ask(&place).is_err(), "{:?} {:?}", place.flags, place.env);
    }
}
