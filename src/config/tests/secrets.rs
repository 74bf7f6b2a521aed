//! Credentials, tokens and keys: from which layer they come, and that none is shown.

use super::{Place, shown};
use crate::config::{Flags, Operations, Secret, Settings, changes, operators, print_effective};

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
