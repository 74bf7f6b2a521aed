//! What an operator is told of mistakes.

use std::fs;

use super::Place;

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
fn a_policy_by_the_word_of_a_service_needs_to_know_whose() {
    for path in ["policy", "policy_shadow"] {
        let mistake = Place::new().file("manager.toml", format!("[scaling]\n{path} = \"webhook\"")).mistake();
        assert!(mistake.contains("scaling.webhook_url is not set: nobody can be asked"), "{mistake}");
    }
    let https = Place::new().file("manager.toml", "[scaling]\nwebhook_url = \"https://127.0.0.1/\"").mistake();
    assert!(https.contains("TLS, which is not spoken there"), "{https}");
}

#[test]
fn a_schedule_that_cannot_be_read_is_told_with_the_floor_that_is_wrong() {
    let schedule = "[scaling]\nschedule = \"0 0 * * * for 1h: 5; 0 25 * * * for 1h: 5\"";
    let mistake = Place::new().file("manager.toml", schedule).mistake();
    assert!(mistake.contains("\"0 25 * * * for 1h: 5\": "), "{mistake}");
    assert!(mistake.contains("allowed: floors with a semicolon between them"), "{mistake}");
}
